"""From the body of a call to an accepted job: inputs become registered files, the rest is `protocol`'s."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from bridge.doors.http.context import HttpContext
from bridge.doors.http.models import InputReference
from bridge.protocol import InputFile, JobStatus, Request, parse_request
from bridge.uploads import Upload
from engine.errors import NrxError

if TYPE_CHECKING:
    from bridge.jobs.model import Accepted

MOST_INPUTS = 64
LONGEST_KEY = 200
DOOR = "http"
OWN_FIELDS = ("key", "priority")


@dataclass(frozen=True, slots=True)
class Submission:
    """A body that was checked, but for its files: `request` has placeholders where `references` are."""

    request: Request
    references: tuple[InputReference, ...]
    key: str | None
    priority: int

    @property
    def is_quick(self) -> bool:
        """Whether no file is to be copied."""
        return all(item.upload is not None for item in self.references)


def read_submission(fields: Mapping[str, Any], key: str | None = None) -> Submission:
    """Check the fields of a body; `key` counts where the body names none.

    Raises:
        NrxError: whatever the protocol refuses.
    """
    fields = dict(fields)
    own = {name: fields.pop(name, None) for name in OWN_FIELDS}
    key = _key(own["key"] if own["key"] is not None else key)
    priority = _priority(own["priority"])
    listed = fields.pop("inputs", ())
    if not isinstance(listed, list | tuple) or len(listed) > MOST_INPUTS:
        raise NrxError(
            "request.invalid", f"inputs is refused: it must be a list of at most {MOST_INPUTS} inputs."
        )
    references = tuple(_reference(item, place) for place, item in enumerate(listed))
    request = parse_request({**fields, "inputs": [_placeholder(item) for item in references]})
    return Submission(request, references, key, priority)


def begin_submission(context: HttpContext, asked: Submission) -> "Future[Accepted]":
    """Register the inputs of a submission and begin to accept it; the future is done when it is on the disk.

    Raises:
        NrxError: whatever the inputs or the store refuse; the future raises the rest.
    """
    inputs = tuple(_input(context, item) for item in asked.references)
    request = asked.request.model_copy(update={"inputs": inputs}) if inputs else asked.request
    return context.jobs.begin_accept(request, door=DOOR, key=asked.key, priority=asked.priority)


def submit(
    context: HttpContext, request: Any, *, key: str | None = None, priority: int = 0
) -> tuple[JobStatus, bool]:
    """Accept a request whose inputs are registered; return its status, and whether the job is new."""
    accepted = context.jobs.accept(request, door=DOOR, key=key, priority=priority)
    return accepted.status, accepted.is_new


def upload_input(upload: Upload, role: str | None = None, name: str | None = None) -> InputFile:
    """Return a job's input for an upload."""
    return InputFile(path=upload.path, role=role, name=name or upload.name)


def _input(context: HttpContext, reference: InputReference) -> InputFile:
    if reference.upload is not None:
        return upload_input(context.uploads.get(reference.upload), reference.role, reference.name)
    path = context.roots.allows(reference.path or "")
    name = reference.name or path.name
    with context.roots.open(path) as stream:
        registered = context.jobs.register_input(stream, name)
    return InputFile(path=str(registered.path), role=reference.role, name=name)


def _reference(item: Any, place: int) -> InputReference:
    try:
        reference = InputReference.model_validate(item)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in ("inputs", place, *first["loc"]))
        raise NrxError(
            "request.invalid", f"{where} is refused: {first['msg']}; give each input an upload or a path."
        ) from None
    if (reference.upload is None) == (reference.path is None):
        raise NrxError(
            "request.invalid", f"inputs.{place} is refused: it must have an upload or a path, not both."
        )
    return reference


def _placeholder(reference: InputReference) -> dict[str, Any]:
    """Return the input as the protocol checks it, before any file is touched."""
    return {"path": reference.path or reference.upload or "", "role": reference.role, "name": reference.name}


def _key(key: Any) -> str | None:
    if key is None:
        return None
    if not isinstance(key, str) or not 1 <= len(key) <= LONGEST_KEY or not key.isprintable():
        raise NrxError(
            "request.invalid", f"key is refused: it must be text of 1 to {LONGEST_KEY} characters."
        )
    return key


def _priority(priority: Any) -> int:
    if priority is None:
        return 0
    if not isinstance(priority, int) or isinstance(priority, bool) or not -100 <= priority <= 100:
        raise NrxError(
            "request.invalid", f"priority {str(priority)[:40]!r} is refused: it must be from -100 to 100."
        )
    return priority
