"""Starting the daemon with the user's session: a systemd user unit, a launchd agent, or a Windows scheduled task.

Each kind is a row of `KINDS`: the file it writes, the text in it, and the commands that switch it on and off. Nothing
needs administrator rights. The interpreter and NRX_HOME are written into the file, so that a virtual environment works.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from bridge.config import Settings
from engine.errors import NrxError

NAME = "nrx-bridge"
LABEL = "audio.nrx.bridge"


@dataclass(frozen=True, slots=True)
class Kind:
    """One platform's way of starting a program with the session."""

    what: str
    file: Callable[[Settings], Path]
    text: Callable[[Settings], str]
    encoding: str
    switch_on: Callable[[Path], list[list[str]]]
    switch_off: Callable[[Path], list[list[str]]]


def program() -> list[str]:
    """Return the command that runs the daemon, by this interpreter; on Windows the one without a console window."""
    python = Path(sys.executable)
    windowless = python.with_name("pythonw.exe")
    return [str(windowless if windowless.is_file() else python), "-m", "bridge.doors.cli", "serve"]


def _quoted(word: str) -> str:
    """Quote a word for a systemd unit: percent signs doubled, backslashes and quotes escaped."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$") + '"'


def _unit(settings: Settings) -> str:
    return f"""[Unit]
Description=NRX Bridge, the remix daemon

[Service]
ExecStart={" ".join(_quoted(word) for word in program())}
Environment={_quoted(f"NRX_HOME={settings.home}")}
Restart=on-failure
RestartSec=2
KillMode=mixed
TimeoutStopSec=15

[Install]
WantedBy=default.target
"""


def _agent(settings: Settings) -> str:
    words = "".join(f"\n    <string>{escape(word)}</string>" for word in program())
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>{LABEL}</string>
  <key>ProgramArguments</key>
  <array>{words}
  </array>
  <key>EnvironmentVariables</key>
  <dict>
    <key>NRX_HOME</key>
    <string>{escape(str(settings.home))}</string>
  </dict>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
</dict>
</plist>
"""


def _task(settings: Settings) -> str:
    python, *arguments = program()
    words = [*arguments, "--home", str(settings.home)]
    return f"""<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <Triggers>
    <LogonTrigger>
      <Enabled>true</Enabled>
    </LogonTrigger>
  </Triggers>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>10</Count>
    </RestartOnFailure>
  </Settings>
  <Actions>
    <Exec>
      <Command>{escape(python)}</Command>
      <Arguments>{escape(subprocess.list2cmdline(words))}</Arguments>
    </Exec>
  </Actions>
</Task>
"""


def _user_domain() -> str:
    return f"gui/{os.getuid() if hasattr(os, 'getuid') else 0}"


def _systemd_file(_settings: Settings) -> Path:
    config = os.environ.get("XDG_CONFIG_HOME", "").strip()
    return (Path(config) if config else Path.home() / ".config") / "systemd" / "user" / f"{NAME}.service"


KINDS: dict[str, Kind] = {
    "linux": Kind(
        "a systemd user unit",
        _systemd_file,
        _unit,
        "utf-8",
        lambda file: [
            ["systemctl", "--user", "daemon-reload"],
            ["systemctl", "--user", "enable", "--now", file.name],
        ],
        lambda file: [["systemctl", "--user", "disable", "--now", file.name]],
    ),
    "darwin": Kind(
        "a launchd agent",
        lambda _settings: Path.home() / "Library" / "LaunchAgents" / f"{LABEL}.plist",
        _agent,
        "utf-8",
        lambda file: [["launchctl", "bootstrap", _user_domain(), str(file)]],
        lambda _file: [["launchctl", "bootout", f"{_user_domain()}/{LABEL}"]],
    ),
    "win32": Kind(
        "a scheduled task",
        lambda settings: settings.home / f"{NAME}-task.xml",
        _task,
        "utf-16",
        lambda file: [
            ["schtasks", "/Create", "/F", "/TN", NAME, "/XML", str(file)],
            ["schtasks", "/Run", "/TN", NAME],
        ],
        lambda _file: [["schtasks", "/End", "/TN", NAME], ["schtasks", "/Delete", "/F", "/TN", NAME]],
    ),
}


def kind_here(platform: str = sys.platform) -> Kind:
    """Return this platform's kind.

    Raises:
        NrxError: `backend.missing` on a platform that has none of them.
    """
    if platform not in KINDS:
        raise NrxError(
            "backend.missing", f"Services are known on Linux, macOS and Windows; this is {platform}."
        )
    return KINDS[platform]


def install(settings: Settings, kind: Kind) -> list[str]:
    """Write the file and switch the service on; returns what could not be done, in words (empty: it runs).

    Raises:
        NrxError: `output.not_writable`.
    """
    file = kind.file(settings)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(kind.text(settings), encoding=kind.encoding)
    except OSError as error:
        raise NrxError("output.not_writable", f"{file} cannot be written ({error.strerror}).") from error
    return _run(kind.switch_on(file))


def remove(settings: Settings, kind: Kind) -> list[str]:
    """Switch the service off and remove its file; returns what could not be done, in words."""
    file = kind.file(settings)
    trouble = _run(kind.switch_off(file)) if file.exists() else []
    file.unlink(missing_ok=True)
    return trouble


def _run(commands: list[list[str]]) -> list[str]:
    """Run commands one after the other; stop at the first that fails, and say which."""
    for words in commands:
        told = subprocess.list2cmdline(words)
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return [f"`{told}` could not be run: {error}"]
        if done.returncode:
            return [f"`{told}` said: {(done.stderr or done.stdout).strip() or done.returncode}"]
    return []
