"""CLAP through transformers, on a small checkpoint in the real format."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch (extra `neural`) is not installed")
pytest.importorskip("transformers", reason="transformers (extra `neural`) is not installed")

from engine.audio import Audio
from engine.embedding import rank, suggest_styles
from engine.embedding.clap import MOST_WINDOWS, Clap, windows
from engine.embedding.ranking import words_of
from engine.errors import NrxError
from engine.presets import list_styles, load_style
from tests.neural_fixtures import tiny_clap


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_clap(tmp_path_factory.mktemp("clap") / "tiny clap ü")


@pytest.fixture(scope="module")
def clap(folder: Path) -> Clap:
    return Clap(folder)


def tone(frequency_hz: float, length_s: float, sample_rate: int = 44100) -> Audio:
    at_s = np.arange(round(length_s * sample_rate)) / sample_rate
    wave = (0.3 * np.sin(2 * np.pi * frequency_hz * at_s)).astype(np.float32)
    return Audio(np.stack([wave, wave]), sample_rate)


def test_sound_equals_the_models_own_for_a_window_of_its_length(folder: Path, clap: Clap) -> None:
    import torch
    from transformers import ClapFeatureExtractor, ClapModel

    audio = tone(440.0, 10.0, 48000)
    heard = ClapFeatureExtractor.from_pretrained(folder)(
        audio.samples.mean(axis=0), sampling_rate=48000, return_tensors="pt"
    )
    with torch.inference_mode():
        expected = ClapModel.from_pretrained(folder).eval().get_audio_features(**heard).pooler_output[0]
    assert np.allclose(clap.sound(audio), expected.numpy(), atol=1e-5)


def test_words_equal_the_models_own_whatever_is_beside_them(folder: Path, clap: Clap) -> None:
    import torch
    from transformers import AutoTokenizer, ClapModel

    texts = ["happy rock", "slow electronic music with warm pads"]
    together = clap.words(texts)
    tokens = AutoTokenizer.from_pretrained(folder)(texts[0], return_tensors="pt")
    with torch.inference_mode():
        expected = ClapModel.from_pretrained(folder).eval().get_text_features(**tokens).pooler_output[0]
    assert np.allclose(together[0], expected.numpy(), atol=1e-5)
    assert np.allclose(clap.words(texts[1:])[0], together[1], atol=1e-5)


@pytest.mark.parametrize("length_s", [0.05, 3.0, 10.0, 14.0, 37.0])
def test_vectors_have_length_one_and_are_the_same_each_time(clap: Clap, length_s: float) -> None:
    audio = tone(220.0, length_s)
    vector = clap.sound(audio)
    assert vector.shape == (clap.size,)
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)
    assert np.array_equal(vector, clap.sound(audio))


def test_silence_has_a_vector_too_and_nothing_has_none(clap: Clap) -> None:
    assert np.isfinite(clap.sound(Audio(np.zeros((1, 44100), np.float32), 44100))).all()
    with pytest.raises(NrxError, match="no frames"):
        clap.sound(Audio(np.zeros((2, 0), np.float32), 44100))


def test_long_recordings_are_heard_from_beginning_to_end_in_bounded_windows() -> None:
    sample_rate = 8000
    audio = Audio(np.repeat(np.arange(3600, dtype=np.float32), sample_rate)[None, :], sample_rate)
    parts = windows(audio, sample_rate, 10.0)
    assert len(parts) == MOST_WINDOWS
    assert parts[0].mean() < 10
    assert parts[-1].mean() > 3585
    assert all(part.shape == (10 * sample_rate,) for part in parts)


def test_a_folder_that_is_no_checkpoint_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(NrxError, match="no CLAP checkpoint") as caught:
        Clap(tmp_path)
    assert caught.value.code == "model.damaged"


def test_takes_are_ranked_by_prompt_and_likeness() -> None:
    takes = {"a": np.array([1, 0], np.float32), "b": np.array([0, 1], np.float32)}
    prompt, like = np.array([1, 0], np.float32), np.array([0.6, 0.8], np.float32)
    assert [item.name for item in rank(takes, prompt=prompt)] == ["a", "b"]
    assert [item.name for item in rank(takes, like=like)] == ["b", "a"]
    both = rank(takes, prompt=prompt, like=like)
    assert [item.name for item in both] == ["a", "b"]
    assert both[0].score == pytest.approx(0.8)
    assert (both[0].by_prompt, both[0].by_likeness) == (pytest.approx(1.0), pytest.approx(0.6))


def test_the_style_whose_words_are_nearest_is_suggested_first() -> None:
    styles = [load_style(name) for name in list_styles()]
    vectors = np.eye(len(styles), dtype=np.float32)
    assert suggest_styles(vectors[3], styles, vectors)[0].name == styles[3].id
    assert all(style.name in words_of(style) for style in styles)
