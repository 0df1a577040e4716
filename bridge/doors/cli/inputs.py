"""Files as people type them: plain files are jobs of their own, `role=file` words together are one job."""

from collections.abc import Sequence
from pathlib import Path

from engine.actions.roles import STEM_GROUPS
from engine.errors import NrxError


def jobs_of(arguments: Sequence[str]) -> list[list[dict[str, str | None]]]:
    """Return one list of inputs a job, each input with `path` and `role`.

    Raises:
        NrxError: `request.invalid` where plain files and stems with roles are mixed.
    """
    plain: list[dict[str, str | None]] = []
    stems: list[dict[str, str | None]] = []
    for argument in arguments:
        role, sign, path = argument.partition("=")
        if sign and role.isidentifier() and role not in STEM_GROUPS and not Path(argument).exists():
            raise NrxError(
                "request.invalid", f"There is no role {role!r}; the roles are: {', '.join(STEM_GROUPS)}."
            )
        if sign and role in STEM_GROUPS and not Path(argument).exists():
            stems.append({"path": path, "role": role})
        else:
            plain.append({"path": argument, "role": None})
    if plain and stems:
        raise NrxError(
            "request.invalid",
            f"{plain[0]['path']!r} has no role and other files have; give every file a role (as vocals=a.wav) to make "
            "them one song, or none.",
        )
    return [stems] if stems else [[file] for file in plain]


def stems_of(arguments: Sequence[str]) -> list[dict[str, str | None]]:
    """Return the inputs of one job that takes stems, with roles where they were typed."""
    return [file for argument in arguments for file in jobs_of([argument])[0]]
