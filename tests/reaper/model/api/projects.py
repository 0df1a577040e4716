"""Project tabs: which there are, their settings, extension state, cursor, time selection and transport."""

from pathlib import Path

from tests.reaper.model.failures import Refused
from tests.reaper.model.keys import check_render_value, one_line
from tests.reaper.model.project import Project
from tests.reaper.model.registry import offers
from tests.reaper.model.render import targets_of
from tests.reaper.model.script import Script

BEING_RENDERED = 0x40000000


@offers("EnumProjects")
def enum_projects(script: Script, index: int) -> tuple[Project | None, str]:
    reaper = script.reaper
    if index == BEING_RENDERED:
        project = reaper.render_job.project if reaper.render_job else None
    elif index == -1:
        project = reaper.active
    else:
        project = reaper.projects[index] if 0 <= index < len(reaper.projects) else None
    return project, str(project.path) if project and project.path else ""


@offers("SelectProjectInstance")
def select_project(script: Script, project: Project) -> None:
    script.reaper.active = project


@offers("GetProjectName")
def project_name(_script: Script, project: Project) -> str:
    return project.name


@offers("GetProjectPathEx")
def project_path(_script: Script, project: Project) -> str:
    return str(project.media_folder)


@offers("GetProjectPath")
def active_project_path(script: Script) -> str:
    return project_path(script, script.reaper.active)


@offers("GetProjectLength")
def project_length(_script: Script, project: Project) -> float:
    return project.content.end_s()


@offers("GetProjectTimeOffset")
def time_offset(_script: Script, project: Project, _round: bool) -> float:
    return project.offset_s


@offers("IsProjectDirty")
def is_dirty(_script: Script, project: Project) -> int:
    return int(project.dirty)


@offers("MarkProjectDirty")
def mark_dirty(_script: Script, project: Project) -> None:
    project.touch()


@offers("GetProjectStateChangeCount")
def change_count(_script: Script, project: Project) -> int:
    return project.changes


@offers("Main_SaveProject")
def save_project(script: Script, project: Project, save_as: bool) -> None:
    target = project.path
    if target is None or save_as:
        answer = script.reaper.ask("save_as", "Save project")
        if answer is None:
            return
        target = Path(answer)
    script.reaper.save(project, target)


@offers("Main_SaveProjectEx")
def save_project_as(script: Script, project: Project, filename: str, _options: int) -> None:
    if filename:
        script.reaper.save(project, Path(filename))
    else:
        save_project(script, project, False)


@offers("GetSetProjectInfo")
def project_info(_script: Script, project: Project, key: str, value: float, is_set: bool) -> float:
    if is_set:
        check_render_value(key, value)
    if key in project.render:
        if is_set:
            project.render[key] = value
            project.dirty = True
        return project.render[key]
    if key == "PROJECT_SRATE":
        if is_set:
            project.sample_rate = int(value)
            project.touch()
        return float(project.sample_rate)
    if key == "PROJECT_SRATE_USE":
        if is_set:
            project.sample_rate_used = bool(value)
            project.touch()
        return float(project.sample_rate_used)
    raise Refused(f"there is no key {key!r}")


@offers("GetSetProjectInfo_String")
def project_info_string(
    _script: Script, project: Project, key: str, value: str, is_set: bool
) -> tuple[bool, str]:
    if key in project.render_strings:
        if is_set:
            project.render_strings[key] = value
            project.dirty = True
        return True, project.render_strings[key]
    if key == "RENDER_STATS":
        raise Refused("RENDER_STATS can open a window")
    computed = {
        "RENDER_TARGETS": lambda: ";".join(str(path) for path in targets_of(project)),
        "PROJECT_NAME": lambda: project.name,
        "RECORD_PATH": lambda: project.media_folder.name if project.path else "",
    }
    if key in computed:
        if is_set:
            raise Refused(f"{key} can only be read")
        return True, computed[key]()
    named = {"PROJECT_TITLE": "title", "PROJECT_AUTHOR": "author"}
    if key in named:
        if is_set:
            setattr(project, named[key], value)
        return True, str(getattr(project, named[key]))
    raise Refused(f"there is no key {key!r}")


@offers("GetProjExtState")
def ext_state(_script: Script, project: Project, section: str, key: str) -> tuple[int, str]:
    value = project.content.ext.get((section, key), "")
    return len(value.encode()), value


@offers("SetProjExtState")
def set_ext_state(_script: Script, project: Project, section: str, key: str, value: str) -> int:
    one_line(value)
    ext = project.content.ext
    for known in list(ext):
        if known[0] == section and (not key or (known[1] == key and not value)):
            del ext[known]
    if key and value:
        ext[section, key] = value
    project.dirty = True
    return len(value.encode())


@offers("EnumProjExtState")
def enum_ext_state(_script: Script, project: Project, section: str, index: int) -> tuple[bool, str, str]:
    found = [(key, value) for (other, key), value in project.content.ext.items() if other == section]
    return (True, *found[index]) if 0 <= index < len(found) else (False, "", "")


@offers("GetSet_LoopTimeRange2")
def time_range(
    _script: Script, project: Project, is_set: bool, is_loop: bool, start: float, end: float, _seek: bool
) -> tuple[float, float]:
    name = "loop" if is_loop else "time_selection"
    if is_set:
        setattr(project.content, name, (min(start, end), max(start, end)))
    start_s, end_s = getattr(project.content, name)
    return start_s, end_s


@offers("GetSet_LoopTimeRange")
def active_time_range(
    script: Script, is_set: bool, is_loop: bool, start: float, end: float, seek: bool
) -> tuple[float, float]:
    return time_range(script, script.reaper.active, is_set, is_loop, start, end, seek)


@offers("GetCursorPositionEx")
def cursor(_script: Script, project: Project) -> float:
    return project.cursor_s


@offers("GetCursorPosition")
def active_cursor(script: Script) -> float:
    return script.reaper.active.cursor_s


@offers("SetEditCurPos2")
def set_cursor(_script: Script, project: Project, time_s: float, _move_view: bool, _seek: bool) -> None:
    project.cursor_s = max(0.0, time_s)


@offers("SetEditCurPos")
def set_active_cursor(script: Script, time_s: float, move_view: bool, seek: bool) -> None:
    set_cursor(script, script.reaper.active, time_s, move_view, seek)


@offers("GetPlayStateEx")
def play_state(_script: Script, project: Project) -> int:
    return project.play_state


@offers("GetPlayState")
def active_play_state(script: Script) -> int:
    return script.reaper.active.play_state


@offers("GetPlayPositionEx")
def play_position(_script: Script, project: Project) -> float:
    return project.play_position_s if project.play_state & 1 else project.cursor_s


@offers("GetPlayPosition")
def active_play_position(script: Script) -> float:
    return play_position(script, script.reaper.active)


@offers("OnStopButtonEx")
def stop(_script: Script, project: Project) -> None:
    project.play_state = 0


@offers("OnStopButton")
def stop_active(script: Script) -> None:
    stop(script, script.reaper.active)


@offers("OnPlayButtonEx")
def play(_script: Script, project: Project) -> None:
    project.play_state, project.play_position_s = 1, project.cursor_s


@offers("OnPlayButton")
def play_active(script: Script) -> None:
    play(script, script.reaper.active)


@offers("GetSetProjectNotes")
def notes(_script: Script, project: Project, is_set: bool, text: str) -> str:
    if is_set:
        project.notes = text
    return project.notes


@offers("GetSetProjectAuthor")
def author(_script: Script, project: Project, is_set: bool, text: str) -> str:
    if is_set:
        project.author = text
    return project.author


@offers("GetSet_ArrangeView2")
def arrange_view(
    _script: Script, project: Project, is_set: bool, _x: int, _x_end: int, start: float, end: float
) -> tuple[float, float]:
    if is_set:
        project.view_s = (start, end)
    return project.view_s


@offers("GetFreeDiskSpaceForRecordPath")
def free_space(script: Script, _project: Project, _index: int) -> int:
    return script.reaper.free_disk_mb
