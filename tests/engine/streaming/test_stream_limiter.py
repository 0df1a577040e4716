"""The limiter of streams keeps its ceiling, leaves what is below it alone, and does not hear block borders."""

import numpy as np
import pytest

from engine.audio.buffer import Samples
from engine.streaming.limiter import CEILING_DB, StreamLimiter

RATE = 44_100
CEILING = 10 ** (CEILING_DB / 20)


def limited(samples: Samples, sizes: tuple[int, ...]) -> Samples:
    limiter = StreamLimiter(RATE)
    out, start, turn = [], 0, 0
    while start < samples.shape[1]:
        out.append(limiter(samples[:, start : start + sizes[turn % len(sizes)]]))
        start += sizes[turn % len(sizes)]
        turn += 1
    out.append(limiter.flush())
    return np.concatenate(out, axis=1)[:, limiter.delay_frames :]


def loud(seed: int = 0) -> Samples:
    rng = np.random.default_rng(seed)
    bursts = np.repeat(rng.uniform(0.0, 2.5, 60), 700)
    return (rng.standard_normal((2, 42_000)) * bursts).astype(np.float32)


@pytest.mark.parametrize("sizes", [(42_000,), (1,) * 3 + (5000,), (317, 64), (8192,)])
def test_no_sample_exceeds_the_ceiling(sizes: tuple[int, ...]) -> None:
    assert np.abs(limited(loud(), sizes)).max() <= CEILING * (1 + 1e-6)


def test_blocks_leave_no_mark() -> None:
    whole = limited(loud(), (42_000,))
    np.testing.assert_allclose(limited(loud(), (317, 64, 5000)), whole, atol=1e-6)


def test_what_is_below_the_ceiling_comes_out_as_it_went_in() -> None:
    quiet = 0.1 * loud() / np.abs(loud()).max()
    np.testing.assert_array_equal(limited(quiet, (1024,)), quiet)


def test_the_gain_comes_back_after_a_peak() -> None:
    samples = np.full((2, RATE), 0.5, dtype=np.float32)
    samples[:, 10_000] = 4.0
    out = limited(samples, (4096,))
    assert out[0, 10_000] == pytest.approx(CEILING, rel=1e-3)
    assert out[0, 9_000] == pytest.approx(0.5)
    assert out[0, -1] == pytest.approx(0.5)
    assert np.max(np.abs(np.diff(out[0, 10_100:]))) < 1e-3
