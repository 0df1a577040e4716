"""From a selection in REAPER to new tracks and back, with the real daemon, the real engine and real files."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mido
import numpy as np
import psutil
import pytest

from bridge.daemon_file import read_daemon
from bridge.doors.osc.packet import decode
from bridge.install import reaper as installer
from tests.queue_kit import until
from tests.reaper.model import RenderOptions, Script
from tests.reaper.studio import RATE, Daemon, Studio, running_daemon, samples_of, song_file

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", name="daemon")
def _daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running_daemon(tmp_path_factory.mktemp("the daemon's ü") / "home") as daemon:
        yield daemon


@pytest.fixture(scope="module", name="song")
def _song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return song_file(tmp_path_factory.mktemp("songs") / "a söng.wav")


@pytest.fixture(name="studio")
def _studio(tmp_path: Path, daemon: Daemon) -> Iterator[Studio]:
    studio = Studio(tmp_path, daemon.home)
    studio.reaper.new_project("söng")
    with studio.reaper:
        yield studio


def test_remix_selected_track(studio: Studio, song: Path) -> None:
    source = studio.project.add_track("Söng", selected=True)
    studio.project.add_audio(source, song, 1.5)
    before = studio.project.undo_names
    script = studio.go("Remix selected track")
    studio.finish(script)
    studio.reaper.check()
    [record] = studio.records()
    assert record["state"] == "imported", record
    tracks = studio.folder_of("NRX Remix")
    assert len(tracks) >= 3
    for track in tracks:
        [item] = track.items
        assert item.position_s == 1.5
        assert item.timebase == 0
        assert not item.loop_source
        assert item.take is not None
        assert item.take.source is not None
        assert item.take.source.path is not None
        assert item.take.source.path.is_relative_to(studio.project.media_folder)
        assert item.length_s == item.take.source.length_s == pytest.approx(4.0, abs=1 / RATE)
    assert studio.project.undo_names == [*before, "(user)", "NRX: Remix of Söng"]
    studio.project.select(source)
    studio.finish(studio.run("Remix again with last settings"))
    names = [name for _, name in studio.project.tree()]
    assert names.count("NRX Remix Söng") == 2
    first, second = (record["request"] for record in studio.records())
    assert {**first, "inputs": None} == {**second, "inputs": None}


def sum_of(studio: Studio, folder: str) -> np.ndarray:
    """Return the sum of all items in a returned folder."""
    return np.asarray(
        sum(
            samples_of(item.take.source.path)
            for track in studio.folder_of(folder)
            for item in track.items
            if item.take is not None and item.take.source is not None and item.take.source.path is not None
        )
    )


def rendered_by(studio: Studio) -> np.ndarray:
    """Return what was sent with the newest job."""
    return samples_of(Path(studio.records()[0]["request"]["inputs"][0]["path"]))


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_separated_stems_sum_to_what_was_rendered_to_the_sample(
    studio: Studio, song: Path, rate: int
) -> None:
    project = studio.reaper.new_project(f"söng {rate}", sample_rate=rate)
    project.offset_s = -2.5
    source = project.add_track("Song", selected=True)
    project.add_audio(source, song, 0.7512345)
    project.select_time(1.0000071, 3.2500049)
    studio.finish(studio.go("Separate selected track into stems"))
    first, last = round(1.0000071 * rate), round(3.2500049 * rate)
    for _, position_s, length_s in items_of(studio, "NRX Stems"):
        assert position_s * rate == pytest.approx(first, abs=1e-6)
        assert length_s * rate == pytest.approx(last - first, abs=1e-6)
    assert np.max(np.abs(sum_of(studio, "NRX Stems") - rendered_by(studio))) < 2e-4


def items_of(studio: Studio, folder: str) -> list[tuple[str, float, float]]:
    return [
        (track.name, item.position_s, item.length_s)
        for track in studio.folder_of(folder)
        for item in track.items
    ]


def test_remix_of_stems_over_a_ramp_and_odd_metres_with_midi_and_markers(
    studio: Studio, tmp_path: Path
) -> None:
    project = studio.project
    project.add_tempo_marker(0.0, 120.0, 4, 4)
    project.add_tempo_marker(2.0, 118.0, 7, 8, linear=True)
    project.add_tempo_marker(6.0, 126.0)
    project.offset_s = -4.0
    for role in ("vocals", "drums"):
        track = project.add_track(f"{role.title()} ü", selected=True)
        project.add_audio(track, song_file(tmp_path / f"{role}.wav", bars=3, role=role), 1.0)
    keys = ["tab"] * 9
    script = studio.run("Remix selected track")
    studio.press(script, *keys[:8], "right", "tab", "space", "enter")
    studio.finish(script)
    studio.reaper.check()
    [record, *_] = studio.records()
    assert record["state"] == "imported", record
    assert [item["role"] for item in record["request"]["inputs"]] == ["vocals", "drums"]
    found = items_of(studio, "NRX Remix")
    assert {position for _, position, _ in found} == {1.0}
    assert project.markers
    midi = [track for track in studio.folder_of("NRX Remix") if track.name.endswith("(MIDI)")]
    assert midi
    assert all(track.muted for track in midi)
    notes_match_the_files(studio, record)


def notes_match_the_files(studio: Studio, record: dict[str, Any]) -> None:
    """Check that a MIDI item's notes sound when the return's own MIDI file, by its own tempo map, says."""
    status = json.loads((studio.home / "spool" / "status" / f"{record['id']}.json").read_bytes())
    manifest = json.loads(Path(status["manifest"]).read_bytes())
    tempo = studio.project.tempo_map()
    by_name = {track["name"]: track for track in manifest["tracks"]}
    compared = 0
    for track in studio.folder_of("NRX Remix"):
        if not track.name.endswith("(MIDI)"):
            continue
        [item] = track.items
        assert item.take is not None
        assert item.take.source is not None
        start_qn = tempo.qn_at(item.position_s)
        heard = sorted(
            (tempo.time_at(start_qn + note.start_qn) - record["start_s"], note.pitch)
            for note in item.take.source.notes
        )
        file = Path(manifest["folder"]) / by_name[track.name.removesuffix(" (MIDI)")]["midi"]
        now_s, wanted = 0.0, []
        for message in mido.MidiFile(file):
            now_s += message.time
            if message.type == "note_on" and message.velocity > 0:
                wanted.append((now_s, message.note))
        assert len(heard) == len(wanted)
        for (at_s, _), (wanted_s, _) in zip(heard, sorted(wanted), strict=True):
            assert at_s == pytest.approx(wanted_s, abs=2e-3)
            compared += 1
    assert compared > 3


def test_generate_variation(studio: Studio, song: Path) -> None:
    source = studio.project.add_track("Song", selected=True)
    studio.project.add_audio(source, song, 2.0)
    studio.finish(studio.go("Generate variation of selected track"))
    found = items_of(studio, "NRX Variation")
    assert len(found) >= 2
    assert {position for _, position, _ in found} == {2.0}


def test_sync_selected_vocal(studio: Studio, tmp_path: Path) -> None:
    studio.project.set_tempo(125.0)
    source = studio.project.add_track("Vocal", selected=True)
    bar_s = 4 * 60 / 125
    studio.project.add_audio(
        source, song_file(tmp_path / "vocal.wav", bars=2, bpm=120.0, role="vocals"), bar_s
    )
    script = studio.run("Sync selected vocal to project tempo")
    studio.press(script, *["right"] * 120, "enter")
    studio.finish(script)
    record = studio.records()[0]
    assert record["request"]["bpm"] == 120
    [(_, position, length)] = items_of(studio, "NRX Synced")
    assert position == pytest.approx(bar_s, abs=1 / RATE)
    assert length == pytest.approx(4.0 * 120 / 125, abs=0.01)


def test_mix_selected_tracks_and_master_the_project(studio: Studio, tmp_path: Path) -> None:
    for role in ("vocals", "drums", "bass"):
        track = studio.project.add_track(role.title(), selected=True)
        studio.project.add_audio(track, song_file(tmp_path / f"{role}.wav", role=role), 0.5)
    studio.finish(studio.go("Mix selected tracks"))
    [(_, position, length)] = items_of(studio, "NRX Mix")
    assert position == 0.5
    assert length == pytest.approx(4.0, abs=0.01)
    studio.project.select()
    studio.finish(studio.go("Master selected track or project"))
    assert [position for _, position, _ in items_of(studio, "NRX Master")] == [0.0]


def test_analyse_selected_track(studio: Studio, tmp_path: Path) -> None:
    source = studio.project.add_track("Song", selected=True)
    studio.project.add_audio(source, song_file(tmp_path / "song.wav", bars=4, bpm=110.0), 1.0)
    studio.finish(studio.go("Analyse selected track (write tempo, chord and section markers)"))
    tempo = studio.project.content.tempo_markers
    assert tempo[0].bpm == pytest.approx(110.0, rel=0.01)
    assert studio.project.markers
    assert len(studio.project.tracks) == 1


def test_a_part_is_played_anew_and_the_others_are_the_same(studio: Studio, song: Path) -> None:
    source = studio.project.add_track("Song", selected=True)
    studio.project.add_audio(source, song, 0.0)
    studio.finish(studio.go("Remix selected track"))
    part = studio.project.track("Drums")
    others = {track.guid: len(track.items[0].takes) for track in studio.project.tracks if track.items}
    studio.project.select(part)
    script = studio.run("Re-roll this part")
    studio.finish(script)
    [item] = part.items
    first, second = (take.source.path for take in item.takes if take.source is not None)
    assert first is not None
    assert second is not None
    assert samples_of(first).shape == samples_of(second).shape
    assert not np.array_equal(samples_of(first), samples_of(second))
    now = {track.guid: len(track.items[0].takes) for track in studio.project.tracks if track.items}
    assert now == {**others, part.guid: 2}


def test_a_daemon_that_is_killed_while_it_works_is_started_again_and_finishes(
    tmp_path: Path, song: Path
) -> None:
    home = tmp_path / "home of its own's ü"
    with running_daemon(home) as daemon:
        (home / "nrx.toml").write_text("[http]\nport = 0\n\n[osc]\nport = 0\n", encoding="utf-8")
        studio = Studio(tmp_path / "desk", home)
        with studio.reaper:
            studio.reaper.new_project("killed")
            source = studio.project.add_track("Song", selected=True)
            studio.project.add_audio(source, song, 1.0)
            script = studio.go("Remix selected track")
            board = home / "spool" / "status"
            studio.reaper.run_until(
                lambda: any('"running"' in file.read_text() for file in board.glob("*.json"))
            )
            daemon.kill()
            studio.reaper.processes.real = True
            try:
                studio.finish(script, 150.0)
            finally:
                started = read_daemon(home)
                if started is not None:
                    psutil.Process(started.pid).terminate()
            assert started is not None
            assert studio.records()[0]["state"] == "imported"
            assert len(studio.folder_of("NRX Remix")) >= 3
            until(lambda: read_daemon(home) is None, what="the end of the daemon")


SEPARATE = "Separate selected track into stems"


def waits_for(studio: Studio, state: str) -> None:
    """Let real time pass until the newest job is so."""
    status = studio.home / "spool" / "status" / f"{studio.records()[0]['id']}.json"
    studio.reaper.run_until(lambda: status.is_file() and json.loads(status.read_bytes())["state"] == state)


def sent_off(studio: Studio, song: Path) -> Script:
    """Send a track of the project in front, and come back once its job is in the queue."""
    source = studio.project.add_track("Söng", selected=True)
    studio.project.add_audio(source, song, 1.5)
    script = studio.go(SEPARATE)
    studio.reaper.run_until(lambda: bool(studio.records()))
    return script


def test_a_project_that_is_closed_meanwhile_gets_its_return_and_the_other_tab_nothing(
    studio: Studio, song: Path
) -> None:
    path = studio.reaper.save(studio.project)
    first, second = studio.project, studio.reaper.new_project("another tab")
    studio.reaper.switch_to(first)
    sent_off(studio, song)
    studio.reaper.save(first)
    studio.reaper.switch_to(second)
    studio.reaper.close_project(first)
    waits_for(studio, "succeeded")
    studio.reaper.step(1.0)
    assert studio.records()[0]["state"] == "sent"
    again = studio.reaper.open(path)
    studio.reaper.switch_to(second)
    studio.reaper.run_until(lambda: studio.records()[0]["state"] == "imported")
    assert second.tracks == []
    assert [name for _, name in again.tree()][:2] == ["Söng", "NRX Stems Söng"]
    assert studio.project is second


def test_reaper_is_restarted_while_the_job_runs(studio: Studio, song: Path) -> None:
    sent_off(studio, song)
    path = studio.reaper.save(studio.project)
    studio.reaper = studio.reaper.restart(path)
    studio.reaper.run_until(lambda: studio.records()[0]["state"] == "imported")
    assert [position for _, position, _ in items_of(studio, "NRX Stems")] == [1.5] * 4
    [jobs] = studio.reaper.running_scripts()
    assert jobs.window.title == "NRX jobs"
    studio.press(jobs, "escape")
    studio.reaper.step(0.5)
    studio.reaper.quit()
    studio.reaper.check()


def test_the_source_track_is_deleted_half_way(studio: Studio, song: Path) -> None:
    script = sent_off(studio, song)
    studio.project.delete_track(studio.project.track("Söng"))
    studio.finish(script)
    assert len(studio.folder_of("NRX Stems")) == 4
    assert studio.project.tree()[0] == (0, "NRX Stems Söng")


STAGES = ("read", "separate", "analyze", "generate", "sync", "mix", "master", "publish")


def test_a_job_is_cancelled_early_and_late(studio: Studio, tmp_path: Path) -> None:
    source = studio.project.add_track("Long", selected=True)
    studio.project.add_audio(source, song_file(tmp_path / "long.wav", bars=20, bpm=101.0), 0.0)
    cancelled_at = []
    for number, wanted in enumerate(("separate", "analyze", "generate", "mix"), start=1):
        script = studio.go("Remix selected track")
        studio.reaper.run_until(lambda number=number: len(studio.records()) == number)
        status = studio.home / "spool" / "status" / f"{studio.records()[0]['id']}.json"

        def stage(status: Path = status) -> int:
            told = json.loads(status.read_bytes()).get("stage") if status.is_file() else None
            return STAGES.index(told) if told in STAGES else -1

        studio.reaper.run_until(lambda wanted=wanted, stage=stage: stage() >= STAGES.index(wanted))
        cancelled_at.append(stage())
        studio.press(script, "tab", "enter")
        studio.finish(script)
        assert studio.records()[0]["state"] == "cancelled", wanted
    assert cancelled_at[0] < cancelled_at[2] < STAGES.index("publish")
    assert len(studio.project.tracks) == 1
    assert not list(studio.project.media_folder.rglob("*.wav"))


def test_a_full_disk_loses_nothing(studio: Studio, song: Path) -> None:
    studio.reaper.render_options = RenderOptions(fault="disk_full")
    source = studio.project.add_track("Söng", selected=True)
    studio.project.add_audio(source, song, 1.5)
    studio.reaper.answer("MB", 1)
    script = studio.go(SEPARATE)
    studio.reaper.run_until(lambda: script.ended)
    assert "disk" in studio.reaper.dialogs[-1].text
    assert studio.records() == []
    studio.reaper.render_options = RenderOptions()
    script = studio.go(SEPARATE)
    studio.reaper.run_until(lambda: bool(studio.records()))
    [record] = studio.records()
    folder = studio.project.media_folder / "NRX" / f"NRX Stems Söng {record['id'].rsplit('-')[-1]}"
    folder.mkdir(parents=True)
    (folder / "separated_bass.wav.part").symlink_to("/dev/full")
    trouble = "cannot be copied"
    studio.reaper.run_until(lambda: script.window.shows(trouble))
    assert script.window.shows("No space left")
    assert len(studio.project.tracks) == 1
    assert not list(folder.glob("*.part"))
    studio.press(script, "enter")
    jobs = studio.run("Show NRX jobs")
    studio.press(jobs, "tab", "tab", "enter")
    studio.reaper.run_until(lambda: studio.records()[0]["state"] == "imported")
    assert len(studio.folder_of("NRX Stems")) == 4
    studio.press(jobs, "escape")
    studio.reaper.step(0.5)


def test_a_mix_is_set_on_the_users_own_tracks(studio: Studio, tmp_path: Path) -> None:
    for role in ("vocals", "drums", "bass"):
        track = studio.project.add_track(role.title(), selected=True, volume=0.8)
        studio.project.add_audio(track, song_file(tmp_path / f"{role}.wav", role=role), 0.5)
    before = studio.project.tree()
    studio.finish(studio.go("Mix selected tracks", *["tab"] * 4, "left"))
    [record, *_] = studio.records()
    assert record["state"] == "imported", record
    status = json.loads((studio.home / "spool" / "status" / f"{record['id']}.json").read_bytes())
    mix = json.loads((Path(status["manifest"]).parent / "mix.json").read_bytes())
    assert studio.project.tree() == before
    for row, track in zip(mix["channels"], studio.project.tracks, strict=True):
        assert track.volume == pytest.approx(0.8 * 10 ** (row["gain_db"] / 20), rel=1e-6)
        assert track.pan == pytest.approx(row["pan"])
        assert [fx.name for fx in track.fx] == [
            name for name, is_there in (("ReaEQ", row["eq"] or row["low_cut_hz"]), ("ReaComp", row["compressor"]))
            if is_there
        ]  # fmt: skip
    assert studio.project.undo_names[-1] == "NRX: Mix of Vocals and 2 more"


def test_the_end_of_a_job_wakes_reaper(studio: Studio, song: Path) -> None:
    installer.install(studio.settings, studio.reaper.resource_path, dry_run=False, osc=True, running=list)
    message = json.loads((studio.home / "spool" / "wake" / "reaper.json").read_bytes())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as surface:
        surface.bind(("127.0.0.1", 0))
        surface.setblocking(False)
        (studio.home / "spool" / "wake" / "reaper.json").write_text(
            json.dumps({**message, "port": surface.getsockname()[1]})
        )
        script = sent_off(studio, song)
        script.terminate()

        def woken() -> bool:
            try:
                [(address, _)] = decode(surface.recv(200))
            except BlockingIOError:
                return False
            studio.reaper.run_action(address.removeprefix("/action/"))
            return True

        studio.reaper.run_until(woken)
    studio.reaper.run_until(lambda: studio.records()[0]["state"] == "imported")
    assert len(studio.folder_of("NRX Stems")) == 4
