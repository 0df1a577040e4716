"""An arrangement: parts of notes on the beat grid of the new timeline, before any sound is made.

Positions are in beats (quarter notes) of the target `TempoMap`, so that an arrangement does not change when the tempo
does; `start_beat` already contains swing, push and humanisation. Drum parts use General MIDI percussion note numbers.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """One note. `velocity` 1 to 127, `pitch` a MIDI note number (General MIDI percussion in drum parts)."""

    start_beat: float
    pitch: int
    duration_beats: float
    velocity: int


@dataclass(frozen=True, slots=True)
class Part:
    """What one player plays.

    `name` is what the track is called ("Drums", "Electric piano"), `role` one of drums, bass, chords, pad, arp, lead,
    strings, fx; `voice` names the instrument in the voice table; `effects` is the chain, each a mapping with `type` and
    that effect's own parameters with units in their names; `pan` -1 to 1, `level_db` relative to the style's balance.
    `fade` is how the level falls at the end: points (beat, dB), with straight lines between and level before and after.
    """

    name: str
    role: str
    voice: str
    notes: tuple[Note, ...]
    is_drums: bool = False
    effects: tuple[dict[str, Any], ...] = ()
    pan: float = 0.0
    level_db: float = 0.0
    colour: str = "#808080"
    fade: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Arrangement:
    """All parts, and the length of the piece in beats of the target tempo map.

    `groove_multiple` is 0.5 where the players feel half as many beats as the map has (half-time), 2 for double-time.
    """

    parts: tuple[Part, ...]
    length_beats: float
    seed: int
    style: str
    groove_multiple: float = 1.0
