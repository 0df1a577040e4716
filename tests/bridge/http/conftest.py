"""A real HTTP door on a real port, with jobs in memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from http_daemon import Daemon, start_daemon
from http_standin import StandInJobs


@pytest.fixture(scope="session")
def shared_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One door for all tests that leave nothing behind."""
    home = tmp_path_factory.mktemp("shared-home")
    running = start_daemon(home, StandInJobs(home))
    yield running
    running.stop()


@pytest.fixture
def daemon(own_home: Path) -> Iterator[Daemon]:
    """A door with jobs in memory."""
    running = start_daemon(own_home, StandInJobs(own_home))
    yield running
    running.stop()
