"""Markers and regions. Indexes follow positions; a marker and a region may have the same number."""

from tests.reaper.model.failures import Refused
from tests.reaper.model.keys import one_line
from tests.reaper.model.project import Project
from tests.reaper.model.registry import offers
from tests.reaper.model.script import Script
from tests.reaper.model.state import Marker

Row = tuple[int, bool, float, float, str, int, int]


@offers("AddProjectMarker2")
def add_marker_2(
    _script: Script,
    project: Project,
    is_region: bool,
    position_s: float,
    end_s: float,
    name: str,
    wanted: int,
    colour: int,
) -> int:
    if is_region and end_s < position_s:
        raise Refused(f"the region ends at {end_s:g}, before it starts at {position_s:g}")
    one_line(name)
    if colour and not colour & 0x1000000:
        raise Refused("a colour needs ColorToNative(…)|0x1000000; without the bit it is not used")
    number = project.free_number(is_region, wanted)
    project.content.markers.append(Marker(number, position_s, name, end_s if is_region else None, colour))
    project.touch()
    return number


@offers("AddProjectMarker")
def add_marker(
    script: Script, project: Project, is_region: bool, position_s: float, end_s: float, name: str, wanted: int
) -> int:
    return add_marker_2(script, project, is_region, position_s, end_s, name, wanted, 0)


@offers("CountProjectMarkers")
def count_markers(_script: Script, project: Project) -> tuple[int, int, int]:
    regions = sum(marker.is_region for marker in project.markers)
    return len(project.markers), len(project.markers) - regions, regions


def _row(project: Project, index: int) -> Row:
    markers = project.markers
    if not 0 <= index < len(markers):
        return 0, False, 0.0, 0.0, "", 0, 0
    marker = markers[index]
    end_s = marker.end_s if marker.end_s is not None else 0.0
    return (
        index + 1,
        marker.is_region,
        marker.position_s,
        end_s,
        marker.name,
        marker.number,
        marker.colour,
    )


@offers("EnumProjectMarkers3")
def marker_3(_script: Script, project: Project, index: int) -> Row:
    return _row(project, index)


@offers("EnumProjectMarkers2")
def marker_2(_script: Script, project: Project, index: int) -> tuple[int | bool | float | str, ...]:
    return _row(project, index)[:6]


@offers("EnumProjectMarkers")
def marker(script: Script, index: int) -> tuple[int | bool | float | str, ...]:
    return _row(script.reaper.active, index)[:6]


def _find(project: Project, number: int, is_region: bool) -> Marker | None:
    for entry in project.markers:
        if entry.number == number and entry.is_region == is_region:
            return entry
    return None


@offers("DeleteProjectMarker")
def delete_marker(_script: Script, project: Project, number: int, is_region: bool) -> bool:
    found = _find(project, number, is_region)
    if found is None:
        return False
    project.content.markers.remove(found)
    project.touch()
    return True


@offers("DeleteProjectMarkerByIndex")
def delete_marker_at(_script: Script, project: Project, index: int) -> bool:
    markers = project.markers
    if not 0 <= index < len(markers):
        return False
    project.content.markers.remove(markers[index])
    project.touch()
    return True


@offers("SetProjectMarker4")
def set_marker_4(
    _script: Script,
    project: Project,
    number: int,
    is_region: bool,
    position_s: float,
    end_s: float,
    name: str,
    colour: int,
    flags: int,
) -> bool:
    found = _find(project, number, is_region)
    if found is None:
        return False
    found.position_s = position_s
    if is_region:
        found.end_s = end_s
    if name or flags & 1:  # an empty name leaves the old one
        found.name = name
    found.colour = colour or found.colour
    project.touch()
    return True


@offers("SetProjectMarker3")
def set_marker_3(
    script: Script,
    project: Project,
    number: int,
    is_region: bool,
    position_s: float,
    end_s: float,
    name: str,
    colour: int,
) -> bool:
    return set_marker_4(script, project, number, is_region, position_s, end_s, name, colour, 0)


@offers("SetProjectMarker2")
def set_marker_2(
    script: Script, project: Project, number: int, is_region: bool, position_s: float, end_s: float, name: str
) -> bool:
    return set_marker_4(script, project, number, is_region, position_s, end_s, name, 0, 0)


@offers("SetProjectMarker")
def set_marker(
    script: Script, number: int, is_region: bool, position_s: float, end_s: float, name: str
) -> bool:
    return set_marker_2(script, script.reaper.active, number, is_region, position_s, end_s, name)


@offers("GetLastMarkerAndCurRegion")
def last_marker(_script: Script, project: Project, time_s: float) -> tuple[int, int]:
    last, region = -1, -1
    for index, entry in enumerate(project.markers):
        if entry.end_s is None and entry.position_s <= time_s:
            last = index
        elif entry.end_s is not None and entry.position_s <= time_s < entry.end_s:
            region = index
    return last, region
