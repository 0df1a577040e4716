"""`gfx`: a script's window. Drawing is recorded, mouse and keyboard are scripted, pictures are made in `picture.py`."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.reaper.model.failures import Refused
from tests.reaper.model.guard import to_lua, to_text
from tests.reaper.model.handles import Handle

if TYPE_CHECKING:
    from tests.reaper.model.reaper import Reaper
    from tests.reaper.model.script import Script

FIELDS: dict[str, float] = {
    **dict.fromkeys(("r", "g", "b", "a", "a2"), 1.0),
    **dict.fromkeys(("x", "y", "w", "h", "mode", "clear", "texth", "ext_retina"), 0.0),
    **dict.fromkeys(("mouse_x", "mouse_y", "mouse_cap", "mouse_wheel", "mouse_hwheel"), 0.0),
    "dest": -1.0,
}
READ_ONLY = {"w", "h", "texth", "mouse_x", "mouse_y", "mouse_cap"}
KEYS = {
    "enter": 13, "escape": 27, "tab": 9, "backspace": 8, "space": 32, "up": 30064, "down": 1685026670,
    "left": 1818584692, "right": 1919379572, "home": 1752132965, "end": 6647396, "delete": 6579564,
    "page up": 1885828464, "page down": 1885824110, "f1": 26161,
}  # fmt: skip
"""What gfx.getchar gives for keys that are no characters."""

# Arguments of each function: n a number, s a string, capitals may be left out; a star repeats the last one.
FUNCTIONS: dict[str, str] = {
    "init": "sNNNNN", "quit": "", "update": "", "getchar": "NN", "dock": "NNNNN", "showmenu": "s", "setcursor": "nS",
    "set": "nNNNNNN", "setfont": "nSNN", "getfont": "", "measurestr": "s", "measurechar": "n",
    "drawstr": "sNNN", "drawchar": "n", "drawnumber": "nn", "printf": "s*",
    "rect": "nnnnN", "rectto": "nn", "roundrect": "nnnnnN", "line": "nnnnN", "lineto": "nnN", "circle": "nnnNN",
    "arc": "nnnnnN", "triangle": "nnnnnnN*", "gradrect": "nnnnnnnnN*", "setpixel": "nnn", "muladdrect": "nnnnnnnN*",
    "blurto": "nn", "blit": "nN*", "setimgdim": "nnn", "getimgdim": "n", "clienttoscreen": "nn", "screentoclient": "nn",
    "getdropfile": "n",
}  # fmt: skip
DRAWING = frozenset({
    "drawstr", "drawchar", "drawnumber", "printf", "rect", "rectto", "roundrect", "line", "lineto", "circle", "arc",
    "triangle", "gradrect", "setpixel", "muladdrect", "blurto", "blit",
})  # fmt: skip


@dataclass(frozen=True)
class Draw:
    """One drawing call: what, with which arguments, and how the pen stood."""

    name: str
    arguments: tuple[Any, ...]
    x: float
    y: float
    colour: tuple[float, float, float, float]
    dest: int
    font_px: int
    bold: bool
    text: str = ""
    width: float = 0.0


@dataclass
class Font:
    """A font slot."""

    face: str = "default"
    size_px: int = 16
    bold: bool = False


@dataclass
class Window:
    """The window of one script. Tests use `texts`, `click`, `click_text`, `press`, `type`, `wheel`, `close_by_user`."""

    reaper: "Reaper"
    script: "Script"
    title: str = ""
    is_open: bool = False
    width: int = 0
    height: int = 0
    shown: list[Draw] = field(default_factory=list)
    """What the last finished frame drew."""
    closed_by_user: bool = False
    opened: int = 0

    def __post_init__(self) -> None:
        self._fields = dict(FIELDS)
        self._frame: list[Draw] = []
        self._fonts: dict[int, Font] = {0: Font()}
        self._font = 0
        self._keys: list[int] = []
        self._mouse: list[tuple[float, float, int]] = []
        self._images: dict[int, tuple[int, int]] = {}
        self._dock_state = 0

    # What a test does and sees

    def texts(self) -> list[str]:
        """Return the texts of the last frame, in the order they were drawn."""
        return [draw.text for draw in self.shown if draw.text]

    def shows(self, text: str) -> bool:
        """Return whether a text of the last frame holds this one."""
        return any(text in shown for shown in self.texts())

    def place_of(self, text: str) -> tuple[float, float]:
        """Return the middle of the first text that holds this one; exactly this one is preferred."""
        found = [draw for draw in self.shown if text in draw.text and draw.dest == -1]
        if not found:
            raise AssertionError(f"no text {text!r} in the window; it shows {self.texts()}")
        best = next((draw for draw in found if draw.text == text), found[0])
        return text_origin(best)[0] + best.width / 2, text_origin(best)[1] + best.font_px / 2

    def click(self, x: float, y: float, button: int = 1) -> None:
        """Move there, press and let go, a cycle each; step the model afterwards (4 cycles do)."""
        self._mouse += [(x, y, 0), (x, y, button), (x, y, 0)]

    def click_text(self, text: str) -> None:
        """Click on a text."""
        self.click(*self.place_of(text))

    def drag(self, start: tuple[float, float], end: tuple[float, float], steps: int = 4) -> None:
        """Press, move and let go."""
        self._mouse.append((*start, 0))
        for step in range(steps + 1):
            share = step / steps
            self._mouse.append(
                (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share, 1)
            )
        self._mouse.append((*end, 0))

    def move(self, x: float, y: float) -> None:
        """Move the mouse there."""
        self._mouse.append((x, y, 0))

    def wheel(self, amount: float) -> None:
        """Turn the wheel; 120 is a notch."""
        self._fields["mouse_wheel"] += amount

    def press(self, *names: str) -> None:
        """Press keys by name (`KEYS`) or as characters."""
        for name in names:
            self._keys.append(KEYS[name] if name in KEYS else ord(name))

    def type(self, text: str) -> None:
        """Type a text."""
        self._keys += [ord(character) for character in text]

    def close_by_user(self) -> None:
        """Click on the window's cross: gfx.getchar gives -1 from now on."""
        self.closed_by_user = True
        self.is_open = False

    def save_picture(self, path: Path, scale: int = 2) -> None:
        """Write the last frame as a PNG."""
        from tests.reaper.model.picture import paint

        paint(self, scale).save(path)

    # What the shim calls

    def close(self) -> None:
        """Close it with its script."""
        self.is_open = False

    def kind_of(self, name: Any) -> tuple[str, str]:
        """Say whether a name is a field or a function; anything else is a failure."""
        if name in FIELDS:
            return "field", ""
        if name in FUNCTIONS:
            return "function", ""
        message = f"gfx.{name} is not offered by the model"
        self.script.fail(message)
        return "unknown", message

    def get(self, name: str) -> float | int:
        """Return a field."""
        value = self._fields[name]
        return int(value) if value == int(value) and name.startswith(("mouse_cap", "dest")) else value

    def set_field(self, name: str, value: Any) -> None:
        """Set a field."""
        if name not in FIELDS or name in READ_ONLY:
            raise Refused("is no field that can be set")
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            raise Refused(f"must be a number and is {value!r}")
        self._fields[name] = float(value)

    def call(self, name: str, given: tuple[Any, ...]) -> tuple[Any, ...]:
        """Answer a function; nothing checks less than REAPER does."""
        arguments = _checked(name, given)
        if name in DRAWING:
            return self._draw(name, arguments)
        answer = getattr(self, f"_{name}")(*arguments)
        values = answer if isinstance(answer, tuple) else () if answer is None else (answer,)
        return tuple(to_lua(value) if isinstance(value, str) else value for value in values)

    # The functions

    def _init(
        self, title: str, width: float = 0, height: float = 0, dock: float = 0, _x: float = 0, _y: float = 0
    ) -> int:
        if title:
            self.title = title
        finer = 1.0
        if self._fields["ext_retina"] > 0:
            finer = self._fields["ext_retina"] = self.reaper.retina
        if width > 0 and height > 0:
            self.width, self.height = int(width * finer), int(height * finer)
        if not self.is_open:
            self.opened += 1
            self.closed_by_user = False
        self.is_open = True
        self._dock_state = int(dock)
        self._fields.update(w=float(self.width), h=float(self.height))
        return 1

    def _quit(self) -> None:
        self.is_open = False

    def _update(self) -> None:
        self.shown, self._frame = self._frame or self.shown, []
        if self._mouse:
            x, y, button = self._mouse.pop(0)
            self._fields.update(mouse_x=x, mouse_y=y, mouse_cap=float(button))

    def _getchar(self, which: float = 0, _unicode: float = 0) -> int:
        if not self.is_open:
            return -1
        if which == 65536:
            return 7
        if which >= 2:
            return 0
        return self._keys.pop(0) if self._keys else 0

    def _dock(self, value: float, *_rest: float) -> int:
        if value >= 0:
            self._dock_state = int(value)
        return self._dock_state

    def _showmenu(self, entries: str) -> int:
        answer = self.reaper.ask("gfx.showmenu", entries)
        names = menu_entries(entries)
        if isinstance(answer, str):
            if answer not in names:
                raise AssertionError(f"no entry {answer!r} in the menu {names}")
            return names.index(answer) + 1
        return int(answer)

    def _setcursor(self, _cursor: float, _name: str = "") -> None:
        return None

    def _set(self, red: float, *rest: float) -> None:
        values = [red, *rest]
        green = values[1] if len(values) > 1 else red
        blue = values[2] if len(values) > 2 else green
        self._fields.update(r=red, g=green, b=blue, a=values[3] if len(values) > 3 else 1.0)
        for name, value in zip(("mode", "dest", "a2"), values[4:], strict=False):
            self._fields[name] = value

    def _setfont(self, slot: float, face: str = "", size: float = 0, flags: float = 0) -> int:
        index = int(slot)
        if not 0 <= index <= 16:
            raise Refused(f"there are fonts 0 to 16 and not {index}")
        if face or size:
            flag_bytes = int(flags).to_bytes(8, "big")
            self._fonts[index] = Font(
                face or "default", int(size) or 16, b"b" in flag_bytes or b"B" in flag_bytes
            )
        if index not in self._fonts:
            raise Refused(f"font {index} was never set")
        self._font = index
        self._fields["texth"] = float(text_height(self._fonts[index].size_px))
        return 1

    def _getfont(self) -> tuple[int, str]:
        return self._font, self._fonts[self._font].face

    def _measurestr(self, text: str) -> tuple[float, float]:
        font = self._fonts[self._font]
        return text_width(text, font.size_px), float(text_height(font.size_px))

    def _measurechar(self, character: float) -> tuple[float, float]:
        return self._measurestr(chr(int(character)))

    def _setimgdim(self, image: float, width: float, height: float) -> int:
        self._images[int(image)] = (int(width), int(height))
        return 1

    def _getimgdim(self, image: float) -> tuple[int, int]:
        return self._images.get(int(image), (0, 0))

    def _clienttoscreen(self, x: float, y: float) -> tuple[float, float]:
        return x + 100, y + 100

    def _screentoclient(self, x: float, y: float) -> tuple[float, float]:
        return x - 100, y - 100

    def _getdropfile(self, _index: float) -> tuple[int, str]:
        return 0, ""

    def _draw(self, name: str, arguments: list[Any]) -> tuple[Any, ...]:
        pen, font = self._fields, self._fonts[self._font]
        text = _text_of(name, arguments)
        width = text_width(text, font.size_px) if text else 0.0
        colour = (pen["r"], pen["g"], pen["b"], pen["a"])
        self._frame.append(
            Draw(
                name,
                tuple(arguments),
                pen["x"],
                pen["y"],
                colour,
                int(pen["dest"]),
                font.size_px,
                font.bold,
                text,
                width,
            )
        )
        if text:
            pen["x"] += width
        elif name in ("lineto", "rectto"):
            pen["x"], pen["y"] = arguments[0], arguments[1]
        return ()


def menu_entries(text: str) -> list[str]:
    """Return the entries of a gfx menu that can be chosen, in the order of their numbers."""
    names: list[str] = []
    for entry in text.split("|"):
        name = entry.lstrip("!#<")
        if entry.startswith(">") or not name:
            continue
        names.append(name)
    return names


def _text_of(name: str, arguments: list[Any]) -> str:
    if name == "drawstr":
        return str(arguments[0])
    if name == "drawchar":
        return chr(int(arguments[0]))
    if name == "drawnumber":
        return f"{arguments[0]:.{int(arguments[1])}f}"
    if name == "printf":
        return str(arguments[0]) % tuple(arguments[1:])
    return ""


def _checked(name: str, given: tuple[Any, ...]) -> list[Any]:
    pattern = FUNCTIONS[name]
    endless = pattern.endswith("*")
    kinds = pattern.rstrip("*")
    least = sum(kind.islower() for kind in kinds)
    if len(given) < least or (len(given) > len(kinds) and not endless):
        raise Refused(
            f"takes {least} to {'any number of' if endless else len(kinds)} arguments and got {len(given)}"
        )
    found: list[Any] = []
    for position, value in enumerate(given):
        kind = kinds[min(position, len(kinds) - 1)].lower()
        if name == "printf" and position > 0:
            found.append(to_text(value) if isinstance(value, str) else value)
            continue
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and value == value
        if (kind == "n" and not is_number) or (kind == "s" and not isinstance(value, str)):
            wanted = "number" if kind == "n" else "string"
            shown = "a handle" if isinstance(value, Handle) else repr(value)
            raise Refused(f"argument {position + 1} must be a {wanted} and is {shown}")
        found.append(to_text(value) if kind == "s" else value)
    return found


def text_height(size_px: int) -> int:
    """Return the height of a line."""
    return size_px


@cache
def font_of(size_px: int) -> Any:
    """Return the font that measures and pictures use, whatever face the script names."""
    from PIL import ImageFont

    return ImageFont.load_default(size=max(4, size_px * 0.8))


@cache
def text_width(text: str, size_px: int) -> float:
    """Return the width of a text in one line."""
    return max(float(font_of(size_px).getlength(line)) for line in text.split("\n")) if text else 0.0


def text_origin(draw: Draw) -> tuple[float, float]:
    """Return where a drawn text begins, its alignment accounted for."""
    x, y = draw.x, draw.y
    if draw.name == "drawstr" and len(draw.arguments) == 4:
        flags, right, bottom = int(draw.arguments[1]), draw.arguments[2], draw.arguments[3]
        if flags & 1:
            x += max(0.0, (right - draw.x - draw.width) / 2)
        elif flags & 2:
            x = max(x, right - draw.width)
        if flags & 4:
            y += max(0.0, (bottom - draw.y - draw.font_px) / 2)
        elif flags & 8:
            y = max(y, bottom - draw.font_px)
    return x, y
