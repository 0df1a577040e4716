import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.audio.recursive import butterworth, filtered, sosfilt

RATE = 44100
DESIGNS = [
    (1, 60.0, "highpass"),
    (2, 14.0, "highpass"),
    (2, 13000.0, "lowpass"),
    (3, 500.0, "lowpass"),
    (8, 80.0, "highpass"),
    (2, (300.0, 4000.0), "bandpass"),
    (3, (20.0, 15000.0), "bandpass"),
    (1, (5.0, 21000.0), "bandpass"),
]


def noise(frames: int, channels: int = 2, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((channels, frames))


@pytest.mark.parametrize(("order", "corner_hz", "kind"), DESIGNS)
def test_designs_have_the_response_of_scipys(order: int, corner_hz: float, kind: str) -> None:
    at_hz = np.geomspace(1.0, 22000.0, 400)
    theirs = scipy.signal.butter(order, corner_hz, kind, fs=RATE, output="sos")
    _, wanted = scipy.signal.sosfreqz(theirs, at_hz, fs=RATE)
    _, made = scipy.signal.sosfreqz(butterworth(order, corner_hz, kind, RATE), at_hz, fs=RATE)
    assert np.abs(made - wanted).max() < 1e-7


@pytest.mark.parametrize(("order", "corner_hz", "kind"), DESIGNS)
def test_filtering_is_what_the_recursion_gives(order: int, corner_hz: float, kind: str) -> None:
    sos = butterworth(order, corner_hz, kind, RATE)
    samples = noise(70_001)
    wanted = scipy.signal.sosfilt(sos, samples, axis=1)
    assert np.abs(filtered(sos, samples) - wanted).max() < 1e-8 * np.abs(wanted).max()


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 9000), min_size=1, max_size=6))
def test_blocks_of_any_length_leave_no_mark(lengths: list[int]) -> None:
    sos = np.concatenate([butterworth(3, 90.0, "highpass", RATE), butterworth(2, 7000.0, "lowpass", RATE)])
    samples = noise(sum(lengths))
    state, parts, start = None, [], 0
    for length in lengths:
        made, state = sosfilt(sos, samples[:, start : start + length], state)
        parts.append(made)
        start += length
    assert np.allclose(np.concatenate(parts, axis=1), filtered(sos, samples), atol=1e-11)


def test_shape_and_type_stay() -> None:
    sos = butterworth(2, 1000.0, "lowpass", RATE)
    for samples in (noise(1000).astype(np.float32), noise(1000), noise(1000)[0], noise(0), noise(5)[:, :3]):
        made = filtered(sos, samples)
        assert made.shape == samples.shape
        assert made.dtype == samples.dtype


def test_a_filter_comes_to_rest_in_silence() -> None:
    sos = butterworth(2, 20.0, "highpass", RATE)
    _, state = sosfilt(sos, noise(1000), None)
    for _ in range(40):
        _, state = sosfilt(sos, np.zeros((2, RATE)), state)
    assert not state.any()


@pytest.mark.parametrize(
    ("order", "corner_hz", "kind"),
    [(0, 100.0, "lowpass"), (2, 0.0, "lowpass"), (2, 30000.0, "highpass"), (2, (900.0, 100.0), "bandpass"),
     (2, 100.0, "bandpass")],
)  # fmt: skip
def test_corners_out_of_range_are_refused(order: int, corner_hz: float, kind: str) -> None:
    with pytest.raises(ValueError, match="corners"):
        butterworth(order, corner_hz, kind, RATE)
