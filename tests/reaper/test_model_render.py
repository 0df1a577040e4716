"""Rendering writes what the project sounds like, by the RENDER_* settings, at once or in the background, or fails."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.reaper.model import Fx, Note, Project, Reaper, RenderOptions, Source
from tests.reaper.model_kit import failures_of, passes, refuses, value_of, write_sound

RATE = 48000
FLOAT_32, PCM_24, PCM_16 = "ZXZhdyAAAQ==", "ZXZhdxgAAQ==", "ZXZhdxAAAQ=="


@pytest.fixture
def reaper(tmp_path: Path) -> Reaper:
    model = Reaper(tmp_path)
    settings(model.project, tmp_path / "job")
    return model


def settings(project: Project, folder: Path, **values: float) -> None:
    """Set the project as the user might have, so that a snippet need only render."""
    project.render |= {
        "RENDER_SETTINGS": 3,
        "RENDER_BOUNDSFLAG": 0,
        "RENDER_STARTPOS": 0,
        "RENDER_ENDPOS": 2,
        "RENDER_TAILFLAG": 0,
        **values,
    }
    project.render_strings |= {
        "RENDER_FILE": str(folder),
        "RENDER_PATTERN": "source",
        "RENDER_FORMAT": FLOAT_32,
    }


RENDER = "reaper.Main_OnCommandEx(42230, 0, 0)"


def rendered(reaper: Reaper, name: str = "source.wav") -> np.ndarray:
    """Render and return the file's samples."""
    passes(reaper, RENDER)
    return read(reaper, name)


def read(reaper: Reaper, name: str = "source.wav") -> np.ndarray:
    return np.asarray(soundfile.read(reaper.folder / "job" / name, always_2d=True)[0])


def padded(sound: np.ndarray, at: int, frames: int = 2 * RATE) -> np.ndarray:
    whole = np.zeros((frames, 2))
    whole[at : at + len(sound)] = sound[: frames - at]
    return whole


def test_stem_is_the_item_at_its_place_to_the_sample(reaper: Reaper, tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "a.wav", 1.0)
    track = reaper.project.add_track("A", selected=True, volume=0.5, pan=-0.5)
    reaper.project.add_audio(track, tmp_path / "a.wav", 0.25, volume=0.5)
    np.testing.assert_allclose(rendered(reaper), padded(sound * 0.25 * [1, 0.5], 12000), atol=1e-7)


def test_bounds_offset_and_length_cut_the_item(reaper: Reaper, tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "a.wav", 1.0)
    track = reaper.project.add_track("A", selected=True)
    reaper.project.add_audio(track, tmp_path / "a.wav", 1.0, offset_s=0.25, length_s=0.5)
    settings(reaper.project, tmp_path / "job", RENDER_STARTPOS=1.25, RENDER_ENDPOS=2.25)
    np.testing.assert_allclose(rendered(reaper), padded(sound[24000:36000], 0, RATE), atol=1e-7)


def test_looped_item_repeats_its_source(reaper: Reaper, tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "a.wav", 0.5)
    track = reaper.project.add_track("A", selected=True)
    item = reaper.project.add_audio(track, tmp_path / "a.wav", 0.0, length_s=2.0)
    np.testing.assert_allclose(rendered(reaper), np.tile(sound, (4, 1)), atol=1e-7)
    item.loop_source = False
    (tmp_path / "job" / "source.wav").unlink()
    np.testing.assert_allclose(rendered(reaper), padded(sound, 0), atol=1e-7)


def test_fades_are_applied(reaper: Reaper, tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "a.wav", 1.0)
    track = reaper.project.add_track("A", selected=True)
    reaper.project.add_audio(track, tmp_path / "a.wav", fade_in_s=0.1, auto_fade_out_s=0.1, fade_out_s=0.5)
    gain = np.ones(RATE)
    gain[:4800] = np.arange(4800) / 4800
    gain[-4800:] = np.arange(4800, 0, -1) / 4800
    np.testing.assert_allclose(rendered(reaper), padded(sound * gain[:, None], 0), atol=1e-7)


def test_folder_holds_its_children_and_receives_what_is_sent(reaper: Reaper, tmp_path: Path) -> None:
    one = write_sound(tmp_path / "a.wav", 1.0, seed=1)
    two = write_sound(tmp_path / "b.wav", 1.0, seed=2)
    project = reaper.project
    folder = project.add_track("Folder", selected=True, folder_depth=1, volume=0.5)
    child = project.add_track("Child", folder_depth=-1)
    other = project.add_track("Other")
    project.add_audio(child, tmp_path / "a.wav")
    project.add_audio(other, tmp_path / "b.wav")
    np.testing.assert_allclose(rendered(reaper), padded(one * 0.5, 0), atol=1e-7)
    project.select(child)
    passes(
        reaper,
        "reaper.CreateTrackSend(reaper.GetTrack(0, 2), reaper.GetTrack(0, 1))",
    )
    (tmp_path / "job" / "source.wav").unlink()
    np.testing.assert_allclose(rendered(reaper), padded(one + two, 0), atol=1e-7)
    assert folder.volume == 0.5


def test_effects_and_instruments_are_heard(reaper: Reaper, tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "a.wav", 1.0)
    halves = Fx("Half", process=lambda samples, _rate: samples * 0.5)
    track = reaper.project.add_track("A", selected=True, fx=[halves])
    reaper.project.add_audio(track, tmp_path / "a.wav")
    np.testing.assert_allclose(rendered(reaper), padded(sound * 0.5, 0), atol=1e-7)
    keys = reaper.project.add_track("Keys")
    reaper.project.add_midi(keys, [Note(1, 2, 69)], position_s=0.0, length_s=2.0)
    reaper.project.select(keys)
    job = reaper.folder / "job" / "source.wav"
    job.unlink()
    assert not rendered(reaper).any()  # no instrument
    keys.fx.append(Fx("Piano", instrument=True))
    job.unlink()
    played = rendered(reaper)
    assert not played[: RATE // 2].any()
    assert np.abs(played[RATE // 2 : RATE]).max() > 0.1
    assert not played[RATE:].any()


@pytest.mark.parametrize("what", ["muted track", "other solo", "muted item", "offline media"])
def test_what_is_silenced_is_silent(reaper: Reaper, tmp_path: Path, what: str) -> None:
    write_sound(tmp_path / "a.wav", 1.0)
    track = reaper.project.add_track("A", selected=True)
    item = reaper.project.add_audio(track, tmp_path / "a.wav")
    other = reaper.project.add_track("B")
    silence: dict[str, Callable[[], None]] = {
        "muted track": lambda: setattr(track, "muted", True),
        "other solo": lambda: setattr(other, "solo", 1),
        "muted item": lambda: setattr(item, "muted", True),
        "offline media": lambda: setattr(item.takes[0].source or Source(), "offline", True),
    }
    assert rendered(reaper).any()
    silence[what]()
    (tmp_path / "job" / "source.wav").unlink()
    assert not rendered(reaper).any()


def test_sources_of_other_rates_are_resampled(reaper: Reaper, tmp_path: Path) -> None:
    t = np.arange(44100) / 44100
    soundfile.write(tmp_path / "a.wav", np.sin(2 * np.pi * 440 * t) * 0.5, 44100, subtype="FLOAT")
    track = reaper.project.add_track("A", selected=True)
    reaper.project.add_audio(track, tmp_path / "a.wav")
    wanted = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE) * 0.5
    np.testing.assert_allclose(rendered(reaper)[1000 : RATE - 1000, 0], wanted[1000:-1000], atol=1e-3)


@pytest.mark.parametrize(("blob", "subtype"), [(FLOAT_32, "FLOAT"), (PCM_24, "PCM_24"), (PCM_16, "PCM_16")])
def test_format_rate_and_channels_are_what_was_asked_for(
    reaper: Reaper, tmp_path: Path, blob: str, subtype: str
) -> None:
    write_sound(tmp_path / "a.wav", 1.0)
    reaper.project.add_audio(reaper.project.add_track("A", selected=True), tmp_path / "a.wav")
    settings(reaper.project, tmp_path / "job", RENDER_SRATE=96000, RENDER_CHANNELS=1)
    reaper.project.render_strings["RENDER_FORMAT"] = blob
    passes(reaper, RENDER)
    info = soundfile.info(tmp_path / "job" / "source.wav")
    assert (info.subtype, info.samplerate, info.channels, info.frames) == (subtype, 96000, 1, 192000)


def test_bare_format_code_renders_silence_as_it_was_seen_to(reaper: Reaper, tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", 1.0)
    reaper.project.add_audio(reaper.project.add_track("A", selected=True), tmp_path / "a.wav")
    reaper.project.render_strings["RENDER_FORMAT"] = "evaw"
    assert not rendered(reaper).any()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"RENDER_SETTINGS": 8}, "RENDER_SETTINGS 8"),
        ({"RENDER_BOUNDSFLAG": 3}, "RENDER_BOUNDSFLAG 3"),
        ({"RENDER_ADDTOPROJ": 1}, "adds tracks"),
        ({"RENDER_NORMALIZE": 64}, "RENDER_NORMALIZE 64"),
    ],
)
def test_settings_that_do_something_else_are_refused(
    reaper: Reaper, tmp_path: Path, values: dict[str, float], words: str
) -> None:
    reaper.project.add_track("A", selected=True)
    settings(reaper.project, tmp_path / "job", **values)
    refuses(reaper, RENDER, words)


def test_tail_and_normalizing_of_the_user_change_the_file(reaper: Reaper, tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", 1.0)
    reaper.project.add_audio(reaper.project.add_track("A", selected=True), tmp_path / "a.wav", volume=0.1)
    settings(reaper.project, tmp_path / "job", RENDER_TAILFLAG=1, RENDER_TAILMS=500, RENDER_NORMALIZE=1)
    file = rendered(reaper)
    assert len(file) == 2.5 * RATE
    assert np.abs(file).max() == pytest.approx(1.0)


def test_stems_of_several_tracks_have_names_of_their_own(reaper: Reaper, tmp_path: Path) -> None:
    for name in ("A", "B"):
        reaper.project.add_track(name, selected=True)
    targets = "select(2, reaper.GetSetProjectInfo_String(0, 'RENDER_TARGETS', '', false))"
    job = tmp_path / "job"
    assert value_of(reaper, targets) == f"{job / 'source-001.wav'};{job / 'source-002.wav'}"
    reaper.project.render_strings["RENDER_PATTERN"] = "$tracknumber $track"
    assert value_of(reaper, targets) == f"{job / '01 A.wav'};{job / '02 B.wav'}"
    reaper.project.render["RENDER_SETTINGS"] = 1
    assert value_of(reaper, targets).count(";") == 2
    reaper.render_options.suffix = "-stem"
    passes(reaper, RENDER)
    assert sorted(path.name for path in job.iterdir()) == [
        "00 master-stem.wav",
        "01 A-stem.wav",
        "02 B-stem.wav",
    ]


def test_windows_of_a_render_are_refused_unless_answered(reaper: Reaper, tmp_path: Path) -> None:
    track = reaper.project.add_track("A", selected=True)
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "source.wav").write_bytes(b"mine")
    refuses(reaper, RENDER, "overwrite", "exists already")
    reaper.answer("overwrite", False)
    passes(reaper, RENDER)
    assert (tmp_path / "job" / "source.wav").read_bytes() == b"mine"
    reaper.answer("overwrite", True)
    assert len(rendered(reaper)) == 2 * RATE
    track.selected = False
    refuses(reaper, RENDER, "Nothing to render")
    settings(reaper.project, tmp_path / "other", RENDER_ENDPOS=0)
    track.selected = True
    refuses(reaper, RENDER, "Nothing to render")


def test_no_render_while_recording(reaper: Reaper) -> None:
    reaper.project.add_track("A", selected=True)
    reaper.project.play_state = 5
    refuses(reaper, RENDER, "while REAPER records")


def test_render_in_the_background_returns_at_once_and_the_file_grows(reaper: Reaper, tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "a.wav", 1.0)
    reaper.project.add_audio(reaper.project.add_track("A", selected=True), tmp_path / "a.wav")
    reaper.render_options = RenderOptions(background=True, cycles=5)
    file = tmp_path / "job" / "source.wav"
    reaper.run_lua(RENDER)
    assert not file.exists()
    sizes = []
    busy = "reaper.EnumProjects(0x40000000) ~= nil"
    for _ in range(6):
        reaper.run_lua(f"reaper.ShowConsoleMsg(tostring({busy}) .. ' ')")
        reaper.step()
        sizes.append(file.stat().st_size)
    assert reaper.console.split() == ["true"] * 5 + ["false"]
    assert sizes[:5] == sorted(set(sizes[:5]))
    assert sizes[4] == sizes[5]
    np.testing.assert_allclose(read(reaper), padded(sound, 0), atol=1e-7)
    reaper.check()


def test_growing_file_does_not_tell_its_length(reaper: Reaper, tmp_path: Path) -> None:
    reaper.project.add_track("A", selected=True)
    reaper.render_options = RenderOptions(background=True, cycles=5)
    reaper.run_lua(RENDER)
    reaper.step()
    head = (tmp_path / "job" / "source.wav").read_bytes()
    assert head[4:8] == bytes(4)
    refuses(reaper, RENDER, "another render is going on", seconds=0)


@pytest.mark.parametrize("background", [False, True])
@pytest.mark.parametrize("fault", ["cancel", "disk_full", "silent", "short", "empty"])
def test_faults_leave_what_they_leave(tmp_path: Path, background: bool, fault: str) -> None:
    reaper = Reaper(tmp_path)
    settings(reaper.project, tmp_path / "job")
    write_sound(tmp_path / "a.wav", 2.0)
    reaper.project.add_audio(reaper.project.add_track("A", selected=True), tmp_path / "a.wav")
    reaper.render_options = RenderOptions(background=background, fault=fault)
    passes(reaper, RENDER, seconds=1.0)
    file = tmp_path / "job" / "source.wav"
    assert reaper.render_job is None
    if fault == "cancel":
        assert not file.exists()
    elif fault == "empty":
        assert file.stat().st_size == 0
    elif fault == "disk_full":
        assert 0 < file.stat().st_size < 2 * RATE * 8
        assert file.read_bytes()[4:8] == bytes(4)
    else:
        frames = {"silent": 2 * RATE, "short": RATE}[fault]
        assert len(read(reaper)) == frames
        assert read(reaper).any() == (fault == "short")


def test_closing_the_project_stops_its_render(reaper: Reaper, tmp_path: Path) -> None:
    reaper.project.add_track("A", selected=True)
    reaper.render_options = RenderOptions(background=True, cycles=10)
    reaper.run_lua(RENDER)
    reaper.step(0.1)
    reaper.close_project(reaper.project)
    assert not (tmp_path / "job" / "source.wav").exists()
    assert value_of(reaper, "reaper.EnumProjects(0x40000000)").startswith("nil")


def test_sidecar_lies_beside_the_file_where_the_user_wants_one(reaper: Reaper, tmp_path: Path) -> None:
    reaper.project.add_track("A", selected=True)
    reaper.render_options = RenderOptions(sidecar=True)
    assert failures_of(reaper, RENDER) == []
    assert sorted(path.name for path in (tmp_path / "job").iterdir()) == ["source.wav", "source.wav.RPP"]
