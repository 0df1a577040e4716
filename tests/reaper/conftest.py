"""What tests of REAPER's scripts share: a desk with a stand-in for the daemon, in each Lua that REAPER has had."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.reaper.model import Script, Track
from tests.reaper.studio import StandIn, Studio, song_file

REAPERS = {"6": {"lua": "5.3", "version": "6.80"}, "7": {"lua": "5.4", "version": "7.30"}}


@dataclass
class Desk:
    """A desk with a project "söng" and one song in a file; `bridge` stands in for the daemon."""

    studio: Studio
    bridge: StandIn
    song: Path

    def source(self, name: str = "Song ü", position_s: float = 1.5, **track: object) -> Track:
        """Add a selected track that holds the song."""
        made = self.studio.project.add_track(name, selected=True, **track)
        self.studio.project.add_audio(made, self.song, position_s)
        return made

    def play(self, seconds: float = 6.0) -> None:
        """Let time pass in REAPER."""
        self.studio.reaper.step(seconds)

    def go(self, title: str, *keys: str, seconds: float = 6.0) -> Script:
        """Run an action, press keys and Enter, let time pass."""
        script = self.studio.go(title, *keys)
        self.play(seconds)
        return script

    def request(self) -> dict[str, object]:
        """Return the request of the newest job."""
        found = self.studio.records()[0]["request"]
        assert isinstance(found, dict)
        return found


@pytest.fixture(scope="session", name="short_song")
def _short_song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return song_file(tmp_path_factory.mktemp("sounds") / "short söng.wav", bars=1)


def _desk(tmp_path: Path, short_song: Path, release: str) -> Iterator[Desk]:
    home = tmp_path / "NRX ü home"
    studio = Studio(tmp_path, home, **REAPERS[release])
    bridge = StandIn(home)
    studio.reaper.each_cycle(bridge.cycle)
    studio.reaper.new_project("söng")
    with studio.reaper:
        yield Desk(studio, bridge, short_song)
        studio.reaper.expect_no_answers_left()


@pytest.fixture(name="desk", params=list(REAPERS))
def _each_desk(tmp_path: Path, short_song: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    yield from _desk(tmp_path, short_song, request.param)


@pytest.fixture(name="desk7")
def _desk_of_reaper_7(tmp_path: Path, short_song: Path) -> Iterator[Desk]:
    yield from _desk(tmp_path, short_song, "7")
