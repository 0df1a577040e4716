"""What installing into a DAW changes, file by file: planned first, so that it can be shown, then done."""

import os
from dataclasses import dataclass
from pathlib import Path

from engine.errors import NrxError


@dataclass(frozen=True, slots=True)
class Step:
    """One file: what is to be in it (None: it is to be removed), and how that is told."""

    path: Path
    content: bytes | None
    done: str


def carried_out(steps: list[Step], dry_run: bool) -> list[str]:
    """Do the steps, each file whole or not at all; return a line for each.

    Raises:
        NrxError: `output.not_writable`, with the first file that could not be changed.
    """
    lines = []
    for step in steps:
        if dry_run:
            lines.append(f"{step.path} would be {step.done}.")
            continue
        try:
            if step.content is None:
                step.path.unlink()
            else:
                step.path.parent.mkdir(parents=True, exist_ok=True)
                draft = step.path.with_name(f".{step.path.name}-{os.getpid()}")
                draft.write_bytes(step.content)
                draft.replace(step.path)
        except OSError as error:
            raise NrxError(
                "output.not_writable", f"{step.path} cannot be {step.done} ({error.strerror or error})."
            ) from error
        lines.append(f"{step.path} is {step.done}.")
    return lines
