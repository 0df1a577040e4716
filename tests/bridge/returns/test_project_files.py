"""Project files of a return: every position survives to the sample, and bars lie where the manifest has them.

The readers here are their own: they run the formats' tempo laws forward (REAPER: linear in time, DAWproject: linear in
beats) and know nothing of the writers.
"""

import io
import zipfile
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import rpp

from bridge.protocol import ChordInfo, Manifest, SectionInfo, TimelineInfo, TimeSignatureAt, Track
from bridge.returns.dawproject import dawproject_bytes
from bridge.returns.projects import write_projects
from bridge.returns.rpp import quoted, rpp_text
from bridge.returns.session import session_of
from engine.tempo import TempoMap, TimeSignature

SCHEMAS = Path(__file__).parents[4] / "shared" / "dawproject"
RATE = 48000

MAPS = {
    "steady, on the beat": TempoMap.constant(126.0),
    "a late downbeat": TempoMap.constant(97.3, start_s=1.37),
    "a pick-up": TempoMap.constant(140.0, start_s=0.21),
    "a ramp in time": TempoMap.from_points([(0, 126.0, "linear_in_time"), (32, 132.0, "constant")]),
    "a ramp in beats": TempoMap.from_points(
        [(0, 126.0, "linear_in_beats"), (32, 90.0, "constant")], start_s=0.5
    ),
    "two ramps and a jump": TempoMap.from_points(
        [
            (0, 100.0, "linear_in_time"),
            (16, 120.0, "linear_in_beats"),
            (40, 80.0, "constant"),
            (48, 90.0, "constant"),
        ]
    ),
    "odd metres": TempoMap.from_points(
        [(0, 110.0, "constant")],
        signatures=[TimeSignature(0, 7, 8), TimeSignature(4, 3, 4), TimeSignature(9, 5, 8)],
    ),
    "beats as heard": TempoMap.from_beats(
        np.cumsum(0.5 + 0.03 * np.sin(np.arange(64) * 0.7)), downbeats_s=[], beats_per_bar=4
    ),
}


def track(index: int, **fields: object) -> Track:
    values: dict[str, object] = {
        "name": f"Part {index}",
        "role": "other",
        "kind": "generated",
        "file": f"tracks/generated_{index}.wav",
        "start_s": 0.0,
        "start_frame": 0,
        "frames": 12 * RATE + 7,
        "sample_rate": RATE,
        "channels": 2,
        "subtype": "PCM_24",
        "colour": "#ff8040",
        "gain_db": -3.5,
        "muted": False,
    }
    return Track.model_validate({**values, **fields})


def manifest_of(tempo_map: TempoMap, start_frame: int = 0) -> Manifest:
    length_s = 24.0
    at = {"start_frame": start_frame, "start_s": start_frame / RATE}
    return Manifest(
        nrx_version="1",
        action="remix",
        id="abc",
        folder="x",
        created_utc="now",
        request={},
        tracks=(track(1, **at), track(2, muted=True, pan=-0.5, name='say "it\'s"', **at), track(3, **at)),
        timeline=TimelineInfo(
            source="given",
            tempo_map=tempo_map.to_json(),
            signatures=tuple(
                TimeSignatureAt(start_bar=s.start_bar, numerator=s.numerator, denominator=s.denominator)
                for s in tempo_map.signatures
            ),
            tempo_bpm=120.0,
            sample_rate=RATE,
            start_s=start_frame / RATE,
            duration_s=length_s,
            downbeats_s=tuple(tempo_map.bar_starts_s(0.0, length_s).tolist()),
            chords=(ChordInfo(start_s=0.5, end_s=2.0, label="E:min7"),),
            sections=(
                SectionInfo(start_s=0.0, end_s=10.0, label="intro", energy=0.1),
                SectionInfo(start_s=10.0, end_s=length_s, label="chorus", energy=0.9),
            ),
        ),
        notes=("One note.",),
    )


@pytest.fixture(params=MAPS, name="manifest")
def _manifest(request: pytest.FixtureRequest) -> Manifest:
    return manifest_of(MAPS[request.param], start_frame=RATE * 3 + 1)


def reaper_points(text: str) -> list[list[float]]:
    envelope = rpp.loads(text).find("TEMPOENVEX")
    return [
        [float(word) for word in line[1:]] for line in envelope if isinstance(line, list) and line[0] == "PT"
    ]


def reaper_bars(points: list[list[float]], until_s: float) -> list[float]:
    """Run REAPER's law forward: a tempo marker with a signature starts a bar, bars follow each other from there."""
    downbeats: list[float] = []
    bar_beats, beat, next_bar = 4.0, 0.0, 0.0
    for point, following in pairwise([*points, [until_s, points[-1][1], 1.0]]):
        at_s, bpm, shape = point[:3]
        if len(point) > 3:
            code = int(point[3])
            bar_beats = (code & 0xFFFF) * 4.0 / (code >> 16)
            assert next_bar - beat == pytest.approx(0.0, abs=1e-6), "a signature inside a bar"
            next_bar = beat
        span_s = following[0] - at_s
        slope = (following[1] - bpm) / span_s if shape == 0 and span_s > 0 else 0.0
        gained = (bpm + slope * span_s / 2.0) * span_s / 60.0
        while next_bar < beat + gained - 1e-7:
            wanted = (next_bar - beat) * 60.0
            into = wanted / bpm if slope == 0 else (np.sqrt(bpm * bpm + 2 * slope * wanted) - bpm) / slope
            downbeats.append(at_s + float(into))
            next_bar += bar_beats
        beat += gained
    return downbeats


def test_reaper_items_stand_on_their_sample(manifest: Manifest) -> None:
    project = rpp.loads(rpp_text(session_of(manifest, "song - jazz")).decode())
    items = project.findall("TRACK/ITEM")
    assert len(items) == 3
    for item, told in zip(items, manifest.tracks, strict=True):
        fields = {line[0]: line[1:] for line in item if isinstance(line, list)}
        assert float(fields["POSITION"][0]) * RATE == pytest.approx(told.start_frame, abs=1e-6)
        assert float(fields["LENGTH"][0]) * RATE == pytest.approx(told.frames, abs=1e-6)
        assert fields["LOOP"] == ["0"]
        assert fields["BEAT"] == ["0"]
        assert fields["PLAYRATE"][:3] == ["1", "1", "0"]
        assert item.find("SOURCE").attrib == ("WAVE",) or list(item.find("SOURCE").attrib) == ["WAVE"]
        assert item.find("SOURCE")[0] == ["FILE", told.file]


def test_reaper_bars_lie_where_the_manifest_has_them(manifest: Manifest) -> None:
    assert manifest.timeline is not None
    points = reaper_points(rpp_text(session_of(manifest, "song")).decode())
    assert points[0][0] == 0.0
    bars = np.array(reaper_bars(points, 60.0))
    for downbeat in np.array(manifest.timeline.downbeats_s) + manifest.timeline.start_s:
        assert np.min(np.abs(bars - downbeat)) < 1e-5


@pytest.mark.parametrize("bars_before", [1, 3])
def test_audio_that_starts_on_a_later_bar_has_bars_from_the_start_of_the_project(bars_before: int) -> None:
    manifest = manifest_of(TempoMap.constant(120.0), start_frame=bars_before * 2 * RATE)
    session = session_of(manifest, "song")
    points = reaper_points(rpp_text(session).decode())
    assert points[0][:2] == [0.0, 120.0]
    assert reaper_bars(points, 9.0) == pytest.approx([0.0, 2.0, 4.0, 6.0, 8.0])
    assert dawproject_bytes(session)


@pytest.mark.parametrize("name", ["steady, on the beat", "a late downbeat", "a pick-up"])
def test_tempo_of_the_project_is_the_songs_and_not_the_lead_ins(name: str) -> None:
    bpm = MAPS[name].segments[0].bpm
    session = session_of(manifest_of(MAPS[name]), "x")
    (line,) = (line for line in rpp_text(session).decode().splitlines() if line.startswith("  TEMPO "))
    assert float(line.split()[1]) == pytest.approx(bpm)
    with zipfile.ZipFile(io.BytesIO(dawproject_bytes(session))) as packed:
        root = ElementTree.fromstring(packed.read("project.xml"))
    tempo = root.find("Transport/Tempo")
    assert tempo is not None
    assert float(tempo.get("value", "0")) == pytest.approx(bpm)


def test_reaper_tracks_stand_in_one_folder_with_gain_pan_mute_and_colour() -> None:
    project = rpp.loads(
        rpp_text(session_of(manifest_of(MAPS["steady, on the beat"]), "song - jazz")).decode()
    )
    folder, *tracks = project.findall("TRACK")
    fields = [{line[0]: line[1:] for line in one if isinstance(line, list)} for one in (folder, *tracks)]
    assert [one["ISBUS"] for one in fields] == [["1", "1"], ["0", "0"], ["0", "0"], ["2", "-1"]]
    assert fields[0]["NAME"] == ["song - jazz"]
    assert float(fields[1]["VOLPAN"][0]) == pytest.approx(10 ** (-3.5 / 20))
    assert float(fields[2]["VOLPAN"][1]) == -0.5
    assert [one["MUTESOLO"][0] for one in fields[1:]] == ["0", "1", "0"]
    assert int(fields[1]["PEAKCOL"][0]) == 0x1000000 | 0x4080FF
    markers = [line for line in project if isinstance(line, list) and line[0] == "MARKER"]
    assert [(line[3], float(line[2])) for line in markers] == [
        ("intro", 0.0), ("", 10.0), ("chorus", 10.0), ("", 24.0), ("Em7", 0.5)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("plain", '"plain"'),
        ('a "b"', "'a \"b\"'"),
        ("\"'", "`\"'`"),
        ("\"'`", "`\"''`"),
        ("two\nlines", '"two lines"'),
    ],
)
def test_names_are_quoted_as_reaper_reads_them(text: str, told: str) -> None:
    assert quoted(text) == told


def dawproject_xml(manifest: Manifest) -> ElementTree.Element:
    with zipfile.ZipFile(io.BytesIO(dawproject_bytes(session_of(manifest, "song - jazz")))) as packed:
        assert packed.namelist() == ["project.xml", "metadata.xml"]
        return ElementTree.fromstring(packed.read("project.xml"))


def seconds_of_beat(root: ElementTree.Element, beat: float) -> float:
    """Run the tempo automation forward: "linear" moves evenly over beats to the next point, "hold" stays."""
    points = [
        (float(point.attrib["time"]), float(point.attrib["value"]), point.attrib["interpolation"])
        for point in root.iter("RealPoint")
    ]
    passed = 0.0
    for (at, bpm, kind), (until, next_bpm, _) in pairwise([*points, (1e9, points[-1][1], "hold")]):
        span = min(beat, until) - at
        if span <= 0:
            break
        slope = (next_bpm - bpm) / (until - at) if kind == "linear" else 0.0
        passed += 60.0 * (span / bpm if slope == 0 else np.log1p(slope * span / bpm) / slope)
    return passed


def test_dawproject_clips_stand_on_their_sample(manifest: Manifest) -> None:
    root = dawproject_xml(manifest)
    clips = list(root.iter("Clip"))
    assert len(clips) == 3
    for clip, told in zip(clips, manifest.tracks, strict=True):
        start, length = float(clip.attrib["time"]), float(clip.attrib["duration"])
        start_s = seconds_of_beat(root, start)
        assert start_s * RATE == pytest.approx(told.start_frame, abs=0.01)
        assert (seconds_of_beat(root, start + length) - start_s) * RATE == pytest.approx(
            told.frames, abs=0.01
        )
        audio = clip.find("Audio")
        assert audio is not None
        assert float(audio.attrib["duration"]) * RATE == pytest.approx(told.frames, abs=1e-6)
        file = audio.find("File")
        assert file is not None
        assert file.attrib == {"path": told.file, "external": "true"}


def test_dawproject_ids_are_unique_and_references_exist(manifest: Manifest) -> None:
    root = dawproject_xml(manifest)
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    assert len(ids) == len(set(ids))
    for name in ("destination", "track", "parameter"):
        assert {element.attrib[name] for element in root.iter() if name in element.attrib} <= set(ids)


def test_both_projects_are_written_beside_the_audio_and_are_reproducible(tmp_path: Path) -> None:
    manifest = manifest_of(MAPS["a ramp in time"])
    written = write_projects(tmp_path, manifest, "a: song/with? marks - jazz")
    assert written == {
        "reaper": "a_ song_with_ marks - jazz.rpp",
        "dawproject": "a_ song_with_ marks - jazz.dawproject",
    }
    (tmp_path / "again").mkdir()
    write_projects(tmp_path / "again", manifest, "a: song/with? marks - jazz")
    for name in written.values():
        assert (tmp_path / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_a_return_without_tracks_has_no_project(tmp_path: Path) -> None:
    assert (
        write_projects(tmp_path, manifest_of(MAPS["odd metres"]).model_copy(update={"tracks": ()}), "x") == {}
    )
    assert list(tmp_path.iterdir()) == []


if SCHEMAS.is_dir():

    def test_dawproject_follows_the_published_schemas(manifest: Manifest) -> None:
        xmlschema = pytest.importorskip("xmlschema")
        with zipfile.ZipFile(io.BytesIO(dawproject_bytes(session_of(manifest, "song")))) as packed:
            xmlschema.validate(packed.read("project.xml").decode(), str(SCHEMAS / "Project.xsd"))
            xmlschema.validate(packed.read("metadata.xml").decode(), str(SCHEMAS / "MetaData.xsd"))
