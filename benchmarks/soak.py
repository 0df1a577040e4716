"""Twenty-four hours in small: many tiny jobs in a row through one daemon process; its memory may not grow.

    python benchmarks/soak.py [--jobs 2000] [--from 200] [--allowed 0.05]

Prints the resident memory of the daemon and of its workers every hundred jobs, and fails if after the last job either
is more than `allowed` above what it was after job `from`.
"""

import argparse
import os
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

AT_A_TIME = 50
TINY = {"action": "generate", "stem": "bass", "bpm": 120, "duration_s": 1}


def soak(count: int, reference: int, allowed: float) -> int:
    """Run the jobs; return 0 if memory held still."""
    from bridge.config import load_settings
    from bridge.jobs import Jobs
    from bridge.jobs.processes import resident_bytes
    from bridge.memory import bound_arenas
    from bridge.protocol import JobEvent, parse_request

    settings = load_settings()
    bound_arenas()  # as the daemon does
    jobs = Jobs(settings)
    ended = threading.Semaphore(0)
    failed: list[str] = []

    def heard(event: JobEvent) -> None:
        if event.type == "succeeded":
            shutil.rmtree(event.job.folder or "")
            ended.release()
        elif event.type in ("failed", "retried"):
            failed.append(f"{event.job.id}: {event.job.error or event.job.notes}")
            ended.release()

    jobs.subscribe(heard)
    jobs.start()
    began = time.perf_counter()
    memory: dict[int, tuple[int, int]] = {}
    submitted = done = 0
    while done < count:
        while submitted < min(count, done + AT_A_TIME):
            jobs.submit(parse_request({**TINY, "seed": submitted}), door="soak")
            submitted += 1
        ended.acquire()
        done += 1
        if done % 100 == 0 or done == count:
            workers = sum(one.resident_bytes or 0 for one in jobs.workers())
            memory[done] = (resident_bytes(os.getpid()) or 0, workers)
            daemon, workers = memory[done]
            print(
                f"{done:5} jobs   {time.perf_counter() - began:7.0f} s   daemon {daemon / 1e6:7.1f} MB"
                f"   workers {workers / 1e6:7.1f} MB",
                flush=True,
            )
    jobs.close()
    print(f"{len(failed)} jobs failed or were tried again", *failed[:5], sep="\n")
    first, last = memory[min(reference, max(memory))], memory[max(memory)]
    status = 1 if failed else 0
    for name, before, after in zip(("daemon", "workers"), first, last, strict=True):
        grown = after / before - 1
        print(f"{name}: {grown:+.1%} from job {min(reference, max(memory))} to job {max(memory)}")
        if grown > allowed:
            status = 1
    return status


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--from", dest="reference", type=int, default=200)
    parser.add_argument("--allowed", type=float, default=0.05)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["NRX_HOME"] = str(Path(home).resolve())
        sys.exit(soak(arguments.jobs, arguments.reference, arguments.allowed))


if __name__ == "__main__":
    main()
