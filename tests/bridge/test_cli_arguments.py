"""Arguments of the command line: what is wrong is said in one sentence with a code, whoever finds it."""

import sys

import click
import pytest

from bridge.doors.cli import app
from bridge.doors.cli.options import words
from bridge.protocol import parse_request
from engine.errors import NrxError


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["remix", "x.wav", "--stile", "rock"], "--stile"),
        (["remix", "x.wav"], "--style"),
        (["remix", "--style", "rock"], "FILE"),
        (["generate", "--seed", "minus one"], "minus one"),
        (["no-such-command"], "no-such-command"),
        (["remix", "x.wav", "--style", "rock", "--keep", "none,vocals"], "none,vocals"),
        (["install"], "Choose from: ableton, ardour, reaper; `nrx install --help`"),
    ],
)
def test_wrong_arguments_have_a_sentence_a_code_and_status_2(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["nrx", *arguments])
    with pytest.raises(SystemExit) as ended:
        app.run()
    out, err = capsys.readouterr()
    assert ended.value.code == 2
    assert out == ""
    assert err.startswith("nrx: ")
    assert err.endswith(" [request.invalid]\n")
    assert err.count("\n") == 1
    assert said in err


def test_a_sentence_that_ends_with_a_question_is_not_gone_on_with() -> None:
    error = click.UsageError(
        "No such option '--stile'. Did you mean '--style'?", click.Context(app.nrx, info_name="nrx")
    )
    assert app.usage_error(error).sentence == (
        "No such option '--stile'. Did you mean '--style'? `nrx --help` tells what there is."
    )


@pytest.mark.parametrize("arguments", [[], ["models"]])
def test_a_group_without_a_command_shows_its_help_and_no_error(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["nrx", *arguments])
    with pytest.raises(SystemExit) as ended:
        app.run()
    err = capsys.readouterr().err
    assert ended.value.code == 2
    assert err.startswith("Usage: nrx")
    assert "Commands:" in err or "Music:" in err
    assert "request.invalid" not in err


@pytest.mark.parametrize(
    ("text", "parts"),
    [("none", []), ("vocals, bass", ["vocals", "bass"]), ("", []), ("none,none", [])],
)
def test_lists_are_split(text: str, parts: list[str]) -> None:
    assert words(text) == parts


@pytest.mark.parametrize("text", ["none,vocals", "vocals,none", "drums, none ,bass"])
def test_none_beside_a_stem_is_refused(text: str) -> None:
    with pytest.raises(NrxError) as caught:
        words(text)
    assert caught.value.code == "request.invalid"


@pytest.mark.parametrize(
    ("given", "read"), [("natural", "natural"), ("none", "none"), ("-0.5", -0.5), (3, 3.0), ("12", 12.0)]
)
def test_pitch_is_a_word_or_semitones(given: object, read: object) -> None:
    request = parse_request({"action": "sync", "inputs": [{"path": "a.wav"}], "tempo": 95, "pitch": given})
    assert request.pitch == read


@pytest.mark.parametrize("given", ["up", "13", -12.5, "nan", None])
def test_a_pitch_that_cannot_be_moved_is_refused(given: object) -> None:
    with pytest.raises(NrxError) as caught:
        parse_request({"action": "sync", "inputs": [{"path": "a.wav"}], "tempo": 95, "pitch": given})
    assert caught.value.code == "request.invalid"
    assert "-12 to 12" in caught.value.sentence


def test_a_value_that_is_no_number_is_told_once() -> None:
    with pytest.raises(NrxError) as caught:
        parse_request({"action": "generate", "prompt": "lofi", "bpm": "fast"})
    assert caught.value.sentence == "bpm 'fast' is refused: it must be a valid number."
