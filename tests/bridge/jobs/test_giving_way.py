"""A worker gives way to what plays and to what answers."""

import subprocess
import sys

import psutil

SCRIPT = "from bridge.jobs.processes import give_way; import psutil; give_way(); print(int(psutil.Process().nice()))"


def test_a_process_that_gives_way_runs_below_the_others() -> None:
    given = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60
    )
    ours, its = int(psutil.Process().nice()), int(given.stdout)
    if sys.platform == "win32":
        assert its == psutil.BELOW_NORMAL_PRIORITY_CLASS
    else:
        assert its == min(19, ours + 5)
