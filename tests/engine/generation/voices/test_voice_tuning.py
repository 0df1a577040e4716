import numpy as np
import pytest
from sounding import RATE, SETUP, TONAL, hertz, pitch_error_cents, power_spectrum

from engine.generation.arranger.voices.dsp import Pool
from engine.generation.arranger.voices.player import render_note
from engine.generation.arranger.voices.table import VOICES

ENSEMBLES = tuple(name for name in TONAL if VOICES[name].family == "ensemble")


def errors_cents(name, pitches, held_s):
    found = []
    for pitch in pitches.astype(int):
        sound = render_note(name, int(pitch), 90, held_s, SETUP)
        start = int(0.3 * RATE)
        found.append(pitch_error_cents(sound[:, start : int(held_s * RATE)], hertz(pitch)))
    return np.array(found)


@pytest.mark.parametrize("name", [name for name in TONAL if name not in ENSEMBLES])
def test_solo_voices_are_in_tune_within_two_cents(name):
    spec = VOICES[name]
    assert np.abs(errors_cents(name, np.linspace(spec.low + 2, spec.high, 3), 1.9)).max() < 2.0


@pytest.mark.parametrize("name", ENSEMBLES)
def test_ensembles_drift_around_the_right_pitch(name):
    spec = VOICES[name]
    errors = errors_cents(name, np.linspace(spec.low + 4, spec.high, 3), 3.0)
    assert np.abs(np.median(errors)) < 2.0
    assert np.abs(errors).max() < 7.0


@pytest.mark.parametrize("frequency_hz", [41.2, 98.0, 311.13, 1479.98])
def test_an_ensemble_loop_is_in_tune_over_its_whole_length(frequency_hz):
    rng = np.random.default_rng(1)
    cents = np.array([-9.0, -4.0, 0.0, 4.0, 9.0])
    weights = np.array([0.5, 0.8, 1.0, 0.8, 0.5])
    pool = Pool(frequency_hz, np.array([[1.0, 0.5]]), cents, weights, np.zeros(5), RATE, rng)
    loop = pool(pool.frames, np.zeros(pool.frames // 32 + 2))
    power = np.abs(np.fft.rfft(loop[0].astype(np.float64))) ** 2
    hz = np.fft.rfftfreq(pool.frames, 1 / RATE)
    near = np.abs(hz - frequency_hz) < 0.2 * frequency_hz
    centre = np.sum(hz[near] * power[near]) / np.sum(power[near])
    assert abs(1200 * np.log2(centre / frequency_hz)) < 1.0


@pytest.mark.parametrize("name", ["saw_lead", "square_lead", "arp_synth", "pluck", "supersaw"])
@pytest.mark.parametrize("pitch", [96, 108])
def test_synthesisers_do_not_alias_at_the_top_of_the_keyboard(name, pitch):
    sound = render_note(name, pitch, 120, 0.9, SETUP)[:, int(0.05 * RATE) : int(0.28 * RATE)]
    hz, power = power_spectrum(sound)
    harmonic = np.rint(hz / hertz(pitch))
    off_cents = np.abs(1200 * np.log2(np.maximum(hz, 1) / np.maximum(harmonic * hertz(pitch), 1)))
    between = (harmonic == 0) | ((off_cents > 60) & (np.abs(hz - harmonic * hertz(pitch)) > 60))
    assert 10 * np.log10(power[between & (hz > 30)].max() / power.max()) < -60
