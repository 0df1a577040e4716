"""The limiter's and the leveller's curves."""

import numpy as np
import pytest

from engine.mastering.limiter import (
    decaying_maximum,
    gains_between,
    leveller_curve,
    needed_reduction,
    reduction_curve,
)

RATE = 48_000


def test_decaying_maximum_is_the_recursion_it_stands_for() -> None:
    random = np.random.default_rng(0)
    values = np.maximum(0.0, random.standard_normal(30_000) - 2.0).astype(np.float32)
    expected = np.empty_like(values)
    held = 0.0
    for index, value in enumerate(values):
        held = max(float(value), held * np.exp(-1.0 / 300.0))
        expected[index] = held
    np.testing.assert_allclose(decaying_maximum(values, 300.0), expected, rtol=1e-4, atol=1e-6)


def test_the_curve_meets_every_need() -> None:
    random = np.random.default_rng(1)
    peaks = (1.5 * random.random(20_000) ** 8).astype(np.float32)
    needed = needed_reduction(peaks, 0.9)
    curve = reduction_curve(needed, RATE)
    assert len(curve) == len(needed) + 1
    assert (curve[:-1] >= needed - 1e-6).all()
    assert (curve[1:] >= needed - 1e-6).all()
    gains = gains_between(curve, 0, len(needed)).reshape(-1, 8)
    assert (gains.max(axis=1) * peaks <= 0.9 * 1.0001).all()


def test_no_need_no_reduction() -> None:
    quiet = needed_reduction(np.full(1_000, 0.5, dtype=np.float32), 0.9)
    assert not reduction_curve(quiet, RATE).any()
    assert not leveller_curve(quiet, RATE, hop_frames=8).any()


def test_a_single_peak_is_let_go_quickly_and_anticipated() -> None:
    needed = np.zeros(60_000, dtype=np.float32)
    needed[30_000] = 1.0
    curve = reduction_curve(needed, RATE)
    per_s = RATE / 8
    assert curve[30_000] >= 1.0
    assert 0.0 < curve[30_000 - round(0.001 * per_s)] < 1.0
    assert curve[30_000 - round(0.007 * per_s)] == 0.0
    assert curve[30_000 + round(0.2 * per_s)] < 0.06


def test_the_leveller_takes_what_lasts_and_leaves_what_is_brief() -> None:
    lasting = np.zeros(60_000, dtype=np.float32)
    lasting[20_000:40_000] = 0.5
    brief = np.zeros(60_000, dtype=np.float32)
    brief[20_000:40_000:3_000] = 0.5  # two hits a second
    taken = leveller_curve(lasting, RATE, hop_frames=8)
    assert taken[25_000:35_000].min() == pytest.approx(0.5, abs=0.01)
    assert leveller_curve(brief, RATE, hop_frames=8).max() < 0.1
