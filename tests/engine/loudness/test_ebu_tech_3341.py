"""EBU Tech 3341 (loudness and true-peak meters) cases 1-6 and 9-23, and Tech 3342 (loudness range) cases 1-4.

Signals are made as the tables describe them: 1 kHz sines in phase on both channels, levels in dBFS of the peak.
Cases 7 and 8 are recorded programmes that may not be passed on.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.audio import Audio
from engine.loudness import LoudnessMeter, measure, true_peak_dbtp
from engine.loudness.meter import MOMENTARY_HOPS, SHORT_TERM_HOPS, lufs

RATES = (44_100, 48_000)


def tone(rate: int, *pieces: tuple[float | None, float], channels: int = 2) -> Audio:
    """Return a phase-continuous 1 kHz sine of (level in dBFS or None for silence, seconds) pieces."""
    amplitudes = [0.0 if level is None else 10.0 ** (level / 20.0) for level, _ in pieces]
    levels = np.repeat(amplitudes, [round(length * rate) for _, length in pieces])
    wave = levels * np.sin(2.0 * np.pi * 1000.0 * np.arange(len(levels)) / rate)
    return Audio(np.tile(wave.astype(np.float32), (channels, 1)), rate)


def curve(audio: Audio, hops: int) -> NDArray[np.float64]:
    """Return momentary or short-term loudness every 10 ms."""
    meter = LoudnessMeter(audio.channels, audio.sample_rate)
    meter.add(audio.samples)
    return lufs(meter.window_energies(hops))


INTEGRATED = {
    "3": ((-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0)),
    "4": ((-72.0, 10.0), (-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0), (-72.0, 10.0)),
    "5": ((-26.0, 20.0), (-20.0, 20.1), (-26.0, 20.0)),
}


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("level", [-23.0, -33.0])
def test_cases_1_and_2_steady_tone_reads_its_level_on_all_scales(rate: int, level: float) -> None:
    heard = measure(tone(rate, (level, 20.0)))
    for value in (heard.integrated_lufs, heard.momentary_max, heard.short_term_max):
        assert value == pytest.approx(level, abs=0.1)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("case", INTEGRATED)
def test_cases_3_to_5_gates_leave_out_the_quiet(rate: int, case: str) -> None:
    assert measure(tone(rate, *INTEGRATED[case])).integrated_lufs == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize("rate", RATES)
def test_case_6_surround_channels_are_weighted(rate: int) -> None:
    wave = tone(rate, (0.0, 20.0), channels=1).samples[0]
    levels_db = (-28.0, -28.0, -24.0, -30.0, -30.0)
    five = np.stack([wave * np.float32(10.0 ** (level / 20.0)) for level in levels_db])
    assert measure(Audio(five, rate)).integrated_lufs == pytest.approx(-23.0, abs=0.1)
    six = np.insert(five, 3, wave, axis=0)  # a loud LFE does not count
    assert measure(Audio(six, rate)).integrated_lufs == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize("rate", RATES)
def test_case_9_short_term_is_constant_over_a_period_of_3_s(rate: int) -> None:
    readings = curve(tone(rate, *[(-20.0, 1.34), (-30.0, 1.66)] * 5), SHORT_TERM_HOPS)
    assert np.abs(readings + 23.0).max() <= 0.1


@pytest.mark.parametrize("rate", RATES)
def test_case_10_short_term_maximum_finds_a_burst_wherever_it_starts(rate: int) -> None:
    for index in range(20):
        burst = tone(rate, (None, index * 0.15), (-23.0, 3.0), (None, 1.0))
        assert curve(burst, SHORT_TERM_HOPS).max() == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize("rate", RATES)
def test_case_11_short_term_follows_rising_bursts(rate: int) -> None:
    pieces: list[tuple[float | None, float]] = []
    for index in range(20):
        pieces += [(None, index * 0.15), (-38.0 + index, 3.0), (None, 3.0 - index * 0.15)]
    readings = curve(tone(rate, *pieces), SHORT_TERM_HOPS)
    for index in range(20):
        # Window k ends at k + 300 hops: those that end within this burst's six seconds.
        ending = readings[max(0, index * 600 - 300) : index * 600 + 300]
        assert ending.max() == pytest.approx(-38.0 + index, abs=0.1)


@pytest.mark.parametrize("rate", RATES)
def test_case_12_momentary_is_constant_over_a_period_of_400_ms(rate: int) -> None:
    readings = curve(tone(rate, *[(-20.0, 0.18), (-30.0, 0.22)] * 25), MOMENTARY_HOPS)
    assert np.abs(readings[60:] + 23.0).max() <= 0.1


@pytest.mark.parametrize("rate", RATES)
def test_case_13_momentary_maximum_finds_a_burst_between_polls_of_100_ms(rate: int) -> None:
    for index in range(20):
        burst = tone(rate, (None, index * 0.02), (-23.0, 0.4), (None, 1.0))
        assert measure(burst).momentary_max == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize("rate", RATES)
def test_case_14_momentary_follows_rising_bursts(rate: int) -> None:
    pieces: list[tuple[float | None, float]] = []
    for index in range(20):
        pieces += [(None, index * 0.02), (-38.0 + index, 0.4), (None, 0.4 - index * 0.02)]
    readings = curve(tone(rate, *pieces), MOMENTARY_HOPS)
    for index in range(20):
        ending = readings[max(0, index * 80 - 40) : index * 80 + 40]
        assert ending.max() == pytest.approx(-38.0 + index, abs=0.1)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(
    ("case", "divisor", "amplitude", "phase_degrees", "expected_dbtp"),
    [
        (15, 4, 0.50, 0.0, -6.0),
        (16, 4, 0.50, 45.0, -6.0),
        (17, 6, 0.50, 60.0, -6.0),
        (18, 8, 0.50, 67.5, -6.0),
        (19, 4, 1.41, 45.0, 3.0),
    ],
)
def test_cases_15_to_19_true_peak_of_sines_between_samples(
    rate: int, case: int, divisor: int, amplitude: float, phase_degrees: float, expected_dbtp: float
) -> None:
    assert 15 <= case <= 19
    frames = rate
    wave = amplitude * np.sin(2.0 * np.pi * np.arange(frames) / divisor + np.radians(phase_degrees))
    fade = round(0.01 * rate)
    wave[:fade] *= np.linspace(0.0, 1.0, fade)
    wave[-fade:] *= np.linspace(1.0, 0.0, fade)
    reading = true_peak_dbtp(Audio(np.tile(wave.astype(np.float32), (2, 1)), rate))
    assert expected_dbtp - 0.4 <= reading <= expected_dbtp + 0.2


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("offset", [0, 1, 2, 3], ids=["case 20", "case 21", "case 22", "case 23"])
def test_cases_20_to_23_true_peak_of_a_burst_at_any_sub_sample_offset(rate: int, offset: int) -> None:
    from scipy.signal import firwin, lfilter

    # Made at four times the rate: fs/6 at half scale, with one phase-continuous period of fs/4 at full scale.
    phase = np.full(4 * rate // 4, 2.0 * np.pi / 24.0)
    level = np.full(len(phase), 0.5)
    burst = slice(len(phase) // 2, len(phase) // 2 + 16)
    phase[burst] = 2.0 * np.pi / 16.0
    level[burst] = 1.0
    start = len(phase) // 2
    angle = np.concatenate(([0.0], np.cumsum(phase)[:-1]))
    angle -= angle[start]
    wave = lfilter(firwin(511, 1.0 / 4.0, window="blackman"), 1.0, level * np.sin(angle))
    fade = rate // 50
    wave[:fade] *= np.linspace(0.0, 1.0, fade)
    wave[-fade:] *= np.linspace(1.0, 0.0, fade)
    reading = true_peak_dbtp(Audio(wave[offset::4].astype(np.float32)[None], rate))
    assert -0.4 <= reading <= 0.2


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(
    ("levels", "expected_lu"),
    [
        ((-20.0, -30.0), 10.0),
        ((-20.0, -15.0), 5.0),
        ((-40.0, -20.0), 20.0),
        ((-50.0, -35.0, -20.0, -35.0, -50.0), 15.0),
    ],
    ids=["3342-1", "3342-2", "3342-3", "3342-4"],
)
def test_loudness_range_of_steps(rate: int, levels: tuple[float, ...], expected_lu: float) -> None:
    assert measure(tone(rate, *[(level, 20.0) for level in levels])).lra == pytest.approx(
        expected_lu, abs=1.0
    )


@pytest.mark.parametrize("rate", RATES)
def test_full_scale_sine_on_one_front_channel_reads_minus_3_01(rate: int) -> None:
    wave = np.sin(2.0 * np.pi * 997.0 * np.arange(5 * rate) / rate).astype(np.float32)
    stereo = np.stack([wave, np.zeros_like(wave)])
    assert measure(Audio(stereo, rate)).integrated_lufs == pytest.approx(-3.01, abs=0.02)
