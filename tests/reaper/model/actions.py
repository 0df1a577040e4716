"""The built-in actions that the model knows, by number, and scripts by theirs."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.reaper.model.failures import Refused
from tests.reaper.model.render import begin_render

if TYPE_CHECKING:
    from tests.reaper.model.project import Project
    from tests.reaper.model.reaper import Reaper


def run_action(reaper: "Reaper", command: int, project: "Project") -> None:
    """Run an action on a project.

    Raises:
        Refused: if the model does not know it.
    """
    script = reaper.commands.path_of(command)
    if script is not None:
        reaper.run_script(script)
        return
    if command not in ACTIONS:
        raise Refused(f"the model does not know the action {command}")
    ACTIONS[command](reaper, project)
    reaper.refresh_handles()


def _render(reaper: "Reaper", project: "Project") -> None:
    begin_render(reaper, project)


def _nothing(_reaper: "Reaper", _project: "Project") -> None:
    return None


def _media(online: bool) -> Callable[["Reaper", "Project"], None]:
    def set_media(_reaper: "Reaper", project: "Project") -> None:
        for item in project.content.items():
            for take in item.takes:
                if take.source is not None:
                    take.source.offline = not online

    return set_media


def _select_tracks(selected: bool) -> Callable[["Reaper", "Project"], None]:
    def select(_reaper: "Reaper", project: "Project") -> None:
        for track in project.tracks:
            track.selected = selected

    return select


def _select_items(selected: bool) -> Callable[["Reaper", "Project"], None]:
    def select(_reaper: "Reaper", project: "Project") -> None:
        for item in project.content.items():
            item.selected = selected

    return select


def _stop(_reaper: "Reaper", project: "Project") -> None:
    project.play_state = 0


def _save(reaper: "Reaper", project: "Project") -> None:
    target = project.path or reaper.ask("save_as", "Save project")
    if target is not None:
        reaper.save(project, target)


def _undo(_reaper: "Reaper", project: "Project") -> None:
    project.history.undo()


def _redo(_reaper: "Reaper", project: "Project") -> None:
    project.history.redo()


def _no_time_selection(_reaper: "Reaper", project: "Project") -> None:
    project.content.time_selection = (0.0, 0.0)


ACTIONS: dict[int, Callable[["Reaper", "Project"], None]] = {
    42230: _render,
    41824: _render,
    40047: _nothing,  # build any missing peaks
    40100: _media(online=False),
    40101: _media(online=True),
    40296: _select_tracks(selected=True),
    40297: _select_tracks(selected=False),
    40182: _select_items(selected=True),
    40289: _select_items(selected=False),
    40635: _no_time_selection,
    40026: _save,
    40029: _undo,
    40030: _redo,
    1016: _stop,
    40667: _stop,
}
