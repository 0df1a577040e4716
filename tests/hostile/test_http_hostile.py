"""A tenth of the HTTP door's hostile suite, against a daemon of its own."""

import http_hostile
import pytest


@pytest.mark.slow
def test_a_daemon_under_attack_leaks_nothing_and_works_on() -> None:
    pytest.importorskip("schemathesis")
    summary = http_hostile.run(0.1)
    assert summary["faults"] == []
    assert summary["honest_job"] == "succeeded"
    assert summary["calls"] > 2000
