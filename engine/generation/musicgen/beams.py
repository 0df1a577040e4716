"""Beam search over the delay pattern: the likeliest take in place of a drawn one.

At a step the model gives one distribution for each codebook, independent of each other given the past, so a step's
log-probability is the sum over the codebooks that are chosen in it. The best joint choices of a hypothesis are
enumerated best first from the sorted lists of its codebooks; the best `beams` over all hypotheses of a take go on.

A hypothesis ends at its last frame, or, with a checkpoint that has an end code, at the frame where codebook 0 takes it;
the later codebooks of the frames before it are still chosen, as the pattern has it. Hypotheses are ranked by
log-probability / frames**length_penalty. Since log-probabilities only fall, the search stops as soon as no live
hypothesis can overtake the worst of `beams` finished ones, or at once when there are so many (`early_stopping`).
"""

import heapq
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.generation.musicgen.delay import Codes, DelayedTakes
from engine.generation.musicgen.sampling import Sampling, log_softmax

LogProbabilities = NDArray[np.float64]
Advance = Callable[[Codes, NDArray[np.int64] | None], NDArray[np.float32]]
"""(columns (rows, K, S), the row that each row goes on from) -> guided logits (rows, K, V) after them."""


def best_joint(scores: LogProbabilities, count: int) -> list[tuple[float, tuple[int, ...]]]:
    """Return the `count` best (sum, one index for each row) of independent choices `scores` (F, V), best first."""
    free, codes = scores.shape
    kept = min(count, codes)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :kept]
    ranked = np.take_along_axis(scores, order, 1)
    start = (0,) * free
    heap, seen = [(-float(ranked[:, 0].sum()), start)], {start}
    found: list[tuple[float, tuple[int, ...]]] = []
    while heap and len(found) < count:
        loss, ranks = heapq.heappop(heap)
        found.append((-loss, tuple(int(order[row, rank]) for row, rank in enumerate(ranks))))
        for row, rank in enumerate(ranks):
            if rank + 1 < kept:
                further = (*ranks[:row], rank + 1, *ranks[row + 1 :])
                if further not in seen:
                    seen.add(further)
                    heapq.heappush(heap, (loss + float(ranked[row, rank] - ranked[row, rank + 1]), further))
    return found


@dataclass(slots=True)
class _Hypothesis:
    """One way that a take may go: its row among the take's, its columns so far (K, steps), and where it ends.

    `frames` counts from the start of the prompt, `new` only those after it.
    """

    row: int
    columns: Codes
    total: float
    frames: int
    new: int

    def score(self, length_penalty: float) -> float:
        return self.total / math.pow(self.new, length_penalty)


@dataclass(slots=True)
class _Take:
    number: int
    live: list[_Hypothesis]
    finished: list[_Hypothesis] = field(default_factory=list)
    is_decided: bool = False


class BeamSearch:
    """The search for a batch of takes that go on side by side."""

    def __init__(self, takes: DelayedTakes, sampling: Sampling, end: int | None, advance: Advance) -> None:
        """Begin.

        Args:
            takes: what the pattern and the prompt fix, one row a take.
            sampling: beams, length_penalty and early_stopping are used.
            end: the code that ends a take, if there is one.
            advance: runs the model on `beams` rows a take.
        """
        self._fixed, self._delay, self._special = takes.opening(), takes.delay, takes.special
        self._sampling, self._end, self._advance = sampling, end, advance
        self._prompt, self._steps = takes.first_step, takes.steps
        self._last_frame = takes.first_step + takes.frames
        self._known = takes
        self._takes = [
            _Take(number, [_Hypothesis(0, columns[:, 1:], 0.0, self._last_frame, takes.frames)])
            for number, columns in enumerate(self._fixed)
        ]

    def frames(self) -> Iterator[NDArray[np.int64]]:
        """Yield frames (takes, K) in order, each once all live hypotheses agree on it; -1 where a take has ended.

        With an end code nothing is settled before the end of the search.
        """
        beams = self._sampling.beams
        given = np.repeat(self._fixed, beams, axis=0)
        parents: NDArray[np.int64] | None = None
        sent = 0
        for step in range(self._prompt, self._steps):
            scores = log_softmax(self._advance(given, parents))
            scores = scores.reshape(len(self._takes), beams, *scores.shape[1:])
            for take, of_take in zip(self._takes, scores, strict=True):
                if not take.is_decided:
                    self._extend(take, step, of_take)
                    take.is_decided = self._is_decided(take, step)
            if all(take.is_decided for take in self._takes):
                break
            if self._end is None:
                while sent + self._prompt <= step - int(self._delay.max()) and self._agree(sent):
                    yield np.stack([self._frame(take.live[0], sent) for take in self._takes])
                    sent += 1
            given, parents = self._columns(step)
        best = [self._best(take) for take in self._takes]
        longest = max(hypothesis.frames for hypothesis in best) - self._prompt
        for frame in range(sent, longest):
            yield np.stack([self._frame(hypothesis, frame) for hypothesis in best])

    def _extend(self, take: _Take, step: int, scores: LogProbabilities) -> None:
        """Let a take's hypotheses choose their column of this step; keep the best."""
        beams = self._sampling.beams
        candidates: list[tuple[float, int, Codes, int]] = []
        fixed = self._known.column(take.number, step)
        for place, hypothesis in enumerate(take.live):
            free = np.flatnonzero((fixed < 0) & (step - self._delay < hypothesis.frames))
            plain = np.where(fixed < 0, self._special, fixed)
            if len(free) == 0:
                candidates.append((hypothesis.total, place, plain, hypothesis.frames))
                continue
            for gain, chosen in best_joint(scores[hypothesis.row][free], beams):
                column, frames = plain.copy(), hypothesis.frames
                column[free] = chosen
                ends = self._end is not None and 0 in free and column[0] == self._end
                if ends:
                    if step == self._prompt:
                        continue  # a take has one frame at least
                    column[: int((self._delay == 0).sum())], frames = self._special, step
                candidates.append((hypothesis.total + gain, place, column, frames))
        candidates.sort(key=lambda candidate: -candidate[0])
        chosen_ones = [
            _Hypothesis(
                take.live[place].row,
                np.concatenate([take.live[place].columns, column[:, None]], 1),
                total,
                frames,
                frames - self._prompt,
            )
            for total, place, column, frames in candidates[: 2 * beams]
        ]
        is_over = [step - int(self._delay.max()) >= hypothesis.frames - 1 for hypothesis in chosen_ones]
        done = [hypothesis for hypothesis, over in zip(chosen_ones, is_over, strict=True) if over]
        take.finished = sorted([*take.finished, *done], key=self._rank)[:beams]
        take.live = [hypothesis for hypothesis, over in zip(chosen_ones, is_over, strict=True) if not over][
            :beams
        ]

    def _rank(self, hypothesis: _Hypothesis) -> float:
        return -hypothesis.score(self._sampling.length_penalty)

    def _is_decided(self, take: _Take, step: int) -> bool:
        """Return whether nothing that is still live can change which hypothesis is the best."""
        if not take.live:
            return True
        if len(take.finished) < self._sampling.beams:
            return False
        if self._sampling.early_stopping:
            return True
        penalty = self._sampling.length_penalty
        # The most that a live one can reach: no further loss, at the length that the penalty likes best.
        frames = self._known.frames if penalty > 0 else max(1, step - self._prompt)
        attainable = max(hypothesis.total for hypothesis in take.live) / math.pow(frames, penalty)
        return bool(attainable <= take.finished[-1].score(penalty))

    def _best(self, take: _Take) -> _Hypothesis:
        return min([*take.finished, *([] if take.finished else take.live)], key=self._rank)

    def _frame(self, hypothesis: _Hypothesis, frame: int) -> NDArray[np.int64]:
        """Return a frame (K,) after the prompt; -1 where the hypothesis has ended before it."""
        place = self._prompt + frame
        if place >= hypothesis.frames:
            return np.full(len(self._delay), -1, dtype=np.int64)
        return hypothesis.columns[np.arange(len(self._delay)), place + self._delay]

    def _agree(self, frame: int) -> bool:
        return all(
            np.array_equal(self._frame(take.live[0], frame), self._frame(other, frame))
            for take in self._takes
            for other in take.live[1:]
        )

    def _columns(self, step: int) -> tuple[Codes, NDArray[np.int64]]:
        """Return what goes into the model next (rows, K, 1), and from which row each row goes on."""
        beams = self._sampling.beams
        given, parents = [], []
        for take in self._takes:
            # Rows that no hypothesis needs repeat one, or run on unheard where the take is decided.
            rows = [*take.live, *[(take.live or take.finished)[0]] * beams][:beams]
            given += [self._column(hypothesis, step) for hypothesis in rows]
            parents += [take.number * beams + hypothesis.row for hypothesis in rows]
            if not take.is_decided:
                for row, hypothesis in enumerate(take.live):
                    hypothesis.row = row
        return np.stack(given)[:, :, None], np.array(parents, dtype=np.int64)

    def _column(self, hypothesis: _Hypothesis, step: int) -> Codes:
        """Return what a hypothesis has at a step (K,), special after its end."""
        if step < hypothesis.columns.shape[1]:
            return hypothesis.columns[:, step]
        return np.full(len(self._delay), self._special, dtype=np.int64)
