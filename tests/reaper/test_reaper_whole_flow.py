"""From a selection in REAPER to new tracks and back, with the real daemon, the real engine and real files."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest

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


def test_separated_stems_sum_to_what_was_rendered(studio: Studio, song: Path) -> None:
    source = studio.project.add_track("Song", selected=True)
    studio.project.add_audio(source, song, 0.75)
    studio.finish(studio.go("Separate selected track into stems"))
    total = sum(
        samples_of(item.take.source.path)
        for track in studio.folder_of("NRX Stems")
        for item in track.items
        if item.take is not None and item.take.source is not None and item.take.source.path is not None
    )
    rendered = samples_of(next((studio.home / "reaper" / "jobs").glob(f"{studio.records()[0]['id']}/*.wav")))
    assert np.max(np.abs(total - rendered)) < 2e-4


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
    home = tmp_path / "home of its own"
    with running_daemon(home) as daemon:
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
            studio.reaper.on_process = lambda _command, _timeout_ms: daemon.start() or "0\n"
            studio.finish(script, 150.0)
            assert studio.records()[0]["state"] == "imported"
            assert len(studio.folder_of("NRX Remix")) >= 3


def test_a_real_job_is_cancelled(studio: Studio, tmp_path: Path) -> None:
    source = studio.project.add_track("Long", selected=True)
    studio.project.add_audio(source, song_file(tmp_path / "long.wav", bars=12, bpm=97.0), 0.0)
    script = studio.go("Remix selected track")
    studio.reaper.run_until(lambda: script.window.shows("about") or script.window.shows("%"))
    studio.press(script, "tab", "enter")
    studio.finish(script)
    assert studio.records()[0]["state"] == "cancelled"
    assert len(studio.project.tracks) == 1
