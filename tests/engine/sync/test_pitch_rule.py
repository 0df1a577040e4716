"""The natural pitch change: nothing for small tempo changes, bounded and rising for large ones."""

import numpy as np
import pytest

from engine.sync import NO_PITCH_CHANGE, PitchRule, pitch_for_tempo_change


def test_126_to_95_bpm_goes_half_a_semitone_down():
    assert pitch_for_tempo_change(126.0, 95.0) == -0.5


@pytest.mark.parametrize("target", [108.0, 110.0, 120.0, 125.9, 132.0])
def test_within_ten_percent_pitch_stays(target):
    assert pitch_for_tempo_change(120.0, target) == 0.0


def test_pitch_follows_tempo_monotonically_and_stays_bounded():
    pitches = [pitch_for_tempo_change(120.0, bpm) for bpm in np.linspace(30, 480, 200)]
    assert pitches == sorted(pitches)
    assert min(pitches) == -1.0
    assert max(pitches) == 1.0


def test_the_rule_can_be_set_and_switched_off():
    assert pitch_for_tempo_change(126.0, 95.0, NO_PITCH_CHANGE) == 0.0
    assert pitch_for_tempo_change(126.0, 95.0, PitchRule(max_semitones=0.3)) == -0.3


def test_impossible_tempi_are_refused():
    with pytest.raises(ValueError, match="above 0"):
        pitch_for_tempo_change(0.0, 95.0)
