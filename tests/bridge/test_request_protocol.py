"""The contract of all doors: what a request may hold, and the one sentence for what it may not."""

import pytest

from bridge.protocol import Track, json_schema, parse_request
from engine.errors import NrxError

GOOD = {"action": "remix", "inputs": [{"path": "a.wav"}], "style": "jazz"}


def refused(**changes: object) -> NrxError:
    with pytest.raises(NrxError) as raised:
        parse_request({**GOOD, **changes})
    return raised.value


def test_good_request_has_its_defaults() -> None:
    request = parse_request(GOOD)
    assert (request.tempo, request.energy, request.keep, request.seed) == ("project", 1.0, ("vocals",), 0)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"energy": 7}, ["energy", "7", "2"]),
        ({"energy": "loud"}, ["energy", "loud"]),
        ({"energy": float("nan")}, ["energy"]),
        ({"brightness": 0.4}, ["brightness", "0.5"]),
        ({"tempo": 0}, ["tempo", "20", "400"]),
        ({"tempo": "fast"}, ["tempo", "fast", "project", "style"]),
        ({"tempo": float("inf")}, ["tempo"]),
        ({"seed": -1}, ["seed"]),
        ({"colour": "red"}, ["colour"]),
        ({"action": "dance"}, ["action", "dance", "remix"]),
        ({"protocol": 2}, ["protocol"]),
        ({"style": None}, ["style"]),
        ({"inputs": []}, ["input"]),
        ({"inputs": [{"path": ""}]}, ["path"]),
    ],
)
def test_bad_value_gets_one_sentence_that_names_it(changes: dict[str, object], names: list[str]) -> None:
    error = refused(**changes)
    assert error.code == "request.invalid"
    assert error.exit_status == 2
    assert error.sentence.endswith(".")
    assert "\n" not in error.sentence
    for name in names:
        assert name in error.sentence


@pytest.mark.parametrize("tempo", ["style", "project", 95, "95", 95.5])
def test_tempo_is_a_mode_or_a_number(tempo: object) -> None:
    wanted = tempo if tempo in ("style", "project") else float(str(tempo))
    assert parse_request({**GOOD, "tempo": tempo}).tempo == wanted


@pytest.mark.parametrize("file", ["/etc/passwd", "../x.wav", "tracks/../../x.wav", "tracks\\x.wav"])
def test_track_file_stays_inside_the_return(file: str) -> None:
    track = {
        "name": "x", "role": "bass", "kind": "generated", "file": file, "start_s": 0, "start_frame": 0, "frames": 1,
        "sample_rate": 44100, "channels": 2, "subtype": "PCM_24", "colour": "#000000", "gain_db": 0, "muted": False,
    }  # fmt: skip
    with pytest.raises(ValueError, match="relative path"):
        Track.model_validate(track)
    assert Track.model_validate({**track, "file": "tracks/x.wav"}).file == "tracks/x.wav"


def test_schema_is_published_for_requests_and_manifests() -> None:
    schema = json_schema()
    assert "energy" in schema["request"]["properties"]
    assert "tracks" in schema["manifest"]["properties"]
