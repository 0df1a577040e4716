"""Takes made together are ranked by words and likeness where a model can, else left in the order of their seeds."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.actions.takes import Order, play
from engine.audio import Audio
from engine.backends import Backends
from engine.errors import Cancelled
from engine.generation.musicgen.sampling import Sampling
from engine.models import ModelStore
from engine.progress import SILENT, Monitor
from engine.stages import StageCache, Stages
from tests.engine.actions.standin_generator import RATE, StandIn, noise
from tests.neural_fixtures import tiny_clap

ORDER = Order(
    prompt="happy rock",
    melody=None,
    sampling=Sampling(seed=3),
    role="fx",
    length_frames=3 * RATE,
    sample_rate=RATE,
    timeline=None,
    from_first_bar=True,
    may_lack_beat=True,
)
COUNT = 3


@pytest.fixture(scope="module")
def clap(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch", reason="CLAP runs in torch")
    pytest.importorskip("transformers", reason="CLAP is that of transformers")
    return tiny_clap(tmp_path_factory.mktemp("clap") / "tiny-clap")


def stages_of(folder: Path, embed: str = "auto") -> Stages:
    backends = Backends(ModelStore(folder / "models"), embed=embed)
    return Stages(StageCache(folder / "cache", 10**9), [("generate", 1.0)], backends=backends)


def noises() -> StandIn:
    """Return a generator whose takes are noise, for each seed another."""
    return StandIn(lambda _seed: None)


def orders(**changed: object) -> list[Order]:
    """Return the orders of several jobs whose takes are made together."""
    return [
        replace(ORDER, sampling=Sampling(seed=3 + take), before=take, ahead=COUNT - 1 - take, **changed)
        for take in range(COUNT)
    ]


def scores_by_hand(clap: Path, seeds: Sequence[int], like: Audio | None) -> dict[int, float]:
    from engine.embedding.clap import Clap

    ears = Clap(clap)
    wanted = [ears.words([ORDER.prompt])[0], *([ears.sound(like)] if like is not None else [])]
    made = {seed: ears.sound(noise(ORDER.length_s * 1.08 + 4.0, seed)) for seed in seeds}
    return {seed: float(np.mean([vector @ part for part in wanted])) for seed, vector in made.items()}


@pytest.mark.parametrize("followed", [False, True])
def test_the_best_take_comes_first_and_all_come_once(tmp_path: Path, clap: Path, followed: bool) -> None:
    like = Audio(noise(4.0, 99).samples, RATE) if followed else None
    generator, stages = noises(), stages_of(tmp_path, str(clap))
    takes = [
        play(generator, order, stages, SILENT)
        for order in orders(like=(lambda: like) if like is not None else None)
    ]
    by_hand = scores_by_hand(clap, [3, 4, 5], like)
    best_first = sorted(by_hand, key=lambda seed: -by_hand[seed])
    assert [take.summary.seed for take in takes] == best_first
    assert generator.batches == [[3, 4, 5]]
    for place, take in enumerate(takes, start=1):
        told = take.summary.ranking
        assert told is not None
        assert (told.place, told.of, told.seeds) == (place, COUNT, tuple(best_first))
        assert told.score == pytest.approx(by_hand[take.summary.seed], abs=1e-3)
        assert (told.by_likeness is not None) == followed
        assert told.model == "tiny-clap"
        assert told.licence
        assert take.notes == ("The fx has no beat to fit to the timeline; it is as it was made.",)
    assert len({take.audio.samples.tobytes() for take in takes}) == COUNT


def test_another_job_of_the_same_takes_hears_none_of_them_again(
    tmp_path: Path, clap: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *others = orders()
    generator = noises()
    play(generator, first, stages_of(tmp_path, str(clap)), SILENT)
    monkeypatch.setattr("engine.actions.ranking.embedder_of", lambda _backends: pytest.fail("heard again"))
    for order in others:
        play(generator, order, stages_of(tmp_path, str(clap)), SILENT)


def test_without_weights_takes_stay_in_the_order_of_their_seeds(tmp_path: Path) -> None:
    takes = [play(noises(), order, stages_of(tmp_path), SILENT) for order in orders()]
    assert [take.summary.seed for take in takes] == [3, 4, 5]
    assert all(take.summary.ranking is None for take in takes)
    assert all("ranked" not in note for take in takes for note in take.notes)


def test_that_a_model_asked_for_by_name_cannot_rank_is_told(tmp_path: Path) -> None:
    take = play(noises(), orders()[0], stages_of(tmp_path, "clap-music"), SILENT)
    assert take.summary.seed == 3
    assert "could not be ranked" in take.notes[0]


def test_a_take_alone_is_not_ranked(tmp_path: Path, clap: Path) -> None:
    take = play(noises(), ORDER, stages_of(tmp_path, str(clap)), SILENT)
    assert take.summary.ranking is None


def test_ranking_is_cancelled_between_takes(tmp_path: Path, clap: Path) -> None:
    generator = noises()
    monitor = Monitor(is_cancelled=lambda: bool(generator.device))
    with pytest.raises(Cancelled):
        play(generator, orders()[0], stages_of(tmp_path, str(clap)), monitor)
