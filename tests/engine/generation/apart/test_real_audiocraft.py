"""audiocraft itself, where `NRX_TEST_AUDIOCRAFT` names a folder of models in which it is installed.

Without it this file holds no test: the protocol is tested with a stand-in beside it.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from engine.backends import Backends
from engine.generation.musicgen.sampling import Sampling
from engine.generation.protocol import Wish
from engine.generation.registry import generator_of
from engine.models import ModelStore
from engine.models.interpreter import find_interpreter
from engine.models.warm import WARM

PLACE = os.environ.get("NRX_TEST_AUDIOCRAFT", "")

if PLACE:

    @pytest.mark.slow
    def test_the_small_model_of_audiocraft_plays_the_same_take_from_the_same_seed() -> None:
        store = ModelStore(Path(PLACE))
        assert find_interpreter(store.root) is not None, f"audiocraft is not installed in {PLACE}"
        backends = Backends(store, generate="audiocraft:debug", device="cpu")
        generator = generator_of(backends.generator(), backends)
        try:
            first, second = generator.takes([Wish("lo-fi", 1.0)] * 2, Sampling(seed=7))
            (again,) = generator.takes([Wish("lo-fi", 1.0)], Sampling(seed=8))
        finally:
            WARM.let_go()
        assert (first.channels, first.frames, first.sample_rate) == (1, 32000, 32000)
        assert not np.array_equal(first.samples, second.samples)
        assert np.array_equal(second.samples, again.samples)
        assert generator.device == "cpu (audiocraft)"
