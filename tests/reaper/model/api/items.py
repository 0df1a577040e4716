"""Items: counting, selecting, making, and their values."""

import copy

from tests.reaper.model import keys
from tests.reaper.model.failures import Refused
from tests.reaper.model.project import Project
from tests.reaper.model.registry import offers
from tests.reaper.model.script import Script
from tests.reaper.model.state import Item, Track, new_guid, new_uid


def _all(project: Project) -> list[Item]:
    return list(project.content.items())


def _at(items: list[Item], index: int) -> Item | None:
    return items[index] if 0 <= index < len(items) else None


def track_of(script: Script, item: Item) -> Track:
    """Return the track that an item lies on."""
    project = script.reaper.project_of(item)
    return next(track for track in project.tracks if any(other is item for other in track.items))


@offers("CountMediaItems")
def count_items(_script: Script, project: Project) -> int:
    return len(_all(project))


@offers("GetMediaItem")
def item_at(_script: Script, project: Project, index: int) -> Item | None:
    return _at(_all(project), index)


@offers("CountSelectedMediaItems")
def count_selected(_script: Script, project: Project) -> int:
    return sum(item.selected for item in _all(project))


@offers("GetSelectedMediaItem")
def selected_item(_script: Script, project: Project, index: int) -> Item | None:
    return _at([item for item in _all(project) if item.selected], index)


@offers("IsMediaItemSelected")
def is_selected(_script: Script, item: Item) -> bool:
    return item.selected


@offers("SetMediaItemSelected")
def set_selected(_script: Script, item: Item, selected: bool) -> None:
    item.selected = selected


@offers("SelectAllMediaItems")
def select_all(_script: Script, project: Project, selected: bool) -> None:
    for item in _all(project):
        item.selected = selected


@offers("CountTrackMediaItems", "GetTrackNumMediaItems")
def count_on_track(_script: Script, track: Track) -> int:
    return len(track.items)


@offers("GetTrackMediaItem")
def item_on_track(_script: Script, track: Track, index: int) -> Item | None:
    return _at(sorted(track.items, key=lambda item: item.position_s), index)


@offers("AddMediaItemToTrack")
def add_item(script: Script, track: Track) -> Item:
    project = script.reaper.project_of(track)
    if track is project.content.master:
        raise Refused("the master track holds no items")
    item = Item()
    track.items.append(item)
    project.touch()
    return item


@offers("DeleteTrackMediaItem")
def delete_item(script: Script, track: Track, item: Item) -> bool:
    kept = [other for other in track.items if other is not item]
    if len(kept) == len(track.items):
        return False
    track.items[:] = kept
    script.reaper.project_of(track).touch()
    script.reaper.refresh_handles()
    return True


@offers("MoveMediaItemToTrack")
def move_item(script: Script, item: Item, track: Track) -> bool:
    old = track_of(script, item)
    if script.reaper.project_of(track) is not script.reaper.project_of(item):
        return False
    old.items[:] = [other for other in old.items if other is not item]
    track.items.append(item)
    script.reaper.project_of(track).touch()
    return True


@offers("SplitMediaItem")
def split_item(script: Script, item: Item, position_s: float) -> Item | None:
    if not item.position_s < position_s < item.end_s:
        return None
    right = copy.deepcopy(item)
    right.uid, right.guid = new_uid(), new_guid()
    first_s = position_s - item.position_s
    for take in right.takes:
        take.uid, take.guid = new_uid(), new_guid()
        take.offset_s += first_s * take.playrate
        if take.source is not None:
            take.source.uid = new_uid()
    right.position_s, right.length_s = position_s, item.length_s - first_s
    right.fade_in_s, item.fade_out_s = 0.0, 0.0
    item.length_s = first_s
    track_of(script, item).items.append(right)
    script.reaper.project_of(item).touch()
    return right


@offers("GetMediaItemInfo_Value")
def item_value(script: Script, item: Item, key: str) -> float:
    if key == "IP_ITEMNUMBER":
        return float(track_of(script, item).items.index(item))
    if key in ("I_LASTY", "I_LASTH"):
        return 0.0
    if key in keys.ITEM.read_only:
        raise Refused(f"{key} is a pointer; use the function for it")
    return keys.ITEM.get(item, key)


@offers("SetMediaItemInfo_Value")
def set_item_value(script: Script, item: Item, key: str, value: float) -> bool:
    if key == "I_CURTAKE" and not 0 <= value < max(1, len(item.takes)):
        raise Refused(f"there is no take {value:g}")
    keys.ITEM.set(item, key, value)
    script.reaper.project_of(item).touch()
    return True


@offers("GetSetMediaItemInfo_String")
def item_string(script: Script, item: Item, key: str, value: str, is_set: bool) -> tuple[bool, str]:
    if is_set:
        keys.set_string(item, key, value, keys.ITEM_STRINGS)
        script.reaper.project_of(item).touch()
        return True, value
    found = keys.string_of(item, key, keys.ITEM_STRINGS)
    return found is not None, found or ""


@offers("SetMediaItemPosition")
def set_position(script: Script, item: Item, position_s: float, _refresh: bool) -> bool:
    return set_item_value(script, item, "D_POSITION", position_s)


@offers("SetMediaItemLength")
def set_length(script: Script, item: Item, length_s: float, _refresh: bool) -> bool:
    return set_item_value(script, item, "D_LENGTH", length_s)


@offers("GetMediaItem_Track", "GetMediaItemTrack")
def item_track(script: Script, item: Item) -> Track:
    return track_of(script, item)


@offers("GetItemProjectContext")
def item_project(script: Script, item: Item) -> Project:
    return script.reaper.project_of(item)


@offers("UpdateItemInProject")
def update_item(_script: Script, _item: Item) -> None:
    return None


@offers("GetItemStateChunk")
def item_chunk(_script: Script, item: Item, _text: str, _undo: bool) -> tuple[bool, str]:
    from tests.reaper.model.rpp import item_lines

    return True, "\n".join(item_lines(item)) + "\n"
