"""Sliding windows are those of scipy.ndimage with the ends going on."""

import numpy as np
import pytest

from engine.mastering.sliding import largest_of, sliding_maximum, sliding_mean


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 20, 33, 150])
@pytest.mark.parametrize("length", [1, 2, 40, 1000])
def test_windows_are_those_of_ndimage(length: int, size: int, kind: type) -> None:
    from scipy.ndimage import maximum_filter1d, uniform_filter1d

    values = np.random.default_rng(size).standard_normal(length).astype(kind)
    largest, mean = sliding_maximum(values, size), sliding_mean(values, size)
    assert largest.dtype == mean.dtype == kind
    np.testing.assert_array_equal(largest, maximum_filter1d(values, size, mode="nearest"))
    np.testing.assert_allclose(mean, uniform_filter1d(values, size, mode="nearest"), rtol=1e-5, atol=1e-6)


def test_silence_between_values_is_silence() -> None:
    values = np.zeros(100, np.float32)
    values[:10] = 3.7
    assert not sliding_mean(values, 9)[15:].any()


@pytest.mark.parametrize("length", [1, 3, 4, 5, 8, 11])
def test_the_largest_of_every_four_counts_the_rest(length: int) -> None:
    values = np.random.default_rng(length).random(length).astype(np.float32)
    expected = [values[first : first + 4].max() for first in range(0, length, 4)]
    np.testing.assert_array_equal(largest_of(values, 4), expected)
