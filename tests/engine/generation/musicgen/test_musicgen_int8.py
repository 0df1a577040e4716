"""MusicGen's decoder in int8: near the float model, exactly what its weights say, kept on disk, safe in threads."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.generation.musicgen import MusicGen, Sampling
from tests.neural_fixtures import CODES, tiny_musicgen

torch = pytest.importorskip("torch", reason="torch (extra `neural`) is not installed")
pytest.importorskip("transformers", reason="transformers (extra `neural`) is not installed")

from engine.generation.musicgen.checkpoint import Checkpoint  # noqa: E402 - after the reasons to skip
from engine.generation.musicgen.fast import choice, int8_core, kernels, team  # noqa: E402
from engine.generation.musicgen.fast.int8_core import Int8LanguageModel, matrices  # noqa: E402
from engine.generation.musicgen.fast.quantise import packed, unpacked  # noqa: E402
from engine.generation.musicgen.fast.torch_core import TorchLanguageModel  # noqa: E402

KINDS: dict[str, dict[str, Any]] = {
    "small": {},
    "stereo": {"stereo": True, "hidden": 192},
    "melody": {"melody": True},
}
GATE_DB = 30.0
TEXTS = ["happy rock", "slow electronic music with bass"]


class Pair:
    """A tiny checkpoint in float32 and in int8."""

    def __init__(self, folder: Path, **kind: Any) -> None:
        self.folder = tiny_musicgen(folder, **kind)
        self.whole = MusicGen.load(folder, device="cpu", precision="float32")
        with Checkpoint(folder) as checkpoint:
            self.int8 = Int8LanguageModel(checkpoint, self.whole.layout, None, threads=2)
        self.float32 = self.whole.language_model
        self.layout = self.whole.layout

    def codes(self, frames: int, rows: int = 4) -> NDArray[np.int64]:
        return np.random.default_rng(5).integers(0, CODES, (rows, self.layout.codebooks, frames))

    def conditioning(self) -> Any:
        return self.whole.condition(TEXTS, True)

    def forced(self, model: Any, codes: NDArray[np.int64], first: int = 5) -> NDArray[np.float32]:
        """Logits after each column: the first ones at once, the others one by one."""
        session = model.begin(self.conditioning(), codes.shape[2])
        made = [session.forward(codes[:, :, :first], every=True)]
        made += [session.forward(codes[:, :, i : i + 1], every=True) for i in range(first, codes.shape[2])]
        return np.concatenate(made, axis=1)


@pytest.fixture(scope="module", params=KINDS)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return Pair(tmp_path_factory.mktemp("int8"), **KINDS[request.param])


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return Pair(tmp_path_factory.mktemp("int8-small"))


def snr_db(truth: NDArray[np.float32], estimate: NDArray[np.float32]) -> float:
    return float(10 * np.log10((truth**2).sum() / ((truth - estimate) ** 2).sum()))


def test_logits_teacher_forced_are_within_the_gate(pair: Pair) -> None:
    codes = pair.codes(20)
    assert snr_db(pair.forced(pair.float32, codes), pair.forced(pair.int8, codes)) >= GATE_DB


def test_logits_are_what_the_quantised_weights_say(pair: Pair) -> None:
    """The float model with the int8 model's weights is all that the kernels may differ from by rounding."""

    class Rounded:
        """A checkpoint whose matrices went through int8 and back."""

        def __init__(self, checkpoint: Checkpoint) -> None:
            self.checkpoint = checkpoint
            self.wanted = {
                name for layer in matrices(pair.layout) for _, group, _, _ in layer for name in group
            }

        def tensor(self, name: str) -> Any:
            values = self.checkpoint.tensor(name).float()
            if name not in self.wanted:
                return values
            return torch.from_numpy(unpacked(*packed(values.numpy()), *values.shape).copy())

    with Checkpoint(pair.folder) as checkpoint:
        rounded = TorchLanguageModel(Rounded(checkpoint), pair.layout, "cpu", "float32")  # type: ignore[arg-type]  # a part
    codes = pair.codes(20)
    assert snr_db(pair.forced(rounded, codes), pair.forced(pair.int8, codes)) >= 60


def test_a_long_beginning_is_taken_in_by_blocks(pair: Pair) -> None:
    codes = pair.codes(150)
    at_once = pair.forced(pair.int8, codes, first=150)
    np.testing.assert_allclose(at_once[:, -1], pair.forced(pair.int8, codes, first=100)[:, -1], atol=1e-3)
    session = pair.int8.begin(pair.conditioning(), 150)
    np.testing.assert_array_equal(session.forward(codes), at_once[:, -1])


def test_results_are_the_same_with_any_number_of_threads(pair: Pair) -> None:
    codes = pair.codes(12)
    made = []
    for threads in (1, 2, 3):
        model = Int8LanguageModel.of(pair.layout, pair.int8.weights, threads)
        made.append(pair.forced(model, codes))
    np.testing.assert_array_equal(made[0], made[1])
    np.testing.assert_array_equal(made[0], made[2])


def test_beams_go_on_from_the_rows_they_select(pair: Pair) -> None:
    conditioning = pair.whole.condition(TEXTS[:1] * 2, True)
    codes, first, then = pair.codes(9), np.array([1, 1, 3, 3]), np.array([1, 0, 3, 2])
    for model in (pair.float32, pair.int8):
        session = model.begin(conditioning, 9)
        session.forward(codes[:, :, :5])
        session.select(first)
        session.forward(codes[:, :, 5:6])
        session.select(then)
        selected = session.forward(codes[:, :, 6:7])
        history = np.concatenate([codes[first][then][:, :, :5], codes[then][:, :, 5:6]], axis=2)
        straight = model.begin(conditioning, 9)
        straight.forward(history)
        np.testing.assert_allclose(selected, straight.forward(codes[:, :, 6:7]), atol=1e-3)
        unselected = model.begin(conditioning, 9)
        unselected.forward(codes[:, :, :6])
        assert np.abs(selected - unselected.forward(codes[:, :, 6:7])).max() > 0.1


def test_rows_do_not_know_of_each_other(small: Pair) -> None:
    codes = small.codes(8, rows=2)
    whole = small.whole.condition(TEXTS[:1], True)
    doubled = small.whole.condition(TEXTS[:1] * 2, True)
    alone = small.int8.begin(whole, 8).forward(codes[[0, 1]])
    together = small.int8.begin(doubled, 8).forward(codes[[0, 0, 1, 1]])
    # The text encoder rounds rows of a batch otherwise, and a step of 16 bits may then fall to the other side.
    np.testing.assert_allclose(together[[0, 2]], alone, atol=1e-3)
    np.testing.assert_allclose(together[[1, 3]], alone, atol=1e-3)


def test_sessions_in_several_threads_do_not_disturb_each_other(small: Pair) -> None:
    codes = small.codes(25)
    wanted = small.forced(small.int8, codes)
    made: dict[int, NDArray[np.float32]] = {}

    def run(number: int) -> None:
        made[number] = small.forced(small.int8, codes)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(3):
        np.testing.assert_array_equal(made[number], wanted)


def test_weights_are_kept_and_made_anew_when_the_checkpoint_changes(
    small: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    quantise = int8_core.quantised_weights

    def counted(checkpoint: Checkpoint, layout: Any) -> kernels.Weights:
        made.append(1)
        return quantise(checkpoint, layout)

    monkeypatch.setattr(int8_core, "quantised_weights", counted)

    def load() -> kernels.Weights:
        with Checkpoint(small.folder) as checkpoint:
            return Int8LanguageModel(checkpoint, small.layout, tmp_path).weights

    first, again = load(), load()
    assert len(made) == 1
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    (kept,) = tmp_path.glob("*/*/weights.npy")
    kept.write_bytes(kept.read_bytes()[:-100])
    np.testing.assert_array_equal(load().weights, first.weights)
    assert len(made) == 2
    tiny_musicgen(small.folder, seed=1)
    assert (load().weights != first.weights).any()
    assert len(made) == 3
    assert len(list(tmp_path.glob("*/*"))) == 1, "what is of no use any more is removed"
    tiny_musicgen(small.folder)


def test_a_cache_that_cannot_be_written_is_done_without(small: Pair, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with Checkpoint(small.folder) as checkpoint:
        model = Int8LanguageModel(checkpoint, small.layout, tmp_path / "file")
    np.testing.assert_array_equal(model.weights.weights, small.int8.weights.weights)


def test_loading_chooses_int8_on_a_processor_and_floats_where_kernels_fail(
    small: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert choice.kernels_work()
    fast = MusicGen.load(small.folder, device="cpu")
    assert fast.language_model.description.startswith("int8")
    codes = np.stack(list(fast.tokens(["jazz"], 10, Sampling(seed=3))), -1)
    np.testing.assert_array_equal(np.stack(list(fast.tokens(["jazz"], 10, Sampling(seed=3))), -1), codes)
    monkeypatch.setattr(choice, "kernels_work", lambda: False)
    slow = MusicGen.load(small.folder, device="cpu")
    assert slow.language_model.description.startswith("float32")


def test_beam_search_runs_on_the_model_and_finds_likelier_takes_than_greed(small: Pair) -> None:
    fast = MusicGen.load(small.folder, device="cpu")

    def frames(sampling: Sampling) -> NDArray[np.int64]:
        return np.stack(list(fast.tokens(["jazz", "rock"], 12, sampling)), -1)

    wide = frames(Sampling(beams=4))
    assert wide.shape == (2, fast.layout.codebooks, 12)
    np.testing.assert_array_equal(frames(Sampling(beams=4)), wide)
    one_row = np.stack(list(fast.tokens(["jazz"], 12, Sampling(beams=4))), -1)
    assert one_row.shape == (1, fast.layout.codebooks, 12)


def test_the_pace_settles_on_the_faster_number_of_threads_and_keeps_trying() -> None:
    pace = team.Pace(4)
    chosen = []
    for _ in range(60):
        threads = pace.choose()
        chosen.append(threads)
        pace.learn(threads, {4: 3.0, 2: 1.0, 1: 2.0}[threads])
    assert set(chosen) == {4, 2, 1}
    assert chosen.count(2) > 45
    for _ in range(200):
        threads = pace.choose()
        pace.learn(threads, {4: 0.5, 2: 1.0, 1: 2.0}[threads])
    assert pace.choose() == 4


@pytest.fixture(scope="module")
def numbers() -> NDArray[np.float32]:
    return np.linspace(-12, 12, 4001, dtype=np.float32)


def test_exponential_and_gelu_are_those_of_torch(numbers: NDArray[np.float32]) -> None:
    exponentials = np.array([kernels.exponential(x) for x in numbers])
    np.testing.assert_allclose(exponentials, np.exp(numbers.astype(np.float64)), rtol=1e-6)
    assert kernels.exponential(np.float32(-200)) == 0
    wanted = torch.nn.functional.gelu(torch.from_numpy(numbers)).numpy()
    np.testing.assert_allclose([kernels.gelu(x) for x in numbers], wanted, atol=2e-6)
