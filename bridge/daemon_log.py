"""The daemon's log: `NRX_HOME/logs/daemon.log`, turned over at five megabytes, five files kept.

One line for each step in the life of a job, with its id, so that `nrx logs JOB` tells its story. Tokens and one-time
codes are never logged.
"""

import logging
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path

from bridge.protocol import JobEvent

LOG_BYTES, LOG_FILES = 5_000_000, 5
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
log = logging.getLogger("nrx.jobs")


class _LogFile(RotatingFileHandler):
    """A log file that is begun anew when somebody has removed it, as `nrx clean logs` does."""

    def emit(self, record: logging.LogRecord) -> None:
        if self.stream is not None and not Path(self.baseFilename).exists():
            self.stream.close()
            Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
            self.stream = self._open()
        super().emit(record)


def start_logging(home: Path) -> Callable[[], None]:
    """Log to the file from now on, and warnings to standard error too; call the result to end that."""
    folder = home / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    file = _LogFile(folder / "daemon.log", maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8")
    file.setFormatter(logging.Formatter(FORMAT))
    shown = logging.StreamHandler()
    shown.setLevel(logging.WARNING)
    shown.setFormatter(logging.Formatter("nrx: %(message)s"))
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.INFO)
    for noisy in ("uvicorn", "websockets", "watchdog", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    for handler in (file, shown):
        root.addHandler(handler)

    def end() -> None:
        root.setLevel(before)
        for handler in (file, shown):
            root.removeHandler(handler)
            handler.close()

    return end


def log_event(event: JobEvent) -> None:
    """Log a step in the life of a job; progress within a stage is none."""
    job = event.job
    match event.type:
        case "progress":
            return
        case "accepted":
            log.info("job %s accepted by %s: %s %s", job.id, job.door, job.action, job.title)
        case "running":
            log.info("job %s runs, attempt %d", job.id, job.attempt)
        case "succeeded":
            spent_s = (job.finished_at or 0.0) - (job.started_at or 0.0)
            log.info("job %s succeeded in %.1f s: %s", job.id, spent_s, job.folder)
        case "failed":
            error = job.error
            log.warning(
                "job %s failed: %s", job.id, f"{error.sentence} [{error.code}]" if error else "no reason"
            )
        case "retried":
            log.info("job %s waits again%s", job.id, f": {job.notes[-1]}" if job.notes else "")
        case _:
            log.info("job %s %s", job.id, event.type)
