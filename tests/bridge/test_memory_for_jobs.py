import gc

import pytest

from bridge.memory import COLLECT_EVERY, memory_for_a_job


def test_collector_is_as_before_after_a_job_also_when_it_fails() -> None:
    before = gc.get_threshold()
    with memory_for_a_job():
        assert gc.get_threshold()[0] == COLLECT_EVERY
    assert gc.get_threshold() == before
    with pytest.raises(ZeroDivisionError), memory_for_a_job():
        raise ZeroDivisionError
    assert gc.get_threshold() == before


def test_jobs_work_where_the_c_library_cannot_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.memory._allocator", lambda: None)
    with memory_for_a_job():
        kept = bytearray(64 << 20)
    assert len(kept) == 64 << 20
