"""Separate a song into stems that sum to it: same rate, frames and channels, written once and cached."""

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from engine.actions.model import Backend, Outcome, OutputTrack, Song
from engine.actions.palette import ROLE_COLOURS
from engine.actions.source import Mix, mix_of, read_whole
from engine.audio import Audio, Envelope, WavWriter, best_subtype, envelope, read_audio, write_wav
from engine.backends import Backends
from engine.progress import Monitor
from engine.separation import separator_of, stem_names, stream
from engine.separation.protocol import StemBlock
from engine.stages import Stages

PLAN = (("read", 0.06), ("separate", 0.94))
BYTES_PER_FRAME = 18.0
_MEASURES = "mix.json"
_LAYOUT = 2
"""Counts how the folders of this stage have changed, for those that an earlier release left in the cache."""


def about_separator(backends: Backends) -> Backend:
    """Say which backend separated, and of a neural one which weights on which device."""
    choice, info = backends.separator(), separator_of(backends).info
    what = f"{info.grade}: {info.description}"
    model = choice.model
    if model is None:
        return Backend("separate", info.name, info.version, what, info.licence, why=choice.why)
    return Backend(
        "separate",
        choice.name,
        info.version,
        what,
        model.card.licence,
        commercial_use=model.card.commercial or model.name in backends.models.cleared,
        model=model.card.repo or str(model.folder),
        revision=model.revision,
        device=backends.separated_on,
        why=choice.why,
    )


def known_mix(song: Song, channels: int, stages: Stages, read: Callable[[Monitor], Audio]) -> Mix | None:
    """Return what is known of the song's mix since it was separated, without decoding it; None if it was not yet."""
    folder = stages.find("separate", depends_on(song, channels, stages.backends))
    if folder is None:
        return None
    known = json.loads((folder / _MEASURES).read_bytes())
    return Mix(known["sample_rate"], known["frames"], known["power"], read)


def known_files(song: Song, channels: int, stages: Stages) -> dict[str, Path]:
    """Return the stems of a song that has been separated, role -> file."""
    folder = stages.find("separate", depends_on(song, channels, stages.backends))
    roles = separator_of(stages.backends).info.stems
    return {role: folder / f"{role}.wav" for role in roles} if folder is not None else {}


def separated_files(
    song: Song, mix: Mix, channels: int, stages: Stages, monitor: Monitor, two_stems: str | None = None
) -> dict[str, Path]:
    """Return the stems of `mix` as finished WAV files of `channels`, role -> path, from the cache or made now.

    Stems are 24-bit, or 32-bit float where the input is float or lossy or a stem exceeds full scale, so that the
    written files still sum to the input below -100 dBFS. One subtype serves all stems.
    """
    separator = separator_of(stages.backends)
    roles = stem_names(two_stems, separator.info.stems)
    subtype = best_subtype(song.sources[0].info)
    start_frame = song.start_frame

    def fill(folder: Path) -> None:
        sound = mix.sound()
        blocks = stream(sound, backend=separator, two_stems=two_stems, monitor=monitor.part(0, 0.97))
        write_stems(folder, blocks, sound, subtype, start_frame)
        info = separator.info
        measures = {
            "sample_rate": mix.sample_rate,
            "frames": mix.frames,
            "power": mix.power,
            "device": info.device,
            "steps": info.steps,
        }
        (folder / _MEASURES).write_text(json.dumps(measures))
        for role in roles:
            save_shape(folder / f"{role}.npz", envelope(read_audio(folder / f"{role}.wav")))

    folder = stages.cached("separate", depends_on(song, channels, stages.backends, two_stems), fill)
    stages.backends.separated_on = json.loads((folder / _MEASURES).read_bytes()).get("device")
    return {role: folder / f"{role}.wav" for role in roles}


def depends_on(
    song: Song, channels: int, backends: Backends, two_stems: str | None = None
) -> dict[str, object]:
    """Return all that the separated stems of a song depend on, to be hashed."""
    return {
        "audio": [source.sha256 for source in song.sources],
        "channels": channels,
        "backend": separated_by(backends),
        "two_stems": two_stems,
        "subtype": best_subtype(song.sources[0].info),
        "start_frame": song.start_frame,
        "layout": _LAYOUT,
    }


def separated_by(backends: Backends) -> list[object]:
    """Return what stems depend on beside the song: the backend, its version, and of a neural one its weights."""
    choice, info = backends.separator(), separator_of(backends).info
    if not choice.is_neural:
        return [info.name, info.version]
    return [info.name, info.version, *choice.key, *backends.separation.key]


def separation_notes(
    song: Song, channels: int, stages: Stages, two_stems: str | None = None
) -> tuple[str, ...]:
    """Return what a person should know of how a song's stems were made."""
    folder = stages.find("separate", depends_on(song, channels, stages.backends, two_stems))
    return tuple(json.loads((folder / _MEASURES).read_bytes()).get("steps", ())) if folder is not None else ()


def write_stems(
    folder: Path, blocks: Iterable[StemBlock], mix: Audio, subtype: str, start_frame: int
) -> None:
    """Write blocks of stems as they come, as float; then, if nothing exceeds full scale, in `subtype`."""
    writers: dict[str, WavWriter] = {}
    peak = 0.0
    with ExitStack() as open_files:
        for block in blocks:
            for role, samples in block.items():
                if role not in writers:
                    writers[role] = open_files.enter_context(
                        WavWriter(
                            folder / f"{role}.wav",
                            sample_rate=mix.sample_rate,
                            channels=mix.channels,
                            subtype="FLOAT",
                            time_reference_frames=start_frame,
                        )
                    )
                writers[role].write(samples)
                peak = max(peak, float(np.abs(samples).max(initial=0.0)))
    if subtype == "FLOAT" or peak >= 1.0:
        return
    for role in writers:
        file = folder / f"{role}.wav"
        as_float = file.rename(folder / f"{role}.float.wav")
        write_wav(file, read_audio(as_float), subtype, time_reference_frames=start_frame)
        as_float.unlink()


def stem_tracks(files: Mapping[str, Path]) -> list[OutputTrack]:
    """Return separated stems as tracks: muted, at unity, so that opening them changes nothing that is heard."""
    return [
        OutputTrack(
            name=f"{role.capitalize()} (separated)",
            role=role,
            kind="separated",
            colour=ROLE_COLOURS.get(role, ROLE_COLOURS["other"]),
            ready=path,
            shape=load_shape(path),
            muted=True,
        )
        for role, path in files.items()
    ]


def save_shape(path: Path, shape: Envelope) -> None:
    """Keep a waveform's picture beside the stem, so that a later job need not read the stem to draw it."""
    np.savez(path, lowest=shape.lowest, highest=shape.highest, rms=shape.rms, duration_s=shape.duration_s)


def load_shape(stem: Path) -> Envelope:
    """Return the waveform that `save_shape` kept beside a stem's file."""
    with np.load(stem.with_suffix(".npz")) as kept:
        return Envelope(kept["lowest"], kept["highest"], kept["rms"], float(kept["duration_s"]))


def load_stem(path: Path) -> Audio:
    """Read a stem back, as the bits that were written."""
    return read_audio(path)


def separate(song: Song, stages: Stages, *, two_stems: str | None = None) -> Outcome:
    """Separate `song`; with `two_stems` into that role and the rest."""
    with stages.stage("read") as monitor:
        audio = read_whole(song, monitor)
        mix = mix_of(audio, lambda monitor: read_whole(song, monitor))
    with stages.stage("separate") as monitor:
        files = separated_files(song, mix, audio.channels, stages, monitor, two_stems)
    made_by = about_separator(stages.backends)
    grade, _, _ = made_by.what.partition(":")
    return Outcome(
        tracks=tuple(stem_tracks(files)),
        sample_rate=mix.sample_rate,
        duration_s=mix.duration_s,
        length_s=mix.duration_s,
        backends=(made_by,),
        notes=(
            f"Separated by {made_by.name}, which is {grade} ({made_by.why}).",
            *separation_notes(song, audio.channels, stages, two_stems),
        ),
    )
