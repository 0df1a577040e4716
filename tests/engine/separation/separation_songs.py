"""Made-up songs for the tests of separation: the generator is the benchmark's."""

import importlib.util
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np

from engine.audio.buffer import Audio

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "separation.py"


def load_benchmark():
    spec = importlib.util.spec_from_file_location("separation_benchmark", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


benchmark = load_benchmark()
sdr_db = benchmark.sdr_db


@lru_cache(maxsize=8)
def song(seconds, rate=44100, seed=0, repeats=True):
    return benchmark.make_song(seconds, rate, seed, repeats)


def mix_of(stems, rate=44100):
    return Audio(np.sum(list(stems.values()), axis=0, dtype=np.float32), rate)
