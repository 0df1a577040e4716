"""Runs a queue in a process of its own, for tests that kill it: `python -m tests.queue_runner` with NRX_HOME set.

Each line on standard input is a JSON object {"id": …, "request": …}; the answer, once the job is accepted, is its id.
The end of the input ends it cleanly.
"""

import json
import sys

from bridge.config import load_settings
from bridge.jobs import Jobs
from bridge.protocol import parse_request
from tests import faulty_worker


def run() -> None:
    jobs = Jobs(load_settings(), faulty_worker.main)
    jobs.start()
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        accepted = jobs.submit(parse_request(asked["request"]), door="test", job_id=asked["id"])
        print(accepted.id, flush=True)
    jobs.close()


if __name__ == "__main__":
    run()
