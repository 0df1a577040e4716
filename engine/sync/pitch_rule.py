"""How much a voice's pitch should follow a change of tempo.

A voice that is slowed a lot and keeps its pitch sounds slowed: vibrato and consonants are slower than anyone
sings at that pitch. A little of the pitch change that a tape would make hides it. The rule: nothing within
the dead zone; then a share of the tape's change beyond it, up to a cap. The default gives half a semitone
down for 126 to 95 BPM.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PitchRule:
    """Pitch change for a tempo change.

    `dead_zone` is the relative tempo change (0.1 is 10 %) within which pitch stays; beyond it each octave of
    tempo changes pitch by `semitones_per_octave`, never by more than `max_semitones`; results are whole
    multiples of `step_semitones`, so that a fraction of a BPM doesn't detune a song by a cent.
    """

    dead_zone: float = 0.10
    semitones_per_octave: float = 1.96
    max_semitones: float = 1.0
    step_semitones: float = 0.05


DEFAULT_PITCH_RULE = PitchRule()
NO_PITCH_CHANGE = PitchRule(max_semitones=0.0)


def pitch_for_tempo_change(
    source_bpm: float, target_bpm: float, rule: PitchRule = DEFAULT_PITCH_RULE
) -> float:
    """Return the pitch change in semitones (down is negative) for `source_bpm` played at `target_bpm`.

    >>> pitch_for_tempo_change(126.0, 95.0), pitch_for_tempo_change(126.0, 120.0)
    (-0.5, 0.0)
    """
    if source_bpm <= 0 or target_bpm <= 0:
        raise ValueError(f"Tempi must be above 0, got {source_bpm} and {target_bpm}.")
    if abs(target_bpm / source_bpm - 1.0) <= rule.dead_zone + 1e-9:
        return 0.0
    octaves = math.log2(target_bpm / source_bpm)
    edge = math.log2(1.0 + math.copysign(rule.dead_zone, octaves))
    size = min(rule.semitones_per_octave * abs(octaves - edge), rule.max_semitones)
    return round(math.copysign(round(size / rule.step_semitones) * rule.step_semitones, octaves), 6) + 0.0
