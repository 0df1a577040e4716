"""The daemon's log goes on when its file has been removed."""

import logging
from pathlib import Path

from bridge.daemon_log import start_logging


def test_a_log_that_was_removed_is_begun_anew(tmp_path: Path) -> None:
    log, file = logging.getLogger("nrx.jobs"), tmp_path / "logs" / "daemon.log"
    end = start_logging(tmp_path)
    try:
        log.info("before")
        file.unlink()
        log.info("after")
        assert file.read_text(encoding="utf-8").endswith("after\n")
        assert "before" not in file.read_text(encoding="utf-8")
    finally:
        end()
