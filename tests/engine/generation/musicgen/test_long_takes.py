"""Takes longer than the model hears: codes go on exactly, melodies go along, and no join is heard."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.errors import Cancelled
from engine.generation.melody import Melody
from engine.generation.musicgen.chroma import RATE, chroma_at, frames_for
from engine.generation.musicgen.long import WINDOW_SEED, codes_of, decoded, windows
from engine.generation.musicgen.sampling import Sampling
from engine.progress import SILENT, Monitor

Codes = NDArray[np.int64]
SAMPLES = 640


@dataclass
class CountingModel:
    """Plays the codes n, n+1, n+2 … after what it is given, and a sine whose phase its codes tell."""

    max_frames: int = 100
    sample_rate: int = RATE
    frame_rate: int = 50
    codes: int = 1 << 30
    context_blur: float = 0.0
    calls: list[dict[str, object]] = field(default_factory=list)

    def tokens(
        self,
        texts: Sequence[str],
        frames: int,
        sampling: Sampling,
        *,
        chroma: NDArray[np.float32] | None = None,
        prompt_codes: Codes | None = None,
        monitor: Monitor = SILENT,
    ) -> Iterator[Codes]:
        rows = len(texts)
        kept = 0 if prompt_codes is None else prompt_codes.shape[-1]
        assert kept + frames <= self.max_frames
        self.calls.append({"seed": sampling.seed, "chroma": chroma, "prompt": prompt_codes, "frames": frames})
        start = 0 if prompt_codes is None else int(prompt_codes[0, 0, -1]) + 1
        for number in range(start, start + frames):
            monitor.check()
            yield np.stack([np.full(4, number) + 0 * row for row in range(rows)])

    def decode(self, codes: Codes) -> NDArray[np.float32]:
        """A steady sine; at the edges of what is decoded it is wrong, as a codec that lacks context is."""
        at = (codes[:, 0, :, None] * SAMPLES + np.arange(SAMPLES)).reshape(len(codes), 1, -1)
        sound = np.sin(2 * np.pi * 220.0 * at / self.sample_rate)
        edge = round(0.5 * self.sample_rate)
        if self.context_blur and sound.shape[-1] > 2 * edge:
            sound[:, :, :edge] *= 1.0 - self.context_blur
            sound[:, :, -edge:] *= 1.0 - self.context_blur
        return sound.astype(np.float32)


@pytest.mark.parametrize("frames", [1, 99, 100, 101, 160, 161, 1234])
def test_windows_cover_each_frame_once(frames: int) -> None:
    made = windows(frames, 100)
    new = [frame for window in made for frame in range(window.first_new, window.end)]
    assert new == list(range(frames))
    assert all(window.end - window.start <= 100 for window in made)
    assert all(window.first_new - window.start == 40 for window in made[1:])


def test_each_window_goes_on_from_the_codes_before_it() -> None:
    model = CountingModel()
    codes = codes_of(model, ["a", "b"], 330, Sampling(seed=5))
    assert codes.shape == (2, 4, 330)
    assert np.array_equal(codes[1, 2], np.arange(330))
    for window, call in zip(windows(330, 100)[1:], model.calls[1:], strict=True):
        assert np.array_equal(call["prompt"], codes[:, :, window.start : window.first_new])  # type: ignore[arg-type]  # a stand-in's record
    seeds = [call["seed"] for call in model.calls]
    assert seeds == [5 + number * WINDOW_SEED for number in range(len(seeds))]


def test_each_window_hears_the_melody_of_its_own_time() -> None:
    rng = np.random.default_rng(0)
    t = np.arange(8 * RATE) / RATE
    mono = np.concatenate(
        [np.sin(2 * np.pi * 440 * 2 ** (k / 12) * t[: RATE // 2]) for k in rng.integers(0, 24, 16)]
    ).astype(np.float32)
    model = CountingModel()
    codes_of(model, ["a"], 330, Sampling(), [Melody(mono)])
    count = frames_for(2.0)
    for window, call in zip(windows(330, 100), model.calls, strict=True):
        heard = call["chroma"]
        assert isinstance(heard, np.ndarray)
        expected = chroma_at(mono, window.start / 50 + 4096 / RATE * np.arange(count))
        assert np.array_equal(heard[0], expected)


@pytest.mark.parametrize("frames", [900, 1100, 2700, 3307])
def test_no_join_is_heard(frames: int) -> None:
    model = CountingModel(context_blur=1.0)
    codes = np.broadcast_to(np.arange(frames), (1, 4, frames))
    sound = decoded(model, codes)
    assert sound.shape == (1, 1, frames * SAMPLES)
    inner = slice(RATE // 2, -(RATE // 2))
    exact = np.sin(2 * np.pi * 220.0 * np.arange(frames * SAMPLES) / RATE)
    assert np.abs(sound[0, 0][inner] - exact[inner]).max() < 1e-4
    steps = np.abs(np.diff(sound[0, 0][inner]))
    assert steps.max() < 1.01 * 2 * np.pi * 220.0 / RATE  # no step larger than the sine's own


def test_progress_rises_with_the_frames_and_reaches_the_end() -> None:
    told: list[float] = []
    codes_of(CountingModel(), ["a"], 330, Sampling(), None, Monitor(told.append))
    assert len(told) == 330
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)


def test_a_cancel_is_heard_within_a_few_frames() -> None:
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > 20

    model = CountingModel()
    with pytest.raises(Cancelled):
        codes_of(model, ["a"], 330, Sampling(), None, Monitor(is_cancelled=cancelled))
    assert len(model.calls) == 1
