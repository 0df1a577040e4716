"""The files that start the daemon with the session: each parses in its platform's own format, and says what it must."""

import configparser
import plistlib
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bridge.config import Settings
from bridge.install.service import KINDS, install, kind_here, program, remove
from engine.errors import NrxError

TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "a home with spaces, ünïcode & 100 % <signs>")


def test_the_systemd_unit_runs_this_interpreter_with_this_home(settings: Settings) -> None:
    unit = configparser.RawConfigParser()
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(KINDS["linux"].text(settings))
    assert unit["Service"]["ExecStart"].startswith(f'"{sys.executable}" "-m"')
    assert unit["Service"]["Environment"] == f'"NRX_HOME={settings.home}"'.replace("%", "%%")
    assert unit["Service"]["Restart"] == "on-failure"
    assert unit["Install"]["WantedBy"] == "default.target"


def test_the_launchd_agent_runs_this_interpreter_with_this_home(settings: Settings) -> None:
    agent = plistlib.loads(KINDS["darwin"].text(settings).encode())
    assert agent["ProgramArguments"] == program()
    assert agent["EnvironmentVariables"] == {"NRX_HOME": str(settings.home)}
    assert agent["RunAtLoad"] is True
    assert agent["KeepAlive"] == {"SuccessfulExit": False}


def test_the_windows_task_names_this_home_and_is_never_ended_by_the_clock(settings: Settings) -> None:
    text = KINDS["win32"].text(settings)
    task = ElementTree.fromstring(text.split("?>", 1)[1])
    assert task.findtext(f".//{TASK}Command") == sys.executable
    arguments = task.findtext(f".//{TASK}Arguments")
    assert arguments is not None
    assert arguments.endswith(f'serve --home "{settings.home}"')
    assert task.findtext(f".//{TASK}ExecutionTimeLimit") == "PT0S"
    assert task.find(f".//{TASK}LogonTrigger") is not None


def test_an_unknown_platform_is_said_to_be_one() -> None:
    with pytest.raises(NrxError, match="this is haiku1") as caught:
        kind_here("haiku1")
    assert caught.value.code == "backend.missing"


def test_installing_writes_the_file_and_removing_takes_it_away(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PATH", str(tmp_path))
    kind = KINDS["linux"]
    trouble = install(settings, kind)
    file = tmp_path / "config" / "systemd" / "user" / "nrx-bridge.service"
    assert file.read_text(encoding="utf-8") == kind.text(settings)
    assert "systemctl --user daemon-reload" in trouble[0]
    remove(settings, kind)
    assert not file.exists()


def test_removing_what_is_not_there_is_no_trouble(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert remove(settings, KINDS["linux"]) == []
