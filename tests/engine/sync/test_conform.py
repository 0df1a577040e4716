"""Fitting audio: onsets land where the time map sends them; pitch, formants, level and stereo image stay."""

import threading
import time

import numpy as np
import pytest

from engine.audio.buffer import Audio
from engine.errors import Cancelled, NrxError
from engine.progress import Monitor
from engine.sync import conform

RATE = 44100
ANCHORS_S = np.arange(0.0, 13.0, 0.5)
LENGTH_S = 12.5
VOWELS_HZ = ((700, 1220, 2600), (390, 2300, 3000), (450, 800, 2830))


def voice(seed=0, length_s=LENGTH_S, f0_hz=150.0):
    """A sung line: syllables with vibrato and formants, some legato, some after pauses, over breath noise.

    Returns mono samples, and the seconds at which syllables start after a pause.
    """
    rng = np.random.default_rng(seed)
    t = np.arange(round(length_s * RATE)) / RATE
    starts, gates = [], np.zeros(t.size)
    pitch, vowel = np.full(t.size, f0_hz), np.zeros(t.size, dtype=int)
    at = 0.4
    while at < length_s - 1.0:
        legato = int(rng.integers(1, 4))
        starts.append(at)
        end = at
        for _ in range(legato):
            note_end = end + rng.uniform(0.18, 0.4)
            inside = (t >= end) & (t < note_end)
            pitch[inside] = f0_hz * 2.0 ** (rng.integers(-4, 8) / 12.0)
            vowel[inside] = rng.integers(0, 3)
            end = note_end
        gates[(t >= at) & (t < end)] = 1.0
        at = end + rng.uniform(0.15, 0.5)
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.006 * np.sin(2 * np.pi * 5.5 * t))) / RATE
    sung = np.zeros(t.size)
    for harmonic in range(1, 30):
        hz = harmonic * pitch
        gain = sum(
            1.0 / (1.0 + ((hz - np.array(VOWELS_HZ)[vowel, n]) / (80.0 + 40 * n)) ** 2) for n in range(3)
        )
        sung += np.where(hz < 8000, gain / harmonic**0.3, 0.0) * np.sin(harmonic * phase)
    attack, release = round(0.008 * RATE), round(0.03 * RATE)
    envelope = np.convolve(gates, np.ones(attack) / attack)[: t.size]
    tail = np.convolve(gates, np.ones(release) / release)[: t.size]
    envelope = np.where(gates > 0, envelope, np.minimum(envelope, tail))
    breath = rng.standard_normal(t.size) * 0.001
    return (0.15 * sung * envelope + breath * (0.2 + gates)).astype(np.float32), np.array(starts)


def drums(length_s=LENGTH_S):
    rng = np.random.default_rng(7)
    out = np.zeros(round(length_s * RATE))
    starts = np.arange(0.3, length_s - 0.5, 0.25)
    n = round(0.15 * RATE)
    decay = np.exp(-np.arange(n) / (0.025 * RATE))
    for i, at in enumerate(starts):
        first = round(at * RATE)
        tone = np.sin(2 * np.pi * 70 * np.arange(n) / RATE) if i % 2 == 0 else rng.standard_normal(n) * 0.4
        out[first : first + n] += 0.6 * tone * decay
    return out.astype(np.float32), starts


def onsets_s(samples, share=0.12, window_s=0.003, quiet_s=0.07):
    """Moments at which a short-time level rises through `share` of the peak after at least `quiet_s` below it."""
    width = round(window_s * RATE)
    level = np.sqrt(np.convolve(samples.astype(np.float64) ** 2, np.ones(width) / width, mode="same"))
    above = np.flatnonzero(level > share * level.max())
    firsts = above[np.concatenate(([True], np.diff(above) > quiet_s * RATE))]
    return firsts / RATE


MAPS = {
    "0.6x": ANCHORS_S / 0.6,
    "0.8x": ANCHORS_S / 0.8,
    "0.97x": ANCHORS_S / 0.97,
    "1.25x": ANCHORS_S / 1.25,
    "1.6x": ANCHORS_S / 1.6,
    "stepped": np.interp(ANCHORS_S, [0, 4, 8, 13], [0, 5, 7.7, 14.5]) + 0.2,
    "ramp down": ANCHORS_S / 1.5 + ANCHORS_S**2 * 0.035,
    "ramp up": ANCHORS_S / 0.65 - ANCHORS_S**2 * 0.03,
    "unsteady beats": ANCHORS_S * 1.15 + np.random.default_rng(3).uniform(-0.01, 0.01, ANCHORS_S.size),
}


def timing_errors_ms(source, fitted, targets_s):
    before, after = onsets_s(source), onsets_s(fitted)
    wanted = np.interp(before, ANCHORS_S, targets_s)
    errors = np.array([after[np.argmin(np.abs(after - at))] - at for at in wanted]) * 1000.0
    return before.size, after.size, errors


def test_the_tests_own_onsets_are_the_voices():
    samples, starts = voice()
    found = onsets_s(samples)
    assert found.size == starts.size
    late_ms = (found - starts) * 1000.0
    assert np.ptp(late_ms) < 6.0


@pytest.mark.parametrize("name", MAPS)
def test_sung_onsets_land_within_5_ms_median_and_15_ms_worst(name):
    samples, _ = voice()
    fitted, report = conform(Audio(samples[None], RATE), ANCHORS_S, MAPS[name])
    before, after, errors = timing_errors_ms(samples, fitted.samples[0], MAPS[name])
    assert before == after
    assert np.median(np.abs(errors)) < 5.0
    assert np.abs(errors).max() < 15.0
    assert report.residual_median_ms is not None
    assert report.residual_median_ms < 5.0
    assert report.onsets_measured >= before // 2


@pytest.mark.parametrize("name", ["0.6x", "1.25x", "stepped", "ramp down"])
def test_drum_onsets_land_within_3_ms_median_and_8_ms_worst(name):
    samples, _ = drums()
    fitted, _ = conform(Audio(samples[None], RATE), ANCHORS_S, MAPS[name])
    before, after, errors = timing_errors_ms(samples, fitted.samples[0], MAPS[name])
    assert before == after
    assert np.median(np.abs(errors)) < (6.0 if name == "0.6x" else 3.0)
    assert np.abs(errors).max() < 8.0


@pytest.mark.parametrize("semitones", [-1.0, -0.5, 0.5])
def test_a_pitch_change_keeps_the_timing(semitones):
    samples, _ = voice(seed=2)
    fitted, report = conform(
        Audio(samples[None], RATE), ANCHORS_S, MAPS["ramp down"], pitch_semitones=semitones
    )
    before, after, errors = timing_errors_ms(samples, fitted.samples[0], MAPS["ramp down"])
    assert before == after
    assert np.median(np.abs(errors)) < 5.0
    assert np.abs(errors).max() < 15.0
    assert report.pitch_semitones == semitones


def held_vowel(f0_hz=140.0, length_s=4.0):
    t = np.arange(round(length_s * RATE)) / RATE
    out = np.zeros(t.size)
    for harmonic in range(1, 40):
        hz = harmonic * f0_hz
        gain = sum(
            1.0 / (1.0 + ((hz - centre) / (90.0 + 40 * n)) ** 2) for n, centre in enumerate(VOWELS_HZ[0])
        )
        out += gain * np.sin(2 * np.pi * hz * t + harmonic**2)
    return (0.1 * out).astype(np.float32)


def spectrum(samples):
    middle = samples[samples.size // 4 : samples.size * 3 // 4].astype(np.float64)
    return np.abs(np.fft.rfft(middle * np.hanning(middle.size), 1 << 19)), RATE / (1 << 19)


def harmonics(samples, f0_hz):
    """Frequency of the strongest harmonic over its number, and the level in dB of each harmonic under 4 kHz."""
    size, step = spectrum(samples)
    levels, fundamental = [], 0.0
    best = 0.0
    for harmonic in range(1, int(4000 / f0_hz)):
        first, last = (round(harmonic * f0_hz * side / step) for side in (0.985, 1.015))
        peak = int(np.argmax(size[first:last])) + first
        levels.append(20 * np.log10(size[peak] + 1e-12))
        if size[peak] > best:
            best, fundamental = size[peak], peak * step / harmonic
    return fundamental, np.array(levels)


@pytest.mark.parametrize("stretch", [0.7, 1.5])
def test_stretching_keeps_pitch_and_formants(stretch):
    samples = held_vowel()
    fitted, _ = conform(Audio(samples[None], RATE), [0.0, 4.0], [0.0, 4.0 * stretch])
    (old_hz, old_db), (new_hz, new_db) = harmonics(samples, 140.0), harmonics(fitted.samples[0], 140.0)
    assert abs(1200 * np.log2(new_hz / old_hz)) < 3.0
    assert np.abs(new_db - old_db - np.median(new_db - old_db)).max() < 1.5


@pytest.mark.parametrize("semitones", [-1.0, 1.0])
def test_a_pitch_change_moves_the_pitch_and_keeps_the_formants(semitones):
    samples = held_vowel()
    new_f0_hz = 140.0 * 2 ** (semitones / 12)
    fitted, _ = conform(Audio(samples[None], RATE), [0.0, 4.0], [0.0, 4.6], pitch_semitones=semitones)
    new_hz, new_db = harmonics(fitted.samples[0], new_f0_hz)
    assert abs(1200 * np.log2(new_hz / new_f0_hz)) < 3.0
    kept_db = harmonics(held_vowel(new_f0_hz), new_f0_hz)[1]
    loud = kept_db > kept_db.max() - 30
    off_db = (new_db - kept_db)[loud]
    assert np.abs(off_db - np.median(off_db)).mean() < 2.0


def test_an_identity_gives_the_samples_back_untouched():
    samples = np.random.default_rng(0).standard_normal((2, RATE * 3)).astype(np.float32)
    audio = Audio(samples, RATE)
    for targets in ([0.0, 1.0, 3.0], [0.0, 1.0005, 3.0008]):
        fitted, report = conform(audio, [0.0, 1.0, 3.0], targets)
        assert fitted.samples.tobytes() == samples.tobytes()
        assert report.engine == "none"


def test_a_mere_shift_moves_whole_frames():
    samples = np.random.default_rng(0).standard_normal((1, RATE)).astype(np.float32)
    fitted, _ = conform(Audio(samples, RATE), [0.0, 1.0], [0.5, 1.5])
    assert fitted.frames == RATE * 3 // 2
    assert np.array_equal(fitted.samples[0, RATE // 2 :], samples[0])
    assert not fitted.samples[0, : RATE // 2].any()


@pytest.mark.parametrize("length_frames", [None, 1000, 700_001])
def test_the_output_has_exactly_the_length_asked_for(length_frames):
    samples, _ = voice(length_s=4.0)
    fitted, _ = conform(Audio(samples[None], RATE), [0.0, 4.0], [0.0, 5.0], length_frames=length_frames)
    assert fitted.frames == (round(5.0 * RATE) if length_frames is None else length_frames)


def test_a_mono_voice_on_two_channels_stays_mono_and_keeps_its_pan():
    samples, _ = voice(length_s=5.0)
    fitted, _ = conform(Audio(np.stack([samples, 0.25 * samples]), RATE), [0.0, 5.0], [0.0, 6.0])
    assert np.allclose(fitted.samples[1], 0.25 * fitted.samples[0], atol=1e-6)


def test_stereo_keeps_its_image_and_its_timing():
    lead, _ = voice(seed=4)
    double, _ = voice(seed=5, f0_hz=220.0)
    stereo = np.stack([lead + 0.3 * double, lead - 0.3 * double])
    fitted, _ = conform(Audio(stereo, RATE), ANCHORS_S, MAPS["0.8x"])
    middle, side = fitted.samples[0] + fitted.samples[1], fitted.samples[0] - fitted.samples[1]
    before, after, errors = timing_errors_ms(lead, middle, MAPS["0.8x"])
    assert before == after
    assert np.abs(errors).max() < 15.0
    balance_db = 10 * np.log10(np.mean(side**2) / np.mean(middle**2))
    wanted_db = 10 * np.log10(np.mean((0.6 * double) ** 2) / np.mean((2 * lead) ** 2))
    assert balance_db == pytest.approx(wanted_db, abs=0.7)


def test_long_sounds_have_no_dips_where_pieces_meet():
    t = np.arange(RATE * 14) / RATE
    tone = sum(0.1 * np.sin(2 * np.pi * 110 * n * t + n) for n in (1, 2, 3, 5)).astype(np.float32)
    fitted, _ = conform(Audio(tone[None], RATE), [0.0, 14.0], [0.0, 15.4])
    blocks = fitted.samples[0, RATE : RATE * 14].reshape(-1, RATE // 20).astype(np.float64)
    level_db = 10 * np.log10(np.mean(blocks**2, axis=1))
    assert np.ptp(level_db) < 1.5


def test_silence_stays_silent_and_an_empty_input_stays_empty():
    fitted, report = conform(Audio(np.zeros((2, RATE), np.float32), RATE), [0.0, 1.0], [0.0, 1.2])
    assert not fitted.samples.any()
    assert report.onsets_measured == 0
    assert (
        conform(Audio(np.zeros((1, 0), np.float32), RATE), [0.0, 1.0], [0.0, 1.2], length_frames=7)[0].frames
        == 7
    )


@pytest.mark.parametrize("rate", [8000, 48000, 96000])
def test_other_sample_rates_are_as_exact(rate):
    times = np.arange(0.5, 5.5, 0.5)
    samples = np.zeros(rate * 6, dtype=np.float32)
    n = round(0.1 * rate)
    for at in times:
        first = round(at * rate)
        samples[first : first + n] = np.sin(2 * np.pi * 440 * np.arange(n) / rate) * np.hanning(n)
    fitted, report = conform(Audio(samples[None], rate), [0.0, 3.3, 6.0], [0.0, 4.0, 6.3])
    assert report.onsets_measured == times.size
    assert report.residual_worst_ms < 4.0
    for at in np.interp(times + 0.05, [0.0, 3.3, 6.0], [0.0, 4.0, 6.3]):
        power = (
            fitted.samples[0, round((at - 0.15) * rate) : round((at + 0.15) * rate)].astype(np.float64) ** 2
        )
        centre_s = np.sum(power * np.arange(power.size)) / power.sum() / rate - 0.15
        assert abs(centre_s) < 0.004


def test_the_same_input_gives_the_same_bytes():
    samples, _ = voice(length_s=12.0)
    one, other = (conform(Audio(samples[None], RATE), ANCHORS_S, MAPS["stepped"])[0] for _ in range(2))
    assert one.samples.tobytes() == other.samples.tobytes()


def test_a_cancel_is_heard_within_two_seconds():
    noise = np.random.default_rng(0).standard_normal((2, RATE * 60)).astype(np.float32) * 0.1
    cancelled_at = threading.Event()
    timer = threading.Timer(0.8, cancelled_at.set)
    timer.start()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        conform(
            Audio(noise, RATE), [0.0, 60.0], [0.0, 90.0], monitor=Monitor(is_cancelled=cancelled_at.is_set)
        )
    assert time.monotonic() - started < 5.0  # 2 s on an idle machine


def test_progress_rises_to_one():
    said = []
    samples, _ = voice(length_s=5.0)
    conform(Audio(samples[None], RATE), ANCHORS_S, MAPS["1.25x"], monitor=Monitor(on_progress=said.append))
    assert said == sorted(said)
    assert said[-1] == 1.0


@pytest.mark.parametrize(
    ("source", "target", "semitones"),
    [
        ([0.0], [0.0], 0.0),
        ([0.0, 1.0], [0.0, 1.0, 2.0], 0.0),
        ([0.0, 1.0, 1.0], [0.0, 1.0, 2.0], 0.0),
        ([0.0, 1.0], [1.0, 0.0], 0.0),
        ([0.0, 1.0], [0.0, float("nan")], 0.0),
        ([0.0, 1.0], [0.0, 9.0], 0.0),
        ([0.0, 1.0], [0.0, 1.5], 30.0),
        ([0.0, 1.0], [0.0, 1.5], float("nan")),
    ],
)
def test_impossible_requests_are_refused(source, target, semitones):
    with pytest.raises(NrxError) as caught:
        conform(Audio(np.ones((1, RATE), np.float32), RATE), source, target, pitch_semitones=semitones)
    assert caught.value.code == "request.invalid"
