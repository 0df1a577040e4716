"""`nrx mix --session`: what is missing or wrong is told as what it is."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.doors.cli.app import nrx
from engine.errors import NrxError

SESSION = """\
nrx_mix: 1
preset: pop
sample_rate: 44100
tracks:
  - {{name: kick, file: "kick.wav", role: kick, bus: drums, gain_db: 0, fader_db: {fader}, pan: 0}}
buses: {{}}
sends: {{}}
"""


def refused(tmp_path: Path, fader: str) -> NrxError:
    file = tmp_path / "mix.yaml"
    file.write_text(SESSION.format(fader=fader), encoding="utf-8")
    error = CliRunner().invoke(nrx, ["mix", "--session", str(file)]).exception
    assert isinstance(error, NrxError)
    return error


def test_a_session_without_its_stems_says_to_give_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NRX_HOME", str(tmp_path))
    error = refused(tmp_path, "-3.0")
    assert error.code == "input.not_found"
    assert error.sentence == (
        "kick.wav is not beside mix.yaml; give the stems too: nrx mix STEMS… --session mix.yaml."
    )


def test_a_wrong_value_names_the_session_file_and_says_it_once(tmp_path: Path) -> None:
    error = refused(tmp_path, "loud")
    assert error.code == "preset.invalid"
    file = tmp_path / "mix.yaml"
    assert error.sentence.startswith(
        f"The session file {file} has 'tracks.0.fader_db' = 'loud'; it should be a valid number"
    )
    assert "parse" not in error.sentence
