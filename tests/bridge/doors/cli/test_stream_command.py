"""`nrx stream`: a file that grows, raw samples for a pipe, and refusals in words."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile
from click.testing import CliRunner

from bridge.doors.cli.app import nrx

SHORT = ("--duration", "3", "--quality", "fast", "--generator", "arranger", "--seed", "4")


def test_a_file_is_written_as_the_engine_plays_and_nothing_is_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "lofi.wav"
    done = CliRunner().invoke(nrx, ["stream", "lofi", "--out", str(out), *SHORT])
    assert done.exit_code == 0, done.output
    sound, rate = soundfile.read(out)
    assert rate == 24_000
    assert np.abs(sound).max() > 0.05
    again = CliRunner().invoke(nrx, ["stream", "lofi", "--out", str(out), *SHORT])
    assert getattr(again.exception, "code", "") == "output.exists"


def test_raw_samples_go_to_a_pipe_and_end_when_their_reader_has_enough(own_home: Path) -> None:
    command = [sys.executable, "-m", "bridge.doors.cli", "stream", "lofi", "--out", "-", "--quality", "fast"]
    with subprocess.Popen(
        [*command, "--generator", "arranger"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "NRX_HOME": str(own_home)},
    ) as process:
        assert process.stdout is not None
        heard = process.stdout.read(48_000)
        process.stdout.close()
        process.wait(60)
    assert len(heard) == 48_000
    assert process.returncode == 0


def test_what_cannot_be_made_is_refused_before_a_file_is_there(tmp_path: Path) -> None:
    out = tmp_path / "x.wav"
    done = CliRunner().invoke(nrx, ["stream", "lofi", "--bpm", "9000", "--out", str(out)])
    assert getattr(done.exception, "code", "") == "request.invalid"
    assert not out.exists()


def test_a_wav_file_is_not_given_another_formats_name(tmp_path: Path) -> None:
    out = tmp_path / "x.mp3"
    done = CliRunner().invoke(nrx, ["stream", "lofi", "--out", str(out), *SHORT])
    assert getattr(done.exception, "code", "") == "request.invalid"
    assert not out.exists()
