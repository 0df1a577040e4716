"""Tracks: counting, selecting, making, and their values."""

import math
from typing import TypeVar

from tests.reaper.model import keys
from tests.reaper.model.failures import Refused
from tests.reaper.model.project import Project
from tests.reaper.model.registry import offers
from tests.reaper.model.script import Script
from tests.reaper.model.state import Fx, Send, Track

Thing = TypeVar("Thing")


def _at(things: list[Thing], index: int) -> Thing | None:
    return things[index] if 0 <= index < len(things) else None


def _selected(project: Project, *, master: bool = False) -> list[Track]:
    tracks = [project.content.master, *project.tracks] if master else project.tracks
    return [track for track in tracks if track.selected]


@offers("CountTracks")
def count_tracks(_script: Script, project: Project) -> int:
    return len(project.tracks)


@offers("GetNumTracks")
def num_tracks(script: Script) -> int:
    return len(script.reaper.active.tracks)


@offers("GetTrack")
def track_at(_script: Script, project: Project, index: int) -> Track | None:
    return _at(project.tracks, index)


@offers("GetMasterTrack")
def master_track(_script: Script, project: Project) -> Track:
    return project.content.master


@offers("CountSelectedTracks")
def count_selected(_script: Script, project: Project) -> int:
    return len(_selected(project))


@offers("CountSelectedTracks2")
def count_selected_2(_script: Script, project: Project, master: bool) -> int:
    return len(_selected(project, master=master))


@offers("GetSelectedTrack")
def selected_track(_script: Script, project: Project, index: int) -> Track | None:
    return _at(_selected(project), index)


@offers("GetSelectedTrack2")
def selected_track_2(_script: Script, project: Project, index: int, master: bool) -> Track | None:
    return _at(_selected(project, master=master), index)


def _number(script: Script, track: Track) -> int:
    project = script.reaper.project_of(track)
    return -1 if track is project.content.master else project.tracks.index(track) + 1


@offers("GetTrackName")
def track_name(script: Script, track: Track) -> tuple[bool, str]:
    number = _number(script, track)
    return True, "MASTER" if number < 0 else track.name or f"Track {number}"


@offers("GetTrackGUID")
def track_guid(_script: Script, track: Track) -> str:
    return track.guid


@offers("GetTrackDepth")
def track_depth(script: Script, track: Track) -> int:
    return script.reaper.project_of(track).depth_of(track)


@offers("GetParentTrack")
def parent_track(script: Script, track: Track) -> Track | None:
    return script.reaper.project_of(track).parent_of(track)


@offers("IsTrackSelected")
def is_selected(_script: Script, track: Track) -> bool:
    return track.selected


@offers("SetTrackSelected")
def set_selected(_script: Script, track: Track, selected: bool) -> None:
    track.selected = selected


@offers("SetOnlyTrackSelected")
def set_only_selected(script: Script, track: Track) -> None:
    for other in script.reaper.project_of(track).tracks:
        other.selected = other is track


def _insert(project: Project, index: int, *, defaults: bool) -> None:
    if not 0 <= index <= len(project.tracks):
        index = len(project.tracks)
    # a user's default track may come with effects and a hardware input; a bare one never does
    track = Track(armed=False, fx=[Fx("VST: user's default effect")] if defaults else [])
    project.tracks.insert(index, track)
    project.touch()


@offers("InsertTrackAtIndex")
def insert_track(script: Script, index: int, defaults: bool) -> None:
    _insert(script.reaper.active, index, defaults=defaults)


@offers("InsertTrackInProject")
def insert_track_in_project(_script: Script, project: Project, index: int, flags: int) -> None:
    _insert(project, index, defaults=bool(flags & 1))


@offers("DeleteTrack")
def delete_track(script: Script, track: Track) -> None:
    project = script.reaper.project_of(track)
    if track is project.content.master:
        raise Refused("the master track cannot be deleted")
    project.delete_track(track)
    project.touch()
    script.reaper.refresh_handles()


@offers("GetMediaTrackInfo_Value")
def track_value(script: Script, track: Track, key: str) -> float:
    if key == "IP_TRACKNUMBER":
        return _number(script, track)
    if key in ("I_TCPH", "I_WNDH"):
        return 60
    if key == "I_TCPY":
        return max(0, _number(script, track) - 1) * 60
    if key in keys.TRACK.read_only:
        raise Refused(f"{key} is a pointer; use the function for it")
    return keys.TRACK.get(track, key)


@offers("SetMediaTrackInfo_Value")
def set_track_value(script: Script, track: Track, key: str, value: float) -> bool:
    keys.TRACK.set(track, key, value)
    script.reaper.project_of(track).touch()
    return True


@offers("GetSetMediaTrackInfo_String")
def track_string(script: Script, track: Track, key: str, value: str, is_set: bool) -> tuple[bool, str]:
    if is_set:
        keys.set_string(track, key, value, keys.TRACK_STRINGS, keys.TRACK_STRINGS_KEPT)
        script.reaper.project_of(track).touch()
        return True, value
    found = keys.string_of(track, key, keys.TRACK_STRINGS, keys.TRACK_STRINGS_KEPT)
    return found is not None, found or ""


@offers("GetTrackStateChunk")
def track_chunk(_script: Script, track: Track, _text: str, _undo: bool) -> tuple[bool, str]:
    from tests.reaper.model.rpp import track_lines

    return True, "\n".join(track_lines(track)) + "\n"


@offers("GetTrackColor")
def track_colour(_script: Script, track: Track) -> int:
    return track.colour if track.colour & 0x1000000 else 0


@offers("SetTrackColor")
def set_track_colour(_script: Script, track: Track, colour: int) -> None:
    track.colour = (colour & 0xFFFFFF) | 0x1000000 if colour else 0


@offers("AnyTrackSolo")
def any_solo(_script: Script, project: Project) -> bool:
    return any(track.solo for track in project.tracks)


def _sends(script: Script, track: Track, category: int) -> list[Send]:
    sends = script.reaper.project_of(track).content.sends
    if category < 0:
        return [send for send in sends if send.target_uid == track.uid]
    if category == 0:
        return [send for send in sends if send.source_uid == track.uid]
    return []


@offers("GetTrackNumSends")
def count_sends(script: Script, track: Track, category: int) -> int:
    return len(_sends(script, track, category))


@offers("GetTrackSendInfo_Value")
def send_value(script: Script, track: Track, category: int, index: int, key: str) -> float:
    send = _at(_sends(script, track, category), index)
    names = {"D_VOL": "volume", "D_PAN": "pan", "B_MUTE": "muted"}
    if key not in names:
        raise Refused(f"there is no key {key!r}")
    return float(getattr(send, names[key])) if send else 0.0


@offers("CreateTrackSend")
def create_send(script: Script, track: Track, target: Track) -> int:
    project = script.reaper.project_of(track)
    project.content.sends.append(Send(track.uid, target.uid))
    project.touch()
    return len(_sends(script, track, 0)) - 1


@offers("GetTrackUIMute")
def ui_mute(_script: Script, track: Track) -> tuple[bool, bool]:
    return True, track.muted


@offers("GetTrackUIVolPan")
def ui_volume_and_pan(_script: Script, track: Track) -> tuple[bool, float, float]:
    return True, track.volume, track.pan


@offers("GetTrackState")
def track_state(script: Script, track: Track) -> tuple[str, int]:
    flags = (
        (1 if track.folder_depth > 0 else 0)
        | (2 if track.selected else 0)
        | (4 if track.fx else 0)
        | (8 if track.muted else 0)
        | (16 if track.solo else 0)
        | (64 if track.armed else 0)
    )
    return track_name(script, track)[1], flags


@offers("ReorderSelectedTracks")
def reorder(script: Script, before: int, make_folder: int) -> bool:
    project = script.reaper.active
    if make_folder != 0:
        raise Refused("the model reorders tracks without making folders only")
    moved = _selected(project)
    above = [track for track in project.tracks[: max(0, before)] if not track.selected]
    below = [track for track in project.tracks[max(0, before) :] if not track.selected]
    project.content.tracks[:] = [*above, *moved, *below]
    project.touch()
    return bool(moved)


@offers("CountTrackEnvelopes")
def count_envelopes(_script: Script, _track: Track) -> int:
    return 0


@offers("IsTrackVisible")
def is_visible(_script: Script, track: Track, mixer: bool) -> bool:
    return bool(keys.TRACK.get(track, "B_SHOWINMIXER" if mixer else "B_SHOWINTCP"))


@offers("MuteAllTracks")
def mute_all(script: Script, muted: bool) -> None:
    for track in script.reaper.active.tracks:
        track.muted = muted


@offers("SoloAllTracks")
def solo_all(script: Script, solo: int) -> None:
    for track in script.reaper.active.tracks:
        track.solo = solo


@offers("GetLastTouchedTrack")
def last_touched(script: Script) -> Track | None:
    return _at(_selected(script.reaper.active), 0)


@offers("DB2SLIDER")
def db_to_slider(_script: Script, db: float) -> float:
    return float(1000 * 10 ** (db / 60)) if db > -150 else 0.0


@offers("SLIDER2DB")
def slider_to_db(_script: Script, slider: float) -> float:
    return 60 * math.log10(slider / 1000) if slider > 0 else -150.0
