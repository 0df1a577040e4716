"""What else is in a Live Set: groups, frozen tracks, take lanes, returns; and whether the Set is what Live shows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from bridge.projects.als import LiveSet, read_live_set
from bridge.projects.fresh import agreed
from bridge.projects.model import ProjectTrack
from bridge.projects.rebuild import settled
from bridge.protocol import parse_request
from engine.errors import NrxError
from tests.ableton.sets import FAR_BEFORE, SetClip, clip_xml, track_xml, write_set

RATE = 44100


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(RATE), RATE)
    return path


def test_groups_returns_and_midi_tracks_do_not_break_reading_and_are_named(
    tmp_path: Path, sound: Path
) -> None:
    path = tmp_path / "a.als"
    clip = SetClip(sound, 0, 2)
    group = '<GroupTrack Id="7"><Name><EffectiveName Value="Beats" /></Name><TrackGroupId Value="-1" /></GroupTrack>'
    others = (
        group
        + track_xml("Keys", [], path, tag="MidiTrack")
        + '<ReturnTrack><Name><EffectiveName Value="A-Reverb" /></Name></ReturnTrack>'
        + track_xml("Drums", [clip], path, inside='<TrackGroupId Value="7" />')
    )
    read = read_live_set(write_set(path, tracks={"Drums": [clip, clip]}, others=others))
    assert [(track.name, track.group) for track in read.tracks] == [("Drums", ""), ("Drums", "Beats")]
    assert len(read.track("beats/drums").clips) == 1
    with pytest.raises(NrxError, match=r'2 audio tracks "Drums"; .*"Beats/Drums"'):
        read.track("Drums")
    for name, words in (("Keys", "a MIDI track"), ("beats", "a group track"), ("A-Reverb", "a return track")):
        with pytest.raises(NrxError, match=words):
            read.track(name)


def test_frozen_tracks_are_read_and_told(tmp_path: Path, sound: Path) -> None:
    path = tmp_path / "a.als"
    frozen = '<Freeze Value="true" />'
    rendered = tmp_path / "Freeze Keys.wav"
    others = track_xml(
        "Keys",
        [SetClip(rendered, 0, 8)],
        path,
        tag="MidiTrack",
        sequencer="FreezeSequencer",
        inside=frozen,
    ) + track_xml("Pad", [], path, tag="MidiTrack", inside=frozen)
    read = read_live_set(
        write_set(path, tracks={"Vox": [SetClip(sound, 0, 2)]}, inside={"Vox": frozen}, others=others)
    )
    assert read.track("Vox").files == (sound,)
    assert "as they were before" in " ".join(read.track("Vox").notes)
    assert [clip.end_beat for clip in read.track("Keys").clips] == [8]
    assert read.track("Keys").files == (rendered,)
    assert "rendered" in " ".join(read.track("Keys").notes)
    with pytest.raises(NrxError, match="a MIDI track"):
        read.track("Pad")


def test_what_a_rebuilt_track_leaves_out_is_said(tmp_path: Path, sound: Path) -> None:
    path = tmp_path / "a.als"
    lane = clip_xml(SetClip(sound, 4, 6), path)
    inside = (
        f"<TakeLanes><TakeLanes><TakeLane><ClipAutomation><Events>{lane}</Events></ClipAutomation></TakeLane>"
        "</TakeLanes></TakeLanes>"
    )
    odd = clip_xml(
        SetClip(sound, 0, 2),
        path,
        inside="<Envelopes><Envelopes><ClipEnvelope /></Envelopes></Envelopes>"
        '<GrooveSettings><GrooveId Value="3" /></GrooveSettings>',
    )
    off = clip_xml(SetClip(sound, 2, 4, extra={"Disabled": "true"}), path)
    others = (
        f'<AudioTrack><Name><EffectiveName Value="T" /></Name>{inside}<DeviceChain>'
        f"<MainSequencer><ClipSlotList><ClipSlot><Value>{lane}</Value></ClipSlot></ClipSlotList>"
        f"<Sample><ArrangerAutomation><Events>{odd}{off}</Events></ArrangerAutomation></Sample></MainSequencer>"
        "<DeviceChain><Devices><Eq8 /></Devices></DeviceChain></DeviceChain></AudioTrack>"
    )
    track = read_live_set(write_set(path, others=others)).track("T")
    assert [(clip.start_beat, clip.end_beat) for clip in track.clips] == [(0, 2)]
    said = " ".join(track.notes)
    for words in (
        "take lanes",
        "envelopes",
        "groove",
        "devices",
        "Session clips",
        "1 of its clips switched off",
    ):
        assert words in said
    assert read_live_set(write_set(path, tracks={"T": [SetClip(sound, 0, 2)]})).track("T").notes == ()


RAMP = ((FAR_BEFORE, 60.0), (4, 60.0), (8, 120.0))


def shown(sound: Path, **changes: Any) -> ProjectTrack:
    """Return what Live shows of the track that `saved` holds."""
    clip = {"input": 0, "name": "a", "start_beat": 4, "end_beat": 6, "gain_db": -6.0}
    fields = {"name": "Drums", "start_beat": 4, "end_beat": 6, "bpm": 60, "whole": True, "clips": [clip]}
    fields["clips"] = [clip | changes.pop("clip", {}), *changes.pop("more", [])]
    return ProjectTrack.model_validate(fields | changes)


def saved(tmp_path: Path, sound: Path, tempo: Any = RAMP) -> LiveSet:
    clip = SetClip(
        sound, 4, 6, extra={"Name": "a", "SampleVolume": 0.5, "FadeInLength": 0.25, "FadeOutLength": 0.5}
    )
    return read_live_set(write_set(tmp_path / "a.als", tempo=tempo, tracks={"Drums": [clip], "Vox": []}))


def test_clips_that_agree_take_fades_and_gain_from_the_set(tmp_path: Path, sound: Path) -> None:
    track = agreed(
        shown(sound, clip={"start_beat": 4.0004, "end_beat": 5.9996}), saved(tmp_path, sound), [sound]
    )
    (clip,) = track.clips
    assert (clip.fade_in_beats, clip.fade_out_beats) == (0.25, 0.5)
    assert clip.gain_db == pytest.approx(-6.0206, abs=1e-4)
    assert clip.start_beat == 4.0004
    assert track.notes == ()
    louder = agreed(shown(sound, clip={"gain_db": -3.0}), saved(tmp_path, sound), [sound])
    assert (louder.clips[0].gain_db, louder.clips[0].fade_in_beats) == (-3.0, 0)


MORE = {"input": 0, "start_beat": 8, "end_beat": 9}
CHANGES = [
    ({"clip": {"start_beat": 5, "end_beat": 7}}, 'Live shows "a" from beat 5 to 7'),
    ({"clip": {"name": "b"}}, 'Live shows "b" at beat 4, where it has "a"'),
    ({"clip": {"input": 1}}, "Live shows"),
    ({"more": [MORE]}, 'Live shows "a.wav" from beat 8 to 9'),
    ({"name": "Bass"}, 'no track "Bass"'),
    ({"name": "Vox"}, "Live shows"),
]


@pytest.mark.parametrize(("changes", "words"), CHANGES)
def test_set_with_other_clips_is_refused_where_its_tempo_changes(
    tmp_path: Path, sound: Path, changes: dict[str, Any], words: str
) -> None:
    files = [sound, tmp_path / "other.wav"]
    with pytest.raises(NrxError, match="save the Set and try again") as caught:
        agreed(shown(sound, **changes), saved(tmp_path, sound), files)
    assert caught.value.code == "input.tempo_map"
    assert words in caught.value.sentence
    steady = saved(tmp_path, sound, ((FAR_BEFORE, 60.0),))
    (note,) = agreed(shown(sound, **changes), steady, files).notes
    assert words in note
    assert "saved on 20" in note


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"bpm": 61}, "60.00 BPM at beat 0, and Live shows 61.00"),
        ({"bpm": 120}, "60.00 BPM"),
        ({"bpm": 60, "at_beat": 6}, "90.00 BPM at beat 6"),
        ({"signature": (3, 4)}, "4/4 at beat 0, and Live shows 3/4"),
    ],
)
def test_tempo_and_signature_at_the_playhead_must_be_the_sets(
    tmp_path: Path, sound: Path, fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(NrxError) as caught:
        agreed(shown(sound, **fields), saved(tmp_path, sound), [sound])
    assert words in caught.value.sentence


def test_settling_takes_the_set_out_of_the_inputs_and_is_the_same_wherever_the_playhead_is(
    tmp_path: Path, sound: Path
) -> None:
    saved(tmp_path, sound)
    fields = shown(sound, live_set=0, clip={"input": 1}).model_dump(mode="json")
    inputs = [{"path": str(tmp_path / "a.als")}, {"path": str(sound)}]
    plain = [
        settled(
            parse_request(
                {"action": "separate", "inputs": inputs, "project": fields | {"at_beat": at, "bpm": bpm}}
            )
        )
        for at, bpm in ((0, 60), (6, 90), (100, 120))
    ]
    assert plain[0] == plain[1] == plain[2]
    assert [item.path for item in plain[0].inputs] == [str(sound)]
    assert plain[0].project is not None
    assert plain[0].project.clips[0].input == 0
    assert settled(plain[0]) == plain[0]


def test_set_is_no_sound_of_a_clip(tmp_path: Path, sound: Path) -> None:
    fields = shown(sound, live_set=0).model_dump(mode="json")
    with pytest.raises(NrxError, match="as its Set and as a clip's file"):
        parse_request({"action": "separate", "inputs": [{"path": str(sound)}], "project": fields})
