"""Tempo and time signature: the markers, and what the map says at a time, a position, a measure."""

import copy

from tests.reaper.model.failures import Refused
from tests.reaper.model.project import Project
from tests.reaper.model.registry import offers
from tests.reaper.model.script import Script
from tests.reaper.model.tempo import EPSILON, TempoMarker


@offers("CountTempoTimeSigMarkers")
def count_markers(_script: Script, project: Project) -> int:
    return len(project.content.tempo_markers)


@offers("GetTempoTimeSigMarker")
def tempo_marker(
    script: Script, project: Project, index: int
) -> tuple[bool, float, int, float, float, int, int, bool]:
    markers = project.content.tempo_markers
    if not 0 <= index < len(markers):
        return False, 0.0, 0, 0.0, 0.0, 0, 0, False
    marker = markers[index]
    measure, beat = project.tempo_map().measure_at(marker.time_s)
    unset = script.reaper.unset_signature
    numerator, denominator = (
        (marker.numerator, marker.denominator) if marker.numerator > 0 else (unset, unset)
    )
    return True, marker.time_s, measure, beat, marker.bpm, numerator, denominator, marker.linear


@offers("SetTempoTimeSigMarker")
def set_tempo_marker(
    _script: Script,
    project: Project,
    index: int,
    time_s: float,
    measure: int,
    beat: float,
    bpm: float,
    numerator: int,
    denominator: int,
    linear: bool,
) -> bool:
    markers = copy.deepcopy(project.content.tempo_markers)
    if index < -1 or index >= len(markers):
        return False
    if not 1 <= bpm <= 960:
        raise Refused(f"a tempo of {bpm:g} is outside 1 to 960 bpm")
    if (numerator > 0) != (denominator > 0):
        raise Refused(f"the signature {numerator}/{denominator} is half a signature")
    if time_s < 0:
        if measure < 0:
            raise Refused("neither a time nor a measure is given")
        tempo = project.tempo_map()
        run = tempo.run_of_measure(measure)
        time_s = tempo.time_at(tempo.measure_start_qn(measure) + max(0.0, beat) * 4 / run.denominator)
    new = TempoMarker(time_s, bpm, max(0, numerator), max(0, denominator), linear)
    if index >= 0:
        del markers[index]
    # two markers cannot be at one place: the later one takes it
    markers = [marker for marker in markers if abs(marker.time_s - time_s) > EPSILON]
    project.change_tempo([*markers, new])
    project.touch()
    return True


@offers("AddTempoTimeSigMarker")
def add_tempo_marker(
    script: Script,
    project: Project,
    time_s: float,
    bpm: float,
    numerator: int,
    denominator: int,
    linear: bool,
) -> bool:
    return set_tempo_marker(script, project, -1, time_s, -1, -1.0, bpm, numerator, denominator, linear)


@offers("DeleteTempoTimeSigMarker")
def delete_tempo_marker(_script: Script, project: Project, index: int) -> bool:
    markers = list(project.content.tempo_markers)
    if not 0 <= index < len(markers):
        return False
    del markers[index]
    project.change_tempo(markers)
    project.touch()
    return True


@offers("FindTempoTimeSigMarker")
def find_tempo_marker(_script: Script, project: Project, time_s: float) -> int:
    times = [marker.time_s for marker in project.content.tempo_markers]
    return sum(at <= time_s + EPSILON for at in times) - 1


@offers("GetSetTempoTimeSigMarkerFlag")
def tempo_marker_flag(_script: Script, project: Project, index: int, _flag: int, is_set: bool) -> int:
    if is_set:
        raise Refused("the model sets no flags of tempo markers")
    markers = project.content.tempo_markers
    if not 0 <= index < len(markers):
        return 0
    return 1 if markers[index].numerator > 0 else 0


@offers("TimeMap_GetTimeSigAtTime")
def signature_at(_script: Script, project: Project, time_s: float) -> tuple[int, int, float]:
    tempo = project.tempo_map()
    run = tempo.signature_at(time_s)
    return run.numerator, run.denominator, tempo.bpm_at(time_s)


@offers("TimeMap_GetMeasureInfo")
def measure_info(
    _script: Script, project: Project, measure: int
) -> tuple[float, float, float, int, int, float]:
    tempo = project.tempo_map()
    run = tempo.run_of_measure(measure)
    start_s = tempo.measure_start_s(measure)
    start_qn, end_qn = tempo.padded_measure_start_qn(measure), tempo.padded_measure_start_qn(measure + 1)
    return start_s, start_qn, end_qn, run.numerator, run.denominator, tempo.bpm_at(start_s)


@offers("TimeMap2_timeToBeats")
def time_to_beats(_script: Script, project: Project, time_s: float) -> tuple[float, int, int, float, int]:
    tempo = project.tempo_map()
    measure, beats = tempo.measure_at(time_s)
    run = tempo.run_of_measure(measure)
    return beats, measure, run.numerator, tempo.full_beats_at(time_s), run.denominator


@offers("TimeMap2_beatsToTime")
def beats_to_time(_script: Script, project: Project, beats: float, measure: int | None) -> float:
    tempo = project.tempo_map()
    if measure is None:
        return tempo.time_of_full_beats(beats)
    run = tempo.run_of_measure(measure)
    return tempo.time_at(tempo.measure_start_qn(measure) + beats * 4 / run.denominator)


@offers("TimeMap2_timeToQN")
def time_to_qn(_script: Script, project: Project, time_s: float) -> float:
    return project.tempo_map().padded_qn_at(time_s)


@offers("TimeMap2_QNToTime")
def qn_to_time(_script: Script, project: Project, qn: float) -> float:
    return project.tempo_map().time_of_padded_qn(qn)


@offers("TimeMap_timeToQN")
def active_time_to_qn(script: Script, time_s: float) -> float:
    return time_to_qn(script, script.reaper.active, time_s)


@offers("TimeMap_QNToTime")
def active_qn_to_time(script: Script, qn: float) -> float:
    return qn_to_time(script, script.reaper.active, qn)


@offers("TimeMap_timeToQN_abs")
def time_to_qn_abs(_script: Script, project: Project, time_s: float) -> float:
    return project.tempo_map().qn_at(time_s)


@offers("TimeMap_QNToTime_abs")
def qn_to_time_abs(_script: Script, project: Project, qn: float) -> float:
    return project.tempo_map().time_at(qn)


@offers("TimeMap_QNToMeasures")
def qn_to_measures(_script: Script, project: Project, qn: float) -> tuple[int, float, float]:
    tempo = project.tempo_map()
    measure, _ = tempo.measure_at(tempo.time_of_padded_qn(qn))
    # this one counts measures from 1
    return measure + 1, tempo.padded_measure_start_qn(measure), tempo.padded_measure_start_qn(measure + 1)


@offers("TimeMap2_GetNextChangeTime")
def next_change(_script: Script, project: Project, time_s: float) -> float:
    found = project.tempo_map().next_change_s(time_s)
    return -1.0 if found is None else found


@offers("TimeMap2_GetDividedBpmAtTime")
def divided_bpm(_script: Script, project: Project, time_s: float) -> float:
    tempo = project.tempo_map()
    return tempo.bpm_at(time_s) * tempo.signature_at(time_s).denominator / 4


@offers("TimeMap_GetDividedBpmAtTime")
def active_divided_bpm(script: Script, time_s: float) -> float:
    return divided_bpm(script, script.reaper.active, time_s)


@offers("GetProjectTimeSignature2")
def project_signature(_script: Script, project: Project) -> tuple[float, float]:
    return project.content.bpm, float(project.content.numerator)


@offers("GetProjectTimeSignature")
def active_signature(script: Script) -> tuple[float, float]:
    return project_signature(script, script.reaper.active)


@offers("Master_GetTempo")
def master_tempo(script: Script) -> float:
    project = script.reaper.active
    at_s = project.play_position_s if project.play_state & 1 else project.cursor_s
    return project.tempo_map().bpm_at(at_s)


@offers("SetCurrentBPM")
def set_bpm(_script: Script, project: Project, bpm: float, want_undo: bool) -> None:
    if want_undo:
        raise Refused("makes an undo point of its own; call it with wantUndo false inside a block")
    content = project.content
    if content.tempo_markers:
        markers = copy.deepcopy(content.tempo_markers)
        at = max(0, sum(marker.time_s <= project.cursor_s + EPSILON for marker in markers) - 1)
        markers[at].bpm = bpm
        project.change_tempo(markers)
    else:
        project.change_tempo([], base=(bpm, content.numerator, content.denominator))
    project.touch()


@offers("UpdateTimeline")
def update_timeline(_script: Script) -> None:
    return None
