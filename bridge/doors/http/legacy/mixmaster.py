"""MixMaster Pro: stems with roles in one form, mixed and mastered by a preset, below `/v1`.

What was sent beside the audio (project, preset, targets, options, roles) is kept beside the job store, and shown with
the job. A reference is the id of an upload; addresses are never fetched.
"""

import json
import re
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from bridge.doors.http.answers import answer
from bridge.doors.http.bodies import strict_json
from bridge.doors.http.context import Context, HttpContext
from bridge.doors.http.errors import answers
from bridge.doors.http.files import file_answer
from bridge.doors.http.legacy.words import MASTER, MIX, STATUS, open_first, percent, require_finished
from bridge.doors.http.receiving import Form, ReceivedFile, received_form
from bridge.doors.http.routes.returns import BYTES, RANGES
from bridge.doors.http.submitting import DOOR, upload_input
from bridge.protocol import InputFile, JobStatus, parse_request
from bridge.uploads import clean_name
from engine.actions.reference import REFERENCE_ROLE
from engine.errors import NrxError

router = APIRouter(prefix="/v1", tags=["as in MixMaster Pro"])

MOST_STEMS = 32
DEFAULT_PRESET = "streaming"
TARGETS: dict[str, tuple[str, ...]] = {
    "lufs": ("lufs",),
    "ceiling_dbTP": ("ceiling_dbtp",),
    "width_pct": ("mastering", "width_pct"),
    "lra_max": ("mastering", "lra_max"),
}
"""Targets -> where they stand in a request."""
OPTIONS = ("respect_user_gains", "bypass_parallel_comp")
"""Options that are true or false; what else is told is kept."""
FILES = {"mix": (MIX,), "master": (MASTER,), "report": ("report.json", "manifest.json")}
REFERENCES = ("reference_upload", "reference_track_url")
_ADDRESS = re.compile(r"\s*([a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
FORM_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "project_id": {"type": "string"},
                        "preset": {"type": "string"},
                        "stems_meta": {"type": "string", "description": "JSON: a list of {name, role}"},
                        "targets": {
                            "type": "string",
                            "description": "JSON: {lufs, ceiling_dbTP, width_pct, lra_max}",
                        },
                        "options": {"type": "string", "description": "JSON: {respect_user_gains, …}"},
                        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
                    },
                }
            }
        },
    }
}


class StemMeta(BaseModel):
    """What is told of a stem; whatever else is told is kept."""

    model_config = ConfigDict(extra="allow")

    name: str = Field(min_length=1, max_length=255)
    role: str | None = Field(default=None, max_length=100)


class Record(BaseModel):
    """What was sent with a job, kept beside the store."""

    project_id: str = ""
    preset: str = DEFAULT_PRESET
    targets: dict[str, Any] = Field(default_factory=dict)
    options: dict[str, Any] = Field(default_factory=dict)
    stems: list[dict[str, Any]] = Field(default_factory=list)


@router.post(
    "/jobs",
    status_code=202,
    response_model=dict[str, Any],
    responses=answers(409, 501, 507),
    openapi_extra=FORM_BODY,
)
async def submit(request: Request, context: Context) -> Response:
    """Take stems as a form: project_id, preset, stems_meta, and the files under their names; mix and master them."""
    async with received_form(request, context.uploads, MOST_STEMS) as form:
        status, record = await run_in_threadpool(_accepted, context, form)
    return answer(_shown(status, record), 202, {"location": f"/v1/jobs/{status.id}"})


@router.get("/jobs/{job_id}", response_model=dict[str, Any], responses=answers())
def show(job_id: str, context: Context) -> Response:
    """Tell where a job stands, with what was sent for it."""
    return answer(_shown(context.jobs.get(job_id), _recalled(context, job_id)))


@router.get(
    "/jobs/{job_id}/download/{what}", response_class=Response, responses={**BYTES, **RANGES, **answers(409)}
)
def download(
    request: Request, job_id: str, what: Literal["mix", "master", "report"], context: Context
) -> Response:
    """Return the mix, the master, or the report."""
    status = context.jobs.get(job_id)
    require_finished(status)
    stream, name = open_first(context, job_id, FILES[what])
    return file_answer(request, stream, f"{what}{Path(name).suffix}", attach=True)


def _accepted(context: HttpContext, form: Form) -> tuple[JobStatus, Record]:
    """Check the form, register its files, and accept the job."""
    metas = _metas(form.fields.get("stems_meta", "[]"))
    if not form.files:
        raise NrxError("request.invalid", "The form has no files; send each stem as a part with its file.")
    record = Record(
        project_id=form.fields.get("project_id", "")[:200],
        preset=form.fields.get("preset", "").strip() or DEFAULT_PRESET,
        targets=_object(form.fields.get("targets", "{}"), "targets"),
        options=_object(form.fields.get("options", "{}"), "options"),
    )
    references = _references(context, record.options)
    fields = {
        "action": "mix",
        "preset": record.preset,
        "mixing": _mixing(record.options),
        **_targets(record.targets),
    }
    stems = [(item, _meta_of(item, metas)) for item in form.files]
    unsent = [meta.name for meta in metas if not any(chosen is meta for _, chosen in stems)]
    if unsent:
        raise NrxError(
            "request.invalid", f"stems_meta names {unsent[0][:200]!a}, and no file of that name was sent."
        )
    _check_preset(record.preset)
    roles = [_role(item, meta) for item, meta in stems]
    parse_request({**fields, "inputs": [{"path": "stem", "role": role} for role in roles]})
    # A role that is only guessed from a name is left to the mix, which hears the stem, too.
    inputs = []
    for (item, meta), role in zip(stems, roles, strict=True):
        upload = context.uploads.add(item.path, meta.name if meta is not None else item.name or item.field)
        inputs.append(upload_input(upload, role if meta is not None and meta.role else None))
        record.stems.append(
            {**(meta.model_dump() if meta is not None else {"name": upload.name}), "role": role}
        )
    return _submitted(context, fields, [*inputs, *references], record), record


def _submitted(
    context: HttpContext, fields: dict[str, Any], inputs: list[InputFile], record: Record
) -> JobStatus:
    """Keep the record, then accept the job under the record's id; no record stays for a job that was refused."""
    job_id = uuid.uuid4().hex
    file = _file(context, job_id)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(record.model_dump_json(), encoding="utf-8")
    try:
        request = parse_request({**fields, "inputs": [item.model_dump() for item in inputs]})
        return context.jobs.submit(request, door=DOOR, job_id=job_id)
    except BaseException:
        with suppress(OSError):
            file.unlink()
        raise


def _shown(status: JobStatus, record: Record) -> dict[str, Any]:
    done = status.state == "succeeded"
    return {
        "job_id": status.id,
        "status": "queued" if status.state == "queued" else STATUS[status.state],
        "progress": percent(status),
        "stage": status.stage,
        **record.model_dump(),
        "error": status.error.sentence if status.error is not None else None,
        "downloads": {what: f"/v1/jobs/{status.id}/download/{what}" for what in FILES} if done else {},
    }


def _metas(text: str) -> list[StemMeta]:
    try:
        return TypeAdapter(list[StemMeta]).validate_python(strict_json(text or "[]", "stems_meta"))
    except ValidationError:
        raise NrxError(
            "request.invalid",
            'stems_meta is refused: it must be JSON as [{"name": "kick.wav", "role": "kick"}].',
        ) from None


def _object(text: str, field: str) -> dict[str, Any]:
    found = strict_json(text or "{}", field)
    if not isinstance(found, dict):
        raise NrxError("request.invalid", f"{field} is refused: it must be a JSON object.")
    return found


def _targets(targets: dict[str, Any]) -> dict[str, Any]:
    """Return the targets as fields of a request."""
    fields: dict[str, Any] = {}
    for name, value in targets.items():
        place = TARGETS.get(name)
        if place is None or isinstance(value, bool) or not isinstance(value, int | float):
            raise NrxError(
                "request.invalid",
                f"The target {name[:60]!a} is refused: targets are the numbers {', '.join(TARGETS)}.",
            )
        into = fields
        for step in place[:-1]:
            into = into.setdefault(step, {})
        into[place[-1]] = float(value)
    return fields


def _mixing(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options as a request's options for mixing."""
    for name in OPTIONS:
        if not isinstance(options.get(name, False), bool):
            raise NrxError("request.invalid", f"options.{name} is refused: it must be true or false.")
    return {
        "respect_user_gains": options.get("respect_user_gains", False),
        "bypass": ["parallel"] if options.get("bypass_parallel_comp") else [],
    }


def _references(context: HttpContext, options: dict[str, Any]) -> list[InputFile]:
    """Return the references as inputs of a job.

    Raises:
        NrxError: `request.invalid` for an address, `upload.unknown`.
    """
    found = []
    for name in REFERENCES:
        value = options.get(name)
        if value is None or value == "":
            continue
        if not isinstance(value, str) or _ADDRESS.match(value):
            raise NrxError(
                "request.invalid",
                f"options.{name} is refused: addresses are not fetched; upload the reference and give its upload id.",
            )
        found.append(upload_input(context.uploads.get(value), REFERENCE_ROLE))
    return found


def _check_preset(preset: str) -> None:
    from engine.mastering.presets import load_master_preset

    load_master_preset(preset)


def _meta_of(item: ReceivedFile, metas: list[StemMeta]) -> StemMeta | None:
    """Return what is told of a file: by its part's name, its file name, or that without folder and suffix."""
    for names in (
        (item.field,),
        (item.name, clean_name(item.name)),
        (Path(item.name).stem, Path(item.field).stem),
    ):
        found = [meta for meta in metas if meta.name in names]
        if found:
            return found[0]
    return None


def _role(item: ReceivedFile, meta: StemMeta | None) -> str:
    """Return a stem's role: as told, else as its name says.

    Raises:
        NrxError: `request.invalid` for a word that is no role.
    """
    from engine.mixing.roles import ROLES, canonical_role, guess_role

    if meta is None or not meta.role:
        return guess_role(Path(meta.name if meta is not None else item.name or item.field).stem)
    role = canonical_role(meta.role)
    if role is None:
        raise NrxError(
            "request.invalid",
            f"The role {meta.role[:60]!a} is refused; choose one of {', '.join(sorted(ROLES))}.",
        )
    return role


def _file(context: HttpContext, job_id: str) -> Path:
    return context.settings.home / "http" / "v1" / f"{job_id}.json"


def _recalled(context: HttpContext, job_id: str) -> Record:
    """Return the record of a known job; one that came by another route has an empty one."""
    try:
        return Record.model_validate(json.loads(_file(context, job_id).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return Record()
