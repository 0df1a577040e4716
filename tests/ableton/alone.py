"""A device in the model of Live with a daemon that is played by the test: no process, no network, no waiting.

`Alone` answers hello, styles and submit itself; `ends` lets a job end with a return that the test describes.
"""

import json
from pathlib import Path
from typing import Any

from tests.ableton.live import Live

STYLES = ("acoustic", "edm", "jazz")
STEADY = {
    "segments": [{"start_beat": 0.0, "start_s": 0.0, "bpm": 120.0, "end_bpm": 120.0, "law": "constant"}]
}


class Alone(Live):
    """The device and a daemon of the test's own; `folder` is that daemon's home. `asked` is what it was told."""

    def __init__(self, version: str, folder: Path, **options: Any) -> None:
        self.folder = folder
        self.asked: list[list[Any]] = []
        self.styles = options.pop("styles", STYLES)
        self.protocol = options.pop("protocol", 1)
        self.daemon_version = options.pop("daemon_version", "0.1.0")
        self.returns = 0
        super().__init__(version, {}, **options)

    def ready(self, **state: Any) -> "Alone":
        """Load the device and let it find its daemon."""
        self.load(**state)
        self.run(lambda: "styles" in self.face)
        return self

    def to_port(self, atoms: list[Any]) -> None:
        """Bind nothing."""

    def to_osc(self, atoms: list[Any]) -> None:
        self.asked.append(atoms)
        if atoms[0] == "/nrx/hello":
            spool = self.folder / "spool"
            for name in (spool / "new", self.folder / "inputs"):
                name.mkdir(parents=True, exist_ok=True)
                self.js.eval(f"folders[{json.dumps(str(name))}] = 1")
            self.send("/nrx/welcome", self.daemon_version, self.protocol, "", str(spool), atoms[4])
        if atoms[0] == "/nrx/styles":
            for index, style in enumerate(self.styles):
                self.send("/nrx/style", index, len(self.styles), style, style.title(), "")
        if atoms[0] == "/nrx/submit":
            self.send("/nrx/received", Path(atoms[1]).stem)
            self.send("/nrx/accepted", Path(atoms[1]).stem)

    def press(self, button: str) -> str:
        """Press a button; return the id of the job that it asked for."""
        self.send(button)
        return Path(self.request_path()).stem

    def request_path(self) -> str:
        return str(next(atoms[1] for atoms in reversed(self.asked) if atoms[0] == "/nrx/submit"))

    def request(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(Path(self.request_path()).read_bytes())
        return told

    def ends(self, job_id: str, tracks: list[dict[str, Any]], **manifest: Any) -> Path:
        """Let a job succeed with a return of these tracks; the rest of the manifest may be given too."""
        self.returns += 1
        folder = self.folder / "returns" / f"é {self.returns}"
        folder.mkdir(parents=True)
        plain = {
            "kind": "separated", "colour": "#3366cc", "gain_db": 0.0, "muted": False, "midi": None, "seconds": 8.0,
        }  # fmt: skip
        told = [plain | {"file": f"{track['name']}.wav"} | track for track in tracks]
        timeline = {"tempo_map": STEADY, "tempo_bpm": 120.0, "sections": []} | manifest.pop("timeline", {})
        document = {"request": {"tempo": "project"}, "tracks": told, "timeline": timeline} | manifest
        path = folder / "manifest.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        for track in told:
            self.js.eval(
                f"sounds[{json.dumps(str(folder / track['file']))}] = {{seconds: {track['seconds']}}}"
            )
        self.lend_file(path)
        self.send("/nrx/done", job_id, str(path))
        return folder

    def until_landed(self) -> None:
        """Let time pass until a landing has ended."""
        words = ("Landed", "It had landed", "Not landed")
        self.run(lambda: str(self.face.get("stage", "")).startswith(words))

    def turns(self) -> int:
        """Return in how many turns of scripts Live was written to."""
        return int(self.js.eval("turns_that_wrote.length"))
