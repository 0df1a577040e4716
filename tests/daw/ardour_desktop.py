"""The real Ardour with its window, on a virtual screen: started, driven by OSC and clicks, and ended again.

It has a HOME of its own with a silent audio back-end, OSC on, and the installed NRX scripts registered as an action
each (`LuaAction/script-N`) and a hook, in Ardour's private `ui_scripts` file; a user does that in the Script Manager.
"""

import base64
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PIL import Image, ImageGrab
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from tests.daw.ardour_sessions import RATE, Session

Found = TypeVar("Found")
PROGRAM = "ardour"
SCREEN = (1440, 900)
TRACK_NAMES = (40, 276, 68)
"""Where the master's name stands in the editor (x, y), and how far below each next track's."""
PATIENCE_S = 60.0
WITH_US = ("setpriv", "--pdeathsig", "TERM")
"""Ends a program when the test is killed."""
TIMER_BIT = 47
"""Number of the signal LuaTimerDS in Debian's build of Ardour 7.3."""

CONFIG = f"""<?xml version="1.0" encoding="UTF-8"?>
<Ardour>
  <Config>
    <Option name="try-autostart-engine" value="1"/>
    <Option name="hide-dummy-backend" value="0"/>
    <Option name="show-plugin-scan-window" value="0"/>
    <Option name="discover-plugins-on-start" value="0"/>
    <Option name="periodic-safety-backups" value="0"/>
  </Config>
  <Extra>
    <AudioMIDISetup>
      <EngineStates>
        <State backend="None (Dummy)" driver="Normal Speed" device="Silence" input-device="" output-device=""
          sample-rate="{RATE}" buffer-size="1024" n-periods="0" input-latency="0" output-latency="0"
          lm-input="" lm-output="" active="1" use-buffered-io="0" midi-option="1 in, 1 out, Silence"
          lru="1700000000"><MIDIDevices/></State>
      </EngineStates>
    </AudioMIDISetup>
  </Extra>
</Ardour>
"""
OSC_PROTOCOL = (
    '<Protocol name="Open Sound Control (OSC)" active="1" debugmode="0" address-only="0" remote-port="8000" '
    'banksize="0" striptypes="31" feedback="0" gainmode="0" send-page-size="0" plug-page-size="0"/>'
)


def wait_for(what: str, look: Callable[[], Found], patience_s: float = PATIENCE_S) -> Found:
    """Look until there is something; fail with `what` if there never is."""
    deadline = time.monotonic() + patience_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"{what} did not come in {patience_s:.0f} s"
        time.sleep(0.2)
    return found


def configure(session: Session, scripts: Path) -> None:
    """Write Ardour's configuration into the session's HOME, and switch OSC on in the session."""
    folder = session.home / ".config" / "ardour7"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".a7").touch()
    (folder / "osc_url_file").touch()
    (folder / "config").write_text(CONFIG, encoding="utf-8")
    actions = [scripts / f"nrx_{name}.lua" for name in ("remix", "separate", "import")]
    (folder / "ui_scripts").write_text(_registered(actions, scripts / "nrx_watch.lua"), encoding="utf-8")
    text = session.file.read_text(encoding="utf-8")
    text, count = re.subn(r'<Protocol name="Open Sound Control \(OSC\)"[^>]*/>', OSC_PROTOCOL, text)
    assert count == 1
    session.file.write_text(text, encoding="utf-8")


def _registered(actions: list[Path], hook: Path) -> str:
    lua = "scripts = {} "
    for number, file in enumerate(actions, start=1):
        name, source, factory = _parts(file, "local factory")
        fields = {"n": name, "s": source, "f": factory, "c": ""}
        lua += f"scripts[{number}] = {{}} "
        lua += "".join(f'scripts[{number}]["{key}"] = {_quoted(value)} ' for key, value in fields.items())
        lua += f'scripts[{number}]["a"] = {{}} '
    name, source, factory = _parts(hook, "local factory, signals")
    fields = {"n": name, "s": source, "f": factory}
    call = (
        "s = {} "
        + "".join(f's["{key}"] = {_quoted(value)} ' for key, value in fields.items())
        + 's["a"] = {} '
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<UIScripts>\n'
        f'<ActionScript lua="Lua 5.3">{_encoded(lua)}</ActionScript>\n'
        f'<ActionHooks><LuaCallback lua="Lua 5.3" id="9000" name="{name}" signals="{1 << TIMER_BIT:b}">'
        f"{_encoded(call)}</LuaCallback></ActionHooks>\n</UIScripts>\n"
    )


def _parts(file: Path, declared: str) -> tuple[str, str, str]:
    source = file.read_text(encoding="utf-8")
    named = re.search(r'name = "([^"]+)"', source)
    assert named is not None
    return named[1], source, f"local function ardour () end {declared}\n{source}\nreturn factory (...)"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


class Desktop:
    """A virtual screen with one Ardour on it. Use as a context; whatever happens, both processes end."""

    def __init__(self, session: Session, log: Path) -> None:
        self._session, self._log = session, log
        self._processes: list[subprocess.Popen[bytes]] = []
        self.display = ""
        self.port = 0
        # One port for all: Ardour takes each for a control surface of its own.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.7)

    def __enter__(self) -> "Desktop":
        try:
            self.display = self._start_screen()
            self._start_ardour()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End Ardour, then the screen."""
        self._socket.close()
        while self._processes:
            process = self._processes.pop()
            _signal(process, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                _signal(process, signal.SIGKILL)
                process.wait(10)

    def _start_screen(self) -> str:
        read, write = os.pipe()
        width, height = SCREEN
        with self._log.open("ab") as log:
            screen = subprocess.Popen(
                [*WITH_US, "Xvfb", "-displayfd", str(write), "-screen", "0", f"{width}x{height}x24"],
                pass_fds=(write,), stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._processes.append(screen)
        os.close(write)
        with os.fdopen(read) as answer:
            number = answer.readline().strip()
        assert number, "Xvfb did not start"
        return f":{number}"

    def _start_ardour(self) -> None:
        home = self._session.home
        run = home / "run"
        run.mkdir(mode=0o700, exist_ok=True)
        inherited = {name: value for name, value in os.environ.items() if name != "NRX_HOME"}
        env = {
            **inherited, "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"), "XDG_RUNTIME_DIR": str(run),
            "DISPLAY": self.display, "ARDOUR_TRY_AUTOSTART_ENGINE": "1", "NO_AT_BRIDGE": "1",
        }  # fmt: skip
        with self._log.open("ab") as log:
            ardour = subprocess.Popen(
                [*WITH_US, "nice", PROGRAM, "--no-announcements", "--no-splash", str(self._session.file)],
                env=env, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        self._processes.append(ardour)
        self.port = wait_for("Ardour's OSC port", lambda: _listening_port(ardour.pid))
        wait_for("the session's tracks", self.tracks)

    def send(self, address: str, *values: float | str) -> list[tuple[str, list[object]]]:
        """Send one message to Ardour, and return what it says within a moment."""
        builder = OscMessageBuilder(address=address)
        for value in values:
            builder.add_arg(value)
        heard = []
        self._socket.sendto(builder.build().dgram, ("127.0.0.1", self.port))
        while True:
            try:
                message = OscMessage(self._socket.recv(65536))
            except (TimeoutError, ConnectionRefusedError):
                return heard
            heard.append((message.address, list(message.params)))

    def tracks(self) -> dict[str, int]:
        """Name -> strip number of the tracks that Ardour lists."""
        replies = [values for address, values in self.send("/strip/list") if address == "#reply"]
        if not any(values and values[0] == "end_route_list" for values in replies):
            return {}
        return {str(v[1]): int(str(v[6])) for v in replies if v[0] in ("AT", "MT")}

    def select(self, track: str) -> None:
        """Select a track by clicks on its name, until it shows: Ardour takes none for a while after loading."""
        x, first_y, row_height = TRACK_NAMES
        y = first_y + row_height * self.tracks()[track]

        def is_selected() -> bool:
            self.xdotool("mousemove", str(x), str(y), "click", "1")
            time.sleep(1.0)
            red, green, _ = self.picture().getpixel((x + row_height, y))
            return red > green + 40

        wait_for(f"the selection of {track!r}", is_selected)

    def trigger(self, action: str) -> None:
        """Run an action of Ardour's, such as `LuaAction/script-1`."""
        self.send("/access_action", action)

    def save(self) -> None:
        """Save the session, and wait until the file is new."""
        before = self._session.file.stat().st_mtime_ns
        self.send("/access_action", "Common/Save")
        wait_for("the saved session", lambda: self._session.file.stat().st_mtime_ns != before)
        time.sleep(0.5)

    def xdotool(self, *words: str) -> str:
        """Run xdotool on the screen."""
        done = subprocess.run(
            ["xdotool", *words],
            env={**os.environ, "DISPLAY": self.display},
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        return done.stdout.strip()

    def window(self, title: str) -> str:
        """The id of the window with a title, or an empty text."""
        return self.xdotool("search", "--onlyvisible", "--name", title).split("\n")[0]

    def click(self, title: str, from_right: int = 59, from_bottom: int = 30) -> None:
        """Wait for a dialog and click in it, so far from its corner: on OK, unless said otherwise."""
        window = wait_for(f"the window {title!r}", lambda: self.window(title))
        shape = dict(
            line.split("=") for line in self.xdotool("getwindowgeometry", "--shell", window).split("\n")
        )
        x, y = int(shape["WIDTH"]) - from_right, int(shape["HEIGHT"]) - from_bottom
        self.xdotool("mousemove", "--window", window, str(x), str(y), "click", "1")

    def accept(self, title: str) -> None:
        """Press OK in a dialog until it closes: Ardour may miss a click on a busy machine."""

        def is_gone() -> bool:
            self.click(title)
            time.sleep(1.0)
            return not self.window(title)

        wait_for(f"the end of the window {title!r}", is_gone)

    def picture(self) -> Image.Image:
        """What is on the screen."""
        return ImageGrab.grab(xdisplay=self.display)


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    """Signal the whole group that a process leads: `ardour` is a shell script that starts the real one."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def _listening_port(leader: int) -> int:
    """The OSC port of the Ardour in the process group of `leader`: UDP from 3819 on."""
    import psutil

    try:
        for process in [psutil.Process(leader), *psutil.Process(leader).children(recursive=True)]:
            for connection in process.net_connections("udp"):
                if 3819 <= connection.laddr.port < 3900:
                    return int(connection.laddr.port)
    except psutil.NoSuchProcess:  # one of its helpers has just ended
        return 0
    return 0
