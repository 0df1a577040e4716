"""Live Sets: tempo, signatures, locators and clips of each generation; the track rebuilt to the sample."""

import gzip
import json
import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from bridge.config import Settings
from bridge.projects.als import read_live_set
from bridge.projects.rebuild import TrackToBuild, settled
from bridge.protocol import Request, parse_request
from engine.audio import probe
from engine.errors import NrxError
from engine.stages import StageCache, Stages
from tests.ableton.sets import FAR_BEFORE, SetClip, write_set
from tests.songs import song

RATE = 44100
RAMPS = ((FAR_BEFORE, 60.0), (4, 60.0), (8, 120.0), (12, 200.0))
LOCATORS = ((0, "A"), (4, "B"), (5.5, "D"), (8, "C & co"), (10, "Z"), (20, "E"))


def ramps_s(beat: float) -> float:
    """The ramps' time at a beat, by the integral, in small steps of its own."""
    beats = np.linspace(0, beat, 200_001)
    bpm = np.interp(beats, [0, 4, 8, 12, 1e9], [60, 60, 120, 200, 200])
    return float(np.trapezoid(60 / bpm, beats)) if beat else 0.0


@pytest.mark.parametrize("generation", [8, 9, 10, 11, 12])
def test_tempo_and_locators_of_every_generation(tmp_path: Path, generation: int) -> None:
    path = write_set(
        tmp_path / "Sét.als",
        generation,
        tempo=RAMPS,
        locators=LOCATORS,
        signatures=((FAR_BEFORE, 302), (6, 200)),
    )
    read = read_live_set(path)
    assert [locator.name for locator in read.locators] == [name for _, name in LOCATORS]
    for locator in read.locators:
        assert locator.at_s == pytest.approx(ramps_s(locator.beat), abs=1e-6)
    assert [(s.start_bar, s.numerator, s.denominator) for s in read.tempo_map.signatures] == [
        (0, 6, 8),
        (2, 3, 4),
    ]


def test_two_tempos_at_one_beat_are_a_step(tmp_path: Path) -> None:
    points = ((FAR_BEFORE, 120.0), (4, 120.0), (4, 60.0), (8, 120.0), (8, 240.0))
    tempo_map = read_live_set(write_set(tmp_path / "a.als", tempo=points)).tempo_map
    assert tempo_map.seconds(4.0) == pytest.approx(2.0, abs=1e-9)
    ramp_s = 60 * 4 / 60 * math.log(2)
    assert tempo_map.seconds(8.0) == pytest.approx(2 + ramp_s, abs=1e-6)
    assert tempo_map.seconds(12.0) == pytest.approx(3 + ramp_s, abs=1e-6)


def test_curved_tempo_lies_between_its_ends_and_off_the_line(tmp_path: Path) -> None:
    controls = 'CurveControl1X="0.9" CurveControl1Y="0.1" CurveControl2X="0.9" CurveControl2Y="0.1"'
    points = ((FAR_BEFORE, 100.0), (0, 100.0), (8, 200.0))
    tempo_map = read_live_set(write_set(tmp_path / "a.als", tempo=points, curve=controls)).tempo_map
    assert 100 < tempo_map.bpm_at(4.0) < 140
    assert tempo_map.bpm_at(8.0) == 200


def _packed(text: bytes) -> bytes:
    return gzip.compress(text, mtime=0)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "input.empty"),
        (b"junk!", "input.corrupt"),
        (_packed(b"<Ableton/>"), "input.corrupt"),
        (_packed(b"<Ableton><LiveSet>"), "input.corrupt"),
        (_packed(b"<Ableton><LiveSet><MainTrack/></LiveSet></Ableton>"), "input.corrupt"),
        (_packed(b'<!DOCTYPE a [<!ENTITY x "y">]><Ableton>&x;</Ableton>'), "input.corrupt"),
        (_packed(b"<Ableton>" * 9)[:-9], "input.corrupt"),
    ],
)
def test_what_is_no_set_is_refused_in_a_sentence(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "no.als"
    path.write_bytes(content)
    with pytest.raises(NrxError) as caught:
        read_live_set(path)
    assert caught.value.code == code
    assert "no.als" in caught.value.sentence


def test_gzip_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.projects.als.LARGEST_XML_BYTES", 1 << 20)
    path = tmp_path / "bomb.als"
    path.write_bytes(gzip.compress(b"<Ableton>" + b" " * (2 << 20)))
    with pytest.raises(NrxError, match="larger than any Set"):
        read_live_set(path)


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    (tmp_path / "Sämples").mkdir()
    path = tmp_path / "Sämples" / "drums & bass.wav"
    soundfile.write(path, song(bars=2, bpm=120.0), RATE, subtype="PCM_24")
    return path


def rebuilt(path: Path, name: str, home: Path) -> tuple[Request, np.ndarray, int]:
    """Return the plain request of a track, its audio (frames, channels) and the frame at which it starts."""
    read = read_live_set(path)
    track = read.track(name)
    request = parse_request(
        {
            "action": "separate",
            "inputs": [{"path": str(file)} for file in (*track.files, path)],
            "project": read.project(track, live_set=len(track.files)).model_dump(mode="json"),
        }
    )
    settings = Settings(home=home)
    stages = Stages(StageCache(home / "cache", 1 << 30), (("rebuild", 1.0),))
    plain, _, (source,) = TrackToBuild.of(request, settings, None).built(request, settings, stages)
    file = source.path
    samples, rate = soundfile.read(file, dtype="float64", always_2d=True)
    assert rate == RATE
    return plain, samples, probe(file).time_reference_frames


@pytest.mark.parametrize("generation", [10, 11, 12])
def test_unwarped_clips_are_rebuilt_to_the_sample(
    tmp_path: Path, own_home: Path, sound: Path, generation: int
) -> None:
    source, _ = soundfile.read(sound, dtype="float64")
    clips = [
        SetClip(sound, 5.5, 7.0, loop=(0.25, 4.0)),
        SetClip(sound, 14.0, 15.0, loop=(1.0, 4.0), extra={"SampleVolume": 0.5}),
        SetClip(sound, 9.0, 10.0, extra={"Disabled": "true"}),
    ]
    path = write_set(tmp_path / "a.als", generation, tempo=RAMPS, tracks={"Keys": [], "Drums": clips})
    plain, samples, start = rebuilt(path, "drums", own_home)
    assert start == round(ramps_s(5.5) * RATE)
    expected = np.zeros_like(samples)
    for clip, offset_s, gain in ((clips[0], 0.25, 1.0), (clips[1], 1.0, 0.5)):
        at, until = (round(ramps_s(beat) * RATE) - start for beat in (clip.start, clip.end))
        first = round(offset_s * RATE)
        expected[at:until] = gain * source[first : first + until - at]
    assert len(samples) == round(ramps_s(15.0) * RATE) - start
    np.testing.assert_allclose(samples, expected, atol=1e-7)
    assert plain.tempo_map is not None
    assert plain.inputs[0].name == "Drums.wav"


def test_warped_loop_at_the_songs_tempo_is_rebuilt_to_the_sample(
    tmp_path: Path, own_home: Path, sound: Path
) -> None:
    source, _ = soundfile.read(sound, dtype="float64")
    clip = SetClip(sound, 0, 10, warped=True, loop=(2, 6), start_relative=1, loop_on=True)
    path = write_set(tmp_path / "a.als", tracks={"Loop": [clip]})
    _, samples, start = rebuilt(path, "Loop", own_home)
    assert start == 0
    half = RATE // 2
    pieces = [source[3 * half : 6 * half], source[2 * half : 6 * half], source[2 * half : 5 * half]]
    np.testing.assert_allclose(samples, np.concatenate(pieces), atol=1e-7)


def test_stretched_clip_keeps_its_beats_in_time(tmp_path: Path, own_home: Path) -> None:
    clicks = np.zeros(4 * RATE)
    clicks[:: RATE // 2] = 0.8
    tone = np.sin(2 * np.pi * 880 * np.arange(600) / RATE) * np.hanning(600)
    clicks = np.convolve(clicks, tone)[: 4 * RATE]
    file = tmp_path / "clicks.wav"
    soundfile.write(file, clicks, RATE)
    for mode, tolerance_s in ((4, 0.012), (3, 0.002)):
        clip = SetClip(file, 0, 8, warped=True, loop=(0, 8), extra={"WarpMode": mode})
        path = write_set(tmp_path / "a.als", tempo=((FAR_BEFORE, 100.0),), tracks={"T": [clip]})
        _, samples, _ = rebuilt(path, "T", own_home / str(mode))
        assert len(samples) == round(4.8 * RATE)
        for beat in range(1, 7):
            near = np.abs(samples[round((beat * 0.6 - 0.2) * RATE) : round((beat * 0.6 + 0.2) * RATE), 0])
            centre = float(np.sum(near**2 * np.arange(near.size)) / np.sum(near**2)) / RATE - 0.2
            assert centre == pytest.approx(300 / RATE * (1.2 if mode == 3 else 1.0), abs=tolerance_s)


def test_set_that_live_does_not_show_any_more_is_refused(tmp_path: Path, sound: Path) -> None:
    path = write_set(tmp_path / "a.als", tempo=RAMPS)
    fields = {
        "action": "separate",
        "inputs": [{"path": str(sound)}, {"path": str(path)}],
        "project": {
            "name": "T", "start_beat": 0, "end_beat": 4, "bpm": 120, "at_beat": 0, "live_set": 1,
            "clips": [{"input": 0, "start_beat": 0, "end_beat": 4}],
        },
    }  # fmt: skip
    with pytest.raises(NrxError, match="save the Set"):
        settled(parse_request(fields))
    fields["project"]["clips"][0]["input"] = 2  # type: ignore[index]
    with pytest.raises(NrxError, match="input 2"):
        parse_request(fields)


def test_command_line_remixes_a_track_of_a_set(tmp_path: Path, sound: Path) -> None:
    from bridge.doors.cli.commands.remix import command

    clip = SetClip(sound, 4, 12, loop=(0, 4))
    path = write_set(tmp_path / "Set.als", tracks={"Drums": [clip], "Vox": []})
    arguments = [str(path), "--style", "jazz", "--out", str(tmp_path / "out"), "--json"]
    told = CliRunner().invoke(command, arguments)
    assert "Drums" in str(told.exception)
    told = CliRunner().invoke(command, [*arguments, "--track", "Bass"])
    assert 'no audio track "Bass"' in str(told.exception)
    told = CliRunner().invoke(command, [*arguments, "--track", "Drums"], catch_exceptions=False)
    assert told.exit_code == 0
    (manifest,) = (tmp_path / "out").glob("*/manifest.json")
    said = json.loads(manifest.read_bytes())
    assert Path(said["folder"]).name == "Drums - jazz"
    assert {track["start_frame"] for track in said["tracks"]} == {2 * RATE}
    assert said["timeline"]["tempo_map"]["segments"][0]["bpm"] == 120.0


KNOWN = {
    "automation.als": {
        "A": 0,
        "B": 4,
        "D": 5.6218604324,
        "C": 6.7725887222,
        "Z": 7.6356349396,
        "E": 8.9050655335,
    },
    "L12-automation.als": {"A": 0, "B": 4, "D": 5.6218604324, "C": 6.7725887222, "E": 8.9050655335},
    "automation-intense.als": {"X": 0.7452763515, "D": 4.2920256817, "1": 7.7229876056, "YY": 10.7355441697},
    "live9-markers-noauto.als": {"Live9Marker": 14.2222222222, "Live9Marker3": 56.8888888889},
}


@pytest.mark.parametrize("name", KNOWN)
def test_sets_saved_by_live_have_their_known_times(name: str) -> None:
    path = Path(__file__).parents[3] / "shared" / "als" / name
    if not path.is_file():
        return  # an extra where these files are: the Sets above have the same form
    at = {locator.name: locator.at_s for locator in read_live_set(path).locators}
    for locator, at_s in KNOWN[name].items():
        assert at[locator] == pytest.approx(at_s, abs=1e-3)
