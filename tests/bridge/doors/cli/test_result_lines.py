"""The lines at the end of a job: where to read on, and nothing that says nothing."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.doors.cli.show import facts
from bridge.protocol import Manifest


def a_manifest(**fields: Any) -> Manifest:
    told = {
        "nrx_version": "1",
        "action": "mix",
        "id": "1",
        "folder": "returns/song",
        "created_utc": "",
        "request": {},
    }
    return Manifest(**{**told, **fields})


def test_a_mix_says_where_its_report_is() -> None:
    lines = facts(a_manifest(files={"report page": "report.html"}))
    assert f"What was done, and why: {Path('returns/song/report.html')}" in lines


@pytest.mark.parametrize(("labels", "shown"), [(["N"], False), (["N", "C:maj"], True)])
def test_chords_are_told_only_if_there_are_any(labels: list[str], shown: bool) -> None:
    heard = SimpleNamespace(
        tempo_bpm=120.0, tempo_candidates=(), time_signature="4/4", key="C major", key_confidence=1.0, downbeats_s=(),
        sections=(), chords=[SimpleNamespace(label=label) for label in labels],
    )  # fmt: skip
    lines = facts(a_manifest().model_copy(update={"analysis": heard}))
    assert any(line.startswith("Chords:") for line in lines) == shown
