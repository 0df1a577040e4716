"""Spectra with silence behind: as numpy has them, at lengths that transform fast."""

import numpy as np
import pytest

from engine.audio.spectra import fast_length, fast_length_within, padded_rfft


def test_a_padded_spectrum_is_that_of_the_values_with_silence_behind() -> None:
    values = np.random.default_rng(3).normal(size=(2, 3, 100))
    assert np.allclose(padded_rfft(values, 128), np.fft.rfft(values, 128, axis=-1), atol=1e-12)


def test_single_precision_stays_single() -> None:
    assert padded_rfft(np.ones((2, 10), np.float32), 16).dtype == np.complex64


@pytest.mark.parametrize("least", [1, 2, 7, 11, 97, 1021, 65_537, 146_231])
def test_a_fast_length_is_the_next_without_large_factors(least: int) -> None:
    def smooth(number: int) -> bool:
        for factor in (2, 3, 5):
            while number % factor == 0:
                number //= factor
        return number == 1

    assert fast_length_within(least) == next(number for number in range(least, 0, -1) if smooth(number))
    assert fast_length(least) == next(number for number in range(least, 2 * least + 1) if smooth(number))
