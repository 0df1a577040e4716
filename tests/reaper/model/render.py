"""Rendering, as action 42230 does it by the project's RENDER_* settings: real files, at once or in the background.

What the model does not do is refused rather than guessed: regions, razor areas, several formats, post-processing.
"""

import base64
import binascii
import contextlib
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from tests.reaper.model.failures import Refused
from tests.reaper.model.mixer import Mixer
from tests.reaper.model.state import Samples, Track, frames_of

if TYPE_CHECKING:
    from tests.reaper.model.project import Project
    from tests.reaper.model.reaper import Reaper

Fault = Literal["cancel", "disk_full", "silent", "short", "empty", "stuck"]
SUBTYPES = {8: "PCM_U8", 16: "PCM_16", 24: "PCM_24", 32: "FLOAT", 64: "DOUBLE"}
KNOWN_SETTINGS = 1 | 2 | 128 | 256 | 512 | 1024 | 8192 | (8 << 16)


@dataclass
class RenderOptions:
    """How this REAPER renders, and what goes wrong.

    `background` is the preference of that name; then the file grows over `cycles` cycles. `seconds` is how long a
    blocking render holds everything up. `fault`: the user cancels, the disk is full, the file is silent, half as long,
    or empty; "stuck" never ends (background only). `sidecar` leaves a `.RPP` beside each file; `suffix` is put behind
    the file's name as some versions do for stems.
    """

    background: bool = False
    cycles: int = 6
    seconds: float = 1.0
    fault: Fault | None = None
    sidecar: bool = False
    suffix: str = ""


@dataclass
class _Output:
    path: Path
    track: Track | None
    through_master: bool
    pre_fader: bool


@dataclass
class RenderJob:
    """A render in the background: `advance` every cycle until it returns true."""

    project: "Project"
    files: dict[Path, bytes]
    options: RenderOptions
    cycle: int = 0
    written: list[Path] = field(default_factory=list)

    def advance(self) -> bool:
        """Write the next piece; true when it has ended."""
        self.cycle += 1
        if self.options.fault == "stuck":
            return False
        half_way = self.cycle * 2 >= self.options.cycles
        if self.options.fault == "cancel" and half_way:
            self.cancel()
            return True
        done = self.cycle >= self.options.cycles
        full = self.options.fault == "disk_full" and half_way
        for path, data in self.files.items():
            part = data if done else unfinished(data)[: len(data) * self.cycle // self.options.cycles]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(part)
        return done or full

    def cancel(self) -> None:
        """Stop and leave nothing."""
        for path in self.files:
            path.unlink(missing_ok=True)


def begin_render(reaper: "Reaper", project: "Project") -> None:
    """Render now, or begin to.

    Raises:
        Refused: if the settings mean what the model does not do, or a window opens that nobody answers.
    """
    if reaper.render_job is not None:
        raise Refused("another render is going on")
    if project.play_state & 4:
        raise Refused("renders while REAPER records")
    options = reaper.render_options
    outputs = _outputs(project, options.suffix)
    start_s, end_s = _bounds(project)
    if not outputs or end_s <= start_s:
        reaper.ask("nothing", "Nothing to render!")
        return
    existing = [output.path for output in outputs if output.path.exists()]
    if existing and not reaper.ask("overwrite", f"The file {existing[0]} exists already."):
        return
    files = _files(project, outputs, start_s, end_s, options)
    job = RenderJob(project, files, options)
    if options.background:
        reaper.render_job = job
        return
    reaper.now_s += options.seconds
    job.cycle = options.cycles - 1
    if options.fault == "disk_full":
        job.cycle = options.cycles // 2 - 1
    if options.fault != "stuck":
        job.advance()


def targets_of(project: "Project") -> list[Path]:
    """Return the files that a render would write now."""
    return [output.path for output in _outputs(project, "")]


def _outputs(project: "Project", suffix: str) -> list[_Output]:
    settings = int(project.render["RENDER_SETTINGS"])
    if settings & ~KNOWN_SETTINGS:
        raise Refused(f"the model does not render with RENDER_SETTINGS {settings}")
    selected = [track for track in project.tracks if track.selected]
    pre_fader = bool(settings & 8192)
    chosen: list[tuple[Track | None, bool]] = []
    if settings & 128:
        chosen = [(track, True) for track in selected]
    elif settings & 3:
        chosen = [(track, False) for track in selected]
        if settings & 3 == 1:
            chosen.append((None, True))
    else:
        chosen = [(None, True)]
    names = [_name(project, track) for track, _ in chosen]
    folder = Path(project.render_strings["RENDER_FILE"])
    if not folder.is_absolute():
        folder = (project.path.parent if project.path else project.media_folder) / folder
    outputs: list[_Output] = []
    for index, (track, through_master) in enumerate(chosen):
        name = names[index]
        if names.count(name) > 1:
            name = f"{name}-{names[: index + 1].count(name):03d}"
        outputs.append(_Output(folder / f"{name}{suffix}.wav", track, through_master, pre_fader))
    return outputs


def _name(project: "Project", track: Track | None) -> str:
    pattern = project.render_strings["RENDER_PATTERN"] or "untitled"
    number = project.tracks.index(track) + 1 if track else 0
    title = project.path.stem if project.path else "untitled"
    for wildcard, value in (
        ("$tracknumber", f"{number:02d}"),
        ("$track", track.name or f"Track {number}" if track else "master"),
        ("$project", title),
    ):
        pattern = pattern.replace(wildcard, value)
    if "$" in pattern:
        raise Refused(f"the model does not know the wildcard in {pattern!r}")
    return pattern


def _bounds(project: "Project") -> tuple[float, float]:
    flag = int(project.render["RENDER_BOUNDSFLAG"])
    if flag == 0:
        start_s, end_s = project.render["RENDER_STARTPOS"], project.render["RENDER_ENDPOS"]
    elif flag == 1:
        start_s, end_s = 0.0, project.content.end_s()
    elif flag == 2:
        start_s, end_s = project.content.time_selection
    else:
        raise Refused(f"the model does not render with RENDER_BOUNDSFLAG {flag}")
    if end_s > start_s and int(project.render["RENDER_TAILFLAG"]) >> flag & 1:
        end_s += project.render["RENDER_TAILMS"] / 1000
    return start_s, end_s


def _files(
    project: "Project", outputs: list[_Output], start_s: float, end_s: float, options: RenderOptions
) -> dict[Path, bytes]:
    import soundfile

    bits, sounds = _format(project)
    rate = int(project.render["RENDER_SRATE"]) or project.sample_rate
    channels = int(project.render["RENDER_CHANNELS"])
    add = int(project.render["RENDER_ADDTOPROJ"])
    if add & 1:
        raise Refused("RENDER_ADDTOPROJ adds tracks to the user's project")
    frames = frames_of(end_s - start_s, rate)
    mixer = Mixer(project, start_s, frames, rate)
    files: dict[Path, bytes] = {}
    for output in outputs:
        samples = _samples(mixer, output) * (1.0 if sounds and options.fault != "silent" else 0.0)
        samples = _post_processed(project, samples)
        if options.fault == "short":
            samples = samples[: len(samples) // 2]
        if options.fault == "empty":
            files[output.path] = b""
            continue
        if add & 2 and not samples.any():
            continue
        shaped = samples.mean(axis=1, keepdims=True) if channels == 1 else samples
        if channels > 2:
            shaped = np.pad(samples, ((0, 0), (0, channels - 2)))
        data = io.BytesIO()
        soundfile.write(data, shaped, rate, subtype=SUBTYPES[bits], format="WAV")
        files[output.path] = data.getvalue()
        if options.sidecar:
            files[output.path.with_name(output.path.name + ".RPP")] = b'<REAPER_PROJECT 0.1 "7.0" 0\r\n>\r\n'
    return files


def _samples(mixer: Mixer, output: _Output) -> Samples:
    if output.track is None:
        return mixer.master()
    samples = mixer.track(output.track, fader=not output.pre_fader)
    return mixer.through_master(samples) if output.through_master else samples


def _post_processed(project: "Project", samples: Samples) -> Samples:
    normalize = int(project.render["RENDER_NORMALIZE"])
    if normalize == 0 or normalize & 4 << 16:
        return samples
    if normalize & ~(1 | 14):
        raise Refused(f"the model does not render with RENDER_NORMALIZE {normalize}")
    peak = float(np.max(np.abs(samples), initial=0.0))
    return samples * (project.render["RENDER_NORMALIZE_TARGET"] / peak) if normalize & 1 and peak else samples


def _format(project: "Project") -> tuple[int, bool]:
    """Return the bits of the format, and whether the file sounds: a bare "evaw" has been seen to give silence."""
    text = project.render_strings["RENDER_FORMAT"]
    if project.render_strings["RENDER_FORMAT2"]:
        raise Refused("the model renders one format at a time")
    if text == "evaw":
        return 24, False
    data = b""
    with contextlib.suppress(binascii.Error, ValueError):
        data = base64.b64decode(text, validate=True)
    if len(data) < 7 or data[:4] != b"evaw" or data[4] not in SUBTYPES:
        raise Refused(f"the model does not render RENDER_FORMAT {text!r}")
    return data[4], True


def unfinished(data: bytes) -> bytes:
    """Return a WAV file as it is while it grows: its header does not know its length yet."""
    at = data.find(b"data", 12)
    if at < 0:
        return data
    return data[:4] + bytes(4) + data[8 : at + 4] + bytes(4) + data[at + 8 :]
