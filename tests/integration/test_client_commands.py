"""The daemon's own commands against a real `nrx serve`: what a producer types, and what comes back."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge.daemon_file import read_daemon
from engine.audio import Audio, write_wav
from tests.queue_kit import until
from tests.songs import song_stems


@dataclass
class Machine:
    """A folder with songs, and a daemon with an NRX_HOME of its own."""

    folder: Path
    home: Path
    song: Path
    short: Path

    def nrx(self, *words: str | Path, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "bridge.doors.cli", *map(str, words)],
            env={**os.environ, "NRX_HOME": str(self.home)},
            cwd=self.folder,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def submit(self, *words: str | Path) -> str:
        """Submit without waiting; the job's id."""
        return self.nrx("submit", "--detach", *words).stdout.strip()

    def jobs(self, *words: str) -> dict[str, dict[str, Any]]:
        lines = self.nrx("jobs", "--json", *words).stdout.splitlines()
        return {job["id"]: job for job in map(json.loads, lines)}


def song(path: Path, bars: int) -> Path:
    stems: Sequence[np.ndarray] = list(song_stems(bars=bars).values())
    write_wav(path, Audio(sum(stems).astype(np.float32), 44100), "PCM_16")  # type: ignore[attr-defined]
    return path


@pytest.fixture(scope="module", name="machine")
def _machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("producer's folder ü")
    machine = Machine(folder, folder / "home", song(folder / "a song.wav", 8), song(folder / "short.wav", 2))
    daemon = subprocess.Popen(
        [sys.executable, "-m", "bridge.doors.cli", "serve", "--http-port", "0", "--osc-port", "0"],
        env={**os.environ, "NRX_HOME": str(machine.home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: read_daemon(machine.home), what="the daemon")
        yield machine
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(30)


def test_submit_gives_back_what_the_action_gives_back(machine: Machine) -> None:
    done = machine.nrx("submit", "a song.wav", "--action", "separate", "--out", "results", "--json")
    manifest = json.loads(done.stdout)
    folder = Path(manifest["folder"])
    assert folder.parent == machine.folder / "results"
    assert json.loads((folder / "manifest.json").read_text(encoding="utf-8")) == manifest
    assert manifest["source"][0]["path"] == str(machine.song)
    assert all((folder / track["file"]).is_file() for track in manifest["tracks"])
    assert {"reaper", "dawproject"} <= manifest["files"].keys()


def test_a_detached_job_is_listed_followed_and_found(machine: Machine) -> None:
    job_id = machine.submit("short.wav", "--action", "analyze")
    events = machine.nrx("watch", job_id, "--json")
    assert json.loads(events.stdout)["action"] == "analyze"
    listed = machine.jobs("--search", "short", "--state", "succeeded")
    assert listed[job_id]["state"] == "succeeded"
    assert job_id in machine.nrx("jobs").stdout
    assert job_id in machine.nrx("logs", job_id).stdout


def test_what_is_refused_is_refused_with_the_sentence_of_nrx_itself(machine: Machine) -> None:
    missing = machine.nrx("submit", "nothing.wav", "--style", "jazz", status=3)
    assert "nothing.wav" in missing.stderr
    assert "[input.not_found]" in missing.stderr
    assert "[style.unknown]" in machine.nrx("submit", "short.wav", "--style", "polka", status=2).stderr
    assert "[job.unknown]" in machine.nrx("cancel", "nobody", status=2).stderr


def test_a_paused_queue_keeps_jobs_until_they_are_cancelled(machine: Machine) -> None:
    machine.nrx("jobs", "--pause")
    try:
        first, second = (
            machine.submit("a song.wav", "--action", "master", "--priority", str(p)) for p in (1, 0)
        )
        assert {machine.jobs()[job]["state"] for job in (first, second)} == {"queued"}
        machine.nrx("jobs", "--first", second)
        assert machine.jobs()[second]["priority"] > machine.jobs()[first]["priority"]
        assert "is cancelled" in machine.nrx("cancel", first).stdout
        machine.nrx("cancel", "--all")
        assert {machine.jobs()[job]["state"] for job in (first, second)} == {"cancelled"}
        machine.nrx("retry", first)
        assert machine.jobs()[first]["state"] == "queued"
        machine.nrx("cancel", first)
        machine.nrx("jobs", "--delete", first)
        assert first not in machine.jobs()
    finally:
        machine.nrx("jobs", "--resume")


def test_the_console_opens_by_a_link_that_works_once(machine: Machine) -> None:
    import httpx

    link = machine.nrx("open", "--print").stdout.strip()
    address, _, code = link.partition("/#code=")
    assert httpx.get(address, trust_env=False).status_code == 200
    first = httpx.post(f"{address}/v2/session", json={"code": code}, trust_env=False)
    assert first.json()["token"] == (machine.home / "token").read_text(encoding="ascii").strip()
    assert httpx.post(f"{address}/v2/session", json={"code": code}, trust_env=False).status_code in (401, 403)


def test_folders_are_allowed_and_taken_back(machine: Machine) -> None:
    machine.nrx("allow", machine.folder)
    assert str(machine.folder.resolve()) in machine.nrx("allow").stdout.splitlines()
    machine.nrx("allow", "--remove", machine.folder)
    assert str(machine.folder.resolve()) not in machine.nrx("allow").stdout.splitlines()
    assert "[input.not_found]" in machine.nrx("allow", "no such folder", status=3).stderr


def test_doctor_finds_the_daemon_and_nothing_bad(machine: Machine) -> None:
    findings = [json.loads(line) for line in machine.nrx("doctor", "--json").stdout.splitlines()]
    assert not [finding for finding in findings if finding["verdict"] == "bad"]
    assert any(finding["topic"] == "daemon" and finding["verdict"] == "ok" for finding in findings)


def test_clean_frees_only_what_is_named_and_not_what_jobs_need(machine: Machine) -> None:
    machine.nrx("submit", "short.wav", "--action", "separate", "--detach")
    until(
        lambda: all(job["state"] in ("succeeded", "cancelled") for job in machine.jobs().values()),
        what="jobs",
    )
    assert any((machine.home / "cache").rglob("*.*"))
    assert "say --yes" in machine.nrx("clean", "cache").stdout
    machine.nrx("clean", "cache", "--yes")
    assert not [file for file in (machine.home / "cache").rglob("*") if file.is_file()]
    assert any((machine.home / "returns").rglob("manifest.json"))
    assert "[daemon.running]" in machine.nrx("clean", "inputs", "--yes", status=2).stderr
    assert "[request.invalid]" in machine.nrx("clean", "everything", status=2).stderr


def test_without_a_daemon_its_commands_say_how_to_start_it(tmp_path: Path) -> None:
    alone = Machine(tmp_path, tmp_path / "home", tmp_path, tmp_path)
    for words in (["jobs"], ["cancel", "x"], ["open", "--print"], ["submit", "a.wav", "--style", "jazz"]):
        assert "nrx serve" in alone.nrx(*words, status=5).stderr
