"""The report of a master: plain data, a page that needs nothing, and parts that cannot break each other."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge.returns.report import write_report
from bridge.returns.report_html import render_report
from engine.audio import Audio
from engine.mastering import MasterWishes, make_master
from engine.mastering.describe import describe_master

VOID = {"meta", "path", "rect", "br"}


class Page(HTMLParser):
    """Reads a page: which elements it has, whether they are closed, what it loads."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.loads: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    time = np.arange(8 * 44_100) / 44_100
    random = np.random.default_rng(1)
    beat = np.exp(-9.0 * (time % 0.5))
    wave = np.stack(
        [
            0.4 * np.sin(2 * np.pi * f * time) * beat + 0.02 * random.standard_normal(len(time))
            for f in (90, 93)
        ]
    )
    wishes = MasterWishes(lufs=-12.0, ratios=(1.5, 1.3, 1.3, 1.3), glue_ratio=1.3)
    path = tmp_path_factory.mktemp("master") / "master.wav"
    made = make_master(Audio(wave.astype(np.float32), 44_100), wishes, path)
    return describe_master(made, wishes, 'A "song" <b>')


def test_the_data_is_plain_and_survives_json(described: dict[str, Any]) -> None:
    assert json.loads(json.dumps(described, allow_nan=False)) == described
    for key in ("target", "before", "after", "done", "guardrails", "reasons", "warnings", "curves", "stereo"):
        assert key in described
    assert described["after"]["integrated_lufs"] == pytest.approx(-12.0, abs=0.1)
    assert described["level_match_db"] == pytest.approx(
        described["before"]["integrated_lufs"] - described["after"]["integrated_lufs"], abs=0.02
    )
    assert {item["id"] for item in described["guardrails"]} == {
        "eq", "reduction", "true_peak_4x", "true_peak_8x", "side_gain", "width", "correlation", "plr", "lra",
    }  # fmt: skip


def test_the_page_loads_nothing_runs_nothing_and_shows_everything(described: dict[str, Any]) -> None:
    page = Page(render_report({"masters": [described]}, "Title & co"))
    assert page.open == []
    assert page.loads == []
    assert "script" not in page.seen
    assert page.seen.count("svg") >= 4
    for shown in (
        "Title & co",
        "Guardrails",
        "Spectrum",
        "Loudness over time",
        "Gain over time",
        "Stereo field",
    ):
        assert shown in page.text
    for reason in described["reasons"]:
        assert reason in page.text
    assert "prefers-color-scheme:dark" in render_report({}, "x")


def test_names_from_outside_stay_text(described: dict[str, Any]) -> None:
    evil = {**described, "name": "<script>alert(1)</script>", "reasons": ["<img src=x>"]}
    page = Page(render_report({"masters": [evil, evil], "album": True}, "<script>"))
    assert "script" not in page.seen
    assert "img" not in page.seen
    assert page.text.count("<script>alert(1)</script>") >= 2


def test_a_mix_is_shown_beside_its_master(described: dict[str, Any]) -> None:
    mix = {
        "strips": [
            {"name": "Kick", "role": "kick", "gain_db": -2.5, "eq": [1, 2]},
            {"name": "Voice", "pan": 0.1},
        ],
        "reasons": ["The voice was ridden."],
        "guardrails": [],
    }
    page = Page(render_report({"masters": [described], "mix": mix}, "x"))
    for shown in ("Kick", "Voice", "The voice was ridden.", "-2.5", "R\u202f10", "Master"):
        assert shown in page.text


@pytest.mark.parametrize("mix", ["odd", {"strips": 3}, {"strips": [None]}, {"guardrails": [{}]}])
def test_a_part_that_is_odd_leaves_the_rest_whole(described: dict[str, Any], mix: Any) -> None:
    page = Page(render_report({"masters": [described], "mix": mix}, "x"))
    assert "could not be drawn" in page.text
    assert "Guardrails" in page.text
    broken = Page(render_report({"masters": [{"name": "x"}], "mix": {"reasons": ["Kept."]}}, "x"))
    assert "Kept." in broken.text


def test_both_files_are_written(tmp_path: Path, described: dict[str, Any]) -> None:
    files = write_report(tmp_path, {"masters": [described], "album": False}, "song - master")
    assert files == {"report": "report.json", "report page": "report.html"}
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["masters"] == [described]
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
