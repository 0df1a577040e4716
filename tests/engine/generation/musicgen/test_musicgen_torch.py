"""MusicGen in float32 is the model of `transformers`: same logits, same codes, same audio, for every kind."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import NrxError
from engine.generation.musicgen import MusicGen, Sampling
from engine.generation.musicgen.delay import delayed, delays
from tests.neural_fixtures import CODES, tiny_musicgen

torch = pytest.importorskip("torch", reason="torch (extra `neural`) is not installed")
pytest.importorskip("transformers", reason="transformers (extra `neural`) is not installed")

KINDS = {
    "small": {},
    "stereo": {"stereo": True},
    "melody": {"melody": True},
    "melody stereo": {"melody": True, "stereo": True},
}
GREEDY = Sampling(temperature=0.0, guidance=3.0)


@pytest.fixture(scope="module", params=KINDS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_musicgen(tmp_path_factory.mktemp("tiny"), **KINDS[request.param])


@pytest.fixture(scope="module")
def ours(folder: Path) -> MusicGen:
    return MusicGen.load(folder, device="cpu", precision="float32")


@cache
def peer(folder: Path) -> Any:
    from transformers import MusicgenForConditionalGeneration, MusicgenMelodyForConditionalGeneration

    is_melody = "musicgen_melody" in (folder / "config.json").read_text(encoding="utf-8")
    kind = MusicgenMelodyForConditionalGeneration if is_melody else MusicgenForConditionalGeneration
    return kind.from_pretrained(folder, local_files_only=True).eval()


def tokens_of(folder: Path, texts: list[str]) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder, local_files_only=True)(
        texts, padding=True, return_tensors="pt"
    )


def made(model: MusicGen, texts: list[str], frames: int, sampling: Sampling, **more: Any) -> Any:
    return np.stack(list(model.tokens(texts, frames, sampling, **more)), axis=-1)


def some_chroma(model: MusicGen, rows: int) -> Any:
    if not model.has_melody:
        return None
    return np.eye(12, dtype=np.float32)[np.random.default_rng(3).integers(0, 12, (rows, 20))]


@pytest.mark.parametrize(
    ("texts", "guidance"),
    [(["happy rock"], 1.0), (["happy rock"], 3.0), (["lo-fi jazz piano with warm pads", "drums"], 3.0)],
)
def test_greedy_audio_equals_that_of_transformers(
    folder: Path, ours: MusicGen, texts: list[str], guidance: float
) -> None:
    frames, chroma = 12, some_chroma(ours, len(texts))
    longest_delay = int(delays(ours.layout.codebooks, ours.channels).max())
    more = {} if chroma is None else {"input_features": torch.from_numpy(chroma)}
    wanted = peer(folder).generate(
        **tokens_of(folder, texts),
        **more,
        do_sample=False,
        guidance_scale=guidance,
        max_new_tokens=frames + longest_delay,
    )
    codes = made(ours, texts, frames, Sampling(temperature=0.0, guidance=guidance), chroma=chroma)
    audio = ours.decode(codes)
    assert audio.shape == tuple(wanted.shape) == (len(texts), ours.channels, frames * 640)
    np.testing.assert_allclose(audio, wanted.numpy(), atol=1e-5)


def test_logits_teacher_forced_equal_those_of_transformers(folder: Path, ours: MusicGen) -> None:
    texts, chroma = ["happy rock", "slow electronic music with bass"], some_chroma(ours, 2)
    layout = ours.layout
    codes = np.random.default_rng(1).integers(0, CODES, (2, layout.codebooks, 25))
    columns = delayed(codes, delays(layout.codebooks, layout.channels), layout.special)
    session = ours.language_model.begin(ours.condition(texts, False, chroma), columns.shape[2])
    ours_logits = np.concatenate(
        [session.forward(columns[:, :, :9], every=True)]
        + [session.forward(columns[:, :, i : i + 1], every=True) for i in range(9, columns.shape[2])],
        axis=1,
    )
    more = {} if chroma is None else {"input_features": torch.from_numpy(chroma)}
    with torch.no_grad():
        logits = peer(folder)(
            **tokens_of(folder, texts),
            **more,
            decoder_input_ids=torch.from_numpy(columns).flatten(0, 1),
        ).logits
    wanted = logits[:, -columns.shape[2] :].unflatten(0, (2, layout.codebooks)).transpose(1, 2)
    assert np.ptp(ours_logits) > 1
    np.testing.assert_allclose(ours_logits, wanted.numpy(), atol=2e-5)


def test_a_continuation_goes_on_as_if_it_had_not_stopped(ours: MusicGen) -> None:
    texts, chroma = ["jazz piano"], some_chroma(ours, 1)
    whole = made(ours, texts, 24, GREEDY, chroma=chroma)
    rest = made(ours, texts, 14, GREEDY, chroma=chroma, prompt_codes=whole[:, :, :10])
    np.testing.assert_array_equal(rest, whole[:, :, 10:])


def test_audio_is_encoded_as_transformers_encodes_it(folder: Path, ours: MusicGen) -> None:
    audio = np.random.default_rng(2).standard_normal((1, ours.channels, 640 * 7)).astype(np.float32)
    with torch.no_grad():
        coder = peer(folder).audio_encoder
        each = [coder.encode(torch.from_numpy(audio[:, [c]])).audio_codes[0] for c in range(ours.channels)]
    wanted = torch.stack(each, dim=2).flatten(1, 2).numpy()
    np.testing.assert_array_equal(ours.encode(audio), wanted)


def test_frames_come_one_by_one_and_draws_are_reproducible(ours: MusicGen) -> None:
    texts, chroma = ["drums", "drums"], some_chroma(ours, 2)
    first = made(ours, texts, 12, Sampling(seed=5), chroma=chroma)
    again = ours.tokens(texts, 12, Sampling(seed=5), chroma=chroma)
    np.testing.assert_array_equal(next(again), first[:, :, 0])
    np.testing.assert_array_equal(np.stack(list(again), -1), first[:, :, 1:])
    assert (first[0] != first[1]).any()
    alone = made(ours, texts[:1], 12, Sampling(seed=6), chroma=None if chroma is None else chroma[1:])
    np.testing.assert_array_equal(alone[0], first[1])


def test_a_melody_or_a_text_that_the_model_cannot_take_is_refused(ours: MusicGen) -> None:
    chroma = np.ones((1, 5, 12), np.float32)
    if not ours.has_melody:
        with pytest.raises(NrxError, match="cannot follow a melody"):
            ours.tokens(["drums"], 5, GREEDY, chroma=chroma)
    with pytest.raises(NrxError, match="no texts"):
        ours.tokens([], 5, GREEDY)
    with pytest.raises(NrxError, match="0 frames"):
        ours.tokens(["drums"], 0, GREEDY)
    with pytest.raises(NrxError, match="codes of the shape"):
        ours.tokens(["drums"], 5, GREEDY, prompt_codes=np.zeros((1, 3, 4), np.int64))
    with pytest.raises(NrxError, match="codes from 0 to 999"):
        ours.tokens(["drums"], 5, GREEDY, prompt_codes=np.full((1, ours.layout.codebooks, 2), 999) * [0, 1])


def test_a_step_of_fixed_shapes_is_the_step(ours: MusicGen) -> None:
    """What is recorded as a graph on a GPU: run here as it is."""
    conditioning = ours.condition(["jazz piano", "drums"], True)
    codes = np.random.default_rng(4).integers(0, CODES, (4, ours.layout.codebooks, 6))
    plain, fixed = (ours.language_model.begin(conditioning, 9) for _ in range(2))
    for session in (plain, fixed):
        session.forward(codes[:, :, :4])
    for step in (4, 5):
        wanted = plain.forward(codes[:, :, step : step + 1])
        place = torch.tensor([conditioning.prefix.shape[1] + step])
        with torch.inference_mode():
            logits = fixed.fixed_step(torch.from_numpy(codes[:, :, step : step + 1]), place)
        np.testing.assert_allclose(logits.numpy(), wanted, atol=1e-5)


def test_bfloat16_is_near_float32(folder: Path, ours: MusicGen) -> None:
    half = MusicGen.load(folder, device="cpu", precision="bfloat16")
    codes = np.random.default_rng(4).integers(0, CODES, (2, ours.layout.codebooks, 6))
    conditioning = ours.condition(["jazz piano"], True)
    made = [model.language_model.begin(conditioning, 6).forward(codes, every=True) for model in (ours, half)]
    assert np.abs(made[0] - made[1]).std() < 0.05 * made[0].std()
