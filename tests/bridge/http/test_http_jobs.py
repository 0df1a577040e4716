"""Uploads and jobs by the native routes."""

from pathlib import Path

from http_daemon import Daemon
from http_standin import wav_bytes


def test_an_upload_becomes_the_input_of_a_job(daemon: Daemon) -> None:
    job = daemon.submit(energy=1.5)
    assert job["state"] == "queued"
    assert job["title"] == "song.wav"
    request = daemon.jobs.asked[job["id"]]
    assert request.energy == 1.5
    assert Path(request.inputs[0].path).read_bytes() == wav_bytes()
