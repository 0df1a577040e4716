"""Which backend does a stage: `auto` takes what is there and says why; what is asked for is given or refused."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from engine.backends import Backends, built_in_only
from engine.errors import NrxError
from engine.models import CATALOGUE, InstalledModel, ModelStore


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelStore:
    """Give a store whose packages are said to be there, and memory without end."""
    monkeypatch.setattr("engine.backends.what_is_missing", lambda _family: None)
    monkeypatch.setattr("engine.models.store.require_packages", lambda _family, _name: None)
    monkeypatch.setattr("engine.backends._does_not_fit", lambda _card: None)
    return ModelStore(tmp_path / "models")


def put(store: ModelStore, *names: str) -> None:
    for name in names:
        built = store.root / ".building"
        built.mkdir(parents=True)
        (built / "weights.safetensors").write_text(name)
        store.publish(CATALOGUE[name], "abc", built)


def test_auto_takes_what_is_built_in_where_nothing_else_is_there_and_says_why(store: ModelStore) -> None:
    backends = Backends(store)
    for choice, built_in in ((backends.separator(), "spectral"), (backends.generator(), "arranger")):
        assert (choice.backend, choice.name, choice.is_neural) == (built_in, built_in, False)
        assert "nrx models fetch" in choice.why


def test_auto_takes_the_first_model_that_is_there(store: ModelStore) -> None:
    put(store, "htdemucs_ft", "musicgen-small", "musicgen-melody")
    backends = Backends(store)
    assert (backends.separator().backend, backends.separator().name) == ("demucs", "htdemucs_ft")
    assert "htdemucs_ft" in backends.separator().why
    assert backends.generator().name == "musicgen-small"
    assert backends.generator(melody=True).name == "musicgen-melody"


def test_auto_without_the_packages_says_how_to_get_them(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, "htdemucs")
    monkeypatch.setattr(
        "engine.backends.what_is_missing", lambda _family: "the package torch is not installed"
    )
    choice = Backends(store).separator()
    assert choice.backend == "spectral"
    assert "torch" in choice.why


def test_auto_passes_over_what_may_not_be_used(store: ModelStore) -> None:
    put(store, "htdemucs")
    strict = replace(store, commercial_only=True)
    choice = Backends(strict).separator()
    assert choice.backend == "spectral"
    assert "commercial_only" in choice.why
    assert Backends(replace(strict, cleared=frozenset({"htdemucs"}))).separator().name == "htdemucs"


def test_auto_passes_over_what_does_not_fit_into_memory(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, "musicgen-large", "musicgen-small")
    small_machine: Callable[[object], str | None] = lambda card: (  # noqa: E731
        "too large" if getattr(card, "name", "") == "musicgen-small" else None
    )
    monkeypatch.setattr("engine.backends._does_not_fit", small_machine)
    assert Backends(store).generator().name == "musicgen-large"


def test_auto_passes_over_a_damaged_model(store: ModelStore) -> None:
    put(store, "htdemucs", "htdemucs_ft")
    (store.root / "htdemucs" / "weights.safetensors").write_text("cut")
    assert Backends(store).separator().name == "htdemucs_ft"
    (store.root / "htdemucs_ft" / "weights.safetensors").write_text("cut")
    choice = Backends(store).separator()
    assert choice.backend == "spectral"
    assert "not as it was verified" in choice.why


def test_a_preferred_model_goes_first_and_its_absence_is_no_refusal(store: ModelStore) -> None:
    put(store, "musicgen-small", "musicgen-medium")
    assert (
        Backends(store, preferred={"generate": "facebook/musicgen-medium"}).generator().name
        == "musicgen-medium"
    )
    assert (
        Backends(store, preferred={"generate": "facebook/musicgen-large"}).generator().name
        == "musicgen-small"
    )


@pytest.mark.parametrize("wanted", ["htdemucs", "adefossez/HTDemucs", "demucs"])
def test_what_is_asked_for_by_name_is_given_or_refused(store: ModelStore, wanted: str) -> None:
    with pytest.raises(NrxError, match="nrx models fetch") as caught:
        Backends(store, separate=wanted).separator()
    assert caught.value.code == "model.missing"
    put(store, "htdemucs")
    assert Backends(store, separate=wanted).separator().name == "htdemucs"


def test_what_is_built_in_can_be_asked_for_though_models_are_there(store: ModelStore) -> None:
    put(store, "htdemucs")
    assert not Backends(store, separate="spectral").separator().is_neural


@pytest.mark.parametrize("wanted", ["htdemuc", "musicgen-small"])
def test_a_name_that_does_not_do_the_task_is_refused_with_those_that_do(
    store: ModelStore, wanted: str
) -> None:
    with pytest.raises(NrxError, match="spectral, htdemucs, htdemucs_ft") as caught:
        Backends(store, separate=wanted).separator()
    assert caught.value.code == "backend.missing"


def test_embeddings_are_refused_where_there_is_no_model(store: ModelStore) -> None:
    with pytest.raises(NrxError, match="nrx models fetch clap-music"):
        Backends(store).embedder()


def test_the_key_changes_with_model_revision_and_bytes(store: ModelStore) -> None:
    put(store, "htdemucs")
    first = Backends(store).separator()
    assert first.model is not None
    others = [
        replace(first, model=replace(first.model, revision="other")),
        replace(first, model=replace(first.model, sha256={"weights.safetensors": "0"})),
        replace(first, model=InstalledModel(CATALOGUE["htdemucs_ft"], Path(), "abc", first.model.sha256)),
    ]
    keys = [str(choice.key) for choice in (first, *others)]
    assert len(set(keys)) == len(keys)


def test_work_outside_a_job_uses_no_weights() -> None:
    backends = built_in_only()
    assert not backends.separator().is_neural
    assert not backends.generator().is_neural


def test_devices_are_told_once_each_in_order(store: ModelStore) -> None:
    backends = Backends(store)
    assert backends.devices == "cpu"
    backends.separated_on, backends.used_device = "cuda:0", "cuda:0"
    assert backends.devices == "cuda:0"
    backends.used_device = "cpu"
    assert backends.devices == "cuda:0, cpu"
