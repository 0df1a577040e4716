"""Checkpoints as they come: shards, names of older files, half precision; and what is missing, cut short or pickled."""

import gc
import json
import shutil
import weakref
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.errors import NrxError
from engine.generation.musicgen import MusicGen, Sampling
from tests.neural_fixtures import tiny_musicgen

torch = pytest.importorskip("torch", reason="torch (extra `neural`) is not installed")
safetensors = pytest.importorskip("safetensors.torch", reason="safetensors (extra `neural`) is not installed")

WEIGHTS = "model.safetensors"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_musicgen(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "Modèle é"))


def load(folder: Path) -> MusicGen:
    return MusicGen.load(folder, device="cpu", precision="float32")


def audio(model: MusicGen) -> NDArray[np.float32]:
    frames = list(model.tokens(["jazz piano"], 8, Sampling(temperature=0)))
    return model.decode(np.stack(frames, axis=-1))


def test_shards_are_one_checkpoint(original: Path, folder: Path) -> None:
    weights = safetensors.load_file(folder / WEIGHTS)
    names = sorted(weights)
    parts = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for file, held in parts.items():
        safetensors.save_file({name: weights[name].clone() for name in held}, folder / file)
    (folder / WEIGHTS).unlink()
    index = {"weight_map": {name: file for file, held in parts.items() for name in held}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    np.testing.assert_array_equal(audio(load(folder)), audio(load(original)))
    (folder / "b.safetensors").unlink()
    with pytest.raises(NrxError, match=r"b\.safetensors .* is missing"):
        load(folder)


def test_weight_normalisation_is_read_under_its_older_names(original: Path, folder: Path) -> None:
    weights = safetensors.load_file(folder / WEIGHTS)
    old = {
        name.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): value
        for name, value in weights.items()
    }
    assert set(old) != set(weights)
    safetensors.save_file(old, folder / WEIGHTS)
    np.testing.assert_array_equal(audio(load(folder)), audio(load(original)))


def test_half_precision_checkpoints_load(original: Path, folder: Path) -> None:
    weights = safetensors.load_file(folder / WEIGHTS)
    half = {name: value.half() if value.is_floating_point() else value for name, value in weights.items()}
    safetensors.save_file(half, folder / WEIGHTS)
    logits = []
    for model in (load(folder), load(original)):
        session = model.language_model.begin(model.condition(["jazz"], True), 1)
        logits.append(session.forward(np.zeros((2, 4, 1), np.int64)))
    np.testing.assert_allclose(*logits, atol=0.05)
    assert (
        load(folder)
        .language_model.begin(model.condition(["jazz"], True), 1)
        .forward(np.zeros((2, 4, 1), np.int64))
        .dtype
        == np.float32
    )


@pytest.mark.parametrize(
    ("harm", "code", "words"),
    [
        (lambda folder: (folder / WEIGHTS).unlink(), "model.missing", "no weights"),
        (lambda folder: (folder / "config.json").unlink(), "model.damaged", "configuration"),
        (lambda folder: (folder / "config.json").write_text("{"), "model.damaged", "configuration"),
        (lambda folder: (folder / "config.json").write_text('{"model_type": "t5"}'), "request.invalid", "t5"),
        (lambda folder: (folder / WEIGHTS).write_bytes(b"\x08" + bytes(40)), "model.damaged", "cut short"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "model.damaged", "tokenizer"),
    ],
    ids=[
        "no weights",
        "no configuration",
        "half a configuration",
        "another model",
        "cut short",
        "no tokenizer",
    ],
)
def test_what_is_wrong_with_a_folder_is_said(folder: Path, harm: object, code: str, words: str) -> None:
    assert callable(harm)
    harm(folder)
    with pytest.raises(NrxError, match=words) as caught:
        load(folder)
    assert caught.value.code == code


def test_a_pickle_is_not_opened(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder / "pytorch_model.bin")
    with pytest.raises(NrxError, match="pickled"):
        load(folder)


@pytest.mark.parametrize("lost", ["decoder.lm_heads.1.weight", "audio_encoder.decoder.layers.0.conv.bias"])
def test_weights_that_are_missing_are_named(folder: Path, lost: str) -> None:
    weights = safetensors.load_file(folder / WEIGHTS)
    del weights[lost]
    safetensors.save_file(weights, folder / WEIGHTS)
    with pytest.raises(NrxError, match=lost.rsplit(".", 2)[-1]) as caught:
        load(folder)
    assert caught.value.code == "model.damaged"


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_model_that_is_dropped_leaves_nothing(original: Path, precision: str) -> None:
    model = MusicGen.load(original, device="cpu", precision=precision)
    frames = model.tokens(["jazz"], 20, Sampling())
    next(frames)  # a take that nobody hears to its end
    traces = [weakref.ref(model), weakref.ref(model.language_model)]
    del model, frames
    gc.collect()
    assert [trace() for trace in traces] == [None, None]


def test_a_device_or_precision_that_is_not_there_is_refused(original: Path) -> None:
    with pytest.raises(NrxError, match="no precision int3"):
        MusicGen.load(original, device="cpu", precision="int3")
