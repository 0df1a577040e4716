"""Time and pitch: fits audio to a tempo map."""

from engine.sync.conform import SyncReport, conform
from engine.sync.pitch_rule import DEFAULT_PITCH_RULE, NO_PITCH_CHANGE, PitchRule, pitch_for_tempo_change

__all__ = [
    "DEFAULT_PITCH_RULE",
    "NO_PITCH_CHANGE",
    "PitchRule",
    "SyncReport",
    "conform",
    "pitch_for_tempo_change",
]
