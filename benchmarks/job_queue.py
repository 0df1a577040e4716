"""The queue under load: accepts a second from many clients, pages of many jobs, and how late events are.

    python benchmarks/job_queue.py [--jobs 10000] [--clients 20]

Clients name a file that is registered already, each with another seed, so that every request is a job of its own; each
accept is on the disk when it returns. The queue is paused, so that nothing runs. Events are timed from their commit to
the subscriber.
"""

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import soundfile

CLIENTS, JOBS = 20, 10_000
PAGE = 100


def percentile(values: list[float], percent: float) -> float:
    return float(np.percentile(values, percent))


def report(name: str, values_s: list[float]) -> None:
    milliseconds = [1e3 * value for value in values_s]
    print(
        f"{name:<34} median {statistics.median(milliseconds):7.2f} ms   p99 {percentile(milliseconds, 99):7.2f} ms"
        f"   worst {max(milliseconds):7.2f} ms"
    )


def run(count: int, clients: int) -> None:
    from bridge.config import load_settings
    from bridge.daemon import SWITCH_S
    from bridge.jobs import Jobs
    from bridge.protocol import JobEvent, parse_request

    settings = load_settings()
    sys.setswitchinterval(SWITCH_S)  # as the daemon does
    jobs = Jobs(settings)
    jobs.pause()
    jobs.start()
    song = settings.home / "song.wav"
    rng = np.random.default_rng(0)
    soundfile.write(song, rng.normal(size=(44100 * 3, 2)) * 0.1, 44100)
    registered = jobs.register_input(song, "song.wav")
    given = [{"path": str(registered.path), "name": "song.wav"}]
    late_s: list[float] = []

    def heard(event: JobEvent) -> None:
        late_s.append(time.time() - event.at)

    jobs.subscribe(heard)

    def request(seed: int) -> None:
        jobs.submit(
            parse_request({"action": "remix", "style": "lofi_chill", "seed": seed, "inputs": given}),
            door="bench",
        )

    request(0)  # everything is imported now
    spent_s: list[float] = []
    numbers = iter(range(1, count))
    lock = threading.Lock()

    def client() -> None:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            began = time.perf_counter()
            request(number)
            spent_s.append(time.perf_counter() - began)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    began, cpu = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took_s = time.perf_counter() - began
    print(
        f"{count - 1} accepts from {clients} clients: {(count - 1) / took_s:.0f} a second, "
        f"{1e3 * (time.process_time() - cpu) / (count - 1):.2f} ms of processor time each"
    )
    report("one accept", spent_s)
    time.sleep(0.5)
    report("event to subscriber, while accepting", late_s)
    for name, filters in {
        "page of the queue": {},
        "page of a state": {"state": "queued"},
        "page of a search": {"search": "song 77"},
    }.items():
        times_s, before, seen = [], None, 0
        while True:
            began = time.perf_counter()
            page = jobs.list(limit=PAGE, before=before, **filters)  # type: ignore[arg-type]
            times_s.append(time.perf_counter() - began)
            seen += len(page.jobs)
            before = page.next
            if before is None:
                break
        report(f"{name} ({seen} jobs)", times_s)
    times_s = []
    for status in jobs.list(limit=200).jobs:
        began = time.perf_counter()
        jobs.get(status.id)
        times_s.append(time.perf_counter() - began)
    report("one job", times_s)
    if hasattr(os, "getloadavg"):
        print(f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    jobs.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=JOBS)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["NRX_HOME"] = str(Path(home).resolve())
        run(arguments.jobs, arguments.clients)


if __name__ == "__main__":
    main()
