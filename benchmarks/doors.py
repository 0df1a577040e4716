"""How fast doors are: from a render's last byte to "running", and from an OSC message to its acknowledgement.

Usage: python benchmarks/doors.py [--files 8] [--seconds 30] [--messages 400] [--settle 0.5]

Jobs, a watched folder with native notices and the OSC door run in this process, with one worker process, in an
NRX_HOME of their own. First the worker is idle: WAV files of so many seconds (24 bit, stereo) are written one after the
other, and the time from closing a file to its job's `running` event is told, less the settle time. Then a remix runs,
and small honest jobs are submitted over OSC, 20 a second: the time to `/nrx/received`, and to `/nrx/accepted`.
"""

import argparse
import contextlib
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import soundfile

from bridge.config import Settings, WatchSettings
from bridge.daemon import SWITCH_S
from bridge.doors.folder import FolderDoor
from bridge.doors.osc import OscClient, OscDoor
from bridge.jobs import Jobs
from bridge.protocol import JobEvent, parse_request
from bridge.security.roots import Roots
from engine.errors import NrxError

RATE = 44100
TARGET_S, TARGET_ACK_S = 0.150, 0.020


def noise(path: Path, seconds: float, seed: int) -> Path:
    samples = np.random.default_rng(seed).normal(0, 0.1, (int(seconds * RATE), 2))
    soundfile.write(path, samples, RATE, subtype="PCM_24")
    return path


class Events:
    """Remembers when what happened to each job."""

    def __init__(self) -> None:
        """Begin with none."""
        self.at: dict[tuple[str, str], float] = {}
        self.changed = threading.Condition()

    def __call__(self, event: JobEvent) -> None:
        """Note an event."""
        with self.changed:
            self.at.setdefault((event.job.title, event.type), time.perf_counter())
            self.changed.notify_all()

    def wait(self, title: str, *types: str) -> float:
        """Wait for an event of one of these types and return when it came."""
        with self.changed:
            while True:
                for kind in types:
                    if (title, kind) in self.at:
                        return self.at[title, kind]
                if not self.changed.wait(120):
                    raise TimeoutError(f"{title} was never {' or '.join(types)}")


def settle_to_running(
    jobs: Jobs, settings: Settings, renders: Path, count: int, seconds: float
) -> list[float]:
    events = Events()
    unsubscribe = jobs.subscribe(events)
    door = FolderDoor(settings, jobs, settings.watch)
    door.start()
    time.sleep(1.0)
    late = []
    for number in range(count + 1):
        title = f"render {number}x"
        noise(renders.parent / "source.wav", seconds, number)
        data = (renders.parent / "source.wav").read_bytes()
        with (renders / f"{title}.wav").open("wb") as file:
            file.write(data)
        closed = time.perf_counter()
        running = events.wait(title, "running")
        if number:  # the first loads what the worker needs
            late.append(running - closed - settings.watch[0].settle_s)
        events.wait(title, "succeeded", "failed")
    door.stop()
    unsubscribe()
    return late


def acknowledgements(
    jobs: Jobs, settings: Settings, folder: Path, count: int
) -> tuple[list[float], list[float], int]:
    small = noise(folder / "small.wav", 3, 99)
    long = noise(folder / "long.wav", 600, 100)
    asked = {"action": "separate", "inputs": [{"path": str(long)}]}
    events = Events()
    unsubscribe = jobs.subscribe(events)
    busy = jobs.submit(parse_request(asked), door="cli")
    events.wait("long", "running")
    door = OscDoor(settings, jobs, Roots(settings), 0)
    door.start()
    received, accepted, while_running = [], [], 0
    with OscClient(door.port) as client:
        client.hello("benchmark", "1")
        for number in range(count):
            began = time.perf_counter()
            client.send("submit_audio", f"n{number}", str(small), "jazz", 1.0 + number / 10_000)
            client.wait_for("received")
            received.append(time.perf_counter() - began)
            client.wait_for("accepted")
            accepted.append(time.perf_counter() - began)
            while_running += jobs.get(busy.id).state == "running"
            time.sleep(max(0.0, 0.05 - (time.perf_counter() - began)))
    door.stop()
    unsubscribe()
    with contextlib.suppress(NrxError):  # it may have ended
        jobs.cancel(busy.id)
    return received, accepted, while_running


def told(name: str, seconds: list[float], target_s: float | None = None) -> None:
    ms = np.sort(np.array(seconds)) * 1e3
    aim = "" if target_s is None else f"   (at most {target_s * 1e3:.0f} ms wanted)"
    print(
        f"{name:34} median {np.median(ms):7.1f} ms   p99 {np.percentile(ms, 99):7.1f} ms   max {ms[-1]:7.1f} ms{aim}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--messages", type=int, default=400)
    parser.add_argument("--settle", type=float, default=0.5)
    given = parser.parse_args()
    sys.setswitchinterval(SWITCH_S)  # as the daemon does
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        renders = folder / "renders"
        renders.mkdir()
        watch = WatchSettings(path=renders, action="separate", settle_s=given.settle)
        settings = Settings(home=folder / "home", roots=(folder,), watch=(watch,))
        jobs = Jobs(settings)
        jobs.start()
        try:
            if given.files:
                late = settle_to_running(jobs, settings, renders, given.files, given.seconds)
                told("last byte to running, less settling", late, TARGET_S)
            if given.messages:
                received, accepted, running = acknowledgements(jobs, settings, folder, given.messages)
                told("OSC to received, a job running", received, TARGET_ACK_S)
                told("OSC to accepted, a job running", accepted)
                if hasattr(os, "getloadavg"):
                    print(f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
                print(f"the other job ran during {running} of {given.messages}")
        finally:
            jobs.close()


if __name__ == "__main__":
    main()
