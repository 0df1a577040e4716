"""`nrx models` on a machine without weights: plain sentences, and nothing that looks like success."""

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from bridge.doors.cli.app import nrx
from bridge.doors.cli.commands.models import models_table
from engine.errors import NrxError


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NRX_HOME", str(tmp_path))


def test_an_empty_list_is_a_sentence_and_not_an_empty_table() -> None:
    done = CliRunner().invoke(nrx, ["models", "list", "--here"])
    assert done.exit_code == 0
    assert done.output.startswith("There are no models on this machine;")
    assert CliRunner().invoke(nrx, ["models", "list", "--here", "--json"]).output == "[]\n"


@pytest.mark.parametrize("options", [[], ["--yes"]])
@pytest.mark.parametrize("name", ["htdemucs", "audiocraft"])
def test_removing_what_is_not_there_is_refused_before_anybody_is_asked(name: str, options: list[str]) -> None:
    done = CliRunner().invoke(nrx, ["models", "remove", name, *options])
    assert isinstance(done.exception, NrxError)
    assert done.exception.code == "model.missing"
    assert "nothing was removed" in done.exception.sentence


def test_what_is_half_fetched_is_asked_about(tmp_path: Path) -> None:
    half = tmp_path / "models" / ".fetching-htdemucs"
    half.mkdir(parents=True)
    assert "left as it is" in CliRunner().invoke(nrx, ["models", "remove", "htdemucs"]).output
    assert half.is_dir()
    assert CliRunner().invoke(nrx, ["models", "remove", "htdemucs", "--yes"]).exit_code == 0
    assert not half.exists()


def test_the_list_of_commands_is_not_cut_off() -> None:
    told = CliRunner().invoke(nrx, ["models", "--help"], terminal_width=80).output
    assert "..." not in told.split("Commands:")[1]


@pytest.mark.parametrize("width", [80, 200])
def test_names_stay_whole_at_any_width_and_a_model_is_a_line(width: int) -> None:
    rows = json.loads(CliRunner().invoke(nrx, ["models", "list", "--json"]).stdout)
    out = io.StringIO()
    Console(file=out, width=width).print(models_table(rows, width))
    lines = out.getvalue().splitlines()
    assert [line.split()[0] for line in lines[2:]] == [row["name"] for row in rows]
    assert ("licence" in lines[0]) == (width == 200)
