"""Undo blocks and points."""

from tests.reaper.model.failures import Refused
from tests.reaper.model.project import Project
from tests.reaper.model.registry import offers
from tests.reaper.model.script import Script


@offers("Undo_BeginBlock2")
def begin_block(script: Script, project: Project) -> None:
    script.begin_block(project)


@offers("Undo_BeginBlock")
def begin_active_block(script: Script) -> None:
    script.begin_block(script.reaper.active)


@offers("Undo_EndBlock2")
def end_block(script: Script, project: Project, name: str, flags: int) -> None:
    script.end_block(project, name, flags)


@offers("Undo_EndBlock")
def end_active_block(script: Script, name: str, flags: int) -> None:
    script.end_block(script.reaper.active, name, flags)


@offers("Undo_OnStateChange2")
def state_change(script: Script, project: Project, name: str) -> None:
    script.make_point(project, name, -1)


@offers("Undo_OnStateChange")
def active_state_change(script: Script, name: str) -> None:
    script.make_point(script.reaper.active, name, -1)


@offers("Undo_OnStateChangeEx2")
def state_change_ex(script: Script, project: Project, name: str, flags: int, _track: int) -> None:
    script.make_point(project, name, flags)


@offers("Undo_OnStateChangeEx")
def active_state_change_ex(script: Script, name: str, flags: int, _track: int) -> None:
    script.make_point(script.reaper.active, name, flags)


@offers("Undo_CanUndo2")
def can_undo(_script: Script, project: Project) -> str | None:
    return project.undo_names[-1] if project.history.points else None


@offers("Undo_CanRedo2")
def can_redo(_script: Script, project: Project) -> str | None:
    return project.history.undone[-1].name if project.history.undone else None


@offers("Undo_DoUndo2")
def do_undo(script: Script, project: Project) -> int:
    if script.blocks:
        raise Refused("an undo block is open")
    done = project.history.undo()
    script.reaper.refresh_handles()
    return int(done is not None)


@offers("Undo_DoRedo2")
def do_redo(script: Script, project: Project) -> int:
    if script.blocks:
        raise Refused("an undo block is open")
    done = project.history.redo()
    script.reaper.refresh_handles()
    return int(done is not None)
