"""`nrx remix project.RPP --track NAME`: tempo and audio of project files, against what the model of REAPER plays."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.config import Settings
from bridge.doors.cli.app import nrx
from bridge.projects.items import Item, SourcePart, write_items
from bridge.projects.rpp import RppProject, read_rpp
from engine.audio import Limits, probe
from engine.errors import NrxError
from tests.reaper.model import Fx, Note, Project
from tests.reaper.model.mixer import Mixer
from tests.reaper.model.rpp import save_project
from tests.reaper.model.state import Take
from tests.reaper.studio import song_file

RATE = 48000


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Project:
    return Project(tmp_path / "Nächte.RPP", tmp_path / "Media")


@pytest.fixture(name="sound")
def _sound(tmp_path: Path) -> Path:
    path = tmp_path / "Media" / "söng one.wav"
    path.parent.mkdir()
    soundfile.write(path, np.random.default_rng(5).uniform(-0.4, 0.4, (RATE, 2)), RATE, subtype="FLOAT")
    return path


def saved(project: Project) -> RppProject:
    assert project.path is not None
    save_project(project, project.path)
    return read_rpp(project.path)


def rebuilt(project: Project, name: str, target: Path) -> tuple[np.ndarray, int]:
    """Return a track's audio from the saved file (frames, channels), and the frame at which it starts."""
    start_s = write_items(saved(project).track(name).items, target, Limits())
    assert probe(target).time_reference_frames == round(start_s * RATE)
    return np.asarray(soundfile.read(target, always_2d=True)[0]), round(start_s * RATE)


def played(project: Project, name: str, start: int, frames: int) -> np.ndarray:
    """Return what the model's own mixer plays on a track, before its fader."""
    return np.asarray(Mixer(project, start / RATE, frames, RATE).track(project.track(name), fader=False))


def same(project: Project, name: str, target: Path) -> bool:
    found, start = rebuilt(project, name, target)
    wanted = played(project, name, start, len(found))
    return bool(np.max(np.abs(found - wanted)) < 1e-6)


def test_items_are_rebuilt_to_the_sample(project: Project, sound: Path, tmp_path: Path) -> None:
    track = project.add_track("Drums, dry")
    first = project.add_audio(track, sound, 1.2345)
    first.volume, first.take.volume, first.take.pan = 0.5, -0.8, 0.3  # type: ignore[union-attr]  # it has a take
    second = project.add_audio(track, sound, 1.9)
    second.take.offset_s, second.length_s, second.loop_source = 0.25, 3.3, True  # type: ignore[union-attr]
    third = project.add_audio(track, sound, 4.0)
    third.loop_source, third.length_s = False, 2.0
    for item in (first, second, third):
        item.fade_in_s = item.fade_out_s = 0.0
    project.add_audio(track, sound, 9.0).muted = True
    assert same(project, "Drums, dry", tmp_path / "out.wav")


def test_fades_take_what_is_faded_and_leave_the_rest(project: Project, sound: Path, tmp_path: Path) -> None:
    item = project.add_audio(project.add_track("A"), sound, 0.5)
    item.fade_in_s, item.auto_fade_out_s = 0.1, 0.2
    found, start = rebuilt(project, "A", tmp_path / "out.wav")
    wanted = played(project, "A", start, len(found))
    assert np.max(np.abs(found - wanted)) < 2e-4
    assert np.array_equal(found[RATE // 5 : RATE // 2], wanted[RATE // 5 : RATE // 2].astype(np.float32))


def test_the_active_take_counts(project: Project, sound: Path, tmp_path: Path) -> None:
    other = sound.with_name("other.wav")
    soundfile.write(other, np.random.default_rng(6).uniform(-0.4, 0.4, (RATE, 2)), RATE, subtype="FLOAT")
    track = project.add_track("A")
    item = project.add_audio(track, sound, 0.0)
    spare = project.add_audio(project.add_track("B"), other, 0.0).take
    assert isinstance(spare, Take)
    spare.volume, spare.pan = 0.5, -0.5
    item.takes.append(spare)
    item.active, item.fade_in_s, item.fade_out_s = 1, 0.0, 0.0
    assert same(project, "A", tmp_path / "out.wav")


def test_a_folder_is_what_lies_in_it_at_its_faders(project: Project, sound: Path, tmp_path: Path) -> None:
    project.add_track("Kit").folder_depth = 1
    kick = project.add_track("Kick")
    kick.volume, kick.pan = 0.5, -0.25
    gone = project.add_track("Gone")
    gone.muted = True
    inner = project.add_track("Tops")
    inner.folder_depth, inner.volume = 1, 0.7
    hats = project.add_track("Hats")
    hats.folder_depth, hats.volume = -2, 0.9
    after = project.add_track("After")
    for at, track in enumerate((kick, gone, hats, after)):
        item = project.add_audio(track, sound, 0.5 + at)
        item.fade_in_s = item.fade_out_s = 0.0
    assert same(project, "Kit", tmp_path / "out.wav")
    assert len(saved(project).track("Kit").items) == 2


@pytest.mark.parametrize("keeps_pitch", [True, False])
def test_a_rate_moves_time_and_only_as_a_tape_the_pitch(tmp_path: Path, keeps_pitch: bool) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(4 * RATE) / RATE)
    path = tmp_path / "tone.wav"
    soundfile.write(path, 0.4 * tone, RATE, subtype="FLOAT")
    item = Item(SourcePart(path), 0.0, 2.0, offset_s=0.5, rate=1.25, keeps_pitch=keeps_pitch)
    write_items([item], tmp_path / "out.wav", Limits())
    found = soundfile.read(tmp_path / "out.wav")[0]
    assert len(found) == 2 * RATE
    middle = found[RATE // 2 : RATE // 2 + RATE]
    peak_hz = np.argmax(np.abs(np.fft.rfft(middle * np.hanning(len(middle)))))
    assert peak_hz == pytest.approx(440 if keeps_pitch else 550, abs=2)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.4 / np.sqrt(2), rel=0.05)


def test_semitones_move_the_pitch_alone(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    soundfile.write(path, 0.4 * np.sin(2 * np.pi * 440 * np.arange(3 * RATE) / RATE), RATE, subtype="FLOAT")
    write_items([Item(SourcePart(path), 0.0, 3.0, semitones=12.0)], tmp_path / "out.wav", Limits())
    middle = soundfile.read(tmp_path / "out.wav")[0][RATE : 2 * RATE]
    assert np.argmax(np.abs(np.fft.rfft(middle))) == pytest.approx(880, abs=2)


def test_a_tape_at_another_speed_is_the_same_wave(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    soundfile.write(path, 0.4 * np.sin(2 * np.pi * 300 * np.arange(3 * RATE) / RATE), RATE, subtype="FLOAT")
    item = Item(SourcePart(path), 0.0, 1.0, offset_s=0.33333, rate=1.5, keeps_pitch=False)
    write_items([item], tmp_path / "out.wav", Limits())
    t = 0.33333 + 1.5 * np.arange(RATE) / RATE
    assert np.max(np.abs(soundfile.read(tmp_path / "out.wav")[0] - 0.4 * np.sin(2 * np.pi * 300 * t))) < 1e-4


HEAD = '<REAPER_PROJECT 0.1 "7.0" 1 0\r\n'
SECTION = """  <TRACK
    NAME Loop
    <ITEM
      POSITION 0
      LENGTH 1.5
      LOOP 1
      FADEIN 1 0 0 1 0 0 0
      FADEOUT 1 0 0 1 0 0 0
      VOLPAN 1 0 1 -1
      SOFFS 0.1 0
      PLAYRATE 1 1 0 -1 0 0.0025
      CHANMODE {channels}
      <SOURCE SECTION
        LENGTH 0.4
        MODE {mode}
        STARTPOS 0.2
        OVERLAP 0.01
        <SOURCE WAVE
          FILE "Media\\söng one.wav"
        >
      >
    >
  >
>
"""


def section_of(tmp_path: Path, mode: int, channels: int = 0) -> np.ndarray:
    path = tmp_path / "p.RPP"
    path.write_bytes(
        (HEAD + SECTION.format(mode=mode, channels=channels).replace("\n", "\r\n")).encode("cp1252")
    )
    target = tmp_path / f"out {mode} {channels}.wav"
    write_items(read_rpp(path).track("loop").items, target, Limits())
    return np.asarray(soundfile.read(target, always_2d=True)[0])


@pytest.mark.parametrize(("mode", "whole", "backwards"), [(0, 0, 0), (2, 0, 1), (3, 1, 1), (1, 1, 0)])
def test_sections_loop_and_run_backwards(
    tmp_path: Path, sound: Path, mode: int, whole: int, backwards: int
) -> None:
    source = soundfile.read(sound)[0]
    part = source if whole else source[round(0.2 * RATE) : round(0.6 * RATE)]
    part = part[::-1] if backwards else part
    wanted = part[(round(0.1 * RATE) + np.arange(round(1.5 * RATE))) % len(part)]
    assert np.array_equal(section_of(tmp_path, mode), wanted)


def test_channel_modes(tmp_path: Path, sound: Path) -> None:
    plain = section_of(tmp_path, 0)
    assert np.array_equal(section_of(tmp_path, 0, 1), plain[:, ::-1])
    assert section_of(tmp_path, 0, 2)[:, 1] == pytest.approx(plain.mean(axis=1), abs=1e-6)
    assert np.array_equal(section_of(tmp_path, 0, 4)[:, 0], plain[:, 1])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.floats(0.3, 12),
            st.floats(40, 250),
            st.sampled_from([(0, 0), (4, 4), (7, 8), (3, 4)]),
            st.booleans(),
        ),
        max_size=5,
    ),
    st.floats(0, 60),
)
def test_the_tempo_map_is_reapers(
    tmp_path: Path, steps: list[tuple[float, float, tuple[int, int], bool]], at_s: float
) -> None:
    project = Project(tmp_path / "t.RPP", tmp_path)
    time_s = 0.0
    project.add_tempo_marker(0.0, 117.5, 5, 4)
    for gap_s, bpm, signature, linear in steps:
        time_s += gap_s
        project.add_tempo_marker(time_s, bpm, *signature, linear=linear)
    read, model = saved(project).tempo_map, project.tempo_map()
    assert float(read.beats(at_s)) == pytest.approx(model.qn_at(at_s), abs=1e-6)
    # Bars are compared up to the first that a marker cuts at a place that no signature can name.
    for bar in range(8):
        start_s = model.measure_start_s(bar)
        if abs(model.qn_at(start_s) * 16 - round(model.qn_at(start_s) * 16)) > 1e-6:
            break
        assert float(read.seconds(float(read.beat_of_bar(float(bar))))) == pytest.approx(start_s, abs=1e-6)


def test_a_project_without_tempo_points_has_its_own(project: Project) -> None:
    project.set_tempo(97.0, 7, 8)
    tempo_map = saved(project).tempo_map
    assert tempo_map.bpm_at(10.0) == 97
    assert tempo_map.beat_of_bar(2.0) == 7.0


def test_what_files_do_not_hold_is_said(project: Project, sound: Path) -> None:
    track = project.add_track("Keys")
    project.add_audio(track, sound, 0.0)
    project.add_midi(track, [Note(0.0, 1.0, 60, 90, 0)])
    track.fx += [Fx("ReaEQ"), Fx("ReaComp", enabled=False)]
    said = saved(project).track("Keys").left_out
    assert said[0].startswith("Its effects (1)")
    assert said[1] == "Items that are MIDI or have no file (1) are left out."
    assert "inside REAPER" in said[-1]


def test_a_track_is_found_by_name_case_and_number(project: Project) -> None:
    for name in ("Vox", "vox", ""):
        project.add_track(name)
    read = saved(project)
    assert read.track("vox").number == 2
    assert read.track("Track 3").number == 3
    assert read.track("1").name == "Vox"
    with pytest.raises(NrxError, match='2 tracks "VOX"'):
        read.track("VOX")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "input.empty"),
        (b"junk\r\n", "input.corrupt"),
        (b"<REAPER_PROJECT 0.1\r\n  <TRACK\r\n", "input.corrupt"),
        (b"<REAPER_PROJECT 0.1\r\n  TEMPO fast 4 4\r\n>\r\n", "input.corrupt"),
        (b"<REAPER_PROJECT 0.1\r\n<TEMPOENVEX\r\nPT 0 0 1\r\n>\r\n>\r\n", "input.corrupt"),
        (b'<REAPER_PROJECT 0.1\r\n<TRACK\r\n<ITEM\r\nLENGTH 1e999\r\n>\r\n>\r\n>\r\n', "input.corrupt"),
    ],
)  # fmt: skip
def test_what_is_no_project_is_refused_in_a_sentence(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "no.RPP"
    path.write_bytes(content)
    with pytest.raises(NrxError) as caught:
        read_rpp(path)
    assert caught.value.code == code
    assert "no.RPP" in caught.value.sentence


def test_states_of_plugins_are_passed_over(tmp_path: Path, sound: Path) -> None:
    path = tmp_path / "p.RPP"
    blob = "  <FXCHAIN\r\n    BYPASS 0 0 0\r\n    <VST x\r\n      <INNER\r\n      >\r\n      QUJD\r\n    >\r\n  >\r\n"
    body = SECTION.format(mode=0, channels=0).replace("\n", "\r\n").replace("    <ITEM", blob + "    <ITEM")
    path.write_bytes((HEAD + body).encode())
    track = read_rpp(path).track("Loop")
    assert len(track.items) == 1
    assert track.left_out[0].startswith("Its effects (1)")


def run_command(*arguments: str) -> tuple[int, str]:
    """Run `nrx`; return its exit code and what it said, a refusal's sentence included."""
    done = CliRunner().invoke(nrx, list(arguments))
    return done.exit_code, f"{done.output}{done.exception or ''}"


@pytest.mark.parametrize(
    ("track", "said"),
    [(None, 'Say which track of "Nächte.RPP"'), ("Brass", 'no track "Brass"'), ("Empty", "has no audio")],
)
def test_the_command_says_what_is_missing(
    project: Project, sound: Path, track: str | None, said: str
) -> None:
    project.add_audio(project.add_track("Drums"), sound, 0.0)
    project.add_track("Empty")
    saved(project)
    words = ["--track", track] if track else []
    code, output = run_command("remix", str(project.path), "--style", "jazz", *words)
    assert code != 0
    assert said in output


def test_media_that_is_gone_is_named(project: Project, sound: Path) -> None:
    project.add_audio(project.add_track("Drums"), sound, 0.0)
    saved(project)
    sound.unlink()
    code, output = run_command("remix", str(project.path), "--style", "jazz", "--track", "Drums")
    assert code != 0
    assert "söng one.wav" in output


@pytest.mark.slow
def test_a_track_of_a_project_becomes_a_remix_on_its_bars(
    project: Project, tmp_path: Path, own_home: Path
) -> None:
    project.add_tempo_marker(0.0, 120.0, 4, 4)
    project.add_tempo_marker(3.0, 120.0, 7, 8, linear=True)
    project.add_tempo_marker(6.0, 132.0)
    project.add_audio(project.add_track("Söng"), song_file(tmp_path / "Media" / "song.wav"), 2.0)
    saved(project)
    arguments = ["remix", str(project.path), "--track", "Söng", "--style", "lofi_chill", "--json"]
    code, output = run_command(*arguments, "--out", str(tmp_path / "returns"))
    assert code == 0, output
    [manifest] = (tmp_path / "returns").glob("*/manifest.json")
    read = json.loads(manifest.read_bytes())
    assert read["timeline"]["start_s"] == 2.0
    tempo, bars = project.tempo_map(), read["timeline"]["downbeats_s"]
    wanted = [tempo.measure_start_s(bar) - 2.0 for bar in range(1, 20)]
    assert bars == pytest.approx([at for at in wanted if at >= 0][: len(bars)], abs=1e-6)
    assert Settings(home=own_home).returns_folder.exists() is False
