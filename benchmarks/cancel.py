"""How long a cancel takes: of a job that waits, of a remix in each of its stages, and of one that hears nothing.

    python benchmarks/cancel.py [--rounds 3]

Prints seconds from the call to the state `cancelled`, for songs of half a minute that no stage has seen before. A
worker in one long native call (`native`) is ended with its process. Fails if any of them took more than two seconds.
"""

import argparse
import contextlib
import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for what it shares with the tests

from bridge.config import load_settings
from bridge.jobs import Jobs
from bridge.protocol import JobEvent, parse_request
from engine.errors import NrxError
from tests import faulty_worker
from tests.queue_kit import set_faults
from tests.songs import song

STAGES = ("read", "separate", "analyze", "generate", "sync", "mix", "master", "publish")
WAITING, DEAF = "waiting", "native"
SHORT = (WAITING, "read", "sync")
INSIDE_S = 0.05
ENDINGS = ("cancelled", "succeeded", "failed")
MOST_S = 2.0
PATIENCE_S = 300.0
BARS = 12


class Listener:
    """Hears where each job is: its stage, or how it has ended, and when."""

    def __init__(self) -> None:
        self._moved = threading.Condition()
        self._passed: dict[str, list[str]] = {}
        self.ended_at: dict[str, float] = {}

    def hear(self, event: JobEvent) -> None:
        """Take an event of the queue."""
        with self._moved:
            self._passed.setdefault(event.job.id, []).append(event.job.stage or "")
            if event.type in ENDINGS:
                self.ended_at[event.job.id] = time.perf_counter()
                self._passed[event.job.id].append(event.type)
            self._moved.notify_all()

    def wait(self, job_id: str, place: str) -> str:
        """Wait until a job has come to a place, or has ended; return where it was last."""
        with self._moved:
            self._moved.wait_for(lambda: {place, *ENDINGS} & set(self._passed.get(job_id, ())), PATIENCE_S)
            return self._passed[job_id][-1]


def run(rounds: int, folder: Path) -> dict[str, list[float]]:
    """Return the seconds that cancels took, by where the job was."""
    settings = load_settings()
    deaf = {f"{DEAF}-{number}": {"point": "mix", "victim": "native"} for number in range(rounds)}
    set_faults(settings.home, deaf)
    listener = Listener()
    jobs = Jobs(settings, faulty_worker.main)
    jobs.subscribe(listener.hear)
    jobs.start()
    took: dict[str, list[float]] = {name: [] for name in (WAITING, *STAGES, DEAF)}
    for number in range(rounds):
        for place, name in enumerate(took):
            job_id = f"{name}-{number}"
            file = folder / f"{job_id}.wav"
            soundfile.write(file, song(bars=BARS, seed=number * len(took) + place), 44100)
            if name == WAITING:
                jobs.pause()
            asked = {"action": "remix", "inputs": [{"path": str(file)}], "style": "lofi_chill"}
            jobs.submit(parse_request(asked), door="benchmark", job_id=job_id)
            if name != WAITING:
                listener.wait(job_id, "mix" if name == DEAF else name)
            if name not in SHORT:
                time.sleep(INSIDE_S)
            began = time.perf_counter()
            with contextlib.suppress(NrxError):  # it has just succeeded
                jobs.cancel(job_id)
            if listener.wait(job_id, "cancelled") == "cancelled":
                took[name].append(listener.ended_at[job_id] - began)
            jobs.resume()
    jobs.close()
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NRX_HOME"] = str(Path(folder).resolve() / "home")
        took = run(rounds, Path(folder))
    for name, seconds in took.items():
        told = (
            f"median {statistics.median(seconds):5.2f} s   worst {max(seconds):5.2f} s"
            if seconds
            else "missed"
        )
        print(f"{name:<14} {len(seconds):2} cancels   {told}")
    sys.exit(0 if all(seconds and max(seconds) <= MOST_S for seconds in took.values()) else 1)


if __name__ == "__main__":
    main()
