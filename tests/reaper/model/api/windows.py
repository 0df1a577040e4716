"""Windows: message boxes (only where a test answers them), the console, what redraws."""

from tests.reaper.model.failures import Refused
from tests.reaper.model.reaper import MainWindow
from tests.reaper.model.registry import offers
from tests.reaper.model.script import Script

BOX_ANSWERS = {0: (1,), 1: (1, 2), 2: (3, 4, 5), 3: (6, 7, 2), 4: (6, 7), 5: (4, 2)}
"""Which buttons each type of message box has."""


@offers("PreventUIRefresh")
def prevent_refresh(script: Script, change: int) -> None:
    script.ui_depth += change
    if script.ui_depth < 0:
        script.ui_depth = 0
        raise Refused("allows more redrawing than was prevented")


@offers("UpdateArrange", "TrackList_UpdateAllExternalSurfaces")
def redraw(_script: Script) -> None:
    return None


@offers("TrackList_AdjustWindows")
def adjust_windows(_script: Script, _minor: bool) -> None:
    return None


@offers("ShowConsoleMsg")
def show_message(script: Script, text: str) -> None:
    script.reaper.console += text


@offers("ClearConsole")
def clear_console(script: Script) -> None:
    script.reaper.console = ""


@offers("MB", "ShowMessageBox")
def message_box(script: Script, text: str, title: str, kind: int) -> int:
    if kind not in BOX_ANSWERS:
        raise Refused(f"there is no message box of type {kind}")
    if script.ui_depth:
        raise Refused("opens a message box while redrawing is prevented")
    answer = script.reaper.ask("MB", f"{title}\n{text}")
    if answer not in BOX_ANSWERS[kind]:
        raise ValueError(f"the test answers {answer}; this box has {BOX_ANSWERS[kind]}")
    return int(answer)


@offers("GetUserInputs")
def user_inputs(script: Script, title: str, count: int, captions: str, defaults: str) -> tuple[bool, str]:
    if not 1 <= count <= 16:
        raise Refused(f"asks for {count} values; there can be 1 to 16")
    separator = ","
    names = captions.split(",")
    for extra in [name for name in names if "=" in name]:
        if extra.startswith("separator="):
            separator = extra.removeprefix("separator=")
    if len([name for name in names if "=" not in name]) < count:
        raise Refused(f"has {count} values and the captions {captions!r}")
    answer = script.reaper.ask("GetUserInputs", f"{title}\n{captions}\n{defaults}")
    if answer is None:
        return False, defaults
    if len(answer) != count:
        raise ValueError(f"the test gives {len(answer)} values; the window has {count}")
    return True, separator.join(answer)


@offers("GetUserFileNameForRead")
def user_file(script: Script, start: str, title: str, extension: str) -> tuple[bool, str]:
    answer = script.reaper.ask("GetUserFileNameForRead", f"{title}\n{start}\n{extension}")
    return (False, start) if answer is None else (True, str(answer))


@offers("GR_SelectColor")
def select_colour(script: Script, _window: MainWindow | None) -> tuple[int, int]:
    answer = script.reaper.ask("GR_SelectColor", "")
    return (0, 0) if answer is None else (1, int(answer))


@offers("GetMainHwnd")
def main_window(script: Script) -> MainWindow:
    return script.reaper.main_window


@offers("GetMousePosition")
def mouse_position(_script: Script) -> tuple[int, int]:
    return 640, 360


@offers("Help_Set")
def help_text(_script: Script, _text: str, _temporary: bool) -> None:
    return None


@offers("RefreshToolbar")
def refresh_toolbar(_script: Script, _command: int) -> None:
    return None


@offers("RefreshToolbar2")
def refresh_toolbar_2(_script: Script, _section: int, _command: int) -> None:
    return None


@offers("SetToggleCommandState")
def set_toggle(script: Script, section: int, command: int, state: int) -> bool:
    if section != 0 or script.reaper.commands.path_of(command) is None:
        return False
    script.reaper.toggles[command] = state
    return True


@offers("GetToggleCommandState")
def toggle(script: Script, command: int) -> int:
    return script.reaper.toggles.get(command, -1)


@offers("GetToggleCommandStateEx")
def toggle_ex(script: Script, section: int, command: int) -> int:
    return script.reaper.toggles.get(command, -1) if section == 0 else -1


@offers("SetCursorContext")
def cursor_context(_script: Script, _mode: int, _envelope: object) -> None:
    return None


@offers("my_getViewport")
def viewport(_script: Script, *_rectangles: int | bool) -> tuple[int, int, int, int]:
    return 0, 0, 1920, 1080


@offers("ReaScriptError")
def script_error(script: Script, text: str) -> None:
    raise Refused(f"reports an error: {text}")
