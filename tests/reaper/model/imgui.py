"""ReaImGui's window: what the last frame showed, and what a test clicks. The rules are those of Dear ImGui.

Widgets stand between Begin and End, lists and combos are ended, what is pushed is popped, a context that was not used
for two cycles is gone, and two widgets of a frame have different labels ("name##id", of which only "name" is shown).
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.reaper.model.failures import Refused
from tests.reaper.model.state import new_uid

if TYPE_CHECKING:
    from tests.reaper.model.reaper import Reaper

SHIM = """\
return function(version)
  assert(version:find("^0%.9"), "this model of ReaImGui is 0.9")
  return setmetatable({}, { __index = function(_, name)
    local found = reaper["ImGui_" .. name]
    if name:find("_") then return found() end
    return found
  end })
end
"""


def visible(label: str) -> str:
    """Return what a label shows."""
    return label.split("##")[0]


@dataclass
class ImGui:
    """A context and its window.

    Tests use `texts`, `shows`, `click`, `choose`, `slide`, `press_escape` and `close_by_user`.
    """

    reaper: "Reaper"
    title: str
    uid: int = field(default_factory=new_uid)
    shown: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._used_at = self.reaper.cycles
        self._frame: list[str] | None = None
        self._open_parts: list[str] = []
        self._labels: set[str] = set()
        self._clicks: list[str] = []
        self._slides: dict[str, int] = {}
        self._combo: str | None = None
        self._escape = False
        self._closing = False

    # What a test does and sees

    def texts(self) -> list[str]:
        """Return what the last frame showed."""
        return self.shown

    def shows(self, text: str) -> bool:
        """Return whether something of the last frame holds this text."""
        return any(text in shown for shown in self.shown)

    def click(self, label: str) -> None:
        """Click a button, a box or a row in the next frame."""
        assert any(label == shown for shown in self.shown), f"{label!r} is not among {self.shown}"
        self._clicks.append(label)

    def choose(self, label: str, value: str) -> None:
        """Open a combo in the next frame and choose in it."""
        assert label in self.shown, f"{label!r} is not among {self.shown}"
        self._combo = label
        self._clicks.append(value)

    def slide(self, label: str, value: int) -> None:
        """Put a slider to a step in the next frame."""
        self._slides[label] = value

    def press_escape(self) -> None:
        """Press Escape."""
        self._escape = True

    def close_by_user(self) -> None:
        """Click the window's cross."""
        self._closing = True

    # What the API does

    def use(self) -> None:
        """Note that the context is used.

        Raises:
            Refused: if it was not in the last cycle.
        """
        if self.reaper.cycles - self._used_at > 1:
            raise Refused("the context was not used for a while and is gone")
        self._used_at = self.reaper.cycles

    def begin(self) -> tuple[bool, bool]:
        """Begin the window."""
        if self._frame is not None:
            raise Refused("the window has begun already")
        self._frame, self._labels = [], set()
        return True, not self._closing

    def end(self) -> None:
        """End the window."""
        if self._frame is None:
            raise Refused("there is no Begin")
        if self._open_parts:
            raise Refused(f"{self._open_parts[-1]} has no end")
        self.shown, self._frame, self._escape = self._frame, None, False

    @property
    def is_balanced(self) -> bool:
        """Whether every Begin has its End."""
        return self._frame is None

    def show(self, text: str) -> None:
        """Show a text."""
        if self._frame is None:
            raise Refused("there is no Begin")
        self._frame.append(text)

    def widget(self, label: str) -> bool:
        """Show a widget; return whether it is clicked."""
        self._place(label)
        if visible(label) in self._clicks:
            self._clicks.remove(visible(label))
            return True
        return False

    def _place(self, label: str) -> None:
        if label in self._labels:
            raise Refused(f"two widgets are called {label!r}")
        self._labels.add(label)
        self.show(visible(label))

    def put(self, label: str) -> int | None:
        """Show a slider; return where it was put."""
        self._place(label)
        return self._slides.pop(visible(label), None)

    def open_combo(self, label: str) -> bool:
        """Show a combo; return whether it is open."""
        self._place(label)
        is_open = self._combo == visible(label)
        if is_open:
            self._combo = None
            self.begin_part("BeginCombo")
        return is_open

    def escape_is_pressed(self) -> bool:
        """Whether Escape was pressed."""
        return self._escape

    def begin_part(self, name: str) -> None:
        """Begin what has an end of its own."""
        if self._frame is None:
            raise Refused("there is no Begin")
        self._open_parts.append(name)

    def end_part(self, name: str) -> None:
        """End it."""
        if not self._open_parts or self._open_parts.pop() != name:
            raise Refused(f"there is no {name} to end")
