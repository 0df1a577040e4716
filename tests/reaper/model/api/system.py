"""The program itself: version, paths, extension state, commands, colours, handles, times as text."""

import re

from tests.reaper.model.actions import run_action
from tests.reaper.model.failures import Refused
from tests.reaper.model.handles import Handle
from tests.reaper.model.project import Project
from tests.reaper.model.registry import offers
from tests.reaper.model.script import Script
from tests.reaper.model.signatures import POINTER_NAMES, signatures
from tests.reaper.model.state import new_guid

_BIT = {"Win64": "x64", "Win32": "win32", "OSX64": "OSX64", "macOS-arm64": "macOS-arm64"}


@offers("GetAppVersion")
def app_version(script: Script) -> str:
    return f"{script.reaper.version}/{_BIT.get(script.reaper.system, 'linux-x86_64')}"


@offers("GetOS")
def system(script: Script) -> str:
    return script.reaper.system


@offers("GetResourcePath")
def resource_path(script: Script) -> str:
    return str(script.reaper.resource_path)


@offers("GetExePath")
def exe_path(script: Script) -> str:
    return str(script.reaper.folder / "program")


@offers("get_ini_file")
def ini_file(script: Script) -> str:
    return str(script.reaper.resource_path / "reaper.ini")


@offers("get_config_var_string")
def config_string(script: Script, name: str) -> tuple[bool, str]:
    value = script.reaper.config.get(name)
    return value is not None, value or ""


@offers("time_precise")
def time_precise(script: Script) -> float:
    return script.reaper.now_s


@offers("genGuid")
def generate_guid(_script: Script, _text: str | None) -> str:
    return new_guid()


@offers("ExecProcess")
def execute(script: Script, command: str, timeout_ms: int) -> str | None:
    return script.reaper.processes.execute(command, timeout_ms)


@offers("GetExtState")
def ext_state(script: Script, section: str, key: str) -> str:
    return script.reaper.ext_state.get(section, key)


@offers("HasExtState")
def has_ext_state(script: Script, section: str, key: str) -> bool:
    return script.reaper.ext_state.has(section, key)


@offers("SetExtState")
def set_ext_state(script: Script, section: str, key: str, value: str, persist: bool) -> None:
    script.reaper.ext_state.set(section, key, value, persist)


@offers("DeleteExtState")
def delete_ext_state(script: Script, section: str, key: str, persist: bool) -> None:
    script.reaper.ext_state.delete(section, key, persist)


@offers("NamedCommandLookup")
def named_command(script: Script, name: str) -> int:
    if not name.startswith("_"):
        return int(name) if name.isdigit() else 0
    return script.reaper.commands.lookup(name)


@offers("ReverseNamedCommandLookup")
def command_name(script: Script, command: int) -> str | None:
    return script.reaper.commands.name_of(command)


@offers("AddRemoveReaScript")
def add_remove_script(script: Script, add: bool, section: int, filename: str, commit: bool) -> int:
    from pathlib import Path

    if section != 0:
        raise Refused("the model has the main section (0) only")
    commands = script.reaper.commands
    if add:
        return commands.add(Path(filename), commit=commit)
    return commands.remove(Path(filename), commit=commit)


@offers("Main_OnCommandEx")
def on_command(script: Script, command: int, _flag: int, project: Project) -> None:
    run_action(script.reaper, command, project)


@offers("Main_OnCommand")
def on_command_active(script: Script, command: int, _flag: int) -> None:
    run_action(script.reaper, command, script.reaper.active)


@offers("APIExists")
def api_exists(script: Script, name: str) -> bool:
    signature = signatures().get(name)
    return signature is not None and script.reaper.has(signature)


@offers("ColorToNative")
def colour_to_native(script: Script, red: int, green: int, blue: int) -> int:
    if not all(0 <= part <= 255 for part in (red, green, blue)):
        raise Refused(f"no colour: {red}, {green}, {blue}")
    if script.reaper.system.startswith("Win"):
        return red | green << 8 | blue << 16
    return blue | green << 8 | red << 16


@offers("ColorFromNative")
def colour_from_native(script: Script, colour: int) -> tuple[int, int, int]:
    low, green, high = colour & 255, colour >> 8 & 255, colour >> 16 & 255
    return (low, green, high) if script.reaper.system.startswith("Win") else (high, green, low)


@offers("ValidatePtr2")
def validate_in(_script: Script, project: Project, handle: Handle, kind: str) -> bool:
    if kind not in POINTER_NAMES.values():
        raise Refused(f"there is no pointer type {kind!r}")
    if not handle.valid or POINTER_NAMES[handle.kind] != kind:
        return False
    return handle.kind in ("proj", "source", "hwnd") or handle.project is project


@offers("ValidatePtr")
def validate(script: Script, handle: Handle, kind: str) -> bool:
    return validate_in(script, script.reaper.active, handle, kind)


@offers("LocalizeString")
def localize(_script: Script, text: str, _section: str, _flags: int) -> str:
    return text


@offers("format_timestr")
def format_time(_script: Script, time_s: float, _buffer: str) -> str:
    sign, time_s = ("-", -time_s) if time_s < 0 else ("", time_s)
    minutes, seconds = divmod(time_s, 60)
    hours, minutes = divmod(int(minutes), 60)
    if hours:
        return f"{sign}{hours}:{minutes:02d}:{seconds:06.3f}"
    return f"{sign}{minutes}:{seconds:06.3f}"


@offers("format_timestr_pos")
def format_position(script: Script, time_s: float, buffer: str, mode: int) -> str:
    if mode in (1, 2):
        measure, beats = script.reaper.active.tempo_map().measure_at(time_s)
        return f"{measure + 1}.{int(beats) + 1}.{round(beats % 1 * 100):02d}"
    if mode == 3:
        return f"{time_s:.3f}"
    if mode in (-1, 0):
        return format_time(script, time_s, buffer)
    raise Refused(f"the model writes no times in mode {mode}")


@offers("parse_timestr")
def parse_time(_script: Script, text: str) -> float:
    if not re.fullmatch(r"-?[\d:.]+", text):
        return 0.0
    total = 0.0
    for part in text.lstrip("-").split(":"):
        total = total * 60 + float(part or 0)
    return -total if text.startswith("-") else total


@offers("parse_timestr_pos")
def parse_position(script: Script, text: str, mode: int) -> float:
    if mode in (-1, 0, 3):
        return parse_time(script, text)
    raise Refused(f"the model reads no times in mode {mode}")
