"""A desk for tests: the model of REAPER with our scripts installed as `nrx install` does it, beside a daemon.

`daemon_home` starts a real `nrx serve`; `Studio` drives REAPER as a user would: select, run an action, press keys.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from bridge.config import Settings
from bridge.daemon_file import read_daemon
from bridge.install import reaper as installer
from bridge.styles_file import write_styles
from tests.queue_kit import until
from tests.reaper.model import Project, Reaper, Script, Track
from tests.songs import song_stems

RATE = 48000


class Daemon:
    """A real daemon with an NRX_HOME of its own; it can be killed and started again."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bridge.doors.cli", "serve", "--http-port", "0", "--osc-port", "0"],
            env={**os.environ, "NRX_HOME": str(self.home)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(lambda: read_daemon(self.home), what="the daemon")

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(30)
        self._process = None

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(30)
            self._process = None


@contextmanager
def running_daemon(home: Path) -> Iterator[Daemon]:
    daemon = Daemon(home)
    daemon.start()
    try:
        yield daemon
    finally:
        daemon.stop()


class Studio:
    """REAPER with the scripts of NRX Bridge, its resource folder below `folder`."""

    def __init__(self, folder: Path, home: Path, **options: Any) -> None:
        self.folder, self.home = folder, home
        self.reaper = Reaper(folder, **options)
        self.settings = Settings(home=home)
        installer.install(self.settings, self.reaper.resource_path, dry_run=False, running=list)
        self.restart_commands()
        self._before = {path.parent for path in self._job_files()}

    def _job_files(self) -> list[Path]:
        return list((self.home / "reaper" / "jobs").glob("*/job.json"))

    def restart_commands(self) -> None:
        """Have REAPER read its list of actions anew, as it does when it starts."""
        from tests.reaper.model.commands import Commands

        self.reaper.commands = Commands(self.reaper.resource_path)

    @property
    def project(self) -> Project:
        return self.reaper.project

    def run(self, title: str) -> Script:
        """Run an action by the id that `nrx install` gave it; returns its script."""
        count = len(self.reaper.scripts)
        self.reaper.run_action("_" + installer.action_id(f"NRX: {title}"))
        self.reaper.step(0.1)
        assert len(self.reaper.scripts) == count + 1, "the action did not start"
        return self.reaper.scripts[-1]

    def press(self, script: Script, *keys: str) -> None:
        """Press keys, one a tick."""
        for key in keys:
            script.window.press(key)
            self.reaper.step(0.1)

    def go(self, title: str, *keys: str) -> Script:
        """Run an action, press keys in its window, then Enter."""
        script = self.run(title)
        self.press(script, *keys, "enter")
        return script

    def finish(self, script: Script, timeout_s: float = 90.0) -> None:
        """Let real time pass until the script has ended; an error that it shows ends the test."""
        trouble = "This did not work"
        self.reaper.run_until(lambda: script.ended or script.window.shows(trouble), timeout_s)
        assert not script.window.shows(trouble), script.window.texts()

    def records(self) -> list[dict[str, Any]]:
        """Return the records of this desk's jobs with their requests, the newest first."""
        found = [
            (
                {
                    **json.loads(path.read_bytes()),
                    "request": json.loads(path.with_name("request.json").read_bytes()),
                },
                path.stat().st_mtime_ns,
            )
            for path in self._job_files()
            if path.parent not in self._before
        ]
        found.sort(key=lambda pair: (pair[0]["created"], pair[1]), reverse=True)
        return [record for record, _ in found]

    def folder_of(self, name: str) -> list[Track]:
        """Return the tracks in the returned folder whose name begins like this."""
        parent = next(track for track in self.project.tracks if track.name.startswith(name))
        return self.project.children_of(parent)


def song_file(
    path: Path, *, bars: int = 2, bpm: float = 120.0, rate: int = RATE, role: str | None = None
) -> Path:
    """Write a short song (or one stem of it) as 24-bit WAV."""
    stems = song_stems(bpm=bpm, bars=bars, rate=rate)
    samples = stems[role] if role else np.sum(list(stems.values()), axis=0)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples.T, rate, subtype="PCM_24")
    return path


def samples_of(path: Path) -> np.ndarray:
    """Return a file's samples (frames, channels)."""
    return np.asarray(soundfile.read(path, always_2d=True)[0])


class StandIn:
    """A daemon that answers at once with a return made here: for what is about REAPER and not about the engine.

    It takes requests from the spool each cycle and says `running`, then `succeeded` with tracks as long as the input.
    `hold` keeps jobs running; `fails` makes them fail with a sentence; `dead` stops its heartbeat.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        for name in ("new", "status", "cancel"):
            (home / "spool" / name).mkdir(parents=True, exist_ok=True)
        write_styles(Settings(home=home))
        self.requests: dict[str, dict[str, Any]] = {}
        self.hold = False
        self.dead = False
        self.fails: str | None = None
        self.change: Callable[[dict[str, Any]], None] = lambda _manifest: None

    def cycle(self) -> None:
        if self.dead:
            return
        heartbeat = {
            "pid": os.getpid(),
            "heartbeat": time.time(),
            "version": "0",
            "protocol": 1,
            "http": None,
        }
        heartbeat |= {"osc_port": None, "token_file": ""}
        (self.home / "daemon.json").write_text(json.dumps(heartbeat))
        for path in (self.home / "spool" / "new").glob("*.json"):
            self.requests[path.stem] = json.loads(path.read_bytes())["request"]
            path.unlink()
            self.say(path.stem, state="running", message="Generating: 10%.", fraction=0.1)
        for path in (self.home / "spool" / "cancel").glob("*.json"):
            path.unlink()
            self.say(path.stem, state="cancelled", message="Cancelled.")
            self.requests.pop(path.stem, None)
        for job_id, request in list(self.requests.items()):
            if self.hold:
                continue
            del self.requests[job_id]
            if self.fails:
                self.say(job_id, state="failed", error={"code": "input.silent", "sentence": self.fails})
            else:
                self.say(job_id, state="succeeded", manifest=str(self.publish(job_id, request)), fraction=1.0)

    def say(self, job_id: str, **status: Any) -> None:
        draft = self.home / "spool" / f".{job_id}"
        draft.write_text(json.dumps({"protocol": 1, "id": job_id, "message": "", **status}))
        draft.replace(self.home / "spool" / "status" / f"{job_id}.json")

    def publish(self, job_id: str, request: dict[str, Any]) -> Path:
        folder = self.home / "returns" / job_id
        (folder / "tracks").mkdir(parents=True)
        samples, rate = soundfile.read(request["inputs"][0]["path"], always_2d=True)
        timeline = request["timeline"]
        kinds = {"remix": ("generated", "fitted", "separated", "mix", "master")}.get(
            request["action"],
            {"separate": ("separated",), "sync": ("fitted",), "mix": ("fitted", "mix"), "analyze": ()}.get(
                request["action"],
                ("master",) if request["action"] == "master" else ("generated", "mix", "master"),
            ),
        )
        tracks = []
        for index, kind in enumerate(kinds):
            soundfile.write(folder / "tracks" / f"{kind}.wav", samples / (index + 1), rate, subtype="FLOAT")
            tracks.append(
                {
                    "name": f"{kind} ü", "role": "bass", "kind": kind, "file": f"tracks/{kind}.wav",
                    "start_s": timeline["start_s"], "start_frame": round(timeline["start_s"] * rate),
                    "frames": len(samples), "sample_rate": rate, "channels": 2, "subtype": "FLOAT",
                    "colour": "#3366cc", "gain_db": -3.0 * index, "pan": 0.25, "muted": kind in ("mix", "master"),
                }
            )  # fmt: skip
        manifest = {
            "folder": str(folder),
            "request": request,
            "tracks": tracks,
            "notes": [],
            "backends": [],
            "timeline": {
                "start_s": timeline["start_s"], "duration_s": len(samples) / rate, "downbeats_s": [0.0, 2.0],
                "tempo_map": {"segments": [{"start_s": 0.0, "bpm": 97, "end_bpm": 97, "law": "constant"}]},
                "signatures": [{"start_bar": 0, "numerator": 4, "denominator": 4}],
                "chords": [{"start_s": 0.0, "end_s": 2.0, "label": "A:min"}],
                "sections": [{"start_s": 0.0, "end_s": 4.0, "label": "verse", "energy": 0.5}],
            },
        }  # fmt: skip
        self.change(manifest)
        (folder / "manifest.json").write_text(json.dumps(manifest))
        return folder / "manifest.json"
