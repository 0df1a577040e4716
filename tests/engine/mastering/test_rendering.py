"""What is over the ceiling is mended, and only where it has to be."""

import numpy as np
import pytest

from engine.audio import Audio
from engine.loudness.finepeak import both_true_peaks
from engine.loudness.truepeak import HOP_FRAMES, hop_true_peaks, true_peak
from engine.mastering.drive import Drive
from engine.mastering.hearing import true_peaks
from engine.mastering.rendering import Rendering
from engine.progress import SILENT

RATE = 44_100
CEILING = 0.5


def song(seconds: float = 4.0) -> Audio:
    random = np.random.default_rng(2)
    time = np.arange(round(seconds * RATE)) / RATE
    hits = np.exp(-20.0 * (time % 0.25)) * random.standard_normal((2, len(time)))
    return Audio((0.3 * hits + 0.1 * np.sin(2.0 * np.pi * 110.0 * time)).astype(np.float32), RATE)


def drive_of(audio: Audio, *, saturation: float = 0.0) -> Drive:
    peaks = hop_true_peaks(audio.samples, RATE)
    return Drive(audio=audio, glue_db=np.zeros(0), hop_peaks=peaks, ceiling=CEILING, saturation=saturation)


def rendered(drive: Drive) -> tuple[Rendering, np.ndarray]:
    out = np.empty_like(drive.audio.samples)
    return Rendering(drive, out, SILENT), out


def test_an_overshoot_is_mended_by_a_local_reduction() -> None:
    audio = song()
    drive = drive_of(audio)
    rendering, out = rendered(drive)
    # As if the limiter had missed half a second of hits: those samples are rendered with no reduction at all.
    first, last = round(2.0 * RATE) // HOP_FRAMES, round(2.5 * RATE) // HOP_FRAMES
    rendering.curve[first : last + 1] = 0.0
    out[:, first * HOP_FRAMES : last * HOP_FRAMES] = audio.samples[:, first * HOP_FRAMES : last * HOP_FRAMES]
    assert true_peak(out, RATE) > 1.2 * CEILING
    before = out.copy()
    rendering.retrim(SILENT)
    assert true_peak(out, RATE) <= CEILING * 1.001
    np.testing.assert_array_equal(out[:, :RATE], before[:, :RATE])
    assert np.abs(out[:, RATE * 2 : round(RATE * 2.5)]).max() < np.abs(before).max()


def test_nothing_is_touched_where_nothing_is_over() -> None:
    drive = drive_of(song())
    rendering, out = rendered(drive)
    before = out.copy()
    rendering.retrim(SILENT)
    np.testing.assert_array_equal(out, before)


def test_a_stretch_renders_as_in_the_whole() -> None:
    for saturation in (0.0, 1.0):
        drive = drive_of(song(1.0), saturation=saturation)
        drive.set_gain(9.0)
        whole = drive.samples_between(0, len(drive.hop_peaks))
        for first, last in ((0, 7), (1_000, 1_400), (5_000, len(drive.hop_peaks))):
            piece = drive.samples_between(first, last)
            np.testing.assert_allclose(piece, whole[:, first * HOP_FRAMES : last * HOP_FRAMES], atol=2e-6)


def test_saturation_keeps_the_curve_it_states_on_a_slow_wave() -> None:
    time = np.arange(RATE) / RATE
    wave = (1.2 * CEILING * np.sin(2.0 * np.pi * 50.0 * time)).astype(np.float32)[None]
    audio = Audio(wave, RATE)
    drive = drive_of(audio, saturation=1.0)
    out = drive.samples_between(0, len(drive.hop_peaks))
    over = np.maximum(np.abs(wave) - drive.knee, 0.0)
    expected = np.sign(wave) * (np.abs(wave) - over**2 / (over + drive.softness))
    np.testing.assert_allclose(out[:, 500:-500], expected[:, 500:-500], atol=2e-3)


def test_saturation_of_a_high_tone_folds_little_back() -> None:
    time = np.arange(RATE) / RATE
    tone = 7_000.0
    wave = (1.6 * CEILING * np.sin(2.0 * np.pi * tone * time)).astype(np.float32)[None]
    drive = drive_of(Audio(wave, RATE), saturation=1.0)
    out = drive.samples_between(0, len(drive.hop_peaks))[0]
    naive_over = np.maximum(np.abs(wave[0]) - drive.knee, 0.0)
    naive = np.sign(wave[0]) * (np.abs(wave[0]) - naive_over**2 / (naive_over + drive.softness))

    def folded_db(samples: np.ndarray) -> float:
        spectrum = np.abs(np.fft.rfft(samples * np.blackman(len(samples))))
        alias = RATE - 5 * tone  # the fifth harmonic of 7 kHz comes back at 9.1 kHz
        near = spectrum[round(alias) - 5 : round(alias) + 6].max()
        return float(20.0 * np.log10(near / spectrum.max()))

    assert folded_db(out) < folded_db(naive) - 10.0


def test_true_peaks_in_pieces_are_those_of_the_whole() -> None:
    for frames in (0, 1, 9, 1001, 3 * RATE):
        samples = song().samples[:, :frames]
        assert true_peaks(samples, RATE) == pytest.approx(both_true_peaks(samples, RATE), rel=1e-6)
