"""What all tests share: an NRX_HOME of their own, and the switch that turns every skip into a failure.

With `NRX_REQUIRE_ALL=1` (continuous integration) nothing may be skipped: a part that is missing there is an error.
"""

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long something takes says how busy the machine is, not whether the code is right.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

REQUIRE_ALL = os.environ.get("NRX_REQUIRE_ALL", "") not in ("", "0")

FOREIGN_VARIABLES = ("DEVICE", "MUSICGEN_MODEL", "HF_ENDPOINT", "HF_HUB_OFFLINE", "HF_HUB_CACHE")
"""What other systems read too, and a person may have set."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be skipped: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test an empty NRX_HOME, so that no test sees the user's cache or settings."""
    home = tmp_path_factory.mktemp("nrx-home")
    monkeypatch.setenv("NRX_HOME", str(home))
    for name in FOREIGN_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name in ("HF_HOME", "TORCH_HOME"):
        monkeypatch.setenv(name, str(home / name.lower()))
    return home
