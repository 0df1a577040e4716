"""`models.json`: what DAW scripts say of licences before a job is sent."""

import json
from pathlib import Path

import pytest

from bridge.config import load_settings
from bridge.models_file import write_models
from engine.backends import Backends, Choice
from engine.models import InstalledModel
from engine.models.catalogue import CATALOGUE


def rows(home: Path) -> dict[str, dict[str, object]]:
    found = json.loads((home / "models.json").read_text(encoding="ascii"))
    assert isinstance(found, dict)
    return found


def test_what_is_built_in_needs_no_word(own_home: Path) -> None:
    write_models(load_settings())
    assert rows(own_home) == {}


@pytest.mark.parametrize(("cleared", "may_be_sold"), [((), False), (("musicgen-small",), True)])
def test_a_model_that_would_be_used_is_told_with_its_licence(
    own_home: Path, monkeypatch: pytest.MonkeyPatch, cleared: tuple[str, ...], may_be_sold: bool
) -> None:
    card = CATALOGUE["musicgen-small"]
    chosen = Choice("generate", "musicgen", "there", InstalledModel(card, own_home, "1", {}))
    monkeypatch.setattr(Backends, "generator", lambda _self, **_wish: chosen)
    settings = load_settings()
    models = settings.models.model_copy(update={"cleared": cleared})
    write_models(settings.model_copy(update={"models": models}))
    told = rows(own_home)["generate"]
    assert told == {"name": "musicgen-small", "licence": card.licence, "commercial_use": may_be_sold}


def test_a_backend_that_cannot_be_used_is_left_out(own_home: Path) -> None:
    settings = load_settings()
    models = settings.models.model_copy(update={"generator": "musicgen-small"})
    write_models(settings.model_copy(update={"models": models}))
    assert "generate" not in rows(own_home)
