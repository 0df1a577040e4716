"""The transforms are scipy's, whichever way they were loaded."""

import subprocess
import sys

import numpy as np
import pytest

from engine.audio import fourier


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("length", [16, 1000, 1024])
def test_transforms_are_those_of_scipy(kind: type, length: int) -> None:
    import scipy.fft

    values = np.random.default_rng(length).standard_normal((2, 3, length)).astype(kind)
    bins = fourier.rfft(values)
    assert bins.dtype == scipy.fft.rfft(values).dtype
    np.testing.assert_array_equal(bins, scipy.fft.rfft(values))
    back = fourier.irfft(bins, length)
    assert back.dtype == kind
    np.testing.assert_array_equal(back, scipy.fft.irfft(bins, n=length))


def test_without_the_extension_where_it_was_scipy_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).standard_normal((2, 64)).astype(np.float32)
    expected = fourier.rfft(values)
    fourier._transforms.cache_clear()
    monkeypatch.setattr(fourier, "_NAME", "elsewhere")
    try:
        np.testing.assert_array_equal(fourier.rfft(values), expected)
        np.testing.assert_allclose(fourier.irfft(expected, 64), values, atol=1e-6)
    finally:
        fourier._transforms.cache_clear()


def test_a_transform_does_not_import_scipy() -> None:
    fourier._of_extension()  # with this scipy, it is there
    program = (
        "import sys, numpy\n"
        "from engine.audio.fourier import rfft\n"
        "rfft(numpy.ones(8, numpy.float32))\n"
        "print(sum(name.startswith('scipy.') for name in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"
