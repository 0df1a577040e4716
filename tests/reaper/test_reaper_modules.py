"""The parts of REAPER's scripts that need no REAPER, in plain Lua 5.3 and 5.4, against the engine's own words."""

import importlib.util
import json
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest

from bridge.protocol import Request, parse_request
from bridge.returns.chord_names import chord_name
from engine.audio import Audio, write_wav
from engine.mixing.roles import ROLES, guess_role
from engine.presets import list_styles
from tests.reaper.plain_lua import LIB, SCRIPTS, VERSIONS, PlainLua

ROOT = SCRIPTS.parent
NAMES = (
    "Vocals", "Lead Vox dry", "BV 2", "Kick in", "BassDrum", "Bass Drum 02", "Synth Bass", "808", "Drum Bus", "OH L",
    "hihat", "Gtr L", "lead guitar", "Piano", "Rhodes", "Pad", "Strings", "Track 7", "03_Lead-Vox", "Snare top",
    "Full Mix", "Brass", "Überraschung", "", "Vinyl crackle", "Synth", "Arp 3", "FX riser", "Chord stabs",
)  # fmt: skip


@pytest.fixture(params=VERSIONS, name="lua")
def _lua(request: pytest.FixtureRequest) -> PlainLua:
    return PlainLua(request.param)


def test_what_is_built_is_current() -> None:
    spec = importlib.util.spec_from_file_location("reaper_build", SCRIPTS / "build.py")
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    for path, text in build.built().items():
        assert path.read_text(encoding="utf-8") == text, f"{path}: run python reaper_scripts/build.py"


def test_the_index_names_every_file_and_marks_the_actions() -> None:
    sources = ElementTree.parse(SCRIPTS / "index.xml").findall(".//source")
    actions = {path.name for path in (SCRIPTS / "NRX").glob("*.lua")}
    assert len(sources) == len(list((SCRIPTS / "NRX").rglob("*.lua")))
    assert sum(source.get("main") == "main" for source in sources) == len(actions)


def test_only_the_package_itself_has_a_reapack_header() -> None:
    for path in (SCRIPTS / "NRX").rglob("*.lua"):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first == "-- @noindex" or path.name == "NRX_Remix selected track.lua", path


def test_every_action_of_the_table_that_a_user_runs_has_its_file(lua: PlainLua) -> None:
    table = set(lua.out(lua.module("actions"))) - {"reopen"}
    texts = [path.read_text(encoding="utf-8") for path in (SCRIPTS / "NRX").glob("NRX_*.lua")]
    named = {text.rsplit('.run(folder, "', 1)[1].split('"')[0] for text in texts}
    assert named == table


def test_luacheck_finds_nothing() -> None:
    program = shutil.which("luacheck")
    if program is None:
        pytest.skip("luacheck is missing (Debian: lua-check)")
    done = subprocess.run(
        [program, "-q", "--no-color", "reaper_scripts", "daw_lua", "ardour_scripts"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_roles_are_the_engines_and_are_guessed_alike(lua: PlainLua) -> None:
    roles = lua.module("roles")
    assert set(lua.out(roles.ALL)) == set(ROLES)
    assert {name: roles.guess(name) for name in NAMES} == {name: guess_role(name) for name in NAMES}


def test_chords_are_named_as_everywhere(lua: PlainLua) -> None:
    names = lua.module("chord_names")
    labels = [
        "C:maj",
        "F#:min7",
        "E:min7/b3",
        "Bb:maj7/5",
        "A:sus4(b7)",
        "N",
        "X",
        "D:hdim7",
        "F/3",
        "G:7/b7",
        "Eb:9/1",
    ]
    assert [names.name(label) for label in labels] == [chord_name(label) for label in labels]


def test_presets_offered_are_those_that_there_are(lua: PlainLua) -> None:
    fields = lua.out(lua.module("fields").ALL["mix_preset"]["values"])
    offered = {value for value, _ in fields} - {""}
    for kind in ("mixing", "mastering"):
        assert offered == {path.stem for path in (ROOT / "presets" / kind).glob("*.yaml")}


def test_a_remembered_option_that_is_no_longer_allowed_becomes_the_default(lua: PlainLua) -> None:
    fields, action = lua.module("fields"), lua.module("actions").remix
    remembered = {
        "energy": 99,
        "brightness": 1.234,
        "tempo": "warp",
        "keep": {"drums": True, "kazoo": True},
        "midi": 3,
    }
    options = lua.out(fields.options(action, lua.into(remembered)))
    assert options["energy"] == 2
    assert options["brightness"] == 1.25
    assert options["tempo"] == "project"
    assert options["keep"] == {"drums": True}
    assert options["midi"] is False
    assert options["style"] == "lofi_chill"


def test_rows_that_make_no_sense_are_not_shown(lua: PlainLua) -> None:
    fields, action = lua.module("fields"), lua.module("actions").remix
    shown = {
        tempo: set(lua.out(fields.shown(action, lua.into({"tempo": tempo}))))
        for tempo in ("project", "style", "number")
    }
    assert shown["number"] - shown["style"] == {"bpm"}
    assert shown["style"] - shown["project"] == {"set_tempo"}


def a_job(engine: str) -> dict[str, Any]:
    return {
        "engine": engine,
        "seed": 5,
        "inputs": [{"path": "/a/b.wav", "name": "ä b.wav"}],
        "tempo_map": {"segments": [{"bpm": 120}]},
        "start_s": 2.5,
        "end_s": 9.0,
        "sample_rate": 48000,
        "offset_s": -4.0,
        "project_name": "song ü",
    }


@pytest.mark.parametrize(
    "name", ["remix", "separate", "variation", "sync_vocal", "mix", "master", "analyse", "again"]
)
def test_every_request_is_taken_by_the_protocol(lua: PlainLua, name: str) -> None:
    action = lua.module("actions")[name]
    options = lua.module("fields").options(action, lua.into({}))
    request = lua.out(lua.module("request").build(lua.into(a_job(action.engine)), options))
    parsed = parse_request(request)
    assert isinstance(parsed, Request)
    assert parsed.timeline is not None
    assert (parsed.timeline.start_s, parsed.timeline.offset_s) == (2.5, -4.0)
    assert (parsed.tempo_map is None) == (action.engine in ("mix", "master", "analyze"))


def test_what_was_chosen_is_in_the_request(lua: PlainLua) -> None:
    chosen = {
        "style": "jazz",
        "energy": 1.5,
        "tempo": "number",
        "bpm": 97,
        "keep": {"bass": True, "vocals": True},
    }
    options = lua.module("fields").options(lua.module("actions").remix, lua.into(chosen))
    request = lua.out(lua.module("request").build(lua.into(a_job("remix")), options))
    parsed = parse_request(request)
    assert (parsed.style, parsed.energy, parsed.tempo, parsed.keep) == ("jazz", 1.5, 97.0, ("vocals", "bass"))


def test_nothing_kept_is_an_empty_list_and_not_the_default(lua: PlainLua) -> None:
    options = lua.module("fields").options(lua.module("actions").remix, lua.into({"keep": {}}))
    request = lua.out(lua.module("request").build(lua.into(a_job("remix")), options))
    assert parse_request(request).keep == ()


def test_rerolling_adds_a_seed_and_keeps_those_before(lua: PlainLua) -> None:
    before = {"action": "remix", "part_seeds": {"Drums": 3}}
    module = lua.module("request")
    table = lua.into(before)
    assert lua.out(module.rerolled(table, "Bass", 7))["part_seeds"] == {"Drums": 3, "Bass": 7}
    assert lua.out(table) == before


def test_every_style_can_be_asked_for(lua: PlainLua) -> None:
    fields, action = lua.module("fields"), lua.module("actions").remix
    for style in list_styles():
        assert fields.options(action, lua.into({"style": style})).style == style


def test_midi_is_read_in_seconds_through_every_tempo(lua: PlainLua, tmp_path: Path) -> None:
    midi = mido.MidiFile(type=1, ticks_per_beat=960)
    conductor = mido.MidiTrack(
        [
            mido.MetaMessage("set_tempo", tempo=500000, time=0),
            mido.MetaMessage("set_tempo", tempo=1000000, time=1920),
        ]
    )
    part = mido.MidiTrack(
        [
            mido.MetaMessage("track_name", name="Bass", time=0),
            mido.Message("program_change", channel=2, program=33, time=0),
            mido.Message("note_on", channel=2, note=40, velocity=90, time=960),
            mido.Message("note_on", channel=2, note=43, velocity=70, time=0),
            mido.Message("note_on", channel=2, note=40, velocity=0, time=960),
            mido.Message("note_off", channel=2, note=43, velocity=0, time=960),
        ]
    )
    midi.tracks += [conductor, part]
    midi.save(tmp_path / "a.mid")
    data = (tmp_path / "a.mid").read_bytes()
    read = lua.lua.eval(
        "function(module, path) local f = io.open(path, 'rb') return module.notes(f:read('a')) end"
    )
    notes = lua.out(read(lua.module("midi_file"), str(tmp_path / "a.mid")))
    assert len(data) > 60
    assert [(n["pitch"], n["velocity"], n["channel"], n["start_s"], n["end_s"]) for n in notes] == [
        (40, 90, 2, 0.5, 1.0),
        (43, 70, 2, 0.5, 2.0),
    ]


def test_what_is_no_midi_is_told(lua: PlainLua) -> None:
    assert lua.module("midi_file").notes("RIFF....") is None


def tone(level: float, frames: int = 4800) -> Audio:
    samples = (level * np.sin(np.arange(frames) * 0.05)).astype(np.float32)
    return Audio(np.stack([samples, samples]), 48000)


@pytest.mark.parametrize("subtype", ["FLOAT", "PCM_24", "PCM_16"])
@pytest.mark.parametrize(("level", "sounds"), [(0.5, True), (0.0, False)])
def test_a_wav_is_measured_and_heard(
    lua: PlainLua, tmp_path: Path, subtype: str, level: float, sounds: bool
) -> None:
    path = tmp_path / "ü.wav"
    write_wav(path, tone(level), subtype)  # type: ignore[arg-type]
    module = lua.module("wav_check")
    header = module.header(str(path))
    assert (header.sample_rate, header.channels, header.frames, header.is_whole) == (48000, 2, 4800, True)
    assert module.sounds(str(path), header) is sounds


def test_what_lies_below_minus_100_db_is_silence(lua: PlainLua, tmp_path: Path) -> None:
    path = tmp_path / "quiet.wav"
    write_wav(path, tone(5e-6), "FLOAT")
    module = lua.module("wav_check")
    assert module.sounds(str(path), module.header(str(path))) is False


def test_a_wav_that_is_cut_short_is_not_whole(lua: PlainLua, tmp_path: Path) -> None:
    path = tmp_path / "cut.wav"
    write_wav(path, tone(0.5), "FLOAT")
    path.write_bytes(path.read_bytes()[:5000])
    assert lua.module("wav_check").header(str(path)).is_whole is False
    path.write_bytes(b"RIFF")
    assert lua.module("wav_check").header(str(path)) == (None, "it is not a WAV file")


def a_track(kind: str, **fields: Any) -> dict[str, Any]:
    track = {
        "name": kind.capitalize(), "role": "other", "kind": kind, "file": f"tracks/{kind}.wav", "start_s": 2.5,
        "frames": 48000, "sample_rate": 48000, "colour": "#ff8000", "gain_db": -6.0, "pan": 0.0, "muted": False,
        "path": f"/r/tracks/{kind}.wav",
    }  # fmt: skip
    return {**track, **fields}


def a_manifest(**fields: Any) -> dict[str, Any]:
    timeline = {
        "start_s": 2.5, "duration_s": 8.0, "downbeats_s": [0.5, 2.5], "tempo_map": {
            "segments": [
                {"start_s": -1.5, "bpm": 120, "end_bpm": 120, "law": "constant"},
                {"start_s": 4.0, "bpm": 90, "end_bpm": 100, "law": "linear_in_time"},
            ]
        },
        "signatures": [{"start_bar": 0, "numerator": 7, "denominator": 8}],
        "chords": [
            {"label": "A:min", "start_s": 0.0, "end_s": 1.0}, {"label": "A:min", "start_s": 1.0, "end_s": 2.0},
            {"label": "N", "start_s": 2.0, "end_s": 3.0},
        ],
        "sections": [{"label": "verse", "start_s": 0.0, "end_s": 4.0}],
    }  # fmt: skip
    kinds = ("generated", "fitted", "separated", "mix", "master")
    return {"folder": "/r", "timeline": timeline, "tracks": [a_track(kind) for kind in kinds], **fields}


def a_record(**options: Any) -> dict[str, Any]:
    return {
        "title": "Remix", "source_name": "Song", "engine": "remix", "start_s": 12.5, "end_s": 20.5, "options": options,
    }  # fmt: skip


def planned(lua: PlainLua, manifest: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:
    return lua.out(lua.module("plan").make(lua.into(manifest), lua.into(record)))  # type: ignore[no-any-return]


def test_tracks_lie_where_the_source_was(lua: PlainLua) -> None:
    plan = planned(lua, a_manifest(), a_record(returns="parts"))
    assert [track["kind"] for track in plan["tracks"]] == ["generated", "fitted"]
    assert {track["position_s"] for track in plan["tracks"]} == {12.5}
    assert plan["tracks"][0]["volume"] == pytest.approx(10 ** (-6 / 20))
    assert plan["tracks"][0]["colour"] == [255, 128, 0]


def test_mix_and_master_beside_their_parts_are_muted_and_alone_are_heard(lua: PlainLua) -> None:
    whole = planned(lua, a_manifest(), a_record(returns="all"))
    assert {t["kind"]: t["muted"] for t in whole["tracks"]} == {
        "generated": False, "fitted": False, "separated": False, "mix": True, "master": True,
    }  # fmt: skip
    alone = planned(lua, a_manifest(tracks=[a_track("mix", muted=True)]), a_record(returns="mix"))
    assert [t["muted"] for t in alone["tracks"]] == [False]


def test_markers_are_said_as_musicians_do(lua: PlainLua) -> None:
    plan = planned(lua, a_manifest(), a_record(markers="sections as regions, chords as markers"))
    assert plan["markers"] == [
        {"name": "verse", "position_s": 12.5, "end_s": 16.5},
        {"name": "Am", "position_s": 12.5},
    ]
    assert not planned(lua, a_manifest(), a_record(markers="none"))["markers"]


def test_the_tempo_is_set_only_if_asked_and_from_a_bar_line_on(lua: PlainLua) -> None:
    assert not planned(lua, a_manifest(), a_record(tempo="style"))["tempo"]
    plan = planned(lua, a_manifest(), a_record(tempo="style", set_tempo=True))
    assert plan["tempo"] == [
        {"position_s": 13.0, "bpm": 120, "is_ramp": False, "numerator": 7, "denominator": 8},
        {"position_s": 16.5, "bpm": 90, "is_ramp": True, "numerator": 0, "denominator": 0},
    ]


def test_the_command_for_the_daemon_survives_quotes_and_blanks(lua: PlainLua) -> None:
    lua.lua.execute("reaper = {}")
    command = lua.module("daemon").command
    assert command("/o'clock/py thon", "/home/ü x/.nrx", False) == (
        "'/o'\\''clock/py thon' -m bridge.doors.cli serve --home '/home/ü x/.nrx' </dev/null >/dev/null 2>&1 &"
    )
    windows = command("C:\\Py\\python.exe", "C:\\Users\\ü x\\.nrx", True)
    assert windows == '"C:\\Py\\pythonw.exe" -m bridge.doors.cli serve --home "C:\\Users\\ü x\\.nrx"'


def test_json_of_ours_and_pythons_agree(lua: PlainLua) -> None:
    value = {"a": [1, 2.5, 'ü\n"', True, {}], "b": {"c": -1e-9, "d": 2**53}}
    assert lua.out(lua.into(value)) == value
    assert json.loads(json.dumps(value)) == value


def test_no_module_asks_for_what_is_not_there() -> None:
    modules = {path.stem for path in LIB.rglob("*.lua")}
    for path in LIB.rglob("*.lua"):
        for line in path.read_text(encoding="utf-8").splitlines():
            for part in line.split('require("')[1:]:
                assert part.split('"')[0] in modules, f"{path.name}: {line}"
