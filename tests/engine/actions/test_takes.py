"""Takes: kept by what they were made from, made anew where they can't be fitted, and told of plainly."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.actions.takes import ANOTHER_SEED, Order, play
from engine.errors import Cancelled
from engine.generation.melody import Melody
from engine.generation.musicgen.sampling import Sampling
from engine.progress import SILENT, Monitor
from engine.stages import StageCache, Stages
from engine.tempo import TempoMap
from tests.engine.actions.standin_generator import StandIn

RATE = 22050
ORDER = Order(
    prompt="a band",
    melody=None,
    sampling=Sampling(seed=3),
    role="instrumental",
    length_frames=9 * RATE,
    sample_rate=RATE,
    timeline=TempoMap.constant(100.0),
    from_first_bar=True,
)


@pytest.fixture
def stages(tmp_path: Path) -> Stages:
    return Stages(StageCache(tmp_path, 10**9), [("generate", 1.0)])


def test_a_take_at_a_wrong_tempo_is_fitted_and_told_of(stages: Stages) -> None:
    take = play(StandIn(lambda _seed: 96.0), ORDER, stages, SILENT)
    told = take.summary
    assert (take.audio.channels, take.audio.frames, take.audio.sample_rate) == (2, 9 * RATE, RATE)
    assert told.why_not is None
    assert told.measured_bpm == pytest.approx(96.0, abs=0.1)
    assert told.target_bpm == 100.0
    assert told.stretch == pytest.approx(0.96, abs=0.01)
    assert told.residual_median_ms is not None
    assert told.residual_median_ms < 10.0
    assert told.seeds_tried == (3,)
    assert (told.model, told.revision, told.licence, told.device) == (
        "band",
        "r1",
        "CC0-1.0",
        "cpu (by hand)",
    )
    assert take.notes == ()


def test_a_take_that_cannot_be_fitted_is_made_anew_from_another_seed(stages: Stages) -> None:
    generator = StandIn(lambda seed: 100.0 if seed == 3 + ANOTHER_SEED else None)
    take = play(generator, ORDER, stages, SILENT)
    assert take.summary.why_not is None
    assert take.summary.seed == 3 + ANOTHER_SEED
    assert take.summary.seeds_tried == (3, 3 + ANOTHER_SEED)
    assert "1 take was made anew" in take.notes[0]


def test_after_the_last_try_the_take_is_handed_over_with_the_reason(stages: Stages) -> None:
    generator = StandIn(lambda _seed: 150.0)
    take = play(generator, replace(ORDER, tries=2), stages, SILENT)
    assert take.summary.why_not is not None
    assert take.summary.residual_median_ms is None
    assert len(generator.batches) == 2
    assert take.audio.frames == 9 * RATE
    assert "could not be fitted to the timeline, nor could 1 more" in take.notes[0]


def test_what_may_lack_a_beat_is_taken_as_it_is(stages: Stages) -> None:
    generator = StandIn(lambda _seed: None)
    take = play(generator, replace(ORDER, role="fx", may_lack_beat=True), stages, SILENT)
    assert len(generator.batches) == 1
    assert take.notes == ("The fx has no beat to fit to the timeline; it is as it was made.",)


def test_the_same_order_is_not_played_twice(stages: Stages) -> None:
    generator = StandIn(lambda _seed: 96.0)
    first = play(generator, ORDER, stages, SILENT)
    again = play(generator, ORDER, stages, SILENT)
    assert len(generator.batches) == 1
    assert np.array_equal(first.audio.samples, again.audio.samples)
    assert again.summary == first.summary  # the device too, though nothing was played
    play(generator, replace(ORDER, timeline=TempoMap.constant(95.0)), stages, SILENT)
    assert len(generator.batches) == 1  # another timeline fits the same take
    for other in (
        replace(ORDER, prompt="another"),
        replace(ORDER, sampling=Sampling(seed=4)),
        replace(ORDER, sampling=Sampling(seed=3, temperature=0.8)),
        replace(ORDER, melody=Melody(np.zeros(32000, np.float32))),
        replace(ORDER, length_frames=8 * RATE),
    ):
        before = len(generator.batches)
        play(generator, other, stages, SILENT)
        assert len(generator.batches) == before + 1


def test_takes_that_will_be_asked_for_next_are_made_in_one_batch(stages: Stages) -> None:
    generator = StandIn(lambda seed: 90.0 + 2 * seed)
    tempi = []
    for number in range(3):
        order = replace(ORDER, sampling=Sampling(seed=3 + number), ahead=2 - number)
        tempi.append(play(generator, order, stages, SILENT).summary.measured_bpm)
    assert generator.batches == [[3, 4, 5]]
    assert tempi == pytest.approx([96.0, 98.0, 100.0], abs=0.1)


def test_a_take_is_the_same_alone_and_in_a_batch(tmp_path: Path) -> None:
    together = Stages(StageCache(tmp_path / "a", 10**9), [("generate", 1.0)])
    alone = Stages(StageCache(tmp_path / "b", 10**9), [("generate", 1.0)])
    generator = StandIn(lambda seed: 90.0 + 2 * seed)
    play(generator, replace(ORDER, ahead=1), together, SILENT)
    order = replace(ORDER, sampling=Sampling(seed=4))
    a = play(generator, order, together, SILENT)
    b = play(generator, order, alone, SILENT)
    assert generator.batches == [[3, 4], [4]]
    assert np.array_equal(a.audio.samples, b.audio.samples)


def test_takes_are_longer_than_the_timeline_by_what_fitting_needs(stages: Stages) -> None:
    generator = StandIn(lambda _seed: 94.0)  # slower than asked: more of it is needed
    take = play(generator, ORDER, stages, SILENT)
    assert generator.wishes[0].duration_s > 9.0 * 100 / 94
    tail = take.audio.samples[:, -round(0.7 * RATE) : -round(0.05 * RATE)]
    assert float(np.abs(tail).max()) > 0.05


def test_without_a_tempo_the_timeline_is_what_is_played(stages: Stages) -> None:
    take = play(StandIn(lambda _seed: 103.0), replace(ORDER, timeline=None), stages, SILENT)
    assert take.summary.why_not is None
    assert take.timeline.average_bpm(0.0, 9.0) == pytest.approx(103.0, abs=0.1)
    assert take.summary.stretch == pytest.approx(1.0, abs=2e-3)


def test_progress_never_goes_back_and_a_cancel_is_heard(stages: Stages) -> None:
    told: list[float] = []
    generator = StandIn(lambda seed: None if seed == 3 else 100.0)
    play(generator, ORDER, stages, Monitor(told.append))
    assert told == sorted(told)
    assert told[-1] == 1.0
    with pytest.raises(Cancelled):
        play(generator, replace(ORDER, prompt="x"), stages, Monitor(is_cancelled=lambda: True))
