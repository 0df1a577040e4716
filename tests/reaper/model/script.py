"""One running script: its own Lua state, its deferred calls, and what must be balanced when each turn ends."""

import importlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.reaper.model.failures import Refused
from tests.reaper.model.gfx import Window
from tests.reaper.model.guard import checked_arguments, checked_results, to_lua, to_text
from tests.reaper.model.handles import Handle
from tests.reaper.model.history import PART_FLAGS
from tests.reaper.model.imgui import ImGui
from tests.reaper.model.registry import IMPLEMENTATIONS
from tests.reaper.model.signatures import HANDLES, signatures
from tests.reaper.model.state import Source

if TYPE_CHECKING:
    from tests.reaper.model.project import Project
    from tests.reaper.model.reaper import Reaper

SHIM = Path(__file__).with_name("shim.lua")
LONGEST_TURN_S = 120.0
EXTENSION_PREFIXES = {
    "SWS": ("SNM_", "BR_", "CF_", "NF_", "FNG_", "ULT_"),
    "js_ReaScriptAPI": ("JS_",),
    "ReaImGui": ("ImGui_",),
    "ReaPack": ("ReaPack_",),
}


class Script:
    """A script from its start to its end. `ended` is true when nothing of it can run any more."""

    def __init__(self, reaper: "Reaper", path: Path, command: int) -> None:
        self.reaper = reaper
        self.path = path
        self.command = command
        self.options = 0
        self.deferred: list[Any] = []
        self.at_exit: list[Any] = []
        self.has_deferred = False
        self.ended = False
        self.error: str | None = None
        self.ui_depth = 0
        self.blocks: list[Project] = []
        self.loose_sources: dict[int, Source] = {}
        self.points_made = 0
        self.window = Window(reaper, self)
        self.imguis: list[ImGui] = []
        self._render_before = {project.uid: _render_of(project) for project in reaper.projects}
        self._turn_began_s = 0.0
        self._start, self._watched = self._lua_state()

    def _lua_state(self) -> tuple[Any, Any]:
        module = importlib.import_module(f"lupa.lua{self.reaper.lua.replace('.', '')}")
        self._lua = module.LuaRuntime(
            encoding="latin-1",
            unpack_returned_tuples=True,
            register_eval=False,
            register_builtins=False,
            attribute_filter=_no_attributes,
        )
        shim = self._lua.eval(f"(function(...) {SHIM.read_text(encoding='utf-8')}\nend)")
        ends = {
            "lookup": self._lookup,
            "call": self._call,
            "new_handle": self.reaper.handles.numbered,
            "failed_at": self.reaper.failed_at,
            "gfx_kind": self.window.kind_of,
            "gfx_get": self.window.get,
            "gfx_set": self._gfx_set,
            "gfx_call": self._gfx_call,
            "run_process": self._run_process,
            "tick": self._tick,
        }
        start, watched = shim(self._lua.table_from(ends))
        return start, watched

    @property
    def imgui(self) -> ImGui:
        """The window that was opened last with ReaImGui."""
        return self.imguis[-1]

    # What the shim calls

    def _lookup(self, name: Any) -> tuple[str, str]:
        if not isinstance(name, str):
            return "unknown", "reaper is indexed by names"
        signature = signatures().get(name)
        if signature is not None:
            if not self.reaper.has(signature):
                return "absent", ""
            at = [str(i) for i, kind in enumerate(signature.returns, start=1) if kind in HANDLES]
            return "function", " ".join(at)
        for extension, prefixes in EXTENSION_PREFIXES.items():
            if name.startswith(prefixes):
                if extension not in self.reaper.extensions:
                    return "absent", ""
                break
        message = f"reaper.{name} is not offered by the model"
        self.fail(message)
        return "unknown", message

    def _call(self, name: str, *given: Any) -> tuple[Any, ...]:
        signature = signatures()[name]
        try:
            arguments = checked_arguments(self.reaper, signature, given)
            result = IMPLEMENTATIONS[name](self, *arguments)
            return (True, *checked_results(self.reaper, signature, result))
        except Refused as refused:
            message = f"reaper.{name}: {refused}"
            self.fail(message)
            return False, to_lua(message)

    def _gfx_set(self, name: Any, value: Any) -> tuple[bool, str]:
        try:
            self.window.set_field(str(name), value)
        except Refused as refused:
            self.fail(f"gfx.{name}: {refused}")
            return False, f"gfx.{name}: {refused}"
        return True, ""

    def _gfx_call(self, name: str, *given: Any) -> tuple[Any, ...]:
        try:
            return (True, *self.window.call(name, given))
        except Refused as refused:
            message = f"gfx.{name}: {refused}"
            self.fail(message)
            return False, to_lua(message)

    def _run_process(self, kind: str, command: Any = None, *_rest: Any) -> tuple[Any, ...]:
        try:
            if kind == "os.exit":
                raise Refused("would end REAPER")
            if command is None:
                return True, True
            code, output = self.reaper.processes.shell(to_text(str(command)))
        except Refused as refused:
            self.fail(f"{kind}: {refused}")
            return False, f"{kind}: {refused}"
        if kind == "io.popen":
            return True, to_lua(output)
        return (True, True, "exit", 0) if code == 0 else (True, None, "exit", code)

    def _tick(self) -> str | None:
        if time.monotonic() - self._turn_began_s < LONGEST_TURN_S:
            return None
        self.fail("the script does not come back")
        return "the script does not come back"

    # Turns

    def start(self) -> None:
        """Run the file."""
        self._turn(self._start, to_lua(str(self.path)), first=True)
        self._end_if_idle()

    def cycle(self) -> None:
        """Run what was deferred in the turn before."""
        calls, self.deferred = self.deferred, []
        for call in calls:
            if self.ended:
                return
            self._turn(self._watched, call, first=False)
        self._end_if_idle()

    def terminate(self) -> None:
        """End the script as the user (or REAPER, when it quits) does: what it deferred is dropped, atexit runs."""
        if not self.ended:
            self.deferred.clear()
            self._end_if_idle()

    def _turn(self, run: Any, *arguments: Any, first: bool) -> None:
        self.reaper.refresh_handles()
        for project in self.reaper.projects:
            project.history.note_user_edits()
        self.points_made = 0
        self._turn_began_s = time.monotonic()
        self.reaper.running.append(self)
        try:
            outcome = run(*arguments)
        finally:
            self.reaper.running.pop()
        ok, message = outcome if isinstance(outcome, tuple) else (outcome, "")
        if not ok:
            self.error = to_text(str(message))
            self.deferred.clear()
            self.fail(f"ended with an error: {self.error}")
        self._check_balance(first)

    def _check_balance(self, first: bool) -> None:
        if self.ui_depth != 0:
            self.fail(f"PreventUIRefresh is left at {self.ui_depth} at the end of a turn")
            self.ui_depth = 0
        if self.blocks:
            self.fail("an undo block is left open at the end of a turn")
            self.blocks.clear()
        if not all(context.is_balanced for context in self.imguis):
            self.fail("ImGui.Begin is left without End at the end of a turn")
        for project in self.reaper.projects:
            parts = project.history.changed_parts()
            if first and not self.has_deferred:
                if not self.points_made and (parts or project is self.reaper.active):
                    project.history.add(f"ReaScript: {self.path.name}")
            elif parts:
                self.fail(f"changed the project ({', '.join(parts)}) outside an undo block")
                project.history.add("(outside an undo block)")

    def _end_if_idle(self) -> None:
        if self.deferred or self.ended:
            return
        self.ended = True
        while self.at_exit and self.error is None:
            self._turn(self._watched, self.at_exit.pop(0), first=False)
        if self.error is not None:
            error, self.error = self.error, None
            while self.at_exit:
                self._turn(self._watched, self.at_exit.pop(0), first=False)
            self.error = error
        self.deferred.clear()
        self.window.close()
        for project in self.reaper.projects:
            before = self._render_before.get(project.uid)
            after = _render_of(project)
            if before is not None and before != after:
                changed = sorted(key for key in after if after[key] != before[key])
                self.fail(f"did not restore {', '.join(changed)}")
        for source in self.loose_sources.values():
            self.fail(f"leaves a PCM_source of {source.path} that is in no take and was not destroyed")

    def fail(self, message: str) -> None:
        """Note what REAPER would not have taken."""
        self.reaper.failures.append(f"{self.path.name}: {message}")

    # For the API

    def begin_block(self, project: "Project") -> None:
        """Open an undo block."""
        self.blocks.append(project)

    def end_block(self, project: "Project", name: str, flags: int) -> None:
        """Close an undo block; the outermost one makes the point."""
        if not self.blocks:
            raise Refused("there is no open undo block")
        if self.blocks.pop() is not project:
            raise Refused("the undo block belongs to another project")
        if project not in self.blocks:
            self.make_point(project, name, flags)

    def make_point(self, project: "Project", name: str, flags: int) -> None:
        """Make an undo point, unless it has no name."""
        if not name:
            return
        missed = [
            part for part in project.history.changed_parts() if flags != -1 and not flags & PART_FLAGS[part]
        ]
        if missed:
            self.fail(f'the flags {flags} of the undo point "{name}" leave out {", ".join(missed)}')
        project.history.add(name)
        project.touch()
        self.points_made += 1


def _render_of(project: "Project") -> dict[str, float | str]:
    return {**project.render, **project.render_strings}


def _no_attributes(thing: object, name: Any, _is_setting: bool) -> Any:
    raise AttributeError(
        f"a {thing.kind if isinstance(thing, Handle) else 'handle'} has no fields ({name!r})"
    )
