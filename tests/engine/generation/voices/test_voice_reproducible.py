import os
import subprocess
import sys

import pytest

SCRIPT = """
import hashlib
from engine.generation.arranger.voices.model import Setup
from engine.generation.arranger.voices.player import render_note
digest = hashlib.sha256()
for name, pitch in (("piano", 40), ("steel_guitar", 45), ("kit_jazz", 49), ("strings", 60), ("saw_lead", 70)):
    digest.update(render_note(name, pitch, 90, 1.0, Setup(44100, 3), length_s=1.5).tobytes())
print(digest.hexdigest())
"""


@pytest.mark.slow
def test_the_number_of_threads_does_not_change_a_byte():
    digests = set()
    for threads in ("1", "2", "4"):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        environment = {**os.environ, **dict.fromkeys(names, threads)}
        run = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
        )
        digests.add(run.stdout)
    assert len(digests) == 1
