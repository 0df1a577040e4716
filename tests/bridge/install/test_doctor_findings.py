"""`nrx doctor` names every way of generating that a request may ask for, and shows no key."""

import json
from pathlib import Path

import pytest

from bridge.install.doctor import Finding, examine
from engine.models.interpreter import AUDIOCRAFT, RECORD, python_in


def findings(topic: str) -> list[Finding]:
    return [finding for finding in examine() if finding.topic == topic]


def test_nothing_is_said_of_generators_that_are_not_there(own_home: Path) -> None:
    assert findings("audiocraft") + findings("cloud") == []


def test_audiocraft_is_told_with_its_weights(own_home: Path) -> None:
    folder = own_home / "models" / AUDIOCRAFT
    python = python_in(folder / "venv")
    python.parent.mkdir(parents=True)
    python.touch()
    (folder / RECORD).write_text(json.dumps({"version": "1.3.0", "made": "so", "packages": {}}))
    assert [finding.says for finding in findings("audiocraft")] == [f"1.3.0 in {folder}: no weights yet"]


def test_cloud_service_with_a_key_tells_what_leaves_and_one_without_is_a_hint(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NRX_CLOUD_ALLOWED", "1")
    monkeypatch.setenv("REPLICATE_API_TOKEN", "r8_secret")
    hugging, replicate = findings("cloud")
    assert (hugging.verdict, replicate.verdict) == ("hint", "ok")
    assert "HUGGINGFACE_API_KEY" in hugging.todo
    assert "its melody" in replicate.says
    assert "r8_secret" not in str((hugging, replicate))
