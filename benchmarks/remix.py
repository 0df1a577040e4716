"""How fast, and in how much memory, a whole remix runs: `nrx remix` in a process of its own, as a person runs it.

Usage: python benchmarks/remix.py FILE [--style lofi_chill] [--second synthwave] [--runs 3] [--json]

Each run starts with an empty NRX_HOME (compiled code of libraries stays warm), remixes FILE in one style, then in a
second one, which may use the cached stages of the first. Reported: medians of both ratios to real time, the second
as a share of the first, processor seconds of both (user and system, over all cores: what a busy machine changes
least), peak memory of the process, and where the time of the first goes, in percent.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

_CHILD = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=sys.stdout).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)
sys.exit(status)
"""


def remix(file: Path, style: str, home: Path) -> tuple[float, float, float, dict[str, Any]]:
    """Run one remix; return wall seconds, processor seconds, peak MB, manifest."""
    nrx = [sys.executable, "-c", "from bridge.doors.cli import main; main()"]
    command = [sys.executable, "-c", _CHILD, *nrx, "remix", str(file), "--style", style, "--json"]
    started = time.perf_counter()
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "NRX_HOME": str(home)}
    )
    seconds = time.perf_counter() - started
    if done.returncode:
        sys.exit(done.stderr)
    unit = 1e6 if sys.platform == "darwin" else 1e3
    cpu_s, peak = (float(figure) for figure in done.stderr.split()[-2:])
    return seconds, cpu_s, peak / unit, json.loads(done.stdout)


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("file", type=Path)
    arguments.add_argument("--style", default="lofi_chill")
    arguments.add_argument("--second", default="synthwave")
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    rows = []
    for _ in range(given.runs):
        with tempfile.TemporaryDirectory() as home:
            first_s, first_cpu_s, first_mb, manifest = remix(given.file, given.style, Path(home))
            second_s, second_cpu_s, second_mb, _ = remix(given.file, given.second, Path(home))
        duration_s = manifest["analysis"]["duration_s"]
        rows.append(
            {
                "times_real_time": duration_s / first_s,
                "second_times_real_time": duration_s / second_s,
                "second_share": second_s / first_s,
                "cpu_s": first_cpu_s,
                "second_cpu_s": second_cpu_s,
                "peak_mb": max(first_mb, second_mb),
                **{
                    f"{stage['stage']}_percent": 100 * stage["seconds"] / first_s
                    for stage in manifest["stages"]
                },
            }
        )
    report = {name: round(statistics.median(row[name] for row in rows), 2) for name in rows[0]}
    if given.json:
        print(json.dumps(report))
    else:
        for name, value in report.items():
            print(f"{name:24} {value:g}")


if __name__ == "__main__":
    main()
