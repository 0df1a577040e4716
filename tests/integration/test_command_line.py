"""The command line as people use it: JSON alone on standard output, exit statuses, Ctrl-C, many files."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile as sf

from tests.songs import song

NRX = [sys.executable, "-c", "from bridge.doors.cli import main; main()"]
HEARS_CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
"""A runner in the background may have had Ctrl-C ignored, which its children inherit."""


def nrx(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*NRX, *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=250,
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    sf.write(tmp_path / "a song.wav", song(bars=4), 44100)
    return tmp_path / "a song.wav"


def test_help_is_quick() -> None:
    best = 10.0
    for _ in range(3):
        started = time.perf_counter()
        assert "remix" in nrx("--help").stdout
        best = min(best, time.perf_counter() - started)
    assert best < 1.0


@pytest.mark.parametrize(
    "command", ["remix", "separate", "analyze", "generate", "sync", "mix", "master", "styles", "demo"]
)
def test_every_command_explains_itself(command: str) -> None:
    done = nrx(command, "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage: nrx" in done.stdout


def test_json_is_one_manifest_a_line_and_nothing_else(file: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.wav").write_text("no")
    done = nrx("separate", file, tmp_path / "bad.wav", file, "--out", tmp_path / "out", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [Path(line["folder"]).name for line in lines] == ["a song - separated", "a song - separated (2)"]
    assert done.returncode == 3
    assert "input.not_audio" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "word"),
    [
        (["remix", "x.wav", "--style", "jazz"], 3, "input.not_found"),
        (["remix", "x.wav"], 2, "--style"),
        (["remix", "x.wav", "--style", "jazz", "--energy", "7"], 2, "energy"),
        (["remix", "x.wav", "--style", "jazz", "--tempo", "fast"], 2, "fast"),
        (["remix", "x.wav", "--style", "jazz", "--tempo-range", "9"], 2, "70-140"),
        (["remix", "vocals=a.wav", "b.wav", "--style", "jazz"], 2, "role"),
        (["dance"], 2, "dance"),
    ],
)
def test_wrong_arguments_get_a_sentence_and_a_status(arguments: list[str], status: int, word: str) -> None:
    done = nrx(*arguments)
    assert done.returncode == status
    assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.skipif(os.name != "posix", reason="a console's Ctrl-C can't be sent to one process elsewhere")
@pytest.mark.parametrize("stage", ["separate", "analyze", "generate", "master"])
def test_ctrl_c_stops_within_two_seconds_and_leaves_nothing(stage: str, tmp_path: Path) -> None:
    file = tmp_path / "long.wav"
    sf.write(file, song(bars=48), 44100)
    out = tmp_path / "out"
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            HEARS_CTRL_C + NRX[2],
            "remix",
            str(file),
            "--style",
            "rock",
            "--out",
            str(out),
        ],
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if f": {stage}" in line:
                break
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        sent = time.monotonic()
        assert process.wait(10) == 130
        assert time.monotonic() - sent < 2.5
    assert list(out.iterdir()) == []
    assert not list(Path(os.environ["NRX_HOME"]).rglob(".building-*"))


def test_own_style_is_found_in_the_home_and_a_bad_one_is_explained(file: Path) -> None:
    folder = Path(os.environ["NRX_HOME"]) / "styles"
    folder.mkdir(parents=True)
    from engine.presets import presets_folder

    ours = (presets_folder() / "styles" / "lofi_chill.yaml").read_text(encoding="utf-8")
    (folder / "mine.yaml").write_text(ours.replace("id: lofi_chill", "id: mine"), encoding="utf-8")
    assert "mine" in nrx("styles").stdout
    (folder / "mine.yaml").write_text(
        ours.replace("id: lofi_chill", "id: mine").replace("energy: 0.4", "energy: 4"), encoding="utf-8"
    )
    done = nrx("remix", file, "--style", "mine")
    assert done.returncode == 2
    assert "mine.yaml" in done.stderr
    assert "energy" in done.stderr


def test_settings_file_with_a_wrong_key_is_explained(file: Path) -> None:
    (Path(os.environ["NRX_HOME"]) / "nrx.toml").write_text("cach_max_gb = 1\n")
    done = nrx("separate", file)
    assert done.returncode == 2
    assert "cach_max_gb" in done.stderr


def test_too_long_for_memory_is_refused_before_work(file: Path, tmp_path: Path) -> None:
    (Path(os.environ["NRX_HOME"]) / "nrx.toml").write_text("memory_max_gb = 0.01\n")
    done = nrx("remix", file, "--style", "jazz", "--out", tmp_path / "out")
    assert done.returncode == 3
    assert "input.too_long" in done.stderr
