"""Sparing memory takes fewer pieces at a time and smaller blocks, ends with its body, and changes no result."""

import numpy as np
import pytest

from engine.audio import Audio
from engine.separation import separate
from engine.thrift import at_a_time, block_size, is_sparing, sparing_memory


def test_steps_take_less_and_end_with_their_body() -> None:
    seen = []
    for step in (0, 1, 2, 9):
        with sparing_memory(step):
            seen.append((is_sparing(), at_a_time(4), block_size(100), block_size(2)))
    assert seen == [(False, 4, 100, 2), (True, 1, 100, 2), (True, 1, 25, 1), (True, 1, 25, 1)]
    assert not is_sparing()


def test_step_ends_also_after_an_error() -> None:
    with pytest.raises(MemoryError), sparing_memory(2):
        raise MemoryError
    assert not is_sparing()


def test_small_blocks_separate_alike() -> None:
    rng = np.random.default_rng(0)
    mix = Audio(rng.normal(size=(2, 3 * 44100)).astype(np.float32) * 0.1, 44100)
    usual = separate(mix)
    with sparing_memory(2):
        sparing = separate(mix)
    for role, stem in usual.items():
        np.testing.assert_allclose(sparing[role].samples, stem.samples, atol=1e-5)
