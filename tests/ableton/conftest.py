"""Every model of Live is closed after its test, whether that failed or not."""

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def close_lives() -> Iterator[None]:
    pytest.importorskip("py_mini_racer")
    from tests.ableton.live import Live

    yield
    while Live.opened:
        Live.opened.pop().close()
