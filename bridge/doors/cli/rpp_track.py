"""A track of a REAPER project as it is typed: `nrx remix project.RPP --track "Drums"`.

The track is rebuilt from its items' files here, where they are, into a kept input of this NRX_HOME; the request is then
one for plain audio with the project's tempo map. What the files do not hold is said on standard error.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.errors import NrxError

SUFFIX = ".rpp"


def project_fields(inputs: Sequence[dict[str, Any]], track: str | None) -> dict[str, Any]:
    """Return the `inputs` and, unless one is given, the `tempo_map` of a request for a track of a project.

    Raises:
        NrxError: `request.invalid` for a track that there is not, `input.empty` for one without audio; what reading
            the project and its files raises.
    """
    import click

    from bridge.config import load_settings
    from bridge.projects.items import written
    from bridge.projects.rpp import read_rpp
    from engine.audio import Limits

    path = Path(str(inputs[0]["path"])).expanduser()
    if len(inputs) > 1:
        raise NrxError("request.invalid", f'"{path}" is a REAPER project, and makes a job of its own.')
    project = read_rpp(path)
    if track is None:
        raise NrxError(
            "request.invalid",
            f'Say which track of "{path.name}" with --track; its tracks are: {project.names}.',
        )
    chosen = project.track(track)
    if not chosen.items:
        said = " ".join(chosen.left_out) or "It is empty, or its items are muted."
        raise NrxError("input.empty", f'The track "{chosen.label}" has no audio in "{path.name}". {said}')
    if chosen.left_out:
        click.echo(f"{chosen.label}: {' '.join(chosen.left_out)}", err=True)
    settings = load_settings()
    limits = Limits(max_bytes=int(settings.input_max_gb * 1e9))
    name = f"{path.stem} - {chosen.label}"
    file, start_s = written(chosen.items, name, settings.home / "inputs", limits)
    return {
        "inputs": [{"path": str(file), "name": f"{name}.wav"[-255:]}],
        "tempo_map": project.tempo_map.shifted(-start_s).to_json(),
    }
