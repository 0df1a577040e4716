"""Takes and media sources. A source belongs to one take, or to the script that made it until it destroys it."""

from pathlib import Path

from tests.reaper.model import keys
from tests.reaper.model.api.items import track_of
from tests.reaper.model.failures import Refused
from tests.reaper.model.project import source_of
from tests.reaper.model.registry import offers
from tests.reaper.model.script import Script
from tests.reaper.model.state import Item, Source, Take, Track


def _item_of(script: Script, take: Take) -> Item:
    project = script.reaper.project_of(take)
    return next(item for item in project.content.items() if any(other is take for other in item.takes))


@offers("AddTakeToMediaItem")
def add_take(script: Script, item: Item) -> Take:
    take = Take()
    item.takes.append(take)
    item.active = len(item.takes) - 1
    script.reaper.project_of(item).touch()
    return take


@offers("GetActiveTake")
def active_take(_script: Script, item: Item) -> Take | None:
    return item.take


@offers("SetActiveTake")
def set_active_take(script: Script, take: Take) -> None:
    item = _item_of(script, take)
    item.active = next(index for index, other in enumerate(item.takes) if other is take)


@offers("CountTakes", "GetMediaItemNumTakes")
def count_takes(_script: Script, item: Item) -> int:
    return len(item.takes)


@offers("GetTake", "GetMediaItemTake")
def take_at(_script: Script, item: Item, index: int) -> Take | None:
    return item.takes[index] if 0 <= index < len(item.takes) else None


@offers("GetMediaItemTake_Item")
def take_item(script: Script, take: Take) -> Item:
    return _item_of(script, take)


@offers("GetMediaItemTake_Track")
def take_track(script: Script, take: Take) -> Track:
    return track_of(script, _item_of(script, take))


@offers("GetMediaItemTake_Source")
def take_source(_script: Script, take: Take) -> Source | None:
    return take.source


@offers("SetMediaItemTake_Source")
def set_take_source(script: Script, take: Take, source: Source) -> bool:
    if source.uid not in script.loose_sources:
        raise Refused("the source is in a take already; two takes with one source crash REAPER")
    del script.loose_sources[source.uid]
    if take.source is not None:
        script.loose_sources[take.source.uid] = take.source
    take.source = source
    script.reaper.project_of(take).touch()
    return True


@offers("GetMediaItemTakeInfo_Value")
def take_value(script: Script, take: Take, key: str) -> float:
    if key == "IP_TAKENUMBER":
        return float(_item_of(script, take).takes.index(take))
    if key in keys.TAKE.read_only:
        raise Refused(f"{key} is a pointer; use the function for it")
    return keys.TAKE.get(take, key)


@offers("SetMediaItemTakeInfo_Value")
def set_take_value(script: Script, take: Take, key: str, value: float) -> bool:
    keys.TAKE.set(take, key, value)
    script.reaper.project_of(take).touch()
    return True


@offers("GetSetMediaItemTakeInfo_String")
def take_string(script: Script, take: Take, key: str, value: str, is_set: bool) -> tuple[bool, str]:
    if is_set:
        keys.set_string(take, key, value, keys.TAKE_STRINGS)
        script.reaper.project_of(take).touch()
        return True, value
    found = keys.string_of(take, key, keys.TAKE_STRINGS)
    return found is not None, found or ""


@offers("GetTakeName")
def take_name(_script: Script, take: Take) -> str:
    return take.name


@offers("TakeIsMIDI")
def is_midi(_script: Script, take: Take) -> bool:
    return take.source is not None and take.source.kind == "MIDI"


@offers("TakeFX_GetCount")
def take_fx_count(_script: Script, take: Take) -> int:
    return len(take.fx)


@offers("PCM_Source_CreateFromFile")
def create_source(script: Script, filename: str) -> Source | None:
    try:
        source = source_of(Path(filename))
    except OSError:
        return None
    script.loose_sources[source.uid] = source
    return source


@offers("PCM_Source_CreateFromFileEx")
def create_source_ex(script: Script, filename: str, _no_midi_import: bool) -> Source | None:
    return create_source(script, filename)


@offers("PCM_Source_Destroy")
def destroy_source(script: Script, source: Source) -> None:
    if script.loose_sources.pop(source.uid, None) is None:
        raise Refused("the source is in a take; destroying it crashes REAPER")
    script.reaper.refresh_handles()


@offers("PCM_Source_BuildPeaks")
def build_peaks(script: Script, source: Source, mode: int) -> int:
    if mode not in (0, 1, 2):
        raise Refused(f"mode is 0, 1 or 2 and not {mode}")
    left = script.reaper.peaks_left
    if mode == 0:
        left[source.uid] = 0 if source.path is None else 3
    elif mode == 1:
        if source.uid not in left:
            raise Refused("mode 1 comes after mode 0")
        left[source.uid] = max(0, left[source.uid] - 1)
    else:
        left.pop(source.uid, None)
        return 0
    return left[source.uid]


@offers("GetMediaSourceFileName")
def source_file(_script: Script, source: Source) -> str:
    return str(source.path) if source.path else ""


@offers("GetMediaSourceLength")
def source_length(_script: Script, source: Source) -> tuple[float, bool]:
    if source.length_qn is not None:
        return source.length_qn, True
    return source.length_s, False


@offers("GetMediaSourceNumChannels")
def source_channels(_script: Script, source: Source) -> int:
    return 0 if source.offline else source.channels


@offers("GetMediaSourceSampleRate")
def source_rate(_script: Script, source: Source) -> int:
    return 0 if source.offline else source.sample_rate


@offers("GetMediaSourceType")
def source_type(_script: Script, source: Source) -> str:
    return source.kind


@offers("GetMediaSourceParent")
def source_parent(_script: Script, _source: Source) -> Source | None:
    return None


@offers("InsertMedia")
def insert_media(script: Script, filename: str, mode: int) -> int:
    project = script.reaper.active
    if mode & ~(1 | 128 | 256):
        raise Refused(f"the model does not insert media with mode {mode}")
    try:
        source = source_of(Path(filename))
    except OSError:
        return 0
    if mode & 1:
        track = Track(name=Path(filename).stem)
        project.tracks.append(track)
    else:
        chosen = [track for track in project.tracks if track.selected]
        if not chosen:
            raise Refused("no track is selected to insert media on")
        track = chosen[0]
    tempo = project.tempo_map()
    length_s = source.length_s
    if source.length_qn is not None:
        length_s = tempo.time_at(tempo.qn_at(project.cursor_s) + source.length_qn) - project.cursor_s
    # the preference "loop source for new items" is on in a fresh REAPER
    item = Item(
        position_s=project.cursor_s,
        length_s=length_s,
        takes=[Take(source=source, name=Path(filename).name)],
        loop_source=not mode & 128,
    )
    track.items.append(item)
    project.touch()
    return 1
