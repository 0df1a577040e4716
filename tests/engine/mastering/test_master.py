"""The master keeps its ceiling on anything, reaches its loudness on music, and says why where it does not."""

from collections.abc import Callable
from dataclasses import replace
from math import inf

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.audio import Audio
from engine.errors import Cancelled, NrxError
from engine.loudness import integrated_lufs, measure
from engine.mastering import MasterSettings, master
from engine.progress import Monitor

RATE = 44_100


def band(seconds: float = 12.0, rate: int = RATE, seed: int = 3, channels: int = 2) -> Audio:
    """Return a small band: kick and noise hits on a grid, a bass, and a wide pad; peaks at half scale."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    beat = time % 0.5
    kick = np.exp(-18.0 * beat) * np.sin(2.0 * np.pi * (50.0 * beat + 4.0 * (1.0 - np.exp(-30.0 * beat))))
    hat = 0.3 * np.exp(-40.0 * (time % 0.25)) * random.standard_normal(len(time))
    bass = 0.4 * np.sin(2.0 * np.pi * 55.0 * time) * (1.0 + np.sign(np.sin(2.0 * np.pi * time))) / 2.0
    pads = [
        sum(
            0.1 * np.sin(2.0 * np.pi * f * (1.0 + 0.002 * c) * time + c) for f in (220.0, 277.2, 329.6, 880.0)
        )
        for c in range(channels)
    ]
    wave = np.stack([0.9 * kick + hat + bass + pad for pad in pads])
    return Audio((0.5 * wave / np.abs(wave).max()).astype(np.float32), rate)


def peak_by_libebur128(audio: Audio) -> float:
    """Return the true peak in dBTP as libebur128 measures it."""
    import pyebur128

    state = pyebur128.R128State(audio.channels, audio.sample_rate, pyebur128.MeasurementMode.MODE_TRUE_PEAK)
    state.add_frames(np.ascontiguousarray(audio.samples.T).reshape(-1), audio.frames)
    highest = max(pyebur128.get_true_peak(state, channel) for channel in range(audio.channels))
    return float(20.0 * np.log10(highest))


def on_grid(audio: Audio, bits: int) -> bool:
    """Return whether every sample is a value of `bits` bits."""
    scaled = audio.samples.astype(np.float64) * 2.0 ** (bits - 1)
    return bool((scaled == np.rint(scaled)).all())


@pytest.mark.parametrize("target", [-16.0, -14.0, -11.0, -9.0])
def test_music_reaches_its_loudness_under_the_ceiling(target: float) -> None:
    result = master(band(), MasterSettings(lufs=target))
    assert integrated_lufs(result.audio) == pytest.approx(target, abs=0.2)
    assert peak_by_libebur128(result.audio) <= -1.0
    assert result.report.warnings == ()
    assert result.report.lufs_after == pytest.approx(integrated_lufs(result.audio), abs=1e-6)
    assert result.report.true_peak_after_dbtp == pytest.approx(peak_by_libebur128(result.audio), abs=0.01)


@pytest.mark.parametrize("bits", [16, 24])
@pytest.mark.parametrize("push_db", [3.0, 12.0, 24.0])
def test_a_song_pushed_hot_stays_under_the_ceiling(push_db: float, bits: int) -> None:
    song = band(6.0)
    loud = song.with_samples(song.samples * np.float32(2.0 * 10.0 ** (push_db / 20.0)))
    for target in (-14.0, -6.0):
        settings = MasterSettings(lufs=target, max_average_reduction_db=12.0, bits=bits)
        result = master(loud, settings)
        assert peak_by_libebur128(result.audio) <= -1.0
        assert on_grid(result.audio, bits)


def _quarter_rate(time: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    return 1.41 * np.sin(np.pi / 2.0 * time * rate + np.pi / 4.0)


def _square(time: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    return np.sign(np.sin(2.0 * np.pi * 1000.0 * time + 0.1))


def _noise(time: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    return np.diff(np.random.default_rng(5).standard_normal(len(time) + 1))


def _alternating(time: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """Return runs of both signs chosen to make the interpolator overshoot most."""
    return np.sign(np.sinc(np.arange(len(time)) % 24 - 11.5) + 1e-9)


ADVERSARIAL: dict[str, Callable[[NDArray[np.float64], int], NDArray[np.float64]]] = {
    "fs/4 at 45 degrees": _quarter_rate,
    "1 kHz square": _square,
    "high-frequency noise": _noise,
    "worst sign pattern": _alternating,
}


@pytest.mark.parametrize("rate", [44_100, 96_000])
@pytest.mark.parametrize("name", ADVERSARIAL)
def test_adversarial_bursts_stay_under_the_ceiling(name: str, rate: int) -> None:
    time = np.arange(3 * rate) / rate
    # Short bursts, so that the limiter and not the leveller has to work on them.
    quiet = 0.001 * np.sin(2.0 * np.pi * 300.0 * time)
    bursts = np.where(time % 0.5 < 0.02, ADVERSARIAL[name](time, rate), quiet)
    audio = Audio(np.stack([bursts, 0.7 * bursts]).astype(np.float32), rate)
    heard = measure(audio)
    for saturation in (0.0, 1.0):
        target = heard.integrated_lufs + 6.0 - heard.true_peak_dbtp  # peaks would be 6 dB over full scale
        settings = MasterSettings(lufs=target, max_average_reduction_db=12.0, saturation=saturation)
        result = master(audio, settings)
        assert result.report.max_reduction_db > 3.0
        assert peak_by_libebur128(result.audio) <= -1.0


def test_a_target_beyond_the_reduction_budget_is_lowered_and_explained() -> None:
    result = master(band(), MasterSettings(lufs=-6.0, max_average_reduction_db=1.0, saturation=0.0))
    report = result.report
    assert report.lufs_after < -6.5
    assert report.average_reduction_db == pytest.approx(1.0, abs=0.2)
    assert report.lufs_after == pytest.approx(report.aimed_lufs, abs=0.2)
    assert len(report.warnings) == 1
    assert "-6" in report.warnings[0]
    assert "limiter" in report.warnings[0]


def test_a_target_that_leaves_no_room_for_peaks_is_lowered_and_explained() -> None:
    settings = MasterSettings(lufs=-10.0, ceiling_dbtp=-6.0, max_average_reduction_db=12.0)
    report = master(band(6.0), settings).report
    assert report.aimed_lufs == pytest.approx(-14.0, abs=0.05)
    assert "peaks and loudness" in report.warnings[0]


def test_silence_comes_back_as_silence() -> None:
    result = master(Audio(np.zeros((2, RATE), dtype=np.float32), RATE), MasterSettings())
    assert not result.audio.samples.any()
    assert result.report.lufs_after == -inf
    assert "silent" in result.report.warnings[0]


@pytest.mark.parametrize("frames", [0, 1, 7, 2_205])
def test_a_moment_of_sound_is_mastered_without_failing(frames: int) -> None:
    wave = 0.5 * np.ones((2, frames), dtype=np.float32)
    result = master(Audio(wave, RATE), MasterSettings(lufs=-9.0))
    assert result.audio.frames == frames
    assert np.isfinite(result.audio.samples).all()
    assert np.abs(result.audio.samples).max(initial=0.0) <= 0.9


def test_dither_at_16_bits_leaves_no_tone_of_truncation() -> None:
    quiet = Audio((band(4.0).samples * 2e-2).astype(np.float32), RATE)
    undithered = master(quiet, MasterSettings(lufs=integrated_lufs(quiet), bits=24)).audio.samples
    dithered = master(quiet, MasterSettings(lufs=integrated_lufs(quiet), bits=16)).audio.samples
    error = (dithered - undithered) * 32_768.0
    # Triangular dither and rounding: variance 1/4 of a step squared, and no correlation with the signal.
    assert float(error.var()) == pytest.approx(0.25, rel=0.05)
    assert abs(np.corrcoef(error[0], undithered[0])[0, 1]) < 0.02


def test_same_input_same_bytes() -> None:
    settings = MasterSettings(lufs=-10.0, bits=16, seed=4)
    first, second = master(band(4.0), settings), master(band(4.0), settings)
    assert first.audio.samples.tobytes() == second.audio.samples.tobytes()
    other = master(band(4.0), replace(settings, seed=5))
    assert first.audio.samples.tobytes() != other.audio.samples.tobytes()


def test_a_quiet_target_changes_nothing_but_the_level() -> None:
    song = band(5.0)
    result = master(song, MasterSettings(lufs=-30.0, bits=32))
    gain = np.float32(10.0 ** (result.report.gain_db / 20.0))
    assert result.report.max_reduction_db == 0.0
    assert np.abs(result.audio.samples - song.samples * gain).max() < 1e-3
    ratio = result.audio.samples[:, 1000:] / np.where(
        song.samples[:, 1000:] == 0.0, 1.0, song.samples[:, 1000:]
    )
    assert float(np.ptp(ratio[np.abs(song.samples[:, 1000:]) > 0.01])) < 1e-4


@pytest.mark.parametrize("channels", [1, 6])
def test_any_number_of_channels_is_limited_by_one_gain(channels: int) -> None:
    result = master(band(4.0, channels=channels), MasterSettings(lufs=-9.0))
    assert result.audio.channels == channels
    assert peak_by_libebur128(result.audio) <= -1.0


def test_stereo_image_is_kept_while_limiting() -> None:
    song = band(4.0)
    one_sided = song.with_samples(np.stack([song.samples[0], np.float32(0.25) * song.samples[0]]))
    out = master(one_sided, MasterSettings(lufs=-9.0, bits=32, saturation=0.0)).audio.samples
    np.testing.assert_allclose(out[1], 0.25 * out[0], atol=1e-6)


def test_glue_evens_out_loud_and_soft() -> None:
    song = band(12.0)
    level = np.where(np.arange(song.frames) < song.frames // 2, 0.35, 1.0).astype(np.float32)
    uneven = song.with_samples(song.samples * level)
    loose = master(uneven, MasterSettings(lufs=-18.0, saturation=0.0)).report
    glued = master(uneven, MasterSettings(lufs=-18.0, saturation=0.0, glue_ratio=2.0)).report
    assert glued.lra_after < loose.lra_after - 0.5
    assert glued.lufs_after == pytest.approx(-18.0, abs=0.15)


def test_saturation_adds_no_energy_outside_the_peaks_it_bends() -> None:
    song = band(4.0)
    clean = master(song, MasterSettings(lufs=-20.0, saturation=0.0)).audio.samples
    bent = master(song, MasterSettings(lufs=-20.0, saturation=1.0)).audio.samples
    np.testing.assert_array_equal(clean, bent)  # nothing passes the knee at this level


@pytest.mark.parametrize(
    "settings",
    [
        MasterSettings(lufs=0.0),
        MasterSettings(lufs=float("nan")),
        MasterSettings(ceiling_dbtp=1.0),
        MasterSettings(saturation=2.0),
        MasterSettings(bits=20),
    ],
)
def test_settings_out_of_range_are_refused_by_name(settings: MasterSettings) -> None:
    with pytest.raises(NrxError) as refused:
        master(band(1.0), settings)
    assert refused.value.code == "request.invalid"


def test_not_a_number_is_refused() -> None:
    song = band(1.0)
    song.samples[0, 100] = np.nan
    with pytest.raises(NrxError) as refused:
        master(song, MasterSettings())
    assert refused.value.code == "input.not_finite"


def test_cancel_is_heard_and_progress_never_goes_back() -> None:
    seen: list[float] = []
    master(band(6.0), MasterSettings(lufs=-9.0), Monitor(on_progress=seen.append))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    with pytest.raises(Cancelled):
        master(band(6.0), MasterSettings(), Monitor(is_cancelled=lambda: len(seen) > 0))
