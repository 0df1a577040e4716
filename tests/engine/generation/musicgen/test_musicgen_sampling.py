"""How codes are drawn, and how the delay pattern lays them out."""

import numpy as np
import pytest

from engine.errors import NrxError
from engine.generation.musicgen.delay import DelayedTakes, delayed, delays, undelayed
from engine.generation.musicgen.sampling import Sampler, Sampling, draw, guided

LOGITS = np.log(np.array([[0.1, 0.4, 0.2, 0.3]], dtype=np.float32))


def shares(sampling: Sampling) -> np.ndarray:
    uniforms = (np.arange(4000) + 0.5) / 4000
    chosen = draw(np.repeat(LOGITS, 4000, axis=0), uniforms, sampling)
    return np.bincount(chosen, minlength=4) / 4000


def test_codes_are_drawn_as_often_as_they_are_likely() -> None:
    np.testing.assert_allclose(shares(Sampling(top_k=0)), [0.1, 0.4, 0.2, 0.3], atol=1e-3)


def test_temperature_sharpens() -> None:
    squares = np.array([0.01, 0.16, 0.04, 0.09])
    np.testing.assert_allclose(shares(Sampling(top_k=0, temperature=0.5)), squares / squares.sum(), atol=1e-3)


def test_top_k_keeps_the_likeliest() -> None:
    np.testing.assert_allclose(shares(Sampling(top_k=2)), [0, 4 / 7, 0, 3 / 7], atol=1e-3)


@pytest.mark.parametrize(
    ("top_p", "kept"), [(0.3, [1]), (0.5, [1, 3]), (0.71, [1, 2, 3]), (1.0, [0, 1, 2, 3])]
)
def test_top_p_keeps_the_fewest_codes_that_reach_it(top_p: float, kept: list[int]) -> None:
    assert np.flatnonzero(shares(Sampling(top_k=0, top_p=top_p))).tolist() == kept


def test_top_k_and_top_p_are_those_of_transformers() -> None:
    torch = pytest.importorskip("torch", reason="torch (extra `neural`) is not installed")
    from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

    logits = np.random.default_rng(0).normal(0, 3, (5, 50)).astype(np.float32)
    scores = torch.from_numpy(logits)
    for warper in (TemperatureLogitsWarper(0.8), TopKLogitsWarper(20), TopPLogitsWarper(0.7)):
        scores = warper(None, scores)
    wanted = scores.softmax(-1).numpy()
    count = 20000
    for row in range(5):
        uniforms = (np.arange(count) + 0.5) / count
        sampling = Sampling(temperature=0.8, top_k=20, top_p=0.7)
        chosen = draw(np.repeat(logits[row : row + 1], count, axis=0), uniforms, sampling)
        np.testing.assert_allclose(np.bincount(chosen, minlength=50) / count, wanted[row], atol=2e-4)


def test_a_row_is_drawn_with_its_own_seed() -> None:
    logits = np.random.default_rng(0).normal(0, 1, (3, 4, 30)).astype(np.float32)
    batch = Sampler(Sampling(seed=7), 3).draw(logits)
    for row in range(3):
        np.testing.assert_array_equal(
            Sampler(Sampling(seed=7 + row), 1).draw(logits[row : row + 1])[0], batch[row]
        )


def test_guidance_moves_away_from_what_is_likely_without_conditions() -> None:
    both = np.array([[[1.0, 2.0]], [[0.0, 4.0]]], dtype=np.float32)
    np.testing.assert_allclose(guided(both, 3.0), [[[3.0, -2.0]]])


@pytest.mark.parametrize(
    ("field", "value"),
    [("temperature", -1.0), ("top_k", -1), ("top_p", 0.0), ("guidance", 99.0), ("seed", -1), ("beams", 0)],
)
def test_values_out_of_range_are_refused_with_the_range(field: str, value: float) -> None:
    with pytest.raises(NrxError, match=f"{field} is {value}; it must be"):
        Sampling(**{field: value})  # type: ignore[arg-type]  # of a table


def test_codebooks_are_delayed_one_after_the_other_and_in_pairs_for_stereo() -> None:
    codes = np.arange(12).reshape(1, 4, 3)
    special = 99
    assert delayed(codes, delays(4, 1), special)[0].tolist() == [
        [0, 1, 2, 99, 99, 99],
        [99, 3, 4, 5, 99, 99],
        [99, 99, 6, 7, 8, 99],
        [99, 99, 99, 9, 10, 11],
    ]
    assert delayed(codes, delays(4, 2), special)[0].tolist() == [
        [0, 1, 2, 99],
        [3, 4, 5, 99],
        [99, 6, 7, 8],
        [99, 9, 10, 11],
    ]
    np.testing.assert_array_equal(undelayed(delayed(codes, delays(4, 1), special), delays(4, 1)), codes)


def test_what_a_prompt_fixes_is_not_chosen_again() -> None:
    prompt = np.array([[[1, 2], [3, 4], [5, 6], [7, 8]]])
    takes = DelayedTakes(prompt, 2, delays(4, 1), 99)
    assert takes.opening()[0].tolist() == [[99, 1, 2], [99, 99, 3], [99, 99, 99], [99, 99, 99]]
    assert takes.put(2, np.full((1, 4), 50))[0].tolist() == [50, 4, 5, 99]
    assert takes.frame_after(2) is None
    for step in range(3, takes.steps):
        takes.put(step, np.full((1, 4), 50 + step))
        frame = takes.frame_after(step)
        assert (frame is None) == (step < 5)
    assert takes.frame_after(5) is not None
    assert takes.frame_after(5)[0].tolist() == [50, 53, 54, 55]
