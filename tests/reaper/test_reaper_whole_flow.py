"""From a selection in REAPER to new tracks and back, with the real daemon, the real engine and real files."""

from collections.abc import Iterator
from pathlib import Path

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
