"""Live with the device in it, as far as the script can tell: the model in JavaScript, real files, real UDP.

Times in seconds; positions in beats. `Live.run` lets time pass until something holds.
"""

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import soundfile
from py_mini_racer import MiniRacer

from bridge.doors.osc.packet import build, decode
from tests.ableton.daemon import Daemon

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "ableton_m4l" / "nrx.js"
MODEL = Path(__file__).parent / "model"
LARGEST_DATAGRAM = 1024
TICK_S = 0.01


class Live:
    """A device in a Set, by default in the first track of a new one. `errors` are what Max's console would show.

    `ports` says which port stands for each of the daemon's well-known ones, which others on this machine may use.
    With `beside` the device is put into the Set of another one, on `track`, inside `racks` racks.
    """

    opened: ClassVar[list["Live"]] = []

    def __init__(
        self,
        version: str,
        ports: dict[int, int],
        *,
        set_path: str = "",
        beside: "Live | None" = None,
        track: str = "Model.own",
        racks: int = 0,
    ) -> None:
        self.ports = ports
        self.beside = beside
        self.js = MiniRacer() if beside is None else beside.js
        if beside is None:
            self.js.eval((MODEL / "live.js").read_text())
            self.js.eval(
                f"Model.begin({(MODEL / 'lom.json').read_text()}, '{version}', {json.dumps(set_path)})"
            )
        script = json.dumps(SCRIPT.read_text(encoding="utf-8"))
        self.number = int(self.js.eval(f"Model.device({script}, {track}, {racks})"))
        self.sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.receiver: socket.socket | None = None
        self.target = 0
        self.face: dict[str, Any] = {}
        self.faces: list[tuple[str, Any]] = []
        self.stored = ""
        self.osc: list[tuple[str, tuple[Any, ...]]] = []
        self.recording: dict[str, Any] = {}
        self.recorded_sound: Any = None
        Live.opened.append(self)
        self.after()

    # -- the user ------------------------------------------------------------------------------------------------

    def load(self, stored: str = "") -> None:
        """Put the device into the Set: its stored state comes back, then live.thisdevice bangs."""
        self.js.eval(f"devices[{self.number}].is_ready = true")
        for name, value in (("source", 0), ("style", 0), ("energy", 1), ("brightness", 1), ("keep", 1)):
            self.send(name, value)
        if stored:
            self.send("state", stored)
        self.send("bang")

    def send(self, name: str, *values: Any) -> None:
        self.js.eval(f"Model.message({self.number}, {json.dumps(name)}, {json.dumps(values)})")
        self.after()

    def add_clip(self, track: int = 0, **fields: Any) -> int:
        """Lay an audio clip on a track, as the user would."""
        props = json.dumps(fields)
        return int(self.js.eval(f"Model.clip(objects[Model.song].props.tracks[{track}], {props})"))

    def song(self, **fields: Any) -> None:
        for name, value in fields.items():
            self.js.eval(f"objects[Model.song].props.{name} = {json.dumps(value)}")

    def tracks(self) -> list[dict[str, Any]]:
        """Return the Set's tracks with their clips."""
        told = self.js.eval(
            "JSON.stringify(objects[Model.song].props.tracks.map(function (id) { var t = objects[id];"
            "return {name: t.props.name, mute: t.props.mute, color: t.props.color,"
            " volume: objects[objects[t.props.mixer_device].props.volume].props.value, audio: t.props.has_audio_input,"
            " slot: (objects[objects[t.props.clip_slots[0]].props.clip] || {props: null}).props,"
            " clips: t.props.arrangement_clips.map(function (c) {"
            "   return Object.assign({notes: objects[c].notes || []}, objects[c].props); })}; }))"
        )
        found: list[dict[str, Any]] = json.loads(str(told))
        return found

    @property
    def errors(self) -> list[str]:
        found: list[str] = json.loads(
            str(self.js.eval("JSON.stringify(console_errors.concat(crashed || []))"))
        )
        return found

    # -- time ----------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Let a moment pass: datagrams come in, tasks run."""
        if self.receiver is not None:
            while True:
                try:
                    data = self.receiver.recv(65536)
                except BlockingIOError:
                    break
                assert len(data) <= LARGEST_DATAGRAM
                for address, values in decode(data):
                    self.osc.append((address, tuple(values)))
                    self.lend(address, values)
                    self.send(address, *values)
        self.js.eval(f"Model.advance({self.number}, {time.time() * 1000})")
        self.after()

    def run(
        self, until: Callable[[], Any], timeout_s: float = 120.0, others: tuple["Live", ...] = ()
    ) -> None:
        """Let time pass until something holds."""
        end = time.monotonic() + timeout_s
        while not until():
            assert time.monotonic() < end, "\n".join(
                (
                    f"in vain; the face says {self.face}, the console {self.errors}",
                    f"the last messages were {self.osc[-12:]}",
                    *(daemon.told() for daemon in Daemon.running),
                )
            )
            for live in (self, *others):
                live.tick()
            time.sleep(TICK_S)

    def close(self) -> None:
        self.sender.close()
        if self.receiver is not None:
            self.receiver.close()
        if self.beside is None:
            self.js.close()

    # -- what surrounds the script -------------------------------------------------------------------------------

    def lend(self, address: str, values: list[Any]) -> None:
        """Make the files known that a message speaks of: what the script would find on the disk."""
        if address == "/nrx/welcome":
            spool = Path(values[3])
            for name in ("spool/new", "inputs"):
                if (spool.parent / name).is_dir():
                    self.js.eval(f"folders[{json.dumps(str(spool.parent / name))}] = 1")
            self.spool = spool
        if address in ("/nrx/done", "/nrx/error"):
            status = self.spool / "status" / f"{values[0]}.json"
            if status.is_file():
                self.lend_file(status)
        if address == "/nrx/done":
            manifest = Path(values[1] or json.loads(status.read_bytes())["manifest"])
            self.lend_return(manifest)

    def lend_file(self, path: Path) -> None:
        self.js.eval(f"files[{json.dumps(str(path))}] = {json.dumps(path.read_bytes().decode('latin-1'))}")

    def lend_return(self, manifest: Path) -> None:
        self.lend_file(manifest)
        for track in json.loads(manifest.read_bytes())["tracks"]:
            path = manifest.parent / track["file"]
            seconds = soundfile.info(path).duration
            self.js.eval(f"sounds[{json.dumps(str(path))}] = {{seconds: {seconds!r}}}")
            if track["midi"]:
                self.lend_file(manifest.parent / track["midi"])

    def after(self) -> None:
        """Do what the script asked for: write its files, then pass on its messages."""
        told = json.loads(str(self.js.eval(f"Model.take({self.number})")))
        for path, text in told["written"]:
            Path(path).write_text(text, encoding="ascii")
        for number, atoms in told["sent"]:
            (self.to_osc, self.to_port, self.to_face, self.to_recorder, self.to_store)[number](atoms)

    def to_osc(self, atoms: list[Any]) -> None:
        if atoms[0] == "port":
            self.target = atoms[1]
            return
        datagram = build(atoms[0], atoms[1:])
        assert len(datagram) <= LARGEST_DATAGRAM
        if self.target in self.ports:
            self.sender.sendto(datagram, ("127.0.0.1", self.ports[self.target]))

    def to_port(self, atoms: list[Any]) -> None:
        assert atoms[0] == "port"
        if self.receiver is not None:
            self.receiver.close()
        self.receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.receiver.setblocking(False)
        try:
            self.receiver.bind(("127.0.0.1", atoms[1]))
        except OSError:  # Max says so in its console, and the script hears nothing
            self.receiver.close()
            self.receiver = None

    def to_face(self, atoms: list[Any]) -> None:
        value = atoms[1] if len(atoms) == 2 else atoms[1:]
        self.face[atoms[0]] = value
        self.faces.append((atoms[0], value))

    def to_recorder(self, atoms: list[Any]) -> None:
        if atoms[0] == "open":
            self.recording = {"path": atoms[1], "start": None}
        elif atoms[0] == 1:
            self.recording["start"] = self.position()
        elif self.recording:
            tempo = float(self.js.eval("objects[Model.song].props.tempo"))
            rate, sound = 44100, self.recorded_sound
            start, end = (
                round(beat * 60 / tempo * rate) for beat in (self.recording["start"], self.position())
            )
            soundfile.write(self.recording["path"], sound[start:end], rate, subtype="PCM_24")

    def position(self) -> float:
        return float(self.js.eval("objects[Model.song].props.current_song_time"))

    def to_store(self, atoms: list[Any]) -> None:
        """Keep the state as pattr does, which says it again at once."""
        assert len(atoms) == 1
        assert len(str(atoms[0])) < 2000
        self.stored = str(atoms[0])
        self.send("state", self.stored)
