"""MusicGen as a stream: codes are decoded in windows while the language model goes on writing.

The codes are those that `long.codes_of` gives for the same words and seed, window of the model by window, so that a
stream and a take are the same music; the audio is that of decoding them at once, outside the seams (see `windows`).
Each token step is one step of the stream, so that several streams share a processor fairly.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from engine.audio.buffer import Samples
from engine.generation.musicgen.long import WINDOW_SEED, Codes, Model, windows
from engine.generation.musicgen.sampling import Sampling
from engine.streaming.quality import Quality
from engine.streaming.source import Source
from engine.streaming.speed import SPEEDS
from engine.streaming.windows import AHEAD_FRAMES, Windows, decoded

LONGEST_S = 7200.0
FIRST_WINDOW_S = 0.1
"""New audio in the first window: as little as is worth the decoder's call."""
REHEARSED_FRAMES = 12


@dataclass(frozen=True, slots=True)
class Played:
    """The model of a stream: loaded, with what it is called for people and for the table of speeds."""

    model: Model
    channels: int
    source: Source
    speed_name: str
    estimated_steps_per_s: float | None = None


def rehearse(model: Model) -> tuple[int, float]:
    """Write and decode a little, unheard, so that the first listener does not wait for what is made at first use.

    Returns:
        Token steps, without the first, and the seconds that they took.
    """
    frames = model.tokens(["music"], REHEARSED_FRAMES, Sampling(seed=0))
    made = [next(frames)]
    began = time.perf_counter()
    made.extend(frames)
    took_s = time.perf_counter() - began
    first = round(FIRST_WINDOW_S * model.frame_rate) + AHEAD_FRAMES
    model.decode(np.stack(made[:first], axis=-1))
    return len(made) - 1, took_s


class MusicGenStream:
    """Music from words by a MusicGen that is loaded; see `AudioStream`.

    Args:
        played: The model.
        text: What to play.
        sampling: How codes are drawn; without beams, since a beam is known only at its end.
        duration_s: Length; None goes on until it is stopped.
        quality: How the windows are cut.
    """

    def __init__(
        self, played: Played, text: str, sampling: Sampling, *, duration_s: float | None, quality: Quality
    ) -> None:
        model = played.model
        self._played, self._text, self._is_endless = played, text, duration_s is None
        guidance = sampling.guidance if quality.guided else min(1.0, sampling.guidance)
        self._sampling = replace(sampling, beams=1, guidance=guidance)
        self._frames = max(1, round((LONGEST_S if duration_s is None else duration_s) * model.frame_rate))
        self._frame_samples = model.sample_rate // model.frame_rate
        self._cut = Windows(
            first=min(round(FIRST_WINDOW_S * model.frame_rate), round(quality.window_s * model.frame_rate)),
            new=max(1, round(quality.window_s * model.frame_rate)),
            context=round(quality.context_s * model.frame_rate),
            fade_samples=round(quality.fade_s * model.sample_rate),
        )
        self.sample_rate, self.channels = model.sample_rate, played.channels
        self.source = played.source
        self.last_step_at = 0.0
        """When the last token step ended, on the clock of `time.perf_counter`."""

    @property
    def length_frames(self) -> int | None:
        """How many frames of audio there will be; None if it goes on until it is stopped."""
        return None if self._is_endless else self._frames * self._frame_samples

    @property
    def times_real_time(self) -> float | None:
        """How many seconds of music this machine makes in a second; None where nobody knows yet."""
        steps = SPEEDS.measured(self._played.speed_name) or self._played.estimated_steps_per_s
        return None if steps is None else steps / self._played.model.frame_rate

    @property
    def warnings(self) -> tuple[str, ...]:
        """Tell of a machine that is slower than real time."""
        speed = self.times_real_time
        if speed is None or speed >= 1.0:
            return ()
        told = "" if SPEEDS.measured(self._played.speed_name) else "about "
        wait = "" if self._is_endless else self._wait_sentence(speed)
        sentence = (
            f"{self.source.name} makes {told}{speed:.2f} s of music in a second on this machine, so playing it at once "
            f"would pause{wait}; the arranger plays without pauses."
        )
        return (sentence,)

    def _wait_sentence(self, speed: float) -> str:
        length_s = self._frames / self._played.model.frame_rate
        return f", and without pauses can begin after {length_s * (1 / speed - 1):.0f} s"

    def __iter__(self) -> Iterator[Samples]:
        """Yield decoded windows, and an empty chunk for each token step between them."""
        return decoded(
            self._codes(), self._played.model.decode, self._frame_samples, self.channels, self._cut
        )

    def _codes(self) -> Iterator[Codes]:
        """Yield code frames (K,) as they are written, and note how fast that is."""
        model, there = self._played.model, np.zeros((0, 0), dtype=np.int64)
        busy_s = 0.0
        steps = 0
        for number, window in enumerate(windows(self._frames, model.max_frames)):
            kept = window.first_new - window.start
            made: list[Codes] = []
            began = time.perf_counter()
            for frame in model.tokens(
                [self._text],
                window.end - window.first_new,
                replace(self._sampling, seed=self._sampling.seed + number * WINDOW_SEED),
                prompt_codes=there[None, :, -kept:] if kept else None,
            ):
                self.last_step_at = time.perf_counter()
                if made:  # the first one waits for the text and the delay pattern
                    busy_s += self.last_step_at - began
                    steps += 1
                made.append(frame[0])
                if steps == 32:
                    SPEEDS.note(self._played.speed_name, steps, busy_s)
                    busy_s, steps = 0.0, 0
                yield frame[0]
                began = time.perf_counter()
            new = np.stack(made, axis=-1)
            there = np.concatenate([there, new], axis=1) if there.size else new
            there = there[:, -model.max_frames :]
        SPEEDS.note(self._played.speed_name, steps, busy_s)
