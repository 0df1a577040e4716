"""The store hands out only what was verified, names what is missing, and takes users' own models."""

import json
import os
import pickle
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import NrxError
from engine.models import CATALOGUE, ModelStore, cards_for, what_is_missing
from engine.models.fetch import Fetching, fetch
from engine.models.pickled import hash_in_name, safe_name

CONFIG = {"model_type": "musicgen_melody", "decoder": {"audio_channels": 2}}


def put(store: ModelStore, name: str = "htdemucs", content: bytes = b"weights") -> Path:
    """Publish a model of the catalogue as a fetch would."""
    built = store.root / ".building"
    built.mkdir(parents=True)
    (built / f"{name}.yaml").write_text("models: ['955717e8']")
    (built / "955717e8.safetensors").write_bytes(content)
    return store.publish(CATALOGUE[name], "abc", built).folder


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def own_musicgen(folder: Path, weights: str = "model.safetensors") -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / weights).write_bytes(b"0123456789")
    return folder


def test_what_was_published_is_found(store: ModelStore) -> None:
    folder = put(store)
    found = store.find("htdemucs")
    assert found is not None
    assert found.folder == folder
    assert found.revision == "abc"
    assert set(found.sha256) == {"htdemucs.yaml", "955717e8.safetensors"}


def test_nothing_is_found_in_an_empty_store(store: ModelStore) -> None:
    assert store.find("htdemucs") is None
    assert list(store.installed()) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.write_bytes(b"weight"),
        lambda file: file.write_bytes(b"WEIGHTS"),
        lambda file: file.unlink(),
        lambda file: (file.parent / "nrx-model.json").unlink(),
        lambda file: (file.parent / "nrx-model.json").write_text("{"),
        lambda file: (file.parent / "nrx-model.json").write_text("[]"),
    ],
    ids=["truncated", "changed", "gone", "no record", "half a record", "another record"],
)
def test_a_file_that_is_not_as_verified_is_never_trusted(store: ModelStore, spoil: object) -> None:
    folder = put(store)
    assert callable(spoil)
    spoil(folder / "955717e8.safetensors")
    with pytest.raises(NrxError, match="not as it was verified") as caught:
        store.find("htdemucs")
    assert caught.value.code == "model.damaged"
    assert "nrx models fetch htdemucs" in caught.value.sentence
    ((_, told),) = store.installed()
    assert isinstance(told, NrxError)


def test_a_change_that_keeps_size_and_time_is_found_by_verifying(store: ModelStore) -> None:
    file = put(store) / "955717e8.safetensors"
    said = file.stat()
    file.write_bytes(b"WEIGHTS")
    os.utime(file, ns=(said.st_atime_ns, said.st_mtime_ns))
    with pytest.raises(NrxError, match="not what was verified"):
        store.verify("htdemucs")


def test_a_restored_backup_is_trusted_once_its_bytes_are_read(store: ModelStore, tmp_path: Path) -> None:
    folder = put(store)
    shutil.copytree(folder, tmp_path / "backup", copy_function=shutil.copyfile)
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "backup", folder, copy_function=shutil.copyfile)
    for file in folder.iterdir():
        os.utime(file, (1, 1))
    assert store.find("htdemucs") is not None
    assert store.find("htdemucs") is not None


def test_removing_frees_all_and_leaves_nothing(store: ModelStore) -> None:
    put(store)
    half = store.root / ".fetching-htdemucs" / "abc" / "x.part"
    half.parent.mkdir(parents=True)
    half.write_bytes(bytes(1000))
    assert store.remove("htdemucs") > 1000
    assert list(store.root.iterdir()) == []
    with pytest.raises(NrxError, match="nothing was removed"):
        store.remove("htdemucs")


def test_a_users_own_folder_is_never_removed(store: ModelStore, tmp_path: Path) -> None:
    own = own_musicgen(tmp_path / "tuned")
    with pytest.raises(NrxError, match="your own"):
        store.remove(str(own))
    assert own.is_dir()


def test_an_unknown_name_is_refused_with_those_that_there_are(store: ModelStore) -> None:
    with pytest.raises(NrxError, match="htdemucs_ft") as caught:
        store.find("htdemuc")
    assert caught.value.code == "model.unknown"


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/b", "NUL\\x", "../models"])
def test_names_never_lead_out_of_the_store(store: ModelStore, name: str) -> None:
    put(store)
    with pytest.raises(NrxError):
        store.find(name)


def test_a_models_absence_is_told_with_the_command_the_size_and_the_licence(store: ModelStore) -> None:
    with pytest.raises(NrxError) as caught:
        store.require("musicgen-small")
    if what_is_missing("musicgen") is None:
        assert caught.value.code == "model.missing"
        assert "nrx models fetch musicgen-small" in caught.value.sentence
        assert "2.36 GB" in caught.value.sentence
        assert "CC BY-NC" in caught.value.sentence
    else:
        assert caught.value.code == "model.extra_missing"
        assert "pip install" in caught.value.sentence


def test_missing_packages_are_told_with_the_command(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store)
    monkeypatch.setattr("engine.models.requirements.find_spec", lambda _name: None)
    with pytest.raises(NrxError, match=r"pip install 'nrx-bridge\[neural\]'") as caught:
        store.require("htdemucs")
    assert caught.value.code == "model.extra_missing"


@pytest.mark.parametrize("version", ["2.9.1", "1.13.0+cu117"])
def test_an_old_pytorch_is_refused(store: ModelStore, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    put(store)
    monkeypatch.setattr("engine.models.requirements.find_spec", lambda _name: object())
    monkeypatch.setattr("engine.models.requirements.version", lambda _name: version)
    with pytest.raises(NrxError, match="too old") as caught:
        store.require("htdemucs")
    assert caught.value.code == "model.extra_missing"


def test_commercial_only_refuses_all_others_with_a_sentence(store: ModelStore) -> None:
    put(store)
    strict = replace(store, commercial_only=True)
    with pytest.raises(NrxError, match="commercial_only") as caught:
        strict.require("htdemucs")
    assert caught.value.code == "model.not_commercial"
    with pytest.raises(NrxError, match="commercial_only"):
        fetch("musicgen-small", Fetching(replace(strict, offline=True)))
    assert strict.licence_refusal(CATALOGUE["clap-music"]) is None
    assert replace(strict, cleared=frozenset({"htdemucs"})).licence_refusal(CATALOGUE["htdemucs"]) is None


def test_a_folder_of_the_users_own_is_a_model_where_it_is(store: ModelStore, tmp_path: Path) -> None:
    own = own_musicgen(tmp_path / "fein getunt")
    found = store.find(str(own))
    assert found is not None
    assert found.folder == own
    assert found.revision == "own"
    assert (found.card.task, found.card.melody, found.card.channels) == ("generate", True, 2)
    before = found.key
    (own / "model.safetensors").write_bytes(b"abcdefghij")
    again = store.find(str(own))
    assert again is not None
    assert again.key != before, "other weights are another model"


def test_a_users_own_demucs_is_known_by_its_list_or_its_file(store: ModelStore, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "band.yaml").write_text("models: ['abc']")
    (folder / "abc.safetensors").write_bytes(b"x")
    bag, single = store.find(str(folder)), store.find(str(folder / "abc.safetensors"))
    assert bag is not None
    assert single is not None
    assert (bag.name, single.name) == ("band", "abc")
    assert single.folder == folder


@pytest.mark.parametrize("weights", ["pytorch_model.bin", "model.ckpt", "x.th"])
def test_a_users_pickle_is_refused_without_trust(store: ModelStore, tmp_path: Path, weights: str) -> None:
    own = own_musicgen(tmp_path / "tuned", weights)
    for attempt in (lambda: store.find(str(own)), lambda: fetch(str(own), Fetching(store))):
        with pytest.raises(NrxError, match="--trust") as caught:
            attempt()
        assert caught.value.code == "model.untrusted"


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "no model that nrx knows"),
        ({"config.json": "{"}, "cannot be read"),
        ({"config.json": "[]"}, "cannot be read"),
        ({"config.json": '{"model_type": "llama"}'}, "llama"),
    ],
)
def test_a_folder_that_is_no_model_is_refused(
    store: ModelStore, tmp_path: Path, files: dict[str, str], sentence: str
) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    with pytest.raises(NrxError, match=sentence):
        store.find(str(folder))
    with pytest.raises(NrxError, match="no model at"):
        store.find(str(folder / "absent"))


def test_a_users_folder_taken_into_the_store_gets_a_name(store: ModelStore, tmp_path: Path) -> None:
    own = own_musicgen(tmp_path / "tuned")
    installed = fetch(str(own), Fetching(replace(store, offline=True)))
    shutil.rmtree(own)
    assert store.find("tuned") == replace(installed, card=store.card("tuned"))
    assert store.card("tuned").melody
    assert [card.name for card, _ in store.installed()] == ["tuned"]


def test_a_users_folder_does_not_replace_a_fetched_model_unasked(store: ModelStore, tmp_path: Path) -> None:
    put(store)
    own = tmp_path / "other"
    own.mkdir()
    (own / "htdemucs.yaml").write_text("models: ['955717e8']")
    (own / "955717e8.safetensors").write_bytes(b"mine")
    with pytest.raises(NrxError, match="--again"):
        fetch(str(own), Fetching(store))
    installed = fetch(str(own), Fetching(store, anew=True))
    assert installed.revision == "own"


def test_a_file_whose_name_holds_another_hash_is_refused(store: ModelStore, tmp_path: Path) -> None:
    file = tmp_path / "955717e8-8726e21a.th"
    file.write_bytes(b"not those bytes")
    if what_is_missing("demucs") is not None:
        pytest.skip("demucs (extra `neural`) is not installed")
    with pytest.raises(NrxError, match="8726e21a") as caught:
        fetch(str(file), Fetching(store, trusted=True))
    assert caught.value.code == "model.damaged"


def test_names_of_converted_files_are_those_that_loaders_look_for() -> None:
    assert safe_name("955717e8-8726e21a.th") == "955717e8.safetensors"
    assert safe_name("my-model.th") == "my-model.safetensors"
    assert safe_name("pytorch_model.bin") == "model.safetensors"
    assert safe_name("pytorch_model-00001-of-00002.bin") == "model-00001-of-00002.safetensors"
    assert hash_in_name(Path("955717e8-8726e21a.th")) == "8726e21a"
    assert hash_in_name(Path("955717e8.th")) is None


class TestCatalogue:
    def test_every_mirror_names_the_start_of_its_hash(self) -> None:
        mirrors = [url for card in CATALOGUE.values() for url in card.mirrors]
        assert mirrors
        assert all(url.startswith("https://") and hash_in_name(Path(url)) for url in mirrors)

    def test_every_task_has_models_and_every_model_a_licence(self) -> None:
        for task in ("separate", "generate", "embed"):
            assert cards_for(task)
        assert all(card.licence and card.size_bytes and card.needs_bytes for card in CATALOGUE.values())

    def test_no_musicgen_and_no_demucs_counts_as_commercial(self) -> None:
        assert {card.family for card in CATALOGUE.values() if card.commercial} == {"clap"}

    def test_the_models_that_are_promised_are_there(self) -> None:
        promised = {
            "htdemucs",
            "htdemucs_ft",
            "htdemucs_6s",
            "mdx_extra",
            "musicgen-melody",
            "musicgen-small",
        }
        promised |= {"musicgen-medium", "musicgen-large", "musicgen-stereo-small", "musicgen-stereo-melody"}
        assert promised <= set(CATALOGUE)


class TestPickles:
    """Conversion in a process that is thrown away."""

    @pytest.fixture(autouse=True)
    def _needs_torch(self) -> None:
        pytest.importorskip("torch", reason="torch (extra `neural`) is not installed")
        pytest.importorskip("safetensors", reason="safetensors (extra `neural`) is not installed")

    def test_weights_are_equal_after_conversion(self, store: ModelStore, tmp_path: Path) -> None:
        import torch
        from safetensors.torch import load_file

        own = own_musicgen(tmp_path / "tuned")
        (own / "model.safetensors").unlink()
        weights = torch.arange(12.0).reshape(3, 4)
        state = {"a": weights.T, "shared": weights, "again": weights, "half": weights.half(), "step": 7}
        torch.save(state, own / "pytorch_model.bin")
        installed = fetch(str(own), Fetching(store, trusted=True))
        got = load_file(installed.folder / "model.safetensors")
        assert set(got) == {"a", "shared", "again", "half"}
        assert all(torch.equal(got[name], state[name]) for name in got)
        assert not (installed.folder / "pytorch_model.bin").exists()
        assert (own / "pytorch_model.bin").is_file(), "the user's own file stays as it is"

    def test_shards_keep_their_index(self, store: ModelStore, tmp_path: Path) -> None:
        import torch

        own = own_musicgen(tmp_path / "tuned")
        (own / "model.safetensors").unlink()
        names = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"]
        for number, name in enumerate(names):
            torch.save({f"w{number}": torch.ones(2)}, own / name)
        index = {"metadata": {}, "weight_map": {"w0": names[0], "w1": names[1]}}
        (own / "pytorch_model.bin.index.json").write_text(json.dumps(index))
        installed = fetch(str(own), Fetching(store, trusted=True))
        told = json.loads((installed.folder / "model.safetensors.index.json").read_text())
        assert told["weight_map"] == {
            "w0": "model-00001-of-00002.safetensors",
            "w1": "model-00002-of-00002.safetensors",
        }

    def test_a_pickle_that_would_run_code_is_refused_unless_trusted_and_never_runs_here(
        self, tmp_path: Path
    ) -> None:
        from engine.models.pickled import convert

        proof = tmp_path / "ran"

        class Evil:
            def __reduce__(self) -> tuple[object, tuple[str]]:
                return (os.mkdir, (str(proof),))

        import torch

        file = tmp_path / "evil.bin"
        torch.save({"w": torch.ones(1), "evil": Evil()}, file)
        with pytest.raises(NrxError, match="more than weights") as caught:
            convert(file, tmp_path / "out.safetensors")
        assert caught.value.code == "model.untrusted"
        assert not proof.exists()
        assert not (tmp_path / "out.safetensors").exists()
        convert(file, tmp_path / "out.safetensors", trusted=True)
        assert proof.is_dir(), "who trusts a file lets it run, in the other process"

    def test_the_process_has_no_secrets_of_ours(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from engine.models.pickled import convert

        monkeypatch.setenv("HUGGINGFACE_API_KEY", "secret")
        seen = tmp_path / "seen"

        class Curious:
            def __reduce__(self) -> tuple[object, tuple[str]]:
                return (exec, (f"import os; open({str(seen)!r}, 'w').write(repr(sorted(os.environ)))",))

        import torch

        file = tmp_path / "curious.bin"
        torch.save({"w": torch.ones(1), "x": Curious()}, file)
        convert(file, tmp_path / "out.safetensors", trusted=True)
        assert "PATH" in seen.read_text()
        assert "HUGGINGFACE_API_KEY" not in seen.read_text()

    @pytest.mark.parametrize("content", [b"not a pickle", pickle.dumps([1, 2])], ids=["noise", "list"])
    def test_what_is_no_checkpoint_is_said_in_a_sentence(self, tmp_path: Path, content: bytes) -> None:
        from engine.models.pickled import convert

        file = tmp_path / "x.bin"
        file.write_bytes(content)
        with pytest.raises(NrxError) as caught:
            convert(file, tmp_path / "out.safetensors", trusted=True)
        assert caught.value.code == "model.damaged"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["x.bin"]

    def test_torch_is_not_imported_here_by_converting(self) -> None:
        import subprocess

        code = "import sys, engine.models.fetch, engine.models.pickled; sys.exit('torch' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
