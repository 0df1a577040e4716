"""The Ardour scripts in a real Ardour without a window: what is sent, and what lies in the saved session afterwards."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bridge.protocol import Track as ManifestTrack
from engine.audio import probe, read_audio
from engine.tempo import map_and_report
from tests.daw.ardour_sessions import HEADLESS, RATE, SCRIPTS, Session, Track, need
from tests.daw.bridge_stand_in import StandIn
from tests.songs import song

pytestmark = pytest.mark.slow

START = 182857
"""Where the track's audio begins: on no beat."""
FADE = 64
"""Frames of the fades that Ardour gives each region."""
TEMPOS = ("t:0:126:4", "t:16:126:4", "t:32:132:4", "m:36:7:8", "t:41:180:8", "m:43:3:4")
RAMP_FROM, RAMP_BPM = 16, 132.0
SEPARATED = ("vocals", "other")


def wanted(name: str, gain_db: float, *, muted: bool) -> ManifestTrack:
    return ManifestTrack(
        name=f"{name.title()} (separated)", role=name, kind="separated", file=f"separated_{name}.wav",
        start_s=START / RATE, start_frame=START, frames=len(SOURCE.T), sample_rate=RATE, channels=2,
        subtype="FLOAT", colour="#e8618c", gain_db=gain_db, muted=muted,
    )  # fmt: skip


SOURCE = song(bpm=126, bars=8, rate=RATE).T.astype(np.float32)
STEMS = {"separated_vocals": SOURCE * np.float32(0.25), "separated_other": SOURCE * np.float32(0.75)}
RETURNED = (
    (wanted("vocals", -6.0, muted=False), STEMS["separated_vocals"]),
    (wanted("other", 0.0, muted=True), STEMS["separated_other"]),
)


@pytest.fixture(scope="module", name="made")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A session with audio on two tracks, a ramp from 126 to 132 BPM and two changes of metre."""
    need(HEADLESS)
    folder = tmp_path_factory.mktemp("ardour")
    session = Session(folder / "a session ü", folder / "home")
    session.create({"Guitar & Co": 2, "Mono": 1, "Empty": 2})
    session.lua("tempo.lua", *TEMPOS)
    session.ramp(RAMP_FROM, RAMP_BPM)
    session.add_audio({"take": SOURCE, "mono": SOURCE[:1], **STEMS})
    session.place(("take", "Guitar & Co", START), ("mono", "Mono", 0))
    return session


class Desk:
    """A copy of the session beside a stand-in for NRX Bridge."""

    def __init__(self, made: Session, folder: Path) -> None:
        shutil.copytree(made.folder, folder / made.folder.name)
        self.session = Session(folder / made.folder.name, made.home)
        self.bridge = StandIn(folder / "home ä", RETURNED)
        self._answers = folder / "answers.lua"

    def run(self, script: str, answers: str = "", track: str = "Guitar & Co") -> list[str]:
        self._answers.write_text(f"return {{ {answers} }}", encoding="utf-8")
        env = {"NRX_HOME": str(self.bridge.home)}
        return self.session.lua("headless.lua", SCRIPTS / f"nrx_{script}.lua", track, self._answers, env=env)

    def track(self, name: str) -> Track:
        return next(track for track in self.session.tracks() if track.name == name)

    def jobs(self) -> list[dict[str, object]]:
        found = json.loads((self.session.folder / "nrx_jobs.json").read_text(encoding="utf-8"))
        return list(found["jobs"])

    def log(self) -> str:
        file = self.bridge.home / "ardour.log"
        return file.read_text(encoding="utf-8") if file.is_file() else ""


@pytest.fixture(name="desk")
def _desk(made: Session, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(made, tmp_path)
    yield desk
    desk.bridge.stop()


REMIX = """options = function ()
    return { style = "jazz", energy = 1.25, brightness = 1, tempo = "project", bpm = 100 } end"""
SEPARATE = "options = function () return {} end"
IN_BACKGROUND = "options = function () return { background = true } end"
TICKED = """options = function (rows)
    local answer = {} for _, row in ipairs (rows) do answer[row.key] = row.default end return answer end"""


def test_a_remix_is_sent_sample_exact_and_comes_back_on_new_tracks(desk: Desk) -> None:
    before = desk.session.tracks()
    said = desk.run("remix", REMIX)
    assert desk.log() == ""
    assert "closed windows\t1" in said
    (asked,) = desk.bridge.requests
    request = asked.request
    assert (request.action, request.style, request.energy, request.tempo) == (
        "remix",
        "jazz",
        1.25,
        "project",
    )
    assert request.inputs[0].name == "Guitar & Co.wav"
    assert not Path(request.inputs[0].path).exists(), "the rendered file is removed once it was taken"

    # What was rendered is what the track plays, at its place.
    info = probe(desk.bridge.audio[0])
    assert (info.time_reference_frames, info.sample_rate, info.subtype) == (START, RATE, "FLOAT")
    rendered = read_audio(desk.bridge.audio[0]).samples
    assert rendered.shape == SOURCE.shape
    assert np.array_equal(rendered[:, FADE:-FADE], SOURCE[:, FADE:-FADE])

    # The new tracks: names, places, gain and mute as the manifest says, no fades, sum to the source.
    vocals = desk.track("NRX Guitar & Co jazz - Vocals (separated)")
    other = desk.track("NRX Guitar & Co jazz - Other (separated)")
    assert [(r.start_frame, r.frames, r.fades) for t in (vocals, other) for r in t.regions] == [
        (START, SOURCE.shape[1], (False, False))
    ] * 2
    assert vocals.gain == pytest.approx(10 ** (-6 / 20), rel=1e-5)
    assert (vocals.muted, other.muted) == (False, True)
    assert vocals.colour == 0xE8618CFF
    assert vocals.group == other.group == "NRX Guitar & Co jazz"
    assert "remix of Guitar & Co" in vocals.comment
    np.testing.assert_allclose(vocals.regions[0].audio() + other.regions[0].audio(), SOURCE, atol=1e-7)

    # What was there is as it was.
    assert desk.session.tracks()[: len(before)] == before
    assert [job["state"] for job in desk.jobs()] == ["imported"]


def test_the_tempo_map_that_is_sent_is_the_one_that_was_set(desk: Desk) -> None:
    desk.run("remix", REMIX)
    document = desk.bridge.requests[0].request.tempo_map
    tempo_map, report = map_and_report(document)
    assert report is not None
    assert report.worst_ms < 0.03, "segments and bars agree to a frame of rounding"
    laws = [(s.start_beat, s.law) for s in tempo_map.segments]
    assert laws == [(0, "constant"), (16, "linear_in_beats"), (32, "constant"), (41, "constant")]
    bpms = [(s.bpm, s.end_bpm) for s in tempo_map.segments]
    np.testing.assert_allclose(bpms, [(126, 126), (126, 132), (132, 132), (90, 90)], rtol=1e-6)
    metres = [(s.start_bar, s.numerator, s.denominator) for s in tempo_map.signatures]
    assert metres == [(0, 4, 4), (9, 7, 8), (11, 3, 4)]
    assert tempo_map.segments[0].start_s == -START / RATE, "seconds count from the start of the audio"
    # By hand: 16 beats at 126; a ramp of 16 beats to 132 lasts 60·16/6·ln(132/126); then 132, and 90 from beat 41 on.
    ramp_ends_s = 16 * 60 / 126 + 60 * 16 / 6 * np.log(132 / 126)
    at_32_s, at_46_s = tempo_map.seconds(32.0) + START / RATE, tempo_map.seconds(46.0) + START / RATE
    assert at_32_s == pytest.approx(ramp_ends_s, abs=1e-6)
    assert at_46_s == pytest.approx(ramp_ends_s + 9 * 60 / 132 + 5 * 60 / 90, abs=1e-6)


def test_a_mono_track_stays_mono_and_starts_at_the_start(desk: Desk) -> None:
    desk.run("separate", SEPARATE, track="Mono")
    info = probe(desk.bridge.audio[0])
    assert (info.channels, info.frames, info.time_reference_frames) == (1, SOURCE.shape[1], 0)
    assert desk.bridge.requests[0].request.style is None


def test_a_selected_range_is_sent_alone(desk: Desk) -> None:
    first, stop = START + 10001, START + 90000
    time = f"""time = {{ length = function () return {{ samples = function () return {stop - first} end }} end,
        start_sample = function () return {first} end, end_sample = function () return {stop} end }}"""
    options = """options = function () return { range = "range" } end"""
    desk.run("separate", f"{time}, {options}")
    info = probe(desk.bridge.audio[0])
    assert (info.time_reference_frames, info.frames) == (first, stop - first)
    rendered = read_audio(desk.bridge.audio[0]).samples
    assert np.array_equal(rendered, SOURCE[:, 10001:90000])


def test_cancel_in_the_progress_window_cancels_the_job_and_lays_nothing(desk: Desk) -> None:
    desk.bridge.ending = "open"
    before = desk.session.tracks()
    blocks = -(-SOURCE.shape[1] // 8192)
    said = desk.run("separate", f"{SEPARATE}, cancel_after = {blocks + 10}")
    assert not any(line.startswith("message") for line in said), "who cancels needs not be told"
    assert desk.session.tracks() == before
    (job,) = desk.jobs()
    assert (job["state"], job["sentence"]) == ("failed", "The job was cancelled.")


def test_cancel_while_the_track_is_rendered_sends_nothing(desk: Desk) -> None:
    desk.run("separate", f"{SEPARATE}, cancel_after = 5")
    assert not desk.bridge.requests
    assert not list((desk.bridge.spool / "new").iterdir())
    assert not (desk.session.folder / "nrx_jobs.json").exists()


def test_the_hook_brings_in_what_was_sent_in_the_background_once(desk: Desk) -> None:
    desk.run("separate", IN_BACKGROUND)
    assert len(desk.session.tracks()) == 3
    desk.run("watch", "times = 60")
    assert desk.log() == ""
    assert len(desk.session.tracks()) == 5
    said = desk.run("import", TICKED)
    assert any("imported already" in line for line in said), "what is there already is shown, and not ticked"
    assert len(desk.session.tracks()) == 5


def test_what_goes_wrong_is_told_in_a_sentence(desk: Desk) -> None:
    desk.bridge.ending = "failed"
    assert "message\tThe track is silent." in desk.run("separate", SEPARATE)
    assert any("nothing on “Empty”" in line for line in desk.run("separate", SEPARATE, track="Empty"))
    desk.bridge.fall_silent()
    assert any("nrx serve" in line for line in desk.run("separate", SEPARATE))


def test_an_nrx_bridge_that_does_not_run_is_started_if_the_user_wishes(desk: Desk) -> None:
    desk.bridge.fall_silent()
    home = desk.bridge.home
    note = desk.session.home / ".config" / "ardour7" / "scripts" / "nrx_bridge.json"
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(json.dumps({"home": str(home), "python": "/a/python"}), encoding="utf-8")
    try:
        start = f"""forkexec = function () io.open ("{desk.bridge.started}", "w"):close () end"""
        said = desk.run("separate", f"{SEPARATE}, message = 'yes', {start}")
    finally:
        note.unlink()
        desk.bridge.started.unlink(missing_ok=True)
    words = ["/usr/bin/env", f"NRX_HOME={home}", "/a/python", "-m", "bridge.doors.cli", "serve"]
    assert "forkexec\t" + "\t".join(words) in said
    assert len(desk.session.tracks()) == 5


JSON_TEXTS = (
    '{"a": [1, 2.5, -3e-7, true, null, "x"], "empty": [], "object": {}}',
    r'"\u00e4\ud83c\udfb8 \"quoted\" \\ \/ \n \u0001"',
    '["ä🎸", 12345678901234, 0.1, 1e300, -0.5]',
    "[]",
)
NO_JSON = ('{"a": }', "[1,]", '"open', "01", "1.", '{"a" 1}', "[1] 2", "nul", "", '"\\x"', "[" * 500)


def test_json_of_lua_is_that_of_python(tmp_path: Path) -> None:
    need(HEADLESS)
    texts = tmp_path / "texts"
    texts.write_text("\n".join([*JSON_TEXTS, *NO_JSON]) + "\n", encoding="utf-8")
    session = Session(tmp_path / "none", tmp_path / "home")
    said = session.lua("json.lua", SCRIPTS.parent / "daw_lua" / "json.lua", texts)
    assert [json.loads(line) for line in said[: len(JSON_TEXTS)]] == [json.loads(text) for text in JSON_TEXTS]
    assert [line.split("\t")[0] for line in said[len(JSON_TEXTS) :]] == ["refused"] * len(NO_JSON)
