"""Where a song sounds and how it ends, told from its loudness alone."""

import numpy as np
import pytest

from engine.analysis.curves import loudness_curve
from engine.analysis.extent import find_extent
from engine.analysis.model import Extent
from engine.audio import Audio

RATE = 22050
BEAT_S = 0.5


def strokes(count: int, decay: float = 6.0) -> np.ndarray:
    """Decaying tones on every beat."""
    t = np.arange(int(BEAT_S * RATE)) / RATE
    one = np.sin(2 * np.pi * 220 * t) * np.exp(-decay * t)
    return np.tile(one, count)


def ringing(seconds: float, decay: float) -> np.ndarray:
    t = np.arange(int(seconds * RATE)) / RATE
    return np.sin(2 * np.pi * 220 * t) * np.exp(-decay * t)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * RATE))


def extent(*pieces: np.ndarray, gain: float = 0.3) -> Extent:
    sound = gain * np.concatenate(pieces)
    audio = Audio(np.stack([sound, sound]).astype(np.float32), RATE)
    loudness = loudness_curve(audio)
    return find_extent(loudness.steps, loudness.integrated_lufs, audio.duration_s)


@pytest.mark.parametrize("gain", [0.01, 0.1, 0.9])
def test_silence_before_and_after_is_not_part_of_the_song(gain: float) -> None:
    found = extent(silence(1.7), strokes(20), ringing(2.0, 4.0), silence(3.0), gain=gain)
    assert found.starts_s == pytest.approx(1.7, abs=0.04)
    assert found.last_attack_s == pytest.approx(11.7, abs=0.06)
    assert 12.3 < found.ends_s < 14.0
    assert found.ending == "stop"


def test_what_decays_after_the_last_stroke_has_no_attack() -> None:
    found = extent(strokes(20), ringing(5.0, 1.5))
    assert found.ending == "stop"
    assert found.last_attack_s == pytest.approx(10.0, abs=0.06)


def test_a_recording_that_stops_in_full_flow_is_cut_off() -> None:
    assert extent(strokes(20, decay=1.0)).ending == "cut"


def test_a_loop_that_rests_only_for_the_rest_of_its_beat_is_cut_off() -> None:
    found = extent(strokes(16, decay=14.0))
    assert found.ending == "cut"


@pytest.mark.parametrize("fade_s", [5.0, 9.0])
@pytest.mark.parametrize("law", ["amplitude", "decibels"])
def test_a_fade_is_told_from_a_decay(fade_s: float, law: str) -> None:
    song = strokes(60)
    frames = int(fade_s * RATE)
    down = np.linspace(1, 0, frames) if law == "amplitude" else 10 ** (-np.linspace(0, 50, frames) / 20)
    song[-frames:] *= down
    found = extent(song)
    assert found.ending == "fade"
    assert found.fade_from_s is not None
    assert 30.0 - fade_s - 0.6 <= found.fade_from_s <= 30.0 - 0.5 * fade_s
    times, decibels = np.array(found.fade).T
    assert (np.diff(decibels) <= 0.0).all()
    asked_db = 20 * np.log10(down[[int((t - 30.0 + fade_s) * RATE) for t in times[:-3]]])
    assert np.abs(decibels[:-3] - (asked_db - asked_db[0])).max() < 6.0


def test_silence_has_no_extent_of_its_own() -> None:
    assert extent(silence(4.0)) == Extent(0.0, 4.0, 4.0, "cut")
