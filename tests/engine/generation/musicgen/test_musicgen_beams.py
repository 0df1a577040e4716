"""Beam search over the delay pattern, against searching through everything, on a model that is a table."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.generation.musicgen.beams import BeamSearch, best_joint
from engine.generation.musicgen.delay import DelayedTakes, delayed, delays
from engine.generation.musicgen.sampling import Sampling, log_softmax

CODES, BOOKS = 3, 2
SPECIAL = CODES
History = NDArray[np.int64]


class TableModel:
    """A model that remembers all columns and looks the next logits up by them: any mistake in reordering shows."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.histories: list[History] = []
        self.steps = 0

    def logits(self, history: History) -> NDArray[np.float32]:
        """Logits (K, V) after columns (K, S)."""
        seed = np.random.SeedSequence([self.seed, *history.T.ravel().tolist()])
        return np.random.default_rng(seed).normal(0, 2, (BOOKS, CODES)).astype(np.float32)

    def advance(self, given: History, parents: NDArray[np.int64] | None) -> NDArray[np.float32]:
        before = [np.zeros((BOOKS, 0), np.int64)] * len(given) if parents is None else self.histories
        rows = range(len(given)) if parents is None else parents
        self.histories = [np.concatenate([before[p], g], 1) for p, g in zip(rows, given, strict=True)]
        self.steps += 1
        return np.stack([self.logits(history) for history in self.histories])


def takes(frames: int, prompt: History | None = None, rows: int = 1) -> DelayedTakes:
    if prompt is None:
        prompt = np.zeros((rows, BOOKS, 0), dtype=np.int64)
    return DelayedTakes(prompt, frames, delays(BOOKS, 1), SPECIAL)


def total_of(model: TableModel, codes: History, start: int, end: int | None = None) -> float:
    """The log-probability of codes (K, T) from frame `start` on, as the pattern chooses them."""
    columns = delayed(codes[None], delays(BOOKS, 1), SPECIAL)[0]
    shown = np.concatenate([np.full((BOOKS, 1), SPECIAL), columns], 1)
    total = 0.0
    for step in range(start, columns.shape[1]):
        scores = log_softmax(model.logits(shown[:, : step + 1]))
        for book in range(BOOKS):
            if start <= step - book < codes.shape[1]:
                total += scores[book, columns[book, step]]
        if end is not None and step == codes.shape[1]:
            total += scores[0, end]
    return total


def every_take(frames: int) -> list[History]:
    return [
        np.array(flat).reshape(BOOKS, frames)
        for flat in itertools.product(range(CODES), repeat=BOOKS * frames)
    ]


def found(
    model: TableModel, made: DelayedTakes, end: int | None = None, **options: float
) -> list[NDArray[np.int64]]:
    search = BeamSearch(made, Sampling(**options), end, model.advance)  # type: ignore[arg-type]  # of a table
    return list(search.frames())


@pytest.mark.parametrize("seed", range(4))
def test_the_best_joint_choices_come_best_first(seed: int) -> None:
    scores = np.random.default_rng(seed).normal(0, 1, (3, 4))
    every = sorted(
        ((sum(scores[row, i] for row, i in enumerate(c)), c) for c in itertools.product(range(4), repeat=3)),
        reverse=True,
    )
    got = best_joint(scores, 20)
    assert [choice for _, choice in got] == [choice for _, choice in every[:20]]
    np.testing.assert_allclose([total for total, _ in got], [total for total, _ in every[:20]])


@pytest.mark.parametrize("seed", range(4))
def test_with_enough_beams_the_likeliest_take_of_all_is_found(seed: int) -> None:
    model = TableModel(seed)
    best = max(every_take(3), key=lambda codes: total_of(model, codes, 0))
    np.testing.assert_array_equal(np.stack(found(model, takes(3), beams=16), -1)[0], best)


def test_more_beams_find_likelier_takes() -> None:
    totals = []
    for beams in (2, 6):
        models = [TableModel(seed) for seed in range(12)]
        made = [np.stack(found(model, takes(10), beams=beams), -1)[0] for model in models]
        totals.append(sum(total_of(model, codes, 0) for model, codes in zip(models, made, strict=True)))
    assert totals == sorted(totals)
    assert totals[0] < totals[-1]


def test_takes_of_a_batch_do_not_know_of_each_other() -> None:
    alone = np.stack(found(TableModel(1), takes(5), beams=3), -1)
    together = np.stack(found(TableModel(1), takes(5, rows=2), beams=3), -1)
    np.testing.assert_array_equal(together[0], alone[0])
    np.testing.assert_array_equal(together[1], alone[0])


def test_a_prompt_is_gone_on_from_and_not_repeated() -> None:
    prompt = np.array([[[0, 1, 2], [2, 1, 0]]])
    model = TableModel(2)
    got = np.stack(found(model, takes(2, prompt), beams=9), -1)[0]
    assert got.shape == (BOOKS, 2)
    best = max(every_take(2), key=lambda codes: total_of(model, np.concatenate([prompt[0], codes], 1), 3))
    np.testing.assert_array_equal(got, best)


def ended_takes(frames: int, end: int) -> list[History]:
    """Every take of up to `frames` frames in which codebook 0 never says the end."""
    return [
        codes
        for length in range(1, frames + 1)
        for codes in every_take(length)
        if not (codes[0] == end).any()
    ]


@pytest.mark.parametrize("penalty", [-1.0, 0.0, 1.0, 2.0])
def test_the_length_penalty_decides_between_long_and_short_takes(penalty: float) -> None:
    end, frames = CODES - 1, 3
    model = TableModel(5)

    def score(codes: History) -> float:
        ends = end if codes.shape[1] < frames else None
        return total_of(model, codes, 0, ends) / codes.shape[1] ** penalty

    best = max(ended_takes(frames, end), key=score)
    got = np.stack(found(model, takes(frames), end, beams=16, length_penalty=penalty), -1)[0]
    np.testing.assert_array_equal(got, best)


def length_with(penalty: float) -> int:
    return len(found(TableModel(5), takes(8), CODES - 1, beams=4, length_penalty=penalty))


def test_a_larger_length_penalty_never_gives_a_shorter_take() -> None:
    lengths = [length_with(penalty) for penalty in (-2.0, 0.0, 1.0, 3.0)]
    assert lengths == sorted(lengths)
    assert lengths[0] < lengths[-1]


def test_early_stopping_ends_the_search_sooner_and_a_bound_ends_it_safely() -> None:
    def steps(early: bool, penalty: float = 1.0) -> tuple[int, History]:
        model = TableModel(5)
        got = found(model, takes(12), CODES - 1, beams=2, early_stopping=early, length_penalty=penalty)
        return model.steps, np.stack(got, -1)

    early, _ = steps(True)
    late, _ = steps(False)
    assert early < late
    bounded, _ = steps(False, penalty=0.0)
    assert bounded < 13  # the last step is never reached: no live hypothesis could have won any more


def test_frames_are_given_out_as_soon_as_all_hypotheses_agree() -> None:
    model = TableModel(3)
    search = BeamSearch(takes(30), Sampling(beams=2), None, model.advance)
    frames = search.frames()
    next(frames)
    assert model.steps < 20
    assert len(list(frames)) == 29


def test_a_take_that_ended_early_says_so_beside_a_longer_one() -> None:
    def one(row_first: int) -> Callable[[History, NDArray[np.int64] | None], NDArray[np.float32]]:
        """A model that ends takes whose prompt begins with 0 at once after their first frame."""
        shown: dict[str, list[History]] = {"rows": []}

        def advance(given: History, parents: NDArray[np.int64] | None) -> NDArray[np.float32]:
            before = shown["rows"] or [np.zeros((BOOKS, 0), np.int64)] * len(given)
            rows = range(len(given)) if parents is None else parents
            shown["rows"] = [np.concatenate([before[p], g], 1) for p, g in zip(rows, given, strict=True)]
            logits = np.zeros((len(given), BOOKS, CODES), np.float32)
            for row, history in enumerate(shown["rows"]):
                ends = history[0, 1] == row_first and history.shape[1] >= 3
                logits[row, 0, CODES - 1] = 30.0 if ends else -30.0
            return logits

        return advance

    prompt = np.array([[[0], [0]], [[1], [1]]])
    search = BeamSearch(takes(4, prompt), Sampling(beams=2), CODES - 1, one(0))
    codes = np.stack(list(search.frames()), -1)
    assert (codes[0, :, 1:] == -1).all()
    assert (codes[0, :, 0] >= 0).all()
    assert (codes[1] >= 0).all()
