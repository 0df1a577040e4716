"""What is music, and what has a beat."""

import numpy as np
import pytest
from rhythm_songs import RATE, add, hit, mix_of, note, song, steady_beats

from engine.analysis.features import Features
from engine.analysis.pulse import is_noise
from engine.analysis.rhythm import find_rhythm
from engine.audio import Audio


def coloured_noise(exponent: float, seconds: float, rate: int = 44100, channels: int = 2) -> Audio:
    rng = np.random.default_rng(11)
    spectrum = np.fft.rfft(rng.standard_normal((channels, int(seconds * rate))))
    spectrum[:, 1:] /= np.arange(1, spectrum.shape[1]) ** exponent
    spectrum[:, 0] = 0
    sound = np.fft.irfft(spectrum)
    return Audio((0.1 * sound / sound.std()).astype(np.float32), rate)


def mono(sound: np.ndarray) -> Audio:
    return Audio(sound[None].astype(np.float32), RATE)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(("seconds", "rate"), [(1.0, 44100), (8.0, 44100), (8.0, 8000)])
def test_noise_of_any_colour_length_and_rate_is_noise(exponent: float, seconds: float, rate: int) -> None:
    assert is_noise(Features(None, coloured_noise(exponent, seconds, rate)))


def shaker(bpm: float, seconds: float = 10.0) -> Audio:
    t = np.arange(int(seconds * RATE)) / RATE
    return mono(0.3 * np.random.default_rng(2).standard_normal(len(t)) * np.exp(-(t % (15 / bpm)) * 25))


def tone_in_noise() -> Audio:
    t = np.arange(10 * RATE) / RATE
    return mono(0.1 * np.random.default_rng(2).standard_normal(len(t)) + 0.02 * np.sin(2 * np.pi * 440 * t))


def drone() -> Audio:
    t = np.arange(10 * RATE) / RATE
    return mono(sum(0.1 * np.sin(2 * np.pi * f * t) for f in (110.0, 165.2, 220.0, 276.8)))


def chords_without_drums() -> Audio:
    return song(steady_beats(80.0, 24))["other"]


def drums_alone() -> Audio:
    return song(steady_beats(120.0, 24))["drums"]


def swell() -> Audio:
    t = np.arange(12 * RATE) / RATE
    return mono(0.2 * np.random.default_rng(4).standard_normal(len(t)) * np.sin(np.pi * t / 12) ** 2)


@pytest.mark.parametrize("make", [shaker, tone_in_noise, drone, chords_without_drums, drums_alone, swell])
def test_what_people_play_is_not_noise(make: object) -> None:
    sound = make(170.0) if make is shaker else make()
    assert not is_noise(Features(None, sound))


@pytest.mark.parametrize("make", [drone, swell])
def test_what_has_no_pulse_gets_a_grid_of_convenience(make: object) -> None:
    rhythm = find_rhythm(Features(None, make()))
    assert not rhythm.has_beat
    np.testing.assert_allclose(np.diff(rhythm.beats_s), 0.5)
    assert rhythm.beats_s[0] == 0.0
    assert len(rhythm.downbeats_s) == -(-len(rhythm.beats_s) // 4)


def test_clicks_at_random_times_have_no_pulse() -> None:
    rng = np.random.default_rng(8)
    sound = np.zeros(30 * RATE)
    for at_s in np.sort(rng.uniform(0, 29.5, 70)):
        add(sound, hit("snare", rng), float(at_s))
    assert not find_rhythm(Features(None, mono(sound))).has_beat


def test_one_note_is_no_rhythm_and_no_crash() -> None:
    sound = np.zeros(2 * RATE)
    add(sound, note(60, 1.5, 0.3), 0.1)
    assert len(find_rhythm(Features(None, mono(sound))).beats_s) >= 1


def test_a_beat_under_pads_is_found() -> None:
    stems = song(steady_beats(100.0, 32))
    quiet = {**stems, "drums": Audio(stems["drums"].samples * np.float32(0.1), RATE)}
    assert find_rhythm(Features(None, mix_of(quiet))).has_beat
