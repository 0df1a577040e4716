"""What the extension ReaImGui 0.9 brings, as far as scripts here use it."""

from tests.reaper.model.failures import Refused
from tests.reaper.model.imgui import SHIM, ImGui
from tests.reaper.model.registry import offers
from tests.reaper.model.script import Script

KEY_ESCAPE = 526


def _constant(value: int) -> object:
    def answer(_script: Script) -> int:
        return value

    return answer


for _name, _value in {
    "ConfigFlags_NavEnableKeyboard": 1, "WindowFlags_NoCollapse": 32, "Cond_Appearing": 8, "Col_Text": 0,
    "Col_TextDisabled": 1, "Key_Escape": KEY_ESCAPE,
}.items():  # fmt: skip
    offers(f"ImGui_{_name}")(_constant(_value))  # type: ignore[type-var]  # a function without a name


@offers("ImGui_GetBuiltinPath")
def builtin_path(script: Script) -> str:
    folder = script.reaper.folder / "ReaImGui"
    folder.mkdir(exist_ok=True)
    if not (folder / "imgui.lua").exists():
        (folder / "imgui.lua").write_text(SHIM, encoding="utf-8")
    return str(folder)


@offers("ImGui_CreateContext")
def create_context(script: Script, label: str, _flags: int | None) -> ImGui:
    context = ImGui(script.reaper, label)
    script.imguis.append(context)
    return context


@offers("ImGui_SetNextWindowSize")
def set_size(_script: Script, context: ImGui, _w: float, _h: float, _when: int | None) -> None:
    context.use()


@offers("ImGui_Begin")
def begin(
    _script: Script, context: ImGui, _name: str, _open: bool | None, _flags: int | None
) -> tuple[bool, bool]:
    context.use()
    return context.begin()


@offers("ImGui_End")
def end(_script: Script, context: ImGui) -> None:
    context.end()


@offers("ImGui_IsWindowFocused")
def is_focused(_script: Script, _context: ImGui, _flags: int | None) -> bool:
    return True


@offers("ImGui_IsKeyPressed")
def is_pressed(_script: Script, context: ImGui, key: int, _repeat: bool | None) -> bool:
    if key != KEY_ESCAPE:
        raise Refused(f"the model knows no key {key}")
    return context.escape_is_pressed()


@offers("ImGui_Separator")
def separator(_script: Script, context: ImGui) -> None:
    context.show("")


@offers("ImGui_SeparatorText", "ImGui_Text")
def text(_script: Script, context: ImGui, words: str) -> None:
    context.show(words)


@offers("ImGui_PushTextWrapPos")
def push_wrap(_script: Script, context: ImGui, _at: float | None) -> None:
    context.begin_part("PushTextWrapPos")


@offers("ImGui_PopTextWrapPos")
def pop_wrap(_script: Script, context: ImGui) -> None:
    context.end_part("PushTextWrapPos")


@offers("ImGui_PushStyleColor")
def push_colour(_script: Script, context: ImGui, _which: int, _colour: int) -> None:
    context.begin_part("PushStyleColor")


@offers("ImGui_PopStyleColor")
def pop_colour(_script: Script, context: ImGui, count: int | None) -> None:
    for _ in range(count or 1):
        context.end_part("PushStyleColor")


@offers("ImGui_GetStyleColor")
def style_colour(_script: Script, _context: ImGui, _which: int) -> int:
    return 0x808080FF


@offers("ImGui_SameLine")
def same_line(_script: Script, context: ImGui, _offset: float | None, _spacing: float | None) -> None:
    context.show("")


@offers("ImGui_BeginListBox")
def begin_list(_script: Script, context: ImGui, label: str, _w: float | None, _h: float | None) -> bool:
    context.widget(label)
    context.begin_part("BeginListBox")
    return True


@offers("ImGui_EndListBox")
def end_list(_script: Script, context: ImGui) -> None:
    context.end_part("BeginListBox")


@offers("ImGui_Selectable")
def selectable(
    _script: Script,
    context: ImGui,
    label: str,
    on: bool | None,
    _flags: int | None,
    _w: float | None,
    _h: float | None,
) -> tuple[bool, bool]:
    clicked = context.widget(label)
    return clicked, bool(on) != clicked


@offers("ImGui_SetItemDefaultFocus")
def default_focus(_script: Script, context: ImGui) -> None:
    context.show("")


@offers("ImGui_BeginCombo")
def begin_combo(_script: Script, context: ImGui, label: str, preview: str, _flags: int | None) -> bool:
    is_open = context.open_combo(label)
    context.show(preview)
    return is_open


@offers("ImGui_EndCombo")
def end_combo(_script: Script, context: ImGui) -> None:
    context.end_part("BeginCombo")


@offers("ImGui_SliderInt")
def slider(
    _script: Script,
    context: ImGui,
    label: str,
    value: int,
    low: int,
    high: int,
    shown: str | None,
    _flags: int | None,
) -> tuple[bool, int]:
    put = context.put(label)
    context.show(shown or str(value))
    if put is None:
        return False, value
    return True, max(low, min(high, put))


@offers("ImGui_Checkbox")
def checkbox(_script: Script, context: ImGui, label: str, on: bool) -> tuple[bool, bool]:
    clicked = context.widget(label)
    return clicked, on != clicked


@offers("ImGui_ProgressBar")
def progress(
    _script: Script, context: ImGui, fraction: float, _w: float | None, _h: float | None, words: str | None
) -> None:
    context.show(words or f"{100 * fraction:.0f}%")


@offers("ImGui_Button")
def button(_script: Script, context: ImGui, label: str, _w: float | None, _h: float | None) -> bool:
    return context.widget(label)
