"""What a request file holds: `SpoolRequest`, and how it is read.

A file `<id>.json` is a JSON object in UTF-8 (a byte order mark is allowed) of at most 4 MiB, in one of two forms. With
an envelope:

    {"protocol": 1, "request": {"action": "remix", "inputs": [{"path": "/abs/a.wav"}], "style": "jazz"}, "priority": 5}

or flat, the fields of the request themselves beside those of the envelope:

    {"protocol": 1, "action": "remix", "inputs": [{"path": "/abs/song.wav"}], "style": "jazz", "priority": 5}

`protocol` must be there and be 1. The job's id is the file's name without `.json`; an `id` in the file, where there is
one, must say the same. Paths are absolute or begin with `~`. `out` must lie below a return folder of NRX Bridge's own.
"""

import json
import re
import stat
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bridge.config import Settings
from bridge.protocol import PROTOCOL_VERSION, Request, parse_request
from engine.errors import NrxError

LARGEST_BYTES = 4 << 20
ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
COMMAND_LINE = "cli"
"""The client that `nrx submit` is: its jobs came from the command line, whatever way they took."""
_ENVELOPE = ("id", "out", "priority", "client")


class SpoolRequest(BaseModel):
    """A request and what goes with it: which job id, where the return goes, how urgent it is, who asks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    protocol: Literal[1]
    id: str | None = Field(default=None, pattern=f"^{ID.pattern}$")
    request: Request
    out: str | None = Field(default=None, min_length=1)
    priority: int = Field(default=0, ge=-100, le=100)
    client: str | None = Field(default=None, max_length=100)


class UnfinishedFileError(Exception):
    """The file is no JSON (yet): a writer that cannot rename may still be at it."""


def spool_schema() -> dict[str, Any]:
    """Return the JSON Schema of a request file, in either form."""
    envelope = SpoolRequest.model_json_schema()
    flat = Request.model_json_schema()
    beside = {name: envelope["properties"][name] for name in ("protocol", *_ENVELOPE)}
    definitions = {**envelope.pop("$defs", {}), **flat.pop("$defs", {})}
    flat = {
        **flat,
        "properties": {**flat["properties"], **beside},
        "required": ["protocol", *flat.get("required", ())],
    }
    return {"$defs": definitions, "oneOf": [envelope, flat]}


def id_of(path: Path) -> str:
    """Return the job id that a request file's name gives.

    Raises:
        NrxError: `request.invalid` if the name is no id.
    """
    if not ID.fullmatch(path.stem):
        raise no_id(path.name)
    return path.stem


def no_id(name: str) -> NrxError:
    """Return the error for a file name that gives no job id."""
    return NrxError(
        "request.invalid",
        f'The name "{name[:80]}" gives no job id; name the file with 1 to 64 of A-Z a-z 0-9 _ - and .json.',
    )


def read_request_file(path: Path, settings: Settings) -> SpoolRequest:
    """Read and check a request file.

    Raises:
        UnfinishedFileError: if it is not JSON.
        NrxError: `request.invalid` or `request.forbidden`, with what is wrong.
    """
    fields = parse_json(_bytes_of(path), path.name)
    asked = parse_document(fields)
    job_id = id_of(path)
    if asked.id not in (None, job_id):
        raise NrxError(
            "request.invalid",
            f'The file "{path.name}" says that its id is {asked.id!r}; name the file after its id.',
        )
    for item in asked.request.inputs:
        _require_absolute(item.path)
    if asked.out is not None:
        _require_return_folder(asked.out, settings)
    return asked


def parse_json(data: bytes, name: str) -> dict[str, Any]:
    """Return the JSON object in `data`.

    Raises:
        UnfinishedFileError: if it is not JSON.
        NrxError: `request.invalid` if it is JSON, but not an object of sensible depth.
    """
    try:
        value = json.loads(data.decode("utf-8-sig"), parse_constant=_no_number)
    except RecursionError:
        raise NrxError("request.invalid", f'The file "{name}" is nested too deeply.') from None
    except ValueError as error:
        raise UnfinishedFileError(str(error)) from None
    if not isinstance(value, dict):
        raise NrxError("request.invalid", f'The file "{name}" must hold one JSON object, {{…}}.')
    return value


def parse_document(fields: dict[str, Any]) -> SpoolRequest:
    """Check what a request file holds, in either form.

    Raises:
        NrxError: `request.invalid`, with the first thing that is wrong.
    """
    version = fields.get("protocol")
    if version != PROTOCOL_VERSION or isinstance(version, bool):
        said = "does not say its protocol" if version is None else f"speaks protocol {str(version)[:20]}"
        raise NrxError(
            "request.invalid",
            f"The request {said}, and this NRX Bridge speaks {PROTOCOL_VERSION}; update the older of the two.",
        )
    if "request" in fields:
        inner = fields["request"]
        if not isinstance(inner, dict):
            raise NrxError("request.invalid", "request must be a JSON object with an action.")
        beside = {key: value for key, value in fields.items() if key != "request"}
    else:
        inner = {key: value for key, value in fields.items() if key not in _ENVELOPE}
        beside = {key: fields[key] for key in ("protocol", *_ENVELOPE) if key in fields}
    request = parse_request(inner)
    try:
        return SpoolRequest(**{**beside, "request": request})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(step) for step in first["loc"])
        raise NrxError("request.invalid", f"{name} is refused: {first['msg']}.") from None


def _bytes_of(path: Path) -> bytes:
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise NrxError("request.invalid", f'"{path.name}" is not an ordinary file.')
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise NrxError(
            "request.invalid", f'The file "{path.name}" cannot be read ({error.strerror}).'
        ) from None
    if len(data) > LARGEST_BYTES:
        raise NrxError("request.invalid", f'The file "{path.name}" is larger than {LARGEST_BYTES >> 20} MiB.')
    return data


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _require_absolute(path: str) -> None:
    try:
        whole = Path(path).expanduser().is_absolute()
    except RuntimeError:
        whole = False
    if not whole or "\0" in path:
        raise NrxError("request.invalid", f'The path "{path[:200]}" must be absolute.')


def _require_return_folder(out: str, settings: Settings) -> None:
    """Refuse an `out` that is not below a return folder: nothing is written elsewhere."""
    folders = [settings.returns_folder, *(watch.returns for watch in settings.watch if watch.returns)]
    _require_absolute(out)
    target = Path(out).expanduser().resolve()
    if not any(target.is_relative_to(folder.expanduser().resolve()) for folder in folders):
        raise NrxError(
            "request.forbidden",
            f'The folder "{out[:200]}" is no return folder; leave out away, or name one below {folders[0]}.',
        )
