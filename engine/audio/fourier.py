"""Real Fourier transforms: scipy's own (pocketfft), without the rest of scipy.

To import `scipy.fft` takes a quarter of a second of a processor, because it brings special functions along; the
transform itself is one small extension module, which is loaded here from its file. Where it is not as expected (another
version of scipy, another way of packing) `scipy.fft` is imported after all: results are the same bit for bit.

Single-precision input gives single-precision results; transforms run along the last axis, on one thread.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib.machinery import ExtensionFileLoader
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NAME = "pypocketfft"
_BY_NOTHING, _BY_LENGTH = 0, 2

Forward = Callable[[NDArray[Any]], NDArray[Any]]
Backward = Callable[[NDArray[Any], int], NDArray[Any]]


def rfft(values: NDArray[Any]) -> NDArray[Any]:
    """Return the spectra of real values along the last axis: `n // 2 + 1` complex bins each."""
    return _transforms()[0](values)


def irfft(spectra: NDArray[Any], length: int) -> NDArray[Any]:
    """Return the `length` real values along the last axis that these (complex) spectra are of."""
    return _transforms()[1](spectra, length)


@lru_cache(maxsize=1)
def _transforms() -> tuple[Forward, Backward]:
    try:
        return _of_extension()
    except (ImportError, OSError, AttributeError, TypeError, ValueError):
        return _of_package()


def _of_extension() -> tuple[Forward, Backward]:
    """Return the transforms of scipy's extension module.

    Raises:
        ImportError, OSError: it is not where it was.
        AttributeError, TypeError, ValueError: it is not what it was.
    """
    package = find_spec("scipy")
    if package is None or package.origin is None:
        raise ImportError("there is no scipy.")
    folder = Path(package.origin).parent / "fft" / "_pocketfft"
    file = next((path for path in sorted(folder.iterdir()) if path.name.startswith(f"{_NAME}.")), None)
    if file is None:
        raise ImportError(f"there is no {_NAME} in {folder}.")
    loader = ExtensionFileLoader(_NAME, str(file))
    spec = spec_from_file_location(_NAME, file, loader=loader)
    if spec is None:
        raise ImportError(f"{file} can't be loaded.")
    module: Any = module_from_spec(spec)
    loader.exec_module(module)
    r2c, c2r = module.r2c, module.c2r

    def forward(values: NDArray[Any]) -> NDArray[Any]:
        return r2c(values, (-1,), True, _BY_NOTHING, None, 1)  # type: ignore[no-any-return]  # untyped

    def backward(spectra: NDArray[Any], length: int) -> NDArray[Any]:
        return c2r(spectra, (-1,), length, False, _BY_LENGTH, None, 1)  # type: ignore[no-any-return]

    ramp = np.arange(4.0, dtype=np.float32)
    bins = forward(ramp)
    if not (np.array_equal(bins, [6.0, -2.0 + 2.0j, -2.0]) and np.array_equal(backward(bins, 4), ramp)):
        raise ValueError(f"{file} transforms otherwise than expected.")
    return forward, backward


def _of_package() -> tuple[Forward, Backward]:
    import scipy.fft

    return scipy.fft.rfft, lambda spectra, length: scipy.fft.irfft(spectra, n=length)
