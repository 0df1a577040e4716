"""Play an arrangement: render its parts, and turn parts into tracks."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from math import log2
from threading import Lock

from engine.actions.finish import Finished, finite
from engine.actions.model import Backend, OutputTrack
from engine.audio import Audio
from engine.errors import NrxError
from engine.generation.arranger.render import render_part
from engine.generation.model import Arrangement, Part
from engine.mixing import MixSettings, MixTrack
from engine.presets import Style
from engine.progress import Monitor
from engine.tempo import TempoMap

ARRANGER_VERSION = "1"
ARRANGER = Backend(
    "generate",
    "arranger",
    ARRANGER_VERSION,
    "parts arranged from the song's own chords, form and melody, played by built-in synthesised voices",
    "GPL-3.0-or-later; what it plays is yours",
)
PLAYERS = 2
"""Parts rendered at a time; most of the work is native code that does not hold the interpreter."""
PARTS_DB_PER_DOUBLE_ENERGY = 1.5
MIX_LUFS, MIX_DB_PER_DOUBLE_ENERGY = -22.0, 3.0
"""Loudness of a mix at energy 1, and how it moves: twice the energy is 3 dB more, before mastering evens it out."""
KICKS = frozenset({35, 36})


def render_parts(
    arrangement: Arrangement,
    target_map: TempoMap,
    sample_rate: int,
    length_frames: int,
    brightness: float,
    monitor: Monitor,
) -> dict[str, Audio]:
    """Render every part as stereo audio of `length_frames`; part name -> audio."""
    sidechain = tuple(
        note.start_beat
        for part in arrangement.parts
        if part.is_drums
        for note in part.notes
        if note.pitch in KICKS
    )
    if not arrangement.parts:
        raise NrxError(
            "input.too_short", "The song is too short to arrange anything on; give at least two bars of it."
        )
    lock, done = Lock(), [0.0] * len(arrangement.parts)

    def play(index: int, part: Part) -> Audio:
        def tell(fraction: float) -> None:
            with lock:
                done[index] = fraction
                monitor.report(sum(done) / len(done))

        return render_part(
            part,
            target_map,
            sample_rate=sample_rate,
            length_frames=length_frames,
            seed=arrangement.seed,
            brightness=brightness,
            sidechain_beats=sidechain,
            monitor=Monitor(tell, monitor.is_cancelled),
        )

    with ThreadPoolExecutor(PLAYERS) as pool:
        audio = list(pool.map(play, range(len(arrangement.parts)), arrangement.parts))
    return {part.name: played for part, played in zip(arrangement.parts, audio, strict=True)}


def to_mix(
    arrangement: Arrangement, rendered: Mapping[str, Audio], energy: float = 1.0
) -> dict[str, MixTrack]:
    """Return the parts as tracks for the mixer; energy moves them against what is kept of the song."""
    by_energy_db = PARTS_DB_PER_DOUBLE_ENERGY * log2(energy)
    return {
        part.name: MixTrack(
            rendered[part.name],
            part.role,
            level_db=part.level_db + by_energy_db,
            pan=part.pan,
            may_overwrite=True,
        )
        for part in arrangement.parts
    }


def mix_settings(style: Style, energy: float, song_lufs: float | None = None) -> MixSettings:
    """Return how a mix in this style is set."""
    return MixSettings(
        balance_db=dict(style.balance_db.items()),
        ducking_db=style.ducking_db,
        song_lufs=song_lufs,
        lufs=MIX_LUFS + MIX_DB_PER_DOUBLE_ENERGY * log2(energy),
    )


def generated_tracks(arrangement: Arrangement, finished: Finished) -> list[OutputTrack]:
    """Return the parts as tracks to publish, as they stand in the mix."""
    return [
        OutputTrack(
            name=part.name,
            role=part.role,
            kind="generated",
            colour=part.colour,
            audio=finished.tracks[part.name].audio,
            gain_db=finished.tracks[part.name].gain_db,
            pan=finished.tracks[part.name].pan,
            loudness_lufs=finite(finished.tracks[part.name].loudness_lufs),
            part=part.name,
        )
        for part in arrangement.parts
    ]
