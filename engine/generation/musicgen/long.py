"""Music of any length from a model that hears 30 seconds: windows that go on from the codes of the one before.

As the authors extend it (audiocraft, `generate` beyond its longest duration; stride 18 s of 30 s): each window but the
first starts with the last codes of what is there, hears the melody of its own stretch of time, and only adds to them.
So there is one unbroken row of codes, and no join in the sound: codes are decoded in windows too, but each with so much
of its neighbours that the decoder hears the same there, and the pieces are faded into each other inside that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.generation.melody import Melody
from engine.generation.musicgen.chroma import Chroma, frames_for
from engine.generation.musicgen.sampling import Sampling
from engine.progress import SILENT, Monitor

Codes = NDArray[np.int64]
KEPT_SHARE = 0.4
"""How much of a full window is what was there before: 12 s of 30 s."""
WINDOW_SEED = 1 << 64
"""Between the seeds of two windows of one take: further apart than any two takes of a batch."""
DECODED_S, CONTEXT_S, FADE_S = 20.0, 2.0, 0.02


class Model(Protocol):
    """What is asked of a MusicGen; `engine.generation.musicgen.MusicGen` is one."""

    @property
    def sample_rate(self) -> int:
        """Of the audio, in Hz."""
        ...

    @property
    def frame_rate(self) -> int:
        """Frames of codes a second."""
        ...

    @property
    def max_frames(self) -> int:
        """The longest window that it hears at once."""
        ...

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
        """Yield (B, K) codes, `frames` times, after those of the prompt."""
        ...

    def decode(self, codes: Codes) -> NDArray[np.float32]:
        """Return audio (B, channels, samples) of codes (B, K, T)."""
        ...


@dataclass(frozen=True, slots=True)
class Window:
    """Frames `start` to `end` of the whole; those before `first_new` are there already."""

    start: int
    first_new: int
    end: int


def windows(frames: int, longest: int, kept_share: float = KEPT_SHARE) -> list[Window]:
    """Return the windows in which `frames` frames are made by a model that hears `longest` at once.

    >>> [(w.start, w.first_new, w.end) for w in windows(2500, 1500)]
    [(0, 0, 1500), (900, 1500, 2400), (1800, 2400, 2500)]
    """
    kept = round(longest * kept_share)
    made = [Window(0, 0, min(frames, longest))]
    while made[-1].end < frames:
        there = made[-1].end
        made.append(Window(there - kept, there, min(frames, there - kept + longest)))
    return made


def codes_of(
    model: Model,
    texts: Sequence[str],
    frames: int,
    sampling: Sampling,
    melodies: Sequence[Melody] | None = None,
    monitor: Monitor = SILENT,
) -> Codes:
    """Return the codes of one take for each text, (B, K, frames), each following its melody if there are any.

    Row b is played from the seeds `sampling.seed` + b + n * `WINDOW_SEED`, n counting the windows.
    """
    plan = windows(frames, model.max_frames)
    chosen: list[Codes] = []
    there: Codes | None = None
    for number, window in enumerate(plan):
        chroma = None if melodies is None else _chroma(model, melodies, window)
        kept = window.first_new - window.start
        share = monitor.part(window.first_new / frames, window.end / frames)
        columns = []
        for column in model.tokens(
            texts,
            window.end - window.first_new,
            replace(sampling, seed=sampling.seed + number * WINDOW_SEED),
            chroma=chroma,
            prompt_codes=None if there is None else there[:, :, -kept:],
            monitor=Monitor(is_cancelled=monitor.is_cancelled),
        ):
            columns.append(column)
            share.report(len(columns) / (window.end - window.first_new))
        chosen.append(np.stack(columns, axis=-1))
        there = np.concatenate(chosen, axis=-1)[:, :, -model.max_frames :]
    return np.concatenate(chosen, axis=-1)


def _chroma(model: Model, melodies: Sequence[Melody], window: Window) -> Chroma:
    """What a model hears of the melodies in one window, (B, T, 12): always as much as it can hear at once."""
    start_s = window.start / model.frame_rate
    count = frames_for(model.max_frames / model.frame_rate)
    return np.stack([melody.chroma(start_s, count) for melody in melodies])


def decoded(model: Model, codes: Codes, monitor: Monitor = SILENT) -> NDArray[np.float32]:
    """Return the sound of codes (B, K, T) of any length, (B, channels, samples), in bounded memory."""
    total = codes.shape[-1]
    piece, context = (round(seconds * model.frame_rate) for seconds in (DECODED_S, CONTEXT_S))
    if total <= piece + context:
        return model.decode(codes)
    samples = model.sample_rate // model.frame_rate
    fade = min(round(FADE_S * model.sample_rate), context * samples)
    rising = np.linspace(0.0, 1.0, fade, endpoint=False, dtype=np.float32)
    pieces: list[NDArray[np.float32]] = []
    tail: NDArray[np.float32] | None = None
    for start in range(0, total, piece):
        monitor.report(start / total)
        first, last = max(0, start - context), min(total, start + piece + context)
        heard = model.decode(np.ascontiguousarray(codes[:, :, first:last]))
        here = heard[:, :, (start - first) * samples :]
        if tail is not None:
            joined = min(fade, here.shape[2], tail.shape[2])
            here[:, :, :joined] *= rising[:joined]
            here[:, :, :joined] += tail[:, :, :joined] * (1.0 - rising[:joined])
        pieces.append(here[:, :, : piece * samples])
        tail = here[:, :, piece * samples :]
    monitor.report(1.0)
    return np.concatenate(pieces, axis=-1)
