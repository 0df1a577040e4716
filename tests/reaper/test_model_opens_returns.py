"""The project file beside a return opens in the model of REAPER, and sounds and counts as the return does."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from bridge.protocol import Track
from bridge.returns.rpp import rpp_text
from bridge.returns.session import Region, Session
from engine.tempo import TempoMap, TempoSegment, TimeSignature
from tests.reaper.model import Reaper
from tests.reaper.model_kit import numbers_of, passes, write_sound

RATE = 48000
RAMP = TempoMap(
    (TempoSegment(0, 0, 90, 150, "linear_in_time"), TempoSegment(16, 8.0, 150, 150, "constant")),
    (TimeSignature(0, 4, 4), TimeSignature(4, 7, 8)),
)


@pytest.fixture(name="reaper")
def _opened(tmp_path: Path) -> Reaper:
    (tmp_path / "return" / "tracks").mkdir(parents=True)
    tracks = []
    for index, name in enumerate(("Drums 'ü'", "Bass")):
        file = f"tracks/{index}.wav"
        write_sound(tmp_path / "return" / file, 2.0, seed=index)
        tracks.append(
            Track(
                name=name, role="drums", kind="generated", file=file, start_s=(24001 + index) / RATE,
                start_frame=24001 + index, frames=2 * RATE, sample_rate=RATE, channels=2, subtype="FLOAT",
                colour="#336699", gain_db=-6.0 * index, pan=0.0, muted=False,
            )
        )  # fmt: skip
    session = Session(
        "Song – Jazz", "id", RATE, tuple(tracks), RAMP, (Region(0, 4, "verse"),), (Region(1, 2, "A:min"),), ()
    )
    path = tmp_path / "return" / "song.rpp"
    path.write_bytes(rpp_text(session))
    reaper = Reaper(tmp_path)
    reaper.open(path)
    return reaper


def test_project_of_a_return_has_its_tracks_in_a_folder(reaper: Reaper) -> None:
    assert reaper.project.tree() == [(0, "Song – Jazz"), (1, "Drums 'ü'"), (1, "Bass")]
    assert [marker.name for marker in reaper.project.markers if marker.is_region] == ["verse"]
    for track in reaper.project.tracks[1:]:
        assert (track.items[0].timebase, track.items[0].loop_source) == (0, False)


def test_project_of_a_return_sounds_as_its_tracks_to_the_sample(reaper: Reaper, tmp_path: Path) -> None:
    project = reaper.project
    project.render |= {"RENDER_SETTINGS": 0, "RENDER_BOUNDSFLAG": 0, "RENDER_ENDPOS": 3, "RENDER_TAILFLAG": 0}
    project.render_strings |= {
        "RENDER_FILE": str(tmp_path), "RENDER_PATTERN": "mix", "RENDER_FORMAT": "ZXZhdyAAAQ==",
    }  # fmt: skip
    passes(reaper, "reaper.Main_OnCommand(42230, 0)")
    wanted = np.zeros((3 * RATE, 2))
    for index, gain in enumerate((1.0, 10 ** (-6 / 20))):
        sound = soundfile.read(tmp_path / "return" / "tracks" / f"{index}.wav")[0]
        wanted[24001 + index : 24001 + index + len(sound)] += sound * gain
    np.testing.assert_allclose(soundfile.read(tmp_path / "mix.wav")[0], wanted, atol=1e-6)


def test_project_of_a_return_has_its_bars(reaper: Reaper) -> None:
    for bar in range(8):
        start_s = numbers_of(reaper, f"(reaper.TimeMap_GetMeasureInfo(0, {bar}))")[0]
        assert start_s == pytest.approx(float(RAMP.seconds(float(RAMP.beat_of_bar(bar)))), abs=1e-9)
