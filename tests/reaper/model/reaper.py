"""`Reaper`: one running REAPER. Tests build projects in it, run scripts, step its clock, and read what came of it."""

import importlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.reaper.model.commands import Commands
from tests.reaper.model.ext_state import ExtState
from tests.reaper.model.failures import Failures, Refused
from tests.reaper.model.gfx import Window
from tests.reaper.model.handles import Handle, Handles, Place
from tests.reaper.model.processes import OnProcess, Processes
from tests.reaper.model.project import Project
from tests.reaper.model.render import RenderJob, RenderOptions
from tests.reaper.model.script import Script
from tests.reaper.model.signatures import Signature, version_of
from tests.reaper.model.state import new_uid

CYCLE_S = 1 / 30


@dataclass
class Dialog:
    """A window that stopped everything until it was answered."""

    kind: str
    text: str
    answer: Any


@dataclass
class MainWindow:
    """What GetMainHwnd gives."""

    uid: int


class Reaper:
    """A REAPER with one empty project, its resource folder in `folder / "REAPER"`.

    Args:
        folder: where the resource folder and the media of unsaved projects go.
        lua: "5.3" (REAPER 6) or "5.4" (REAPER 7).
        version: what GetAppVersion says; functions that came later are not there.
        system: what GetOS says.
        extensions: of "SWS", "ReaImGui", "js_ReaScriptAPI", "ReaPack"; none by default.
        unset_signature: what GetTempoTimeSigMarker gives for a marker without signature (0 or -1).

    As a context manager it closes REAPER at the end and raises `ReaperFailureError` if there is any failure.
    """

    def __init__(
        self,
        folder: Path,
        *,
        lua: str = "5.4",
        version: str = "7.30",
        system: str = "Other",
        extensions: tuple[str, ...] = (),
        unset_signature: int = 0,
    ) -> None:
        for module in ("tracks", "effects", "items", "takes", "midi", "markers", "tempo", "projects", "undo"):
            importlib.import_module(f"tests.reaper.model.api.{module}")
        for module in ("windows", "system", "files", "life", "extensions", "imgui"):
            importlib.import_module(f"tests.reaper.model.api.{module}")
        self.folder = folder
        self.lua = lua
        self.version = version
        self.system = system
        self.extensions = extensions
        self.unset_signature = unset_signature
        self.resource_path = folder / "REAPER"
        (self.resource_path / "Scripts").mkdir(parents=True, exist_ok=True)
        ini = self.resource_path / "reaper.ini"
        if not ini.exists():
            ini.write_text("[REAPER]\n", encoding="utf-8")
        self.failures = Failures()
        self.dialogs: list[Dialog] = []
        self.console = ""
        self.now_s = 1000.0
        self.config: dict[str, str] = {"renderclosewhendone": "1", "itemtimelock": "1"}
        self.render_options = RenderOptions()
        self.render_job: RenderJob | None = None
        self.processes = Processes()
        self.ext_state = ExtState(self.resource_path / "reaper-extstate.ini")
        self.commands = Commands(self.resource_path)
        self.handles = Handles()
        self.scripts: list[Script] = []
        self.running: list[Script] = []
        self.projects: list[Project] = []
        self.toggles: dict[int, int] = {}
        self.gmem: dict[int, float] = {}
        self.free_disk_mb = 100_000
        self.effects = {"ReaEQ", "ReaComp", "ReaVerbate"}
        self.cycles = 0
        self.retina = 1.0
        self.peaks_left: dict[int, int] = {}
        self.listings: dict[tuple[str, bool], list[str]] = {}
        self.main_window = MainWindow(new_uid())
        self.key_state = 0
        self.closed = False
        self._answers: list[tuple[str, Any]] = []
        self._every_cycle: list[Callable[[], None]] = []
        self.active = self.new_project()

    # Projects

    def new_project(self, name: str | None = None, *, sample_rate: int = 48000) -> Project:
        """Open a new tab and make it the active one; with a name it is saved as `folder/name/name.rpp`."""
        media = self.resource_path / "Media" if name is None else self.folder / name / "Media"
        media.mkdir(parents=True, exist_ok=True)
        project = Project(None, media, sample_rate=sample_rate)
        self.projects.append(project)
        self.active = project
        if name is not None:
            self.save(project, self.folder / name / f"{name}.rpp")
        return project

    @property
    def project(self) -> Project:
        """The active project."""
        return self.active

    def switch_to(self, project: Project) -> None:
        """Click on another tab."""
        self.active = project

    def close_project(self, project: Project) -> None:
        """Close a tab without saving; REAPER opens an empty one when it was the last."""
        project.is_open = False
        self.projects.remove(project)
        if self.render_job is not None and self.render_job.project is project:
            self.render_job.cancel()
            self.render_job = None
        if not self.projects:
            self.new_project()
        elif self.active is project:
            self.active = self.projects[-1]
        self.refresh_handles()

    def save(self, project: Project, path: Path | None = None) -> Path:
        """Save a project as .RPP."""
        from tests.reaper.model.rpp import save_project

        target = path or project.path
        if target is None:
            raise ValueError("the project has no name yet; give a path")
        if project.path is None:
            project.media_folder = target.parent / "Media"
        project.path = target
        target.parent.mkdir(parents=True, exist_ok=True)
        save_project(project, target)
        project.dirty = False
        return target

    def open(self, path: Path) -> Project:
        """Open a project file in a new tab."""
        from tests.reaper.model.rpp import load_project

        project = load_project(path)
        self.projects.append(project)
        self.active = project
        return project

    # Scripts

    def run_script(self, path: Path | str) -> Script:
        """Run a script as its action would; registered or not."""
        file = Path(path)
        return self._launch(file, self.commands.id_of(file))

    def run_action(self, command: int | str) -> None:
        """Run an action by its id or its name (`_RS…`)."""
        from tests.reaper.model.actions import run_action

        number = self.commands.lookup(command) if isinstance(command, str) else command
        if number == 0:
            raise ValueError(f"there is no action {command}")
        run_action(self, number, self.active)

    def run_lua(self, code: str) -> Script:
        """Run a snippet."""
        file = self.folder / f"snippet-{len(self.scripts)}.lua"
        file.write_text(code, encoding="utf-8")
        return self.run_script(file)

    def _launch(self, path: Path, command: int) -> Script:
        for other in self.running_scripts():
            if other.path != path:
                continue
            if other.options & 1:
                other.terminate()
                if not other.options & 2:
                    return other
                continue
            answer = self.ask("relaunch", f"{path.name} is running already: terminate it, or start another?")
            if answer == "terminate":
                other.terminate()
            if answer != "new":
                return other
        script = Script(self, path, command)
        self.scripts.append(script)
        script.start()
        return script

    def running_scripts(self) -> list[Script]:
        """Return the scripts that have not ended."""
        return [script for script in self.scripts if not script.ended]

    def step(self, seconds: float = CYCLE_S) -> None:
        """Let time pass on REAPER's clock, a cycle of deferred calls each 1/30 s; nothing really waits."""
        for _ in range(max(1, round(seconds / CYCLE_S))):
            self.cycle()

    def run_until(self, condition: Callable[[], object], timeout_s: float = 60.0) -> None:
        """Run cycles in real time (for tests with a real daemon) until the condition holds.

        Raises:
            TimeoutError: if it does not in time.
        """
        end_s = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > end_s:
                shown = "\n".join(self.failures) or "no failures"
                raise TimeoutError(f"REAPER ran for {timeout_s:g} s and it did not come to pass; {shown}")
            began_s = time.monotonic()
            self.cycle()
            time.sleep(max(0.0, CYCLE_S - (time.monotonic() - began_s)))

    def run_to_end(self, script: Script | None = None, timeout_s: float = 60.0) -> None:
        """Run cycles in real time until the script (all scripts) ended."""
        self.run_until(lambda: script.ended if script else not self.running_scripts(), timeout_s)

    def cycle(self) -> None:
        """Run one cycle of the timer."""
        self.now_s += CYCLE_S
        self.cycles += 1
        for project in self.projects:
            if project.play_state & 1:
                project.play_position_s += CYCLE_S
        if self.render_job is not None and self.render_job.advance():
            self.render_job = None
        for hook in self._every_cycle:
            hook()
        for script in self.running_scripts():
            script.cycle()

    def each_cycle(self, hook: Callable[[], None]) -> None:
        """Have something called before the scripts in every cycle (a stand-in for the daemon, for instance)."""
        self._every_cycle.append(hook)

    # Windows that stop everything

    def answer(self, kind: str, answer: Any) -> None:
        """Say how the next modal window of a kind is answered, in order.

        Kinds: "MB" (1 OK 2 cancel 4 retry 6 yes 7 no), "GetUserInputs" (list of strings, None to cancel),
        "GetUserFileNameForRead" (path or None), "GR_SelectColor" (colour or None), "gfx.showmenu" (index, or the text
        of the entry), "relaunch" ("terminate", "new", "cancel"), "overwrite" (True or False). A callable gets the
        window's text and returns the answer.
        """
        self._answers.append((kind, answer))

    def ask(self, kind: str, text: str) -> Any:
        """Show a modal window; Refused if the test has no answer for it."""
        for index, (wanted, answer) in enumerate(self._answers):
            if wanted == kind:
                del self._answers[index]
                given = answer(text) if callable(answer) else answer
                self.dialogs.append(Dialog(kind, text, given))
                return given
        raise Refused(f"opens a window that nobody answers ({kind}): {text}")

    def expect_no_answers_left(self) -> None:
        """Fail if a scripted window never came."""
        if self._answers:
            self.failures.append(
                f"windows that were expected never came: {[kind for kind, _ in self._answers]}"
            )

    # Failures and the end

    def check(self) -> None:
        """Raise `ReaperFailureError` if anything went wrong so far."""
        self.failures.raise_if_any()

    def failed_at(self, where: str) -> None:
        """Add to the last failure where in the script it happened."""
        lines = [line.strip() for line in where.splitlines() if ".lua:" in line]
        if self.failures and lines:
            self.failures[-1] += f"\n    at {lines[0]}"

    def quit(self) -> None:
        """Close REAPER: scripts end (their atexit functions run), unsaved projects are lost."""
        if self.closed:
            return
        for script in self.running_scripts():
            script.terminate()
        if self.render_job is not None:
            self.render_job.cancel()
            self.render_job = None
        self.processes.end_all()
        self.closed = True

    def restart(self, *projects: Path) -> "Reaper":
        """Quit and start again on the same resource folder; runs `__startup.lua`, opens these projects."""
        self.quit()
        again = Reaper(
            self.folder,
            lua=self.lua,
            version=self.version,
            system=self.system,
            extensions=self.extensions,
            unset_signature=self.unset_signature,
        )
        again.failures = self.failures
        again.processes.on_process, again.processes.real = self.processes.on_process, self.processes.real
        again.render_options = self.render_options
        for path in projects:
            again.open(path)
        startup = again.resource_path / "Scripts" / "__startup.lua"
        if startup.is_file():
            again.run_script(startup)
        return again

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.quit()
        if error is None:
            self.check()

    # For the API

    def has(self, signature: Signature) -> bool:
        """Return whether this REAPER has a function."""
        if signature.needs and signature.needs not in self.extensions:
            return False
        return version_of(self.version) >= signature.since

    def handle_of(self, kind: str, target: Any) -> Handle:
        """Return the handle of an object, the same one each time."""
        known = self.handles.known(kind, target)
        if known is not None:
            return known
        home = next((project for _, other, project in self._places() if other is target), None)
        return self.handles.give(kind, target, home)

    def refresh_handles(self) -> None:
        """Let handles of what is gone die."""
        self.handles.refresh(self._places())

    def _places(self) -> Iterator[Place]:
        for project in self.projects:
            yield "proj", project, project
            for track in (*project.tracks, project.content.master):
                yield "track", track, project
                for item in track.items:
                    yield "item", item, project
                    for take in item.takes:
                        yield "take", take, project
                        if take.source is not None:
                            yield "source", take.source, project
        for script in self.scripts:
            for source in script.loose_sources.values():
                yield "source", source, None

    def project_of(self, thing: Any) -> Project:
        """Return the project that holds a track, item or take."""
        for kind, target, project in self._places():
            if target is thing and kind != "source" and project is not None:
                return project
        raise AssertionError("a living handle means something in an open project")

    @property
    def on_process(self) -> OnProcess | None:
        """What answers instead of programs that scripts start."""
        return self.processes.on_process

    @on_process.setter
    def on_process(self, answer: OnProcess | None) -> None:
        self.processes.on_process = answer

    @property
    def window(self) -> Window:
        """The gfx window that is open; AssertionError if there is none."""
        for script in reversed(self.scripts):
            if script.window.is_open:
                return script.window
        raise AssertionError("no script has an open window")
