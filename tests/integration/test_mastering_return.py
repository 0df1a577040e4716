"""`nrx master` and `nrx measure`: what comes back, from one song, from an album, with references; what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from click.testing import CliRunner

from bridge.doors.cli.app import nrx
from bridge.protocol import Manifest, parse_request
from engine.errors import NrxError

RATE = 44_100


def song(path: Path, seconds: float = 8.0, level: float = 0.4, bright: float = 1.0) -> Path:
    """Write a small song and return its path."""
    time = np.arange(round(seconds * RATE)) / RATE
    random = np.random.default_rng(len(path.stem))
    beat = np.exp(-8.0 * (time % 0.5))
    wave = [
        np.sin(2 * np.pi * 80.0 * time) * beat + 0.3 * np.sin(2 * np.pi * (330.0 + c) * time)
        + bright * 0.1 * random.standard_normal(len(time)) for c in range(2)
    ]  # fmt: skip
    sf.write(path, level * np.stack(wave).T / np.abs(wave).max(), RATE, subtype="PCM_24")
    return path


def run(*words: object) -> Any:
    """Run `nrx` in this process."""
    return CliRunner().invoke(nrx, [str(word) for word in words], catch_exceptions=True)


def returned(*words: object) -> tuple[Manifest, dict[str, Any]]:
    """Run `nrx master … --json`; return the manifest and the report."""
    done = run("master", *words, "--json")
    assert done.exit_code == 0, done.output + repr(done.exception)
    line = next(line for line in done.stdout.splitlines() if line.startswith("{"))
    manifest = Manifest.model_validate_json(line)
    return manifest, json.loads((Path(manifest.folder) / "report.json").read_text(encoding="utf-8"))


def test_a_master_comes_back_with_its_report_and_is_what_the_report_says(tmp_path: Path) -> None:
    manifest, report = returned(song(tmp_path / "söng.wav"), "--preset", "Pop", "--out", tmp_path / "out")
    folder = Path(manifest.folder)
    assert {"master.wav", "report.json", "report.html"} <= {path.name for path in folder.iterdir()}
    assert manifest.files["report page"] == "report.html"
    told = report["masters"][0]["after"]
    measured = json.loads(run("measure", folder / "master.wav", "--json").stdout)
    for key in (
        "integrated_lufs",
        "true_peak_dbtp",
        "true_peak_8x_dbtp",
        "lra_lu",
        "width_pct",
        "spectrum_db",
    ):
        assert measured[key] == told[key]
    assert manifest.loudness["master"].integrated_lufs == told["integrated_lufs"]
    assert manifest.loudness["master"].target_lufs == -10.0
    assert sf.info(folder / "master.wav").subtype == "PCM_24"


def test_a_second_master_of_the_same_is_not_made_again(tmp_path: Path) -> None:
    path = song(tmp_path / "song.wav")
    first, _ = returned(path, "--out", tmp_path / "out")
    second, _ = returned(path, "--out", tmp_path / "out")
    assert [stage.cached for stage in second.stages if stage.stage == "master"] == [True]
    one, two = (Path(m.folder) / "master.wav" for m in (first, second))
    assert one.read_bytes() == two.read_bytes()


def test_a_reference_is_matched_and_is_no_track(tmp_path: Path) -> None:
    dull, bright = song(tmp_path / "dull.wav", bright=0.3), song(tmp_path / "ref.wav", level=0.8, bright=1.0)
    manifest, report = returned(dull, "--reference", bright, "--bits", 16, "--out", tmp_path / "out")
    assert [track.name for track in manifest.tracks] == ["Master"]
    assert sf.info(Path(manifest.folder) / "master.wav").subtype == "PCM_16"
    assert report["masters"][0]["done"]["eq_db"]["8000"] > 1.0
    _, half = returned(
        dull, "--reference", bright, "--amount", "match_spectrum=50%", "--out", tmp_path / "out"
    )
    assert 0.2 < half["masters"][0]["done"]["eq_db"]["8000"] < report["masters"][0]["done"]["eq_db"]["8000"]


def test_an_album_has_a_track_a_song_at_consistent_loudness(tmp_path: Path) -> None:
    loud, soft = song(tmp_path / "loud.wav"), song(tmp_path / "soft.wav", level=0.25)
    manifest, report = returned(loud, soft, "--album", "--lufs", -14, "--out", tmp_path / "out")
    assert [track.name for track in manifest.tracks] == ["loud", "soft"]
    assert len({track.file for track in manifest.tracks}) == 2
    assert report["album"]
    levels = [item["after"]["integrated_lufs"] for item in report["masters"]]
    before = [item["before"]["integrated_lufs"] for item in report["masters"]]
    assert levels[0] == pytest.approx(-14.0, abs=0.2)
    assert levels[0] - levels[1] == pytest.approx((before[0] - before[1]) / 2.0, abs=0.3)


def test_codec_preview_is_in_the_report(tmp_path: Path) -> None:
    _, report = returned(song(tmp_path / "song.wav", 3.0), "--codec-preview", "--out", tmp_path / "out")
    assert {item["codec"] for item in report["masters"][0]["codec_preview"]} >= {"AAC 256 kbit/s"}


def test_measure_tells_everything_in_words_and_goes_on_after_a_bad_file(tmp_path: Path) -> None:
    bad = tmp_path / "bad.wav"
    bad.write_text("no audio")
    done = run("measure", bad, song(tmp_path / "song.wav", 3.0))
    assert done.exit_code == 3
    for shown in ("integrated", "momentary", "short-term", "range", "4x", "8x", "correlation", "1000 Hz"):
        assert shown in done.output


@pytest.mark.parametrize(
    "words",
    [
        ("--width", "150"),
        ("--lra-max", "much"),
        ("--amount", "match_width"),
        ("--amount", "sparkle=50"),
        ("--amount", "tone=120"),
        ("--preset", "nope"),
    ],
)
def test_options_out_of_range_are_refused_before_any_work(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = run("master", song(tmp_path / "song.wav", 1.0), *words, "--out", tmp_path / "out")
    assert isinstance(done.exception, NrxError | SystemExit)
    assert done.exit_code != 0
    assert not list((tmp_path / "out").glob("*")) if (tmp_path / "out").exists() else True


def test_a_reference_alone_or_for_a_remix_is_refused() -> None:
    reference = {"path": "a.wav", "role": "reference"}
    for fields in (
        {"action": "master", "inputs": [reference]},
        {"action": "remix", "style": "edm", "inputs": [{"path": "b.wav"}, reference]},
    ):
        with pytest.raises(NrxError, match="reference"):
            parse_request(fields)
