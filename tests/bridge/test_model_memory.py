"""Memory comes back when a job is done: models are let go, and what they held goes back to the system."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from bridge.config import load_settings
from bridge.job import Job
from bridge.jobs.worker import Worker
from bridge.memory import give_back
from bridge.protocol import parse_request
from engine.actions.model import Outcome
from engine.models.warm import WARM, Warm
from engine.stages import Stages

MEGABYTE = 1 << 20
WEIGHTS_MB = 400


class Weights:
    """Memory like a model's: really written to, so that it is resident; in a cycle, as models are."""

    def __init__(self, megabytes: int = WEIGHTS_MB) -> None:
        self.layers = [np.ones(MEGABYTE // 4, np.float32) for _ in range(megabytes)]
        self.itself = self


@pytest.fixture(autouse=True)
def _nothing_is_held() -> Iterator[None]:
    WARM.let_go()
    yield
    WARM.let_go()


def resident_mb() -> float:
    give_back()
    return psutil.Process().memory_info().rss / MEGABYTE


def test_the_same_key_loads_once_and_another_again() -> None:
    warm, loaded = Warm(), []

    def load() -> object:
        loaded.append(object())
        return loaded[-1]

    assert warm.use(("a", 1), load) is warm.use(("a", 1), load)
    assert warm.use(("b", 1), load) is not loaded[0]
    assert len(loaded) == 2


def test_what_was_used_lately_is_kept_and_the_rest_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    warm, now = Warm(), [100.0]
    monkeypatch.setattr("engine.models.warm.time.monotonic", lambda: now[0])
    warm.use("old", object)
    now[0] = 150.0
    warm.use("new", object)
    assert warm.let_go(idle_s=30.0) == 1
    assert warm.let_go() == 0


def test_a_failed_load_is_not_held() -> None:
    warm = Warm()

    def fail() -> object:
        raise OSError("no such weights")

    with pytest.raises(OSError, match="no such weights"):
        warm.use("a", fail)
    assert warm.let_go(1e9) == 0


def job_that_loads(monkeypatch: pytest.MonkeyPatch, error: Exception | None = None) -> Job:
    """Return a job whose action loads weights, and then fails if there is an error to fail with."""
    from bridge import recipes

    def run(_stages: Stages, _deliver: object) -> Outcome:
        weights = WARM.use("weights", Weights)
        assert resident_mb() - before > 0.8 * WEIGHTS_MB
        assert weights.layers
        raise error or ZeroDivisionError

    recipe = recipes.Recipe("loads", (("generate", 1.0),), run, 0, "PCM_24")
    monkeypatch.setattr("bridge.recipes.prepare", lambda *_: recipe)
    request = parse_request({"action": "generate", "prompt": "anything"})
    before = resident_mb()
    return Job(request, load_settings())


@pytest.mark.skipif(
    sys.platform != "linux", reason="other systems' allocators give memory back when they please"
)
def test_memory_is_back_at_idle_after_a_job_that_loaded_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    idle = resident_mb()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            job_that_loads(monkeypatch).run()
        assert resident_mb() - idle < 0.1 * WEIGHTS_MB


@pytest.mark.skipif(
    sys.platform != "linux", reason="other systems' allocators give memory back when they please"
)
def test_models_stay_for_as_long_as_is_set_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NRX_MODELS_KEEP_WARM_S", "3600")
    idle = resident_mb()
    with pytest.raises(ZeroDivisionError):
        job_that_loads(monkeypatch).run()
    assert resident_mb() - idle > 0.8 * WEIGHTS_MB
    WARM.let_go()
    assert resident_mb() - idle < 0.1 * WEIGHTS_MB


def test_a_network_out_of_memory_is_a_job_out_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    words = "[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory: you tried to take 9"
    with pytest.raises(MemoryError, match="allocate"):
        job_that_loads(monkeypatch, RuntimeError(words)).run()


def test_another_error_of_a_network_stays_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match="shape"):
        job_that_loads(monkeypatch, RuntimeError("mat1 and mat2 shape mismatch")).run()


def test_an_idle_worker_lets_its_models_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The worker waits for its next job; the models of the last one go meanwhile, not when the next one comes."""
    import queue

    monkeypatch.setenv("NRX_MODELS_KEEP_WARM_S", "0.2")
    worker = Worker.__new__(Worker)
    waits: list[float | None] = []

    class Runs:
        def get(self, timeout: float | None = None) -> str:
            waits.append(timeout)
            if timeout is None:
                return "the next job"
            import time

            time.sleep(timeout)
            raise queue.Empty

    worker._settings = load_settings()
    worker._runs = Runs()  # type: ignore[assignment]  # stands in for the queue
    WARM.use("weights", lambda: Weights(1))
    assert worker._next() == "the next job"  # type: ignore[comparison-overlap]  # what the stand-in gives
    assert WARM.let_go(1e9) == 0
    assert waits[-1] is None
    assert waits[:-1]
