"""The strip's filters by transform do what the recursive filters do, over block borders too."""

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from engine.mixing.ducking import band_sos
from engine.mixing.filters import BlockFilter, strip_filters


@pytest.mark.parametrize("rate", [22_050, 44_100, 96_000])
@pytest.mark.parametrize("low_cut_hz", [0.0, 20.0, 90.0])
def test_transforms_equal_the_recursive_filters(rate: int, low_cut_hz: float) -> None:
    filters = strip_filters(rate, low_cut_hz)
    sound = np.random.default_rng(1).standard_normal((2, 2 * filters.block_frames + 1234)).astype(np.float32)
    stream = BlockFilter(filters, 2)
    parts: list[list[np.ndarray]] = [[], []]
    for start in range(0, sound.shape[1], filters.block_frames):
        assert stream.feed(sound[:, start : start + filters.block_frames])
        for part, made in zip(parts, (stream.cut(), stream.in_band()), strict=True):
            part.append(made.copy())
    expected = sound.astype(np.float64)
    if low_cut_hz:
        expected = sosfilt(butter(2, low_cut_hz, "highpass", fs=rate, output="sos"), expected)
    wanted = (expected, sosfilt(band_sos(rate), expected))
    for part, right in zip(parts, wanted, strict=True):
        assert np.abs(np.concatenate(part, axis=1) - right).max() < 3e-5


def test_silence_is_told_apart_from_what_still_rings() -> None:
    filters = strip_filters(44_100, 40.0)
    stream = BlockFilter(filters, 1)
    silence = np.zeros((1, filters.block_frames), dtype=np.float32)
    click = silence.copy()
    click[0, -1] = 1.0
    assert [stream.feed(block) for block in (silence, click, silence, silence)] == [False, True, True, False]
