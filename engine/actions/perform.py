"""Play an arrangement: render its parts, and turn parts into tracks."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from math import log2

from engine.actions.finish import finite
from engine.actions.model import Backend, OutputTrack
from engine.audio import Audio
from engine.errors import NrxError
from engine.generation.arranger.render import render_part
from engine.generation.model import Arrangement, Part
from engine.mastering import MasterSettings
from engine.mixing import MixedTrack, MixSettings, MixTrack
from engine.presets import Style
from engine.progress import Monitor, shared_monitor
from engine.tempo import TempoMap
from engine.thrift import at_a_time

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
    tuning_cents: float = 0.0,
) -> dict[str, Audio]:
    """Render every part as stereo audio of `length_frames`; part name -> audio.

    `tuning_cents` tunes all parts to what is kept of the song.

    Raises:
        NrxError: `input.too_short` where nothing was arranged.
    """
    if not arrangement.parts:
        raise NrxError(
            "input.too_short", "The song is too short to arrange anything on; give at least two bars of it."
        )
    kicks = tuple(
        note.start_beat
        for part in arrangement.parts
        if part.is_drums
        for note in part.notes
        if note.pitch in KICKS
    )
    parts = arrangement.parts
    shares = shared_monitor(monitor, len(parts))

    def play(part: Part, share: Monitor) -> Audio:
        return render_part(
            part,
            target_map,
            sample_rate=sample_rate,
            length_frames=length_frames,
            seed=arrangement.seed,
            brightness=brightness,
            sidechain_beats=kicks,
            tuning_cents=tuning_cents,
            monitor=share,
        )

    with ThreadPoolExecutor(at_a_time(PLAYERS)) as pool:
        return dict(zip([part.name for part in parts], pool.map(play, parts, shares), strict=True))


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


def console_of(
    style: Style, energy: float, song_lufs: float | None = None
) -> tuple[MixSettings, MasterSettings]:
    """Return how a mix in this style is set, and how it is mastered."""
    return (
        MixSettings(
            balance_db=dict(style.balance_db.items()),
            ducking_db=style.ducking_db,
            song_lufs=song_lufs,
            lufs=MIX_LUFS + MIX_DB_PER_DOUBLE_ENERGY * log2(energy),
        ),
        MasterSettings(lufs=style.master.lufs, ceiling_dbtp=style.master.ceiling_dbtp),
    )


def generated_tracks(arrangement: Arrangement, mixed: Mapping[str, MixedTrack]) -> list[OutputTrack]:
    """Return the parts as tracks to publish, as they stand in the mix."""
    return [
        OutputTrack(
            name=part.name,
            role=part.role,
            kind="generated",
            colour=part.colour,
            audio=mixed[part.name].audio,
            gain_db=mixed[part.name].gain_db,
            pan=mixed[part.name].pan,
            loudness_lufs=finite(mixed[part.name].loudness_lufs),
            part=part.name,
            has_midi=True,
        )
        for part in arrangement.parts
    ]
