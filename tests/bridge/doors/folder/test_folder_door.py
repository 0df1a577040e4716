"""Watched folders: every finished render becomes one job, nothing else does, nothing ends the loop."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from bridge.config import Settings, WatchSettings
from bridge.doors.folder import FolderDoor, parse_watch
from engine.errors import NrxError
from tests.bridge.doors.standin_jobs import StandInJobs, wait_until

SETTLE_S = 0.15
Start = Callable[..., FolderDoor]


@pytest.fixture
def jobs() -> StandInJobs:
    return StandInJobs()


@pytest.fixture
def renders(tmp_path: Path) -> Path:
    folder = tmp_path / "Rénders"
    folder.mkdir()
    return folder


@pytest.fixture
def start(jobs: StandInJobs, own_home: Path, renders: Path) -> Iterator[Start]:
    doors: list[FolderDoor] = []

    def start(
        *watches: WatchSettings, patience_s: float = 0.6, rescan_s: float = 300.0, **watch: Any
    ) -> FolderDoor:
        watched = watches or (
            WatchSettings(**{"path": renders, "style": "edm", "settle_s": SETTLE_S, **watch}),
        )
        settings = Settings(home=own_home, watch=watched)
        door = FolderDoor(settings, jobs, watched, patience_s=patience_s, rescan_s=rescan_s)  # type: ignore[arg-type]
        doors.append(door)
        door.start()
        wait_until(lambda: all(place.identity is not None or place.absent_since for place in door._places))
        return door

    yield start
    for door in doors:
        door.stop()


def song(path: Path, seed: int = 0, frames: int = 4410) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).normal(0, 0.1, (frames, 2)).astype(np.float32)
    soundfile.write(path, noise, 44100)
    return path


def quiet() -> None:
    """Give the door time to do what it must not do."""
    time.sleep(6 * SETTLE_S)


def names_of(jobs: StandInJobs) -> list[str]:
    return sorted(item.name or "" for request in jobs.requests.values() for item in request.inputs)


def reports(own_home: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in (own_home / "returns").glob("*.error.txt")}


def test_render_becomes_a_job_with_the_folders_style(start: Start, jobs: StandInJobs, renders: Path) -> None:
    start()
    song(renders / "Fishin.wav")
    (job_id,) = jobs.wait_for(1)
    request = jobs.requests[job_id]
    assert (request.action, request.style) == ("remix", "edm")
    assert request.inputs[0].path == str(renders.resolve() / "Fishin.wav")
    assert request.inputs[0].name == "Fishin.wav"
    assert jobs.asked[job_id]["door"] == "folder"


@pytest.mark.parametrize("folder", ["lofi_chill", "Lofi Chill", "lofi_chill/take 3"])
def test_folder_named_after_a_style_chooses_it(
    start: Start, jobs: StandInJobs, renders: Path, folder: str
) -> None:
    start()
    song(renders / folder / "a.wav")
    (job_id,) = jobs.wait_for(1)
    assert jobs.requests[job_id].style == "lofi_chill"


def test_settings_of_the_watch_reach_the_request(start: Start, jobs: StandInJobs, renders: Path) -> None:
    start(action="separate", style=None, parameters={"two_stems": "vocals"}, returns=renders.parent / "Back")
    song(renders / "a.wav")
    (job_id,) = jobs.wait_for(1)
    assert (jobs.requests[job_id].action, jobs.requests[job_id].two_stems) == ("separate", "vocals")
    assert jobs.asked[job_id]["out"] == renders.parent / "Back"


def test_sidecar_gives_parameters_and_tempo_map(start: Start, jobs: StandInJobs, renders: Path) -> None:
    start()
    tempo_map = {"segments": [{"beat": 0, "bpm": 93.5}]}
    sidecar = {"style": "jazz", "energy": 1.3, "tempo_map": tempo_map, "priority": 4, "role": "drums"}
    (renders / "a.nrx.json").write_text(json.dumps(sidecar))
    song(renders / "edm" / "b.wav")
    song(renders / "a.wav")
    wait_until(lambda: len(jobs.jobs) == 2)
    job_id = next(job_id for job_id, request in jobs.requests.items() if request.style == "jazz")
    request = jobs.requests[job_id]
    assert (request.energy, request.tempo_map, request.inputs[0].role) == (1.3, tempo_map, "drums")
    assert jobs.asked[job_id]["priority"] == 4


def test_slow_write_is_one_job_with_all_of_it(start: Start, jobs: StandInJobs, renders: Path) -> None:
    door = start()
    whole = song(renders.parent / "whole.wav", frames=44100).read_bytes()
    with (renders / "slow.wav").open("wb") as file:
        for at in range(0, len(whole), 20_000):
            file.write(whole[at : at + 20_000])
            file.flush()
            time.sleep(SETTLE_S / 2)
            if at == 40_000:
                wait_until(lambda: [each.path.name for each in door.waiting()] == ["slow.wav"])
    (job_id,) = jobs.wait_for(1)
    assert jobs.jobs[job_id].inputs[0].bytes == len(whole)
    wait_until(lambda: not door.waiting())


def test_pause_in_the_writing_is_waited_out_by_the_header(
    start: Start, jobs: StandInJobs, renders: Path
) -> None:
    start(patience_s=30.0)
    whole = song(renders.parent / "whole.wav").read_bytes()
    with (renders / "a.wav").open("wb") as file:
        file.write(whole[: len(whole) // 2])
        file.flush()
        quiet()
        assert not jobs.jobs
        file.write(whole[len(whole) // 2 :])
    (job_id,) = jobs.wait_for(1)
    assert jobs.jobs[job_id].inputs[0].bytes == len(whole)


def test_file_renamed_into_place_is_taken(start: Start, jobs: StandInJobs, renders: Path) -> None:
    start()
    song(renders / "a.part.wav").rename(renders / "a.wav.part")
    quiet()
    assert not jobs.jobs
    (renders / "a.wav.part").rename(renders / "a.wav")
    jobs.wait_for(1)
    assert names_of(jobs) == ["a.wav"]


def test_folder_moved_in_is_looked_through(start: Start, jobs: StandInJobs, renders: Path) -> None:
    start()
    song(renders.parent / "elsewhere" / "jazz" / "a.wav")
    (renders.parent / "elsewhere").rename(renders / "moved")
    (job_id,) = jobs.wait_for(1)
    assert jobs.requests[job_id].style == "jazz"


def test_file_deleted_before_it_settled_is_forgotten(start: Start, jobs: StandInJobs, renders: Path) -> None:
    door = start()
    song(renders / "a.wav").unlink()
    quiet()
    assert not jobs.jobs
    assert not door.waiting()


def test_junk_links_and_other_files_are_left_alone(start: Start, jobs: StandInJobs, renders: Path) -> None:
    start()
    outside = song(renders.parent / "outside.wav")
    for name in ("._a.wav", "a.wav.reapeaks", "a.wav.asd", ".DS_Store", "a.wav.tmp", "a.txt", "a.mid"):
        (renders / name).write_bytes(outside.read_bytes())
    song(renders / "__MACOSX" / "a.wav")
    song(renders / ".hidden" / "a.wav")
    (renders / "link.wav").symlink_to(outside)
    (renders / "linked").symlink_to(outside.parent)
    quiet()
    assert not jobs.jobs


def test_rerender_of_the_same_name_is_a_new_job(start: Start, jobs: StandInJobs, renders: Path) -> None:
    start()
    song(renders / "a.wav", seed=1)
    jobs.wait_for(1)
    time.sleep(0.05)
    song(renders / "a.wav", seed=2)
    jobs.wait_for(2)
    assert len({job.inputs[0].sha256 for job in jobs.jobs.values()}) == 2


def test_touched_or_moved_file_is_no_new_job(start: Start, jobs: StandInJobs, renders: Path) -> None:
    door = start()
    song(renders / "a.wav")
    jobs.wait_for(1)
    wait_until(lambda: not door.waiting())
    os.utime(renders / "a.wav")
    quiet()
    (renders / "done").mkdir()
    (renders / "a.wav").rename(renders / "done" / "a.wav")
    quiet()
    assert len(jobs.jobs) == 1


def test_file_moved_to_another_style_is_a_new_job(start: Start, jobs: StandInJobs, renders: Path) -> None:
    door = start()
    song(renders / "a.wav")
    jobs.wait_for(1)
    wait_until(lambda: not door.waiting())
    (renders / "jazz").mkdir()
    (renders / "a.wav").rename(renders / "jazz" / "a.wav")
    jobs.wait_for(2)
    assert {request.style for request in jobs.requests.values()} == {"edm", "jazz"}


def test_what_was_there_before_the_first_watch_is_left_until_it_changes(
    start: Start, jobs: StandInJobs, renders: Path
) -> None:
    for number in range(5):
        song(renders / f"old {number}x.wav", seed=number)
    start()
    song(renders / "new.wav")
    jobs.wait_for(1)
    quiet()
    assert names_of(jobs) == ["new.wav"]
    song(renders / "old 3x.wav", seed=99)
    jobs.wait_for(2)
    assert names_of(jobs) == ["new.wav", "old 3x.wav"]


def test_render_that_comes_as_soon_as_the_door_is_open_is_taken(
    jobs: StandInJobs, own_home: Path, renders: Path, tmp_path: Path
) -> None:
    for number in range(200):
        (renders / f"old {number}.wav").touch()
    watch = WatchSettings(path=renders, style="edm", settle_s=SETTLE_S)
    door = FolderDoor(Settings(home=own_home, watch=(watch,)), jobs, (watch,))  # type: ignore[arg-type]
    rendered = song(tmp_path / "new.wav")
    door.start()
    rendered.rename(renders / "new.wav")
    jobs.wait_for(1)
    door.stop()
    assert names_of(jobs) == ["new.wav"]


def test_what_came_while_the_daemon_was_down_is_taken_once(
    start: Start, jobs: StandInJobs, renders: Path
) -> None:
    door = start()
    song(renders / "a.wav")
    jobs.wait_for(1)
    door.stop()
    song(renders / "b.wav", seed=1)
    start()
    jobs.wait_for(2)
    quiet()
    assert names_of(jobs) == ["a.wav", "b.wav"]


def test_killed_between_accepting_and_the_ledger_gives_one_job(
    start: Start, jobs: StandInJobs, renders: Path, own_home: Path
) -> None:
    door = start()
    wait_until((own_home / "folders.sqlite").exists)
    door.stop()
    before = (own_home / "folders.sqlite").read_bytes()
    door = start()
    song(renders / "a.wav")
    jobs.wait_for(1)
    door.stop()
    (own_home / "folders.sqlite").write_bytes(before)
    start()
    quiet()
    assert len(jobs.jobs) == 1


def test_broken_ledger_takes_nothing_old(
    start: Start, jobs: StandInJobs, renders: Path, own_home: Path
) -> None:
    (own_home / "folders.sqlite").write_bytes(b"no database" * 1000)
    song(renders / "old.wav")
    start()
    song(renders / "new.wav")
    jobs.wait_for(1)
    assert names_of(jobs) == ["new.wav"]


def test_bad_file_is_named_in_the_return_folder_and_stays(
    start: Start, jobs: StandInJobs, renders: Path, own_home: Path
) -> None:
    start()
    (renders / "bäd.wav").write_bytes(b"this is no audio")
    wait_until(lambda: "bäd.wav.error.txt" in reports(own_home))
    text = reports(own_home)["bäd.wav.error.txt"]
    assert "is not audio" in text
    assert "Code: input.not_audio" in text
    assert (renders / "bäd.wav").exists()
    assert not jobs.jobs
    song(renders / "bäd.wav")
    jobs.wait_for(1)
    wait_until(lambda: not reports(own_home))


def test_bad_file_is_reported_once(start: Start, renders: Path, own_home: Path) -> None:
    door = start()
    (renders / "a.wav").write_bytes(b"")
    wait_until(lambda: bool(reports(own_home)))
    door.stop()
    for path in (own_home / "returns").iterdir():
        path.unlink()
    start()
    quiet()
    time.sleep(0.8)
    assert not reports(own_home)


def test_refusal_of_the_request_is_reported(
    start: Start, jobs: StandInJobs, renders: Path, own_home: Path
) -> None:
    start(style=None)
    song(renders / "a.wav")
    wait_until(lambda: "a.wav.error.txt" in reports(own_home))
    assert "folder named after a style" in reports(own_home)["a.wav.error.txt"]


def test_bad_sidecar_is_reported_and_its_repair_takes_the_file(
    start: Start, jobs: StandInJobs, renders: Path, own_home: Path
) -> None:
    start()
    (renders / "a.nrx.json").write_text('{"style": "jazz", "energy": 9}')
    song(renders / "a.wav")
    wait_until(lambda: "a.wav.error.txt" in reports(own_home))
    assert "a.nrx.json" in reports(own_home)["a.wav.error.txt"]
    (renders / "a.nrx.json").write_text('{"style": "jazz", "energy": 1.5}')
    (job_id,) = jobs.wait_for(1)
    assert jobs.requests[job_id].energy == 1.5


def test_job_that_fails_is_reported_beside_the_returns(
    start: Start, jobs: StandInJobs, renders: Path, own_home: Path
) -> None:
    start()
    song(renders / "jazz" / "a.wav")
    (job_id,) = jobs.wait_for(1)
    jobs.fail(job_id, "input.silent", "There is no sound in it.")
    wait_until(lambda: "jazz - a.wav.error.txt" in reports(own_home))
    jobs.succeed(job_id, "/r/manifest.json")


def test_stems_rendered_together_are_one_job(start: Start, jobs: StandInJobs, renders: Path) -> None:
    start()
    for number, role in enumerate(("Drums", "Bass", "Lead Vox", "Keys")):
        song(renders / "jazz" / f"Fishin - {role}.wav", seed=number)
        time.sleep(SETTLE_S)
    song(renders / "jazz" / "Fishin.wav", seed=9)
    wait_until(lambda: len(jobs.jobs) == 2)
    quiet()
    group = max(jobs.requests.values(), key=lambda request: len(request.inputs))
    assert {item.role for item in group.inputs} == {"drums", "bass", "vocals", "keys"}
    assert group.style == "jazz"
    assert group.inputs[0].name == "Fishin.wav", "the return is named after the song"
    assert len(jobs.jobs) == 2


def test_growing_stem_holds_its_group(start: Start, jobs: StandInJobs, renders: Path) -> None:
    start(patience_s=30.0)
    song(renders / "Song_drums.wav", seed=1)
    whole = song(renders.parent / "whole.wav", seed=2).read_bytes()
    with (renders / "Song_bass.wav").open("wb") as file:
        file.write(whole[:5000])
        file.flush()
        time.sleep(1.5)
        assert not jobs.jobs
        file.write(whole[5000:])
    (job_id,) = jobs.wait_for(1)
    assert len(jobs.requests[job_id].inputs) == 2


def test_stem_by_itself_is_a_song_of_its_own(start: Start, jobs: StandInJobs, renders: Path) -> None:
    start()
    song(renders / "Some - Drums.wav")
    (job_id,) = jobs.wait_for(1)
    assert [item.role for item in jobs.requests[job_id].inputs] == [None]


def test_stems_of_two_takes_are_two_jobs(start: Start, jobs: StandInJobs, renders: Path) -> None:
    start()
    for take in (7, 8):
        for role in ("Drums", "Bass"):
            song(renders / f"Take {take} {role}.wav", seed=take)
    jobs.wait_for(2)
    assert sorted(len(request.inputs) for request in jobs.requests.values()) == [2, 2]


def test_own_output_is_never_taken(start: Start, jobs: StandInJobs, renders: Path) -> None:
    start(returns=renders)
    building = renders / ".nrx-staging-1"
    song(building / "mix.wav")
    (building / "manifest.json").write_text('{"protocol": 1, "nrx_version": "0.1.0"}')
    building.rename(renders / "Fishin - jazz")
    quiet()
    assert not jobs.jobs
    song(renders / "a.wav")
    jobs.wait_for(1)


def test_returns_inside_the_watched_folder_are_not_entered(
    start: Start, jobs: StandInJobs, renders: Path
) -> None:
    start(returns=renders / "Returns")
    song(renders / "Returns" / "jazz" / "a.wav")
    quiet()
    assert not jobs.jobs


def test_watching_a_return_folder_is_refused(start: Start, own_home: Path) -> None:
    with pytest.raises(NrxError, match="where NRX Bridge itself writes"):
        start(path=own_home / "returns" / "inside")


def test_watching_a_folder_twice_is_refused(start: Start, renders: Path) -> None:
    with pytest.raises(NrxError, match="watched twice"):
        start(WatchSettings(path=renders), WatchSettings(path=renders / "." / ""))


def test_inner_watch_has_its_own_rules(start: Start, jobs: StandInJobs, renders: Path) -> None:
    (renders / "stems").mkdir()
    start(
        WatchSettings(path=renders, style="edm", settle_s=SETTLE_S),
        WatchSettings(path=renders / "stems", action="separate", settle_s=SETTLE_S),
    )
    song(renders / "stems" / "a.wav")
    song(renders / "b.wav")
    jobs.wait_for(2)
    quiet()
    assert sorted(request.action for request in jobs.requests.values()) == ["remix", "separate"]


def test_polling_takes_what_gives_no_notice(start: Start, jobs: StandInJobs, renders: Path) -> None:
    start(polling=True)
    song(renders / "a.wav")
    jobs.wait_for(1)


def test_stranded_file_is_found_by_looking_again(start: Start, jobs: StandInJobs, renders: Path) -> None:
    door = start(rescan_s=0.3)
    door._notices.stop()
    song(renders / "a.wav")
    jobs.wait_for(1)


def test_folder_that_vanishes_and_returns_is_watched_again(
    start: Start, jobs: StandInJobs, renders: Path
) -> None:
    door = start()
    song(renders / "a.wav")
    jobs.wait_for(1)
    aside = renders.with_name("unplugged")
    renders.rename(aside)
    wait_until(lambda: any("not there" in each.reason for each in door.waiting()))
    song(aside / "b.wav", seed=1)
    aside.rename(renders)
    jobs.wait_for(2)
    wait_until(lambda: not door.waiting())
    song(renders / "c.wav", seed=2)
    jobs.wait_for(3)
    assert names_of(jobs) == ["a.wav", "b.wav", "c.wav"]


def test_folder_may_come_after_the_daemon(start: Start, jobs: StandInJobs, renders: Path) -> None:
    shutil.rmtree(renders)
    start()
    renders.mkdir()
    time.sleep(1.5)
    song(renders / "a.wav")
    jobs.wait_for(1)


def test_file_that_changes_while_it_is_accepted_is_accepted_anew(
    start: Start, jobs: StandInJobs, renders: Path
) -> None:
    start()
    jobs.slow.clear()
    song(renders / "a.wav", seed=1)
    time.sleep(4 * SETTLE_S)
    song(renders / "a.wav", seed=2, frames=8820)
    jobs.slow.set()
    jobs.wait_for(2)
    states = [job.state for job in jobs.jobs.values()]
    assert states == ["cancelled", "queued"]


def test_passing_trouble_is_tried_again(
    start: Start, jobs: StandInJobs, renders: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.doors.folder.door.RETRY_S", 0.2)
    door = start()
    jobs.refuse = NrxError("output.disk_full", "The disk is full.")
    song(renders / "a.wav")
    wait_until(lambda: any("The disk is full." in each.reason for each in door.waiting()))
    assert not reports(own_home)
    jobs.refuse = None
    jobs.wait_for(1)


def test_error_inside_does_not_end_the_loop(
    start: Start, jobs: StandInJobs, renders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.doors.folder.door.RETRY_S", 0.2)
    door = start()
    submit = jobs.submit

    def broken(*_args: object, **_more: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(jobs, "submit", broken)
    song(renders / "a.wav")
    wait_until(lambda: any("ZeroDivisionError" in each.reason for each in door.waiting()))
    monkeypatch.setattr(jobs, "submit", submit)
    jobs.wait_for(1)


def test_option_names_folder_and_style(tmp_path: Path) -> None:
    assert parse_watch(f"{tmp_path}=jazz") == WatchSettings(path=tmp_path, style="jazz")
    assert parse_watch(str(tmp_path)) == WatchSettings(path=tmp_path)
    odd = tmp_path / "a=b"
    odd.mkdir()
    assert parse_watch(str(odd)) == WatchSettings(path=odd)
    assert parse_watch(f"{odd}=edm") == WatchSettings(path=odd, style="edm")
    with pytest.raises(NrxError, match="names no folder"):
        parse_watch("=jazz")


def test_stopping_twice_and_starting_again_is_fine(start: Start, jobs: StandInJobs, renders: Path) -> None:
    door = start()
    door.stop()
    door.stop()
    door.start()
    door.start()
    song(renders / "a.wav")
    jobs.wait_for(1)
