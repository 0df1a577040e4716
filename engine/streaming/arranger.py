"""The arranger as a stream: an invented song, arranged a movement at a time, played and mixed block by block.

The mix is a light one: each part at the level that its style gives its role (voices are made to be about as loud as one
another), panned, summed, brought up by one gain and limited. It is the same whatever the blocks: `ArrangerStream` with
the longest block is the offline version of itself.
"""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from engine.analysis.model import Analysis
from engine.audio.buffer import Samples
from engine.generation.arranger.check import check_style
from engine.generation.arranger.invent import invent_song, invented_map
from engine.generation.model import Arrangement, Part
from engine.streaming.limiter import StreamLimiter
from engine.streaming.movements import Manner, movements
from engine.streaming.part import PartStream
from engine.streaming.source import Source
from engine.tempo import TempoMap

LONGEST_S = 7200.0
"""A piece that goes on until it is stopped ends here."""
USUAL_LUFS = -20.0
"""How loud the sum of the parts usually is, within 3 LU; one gain brings it to what the style's master is to have."""
MOST_DRIVE_DB = 8.0
AHEAD_S = 2.0
"""A movement is written this long before it is heard."""
END_FADE_S = 0.08
KICKS = frozenset({35, 36})
SOURCE = Source(
    "arranger",
    "1",
    "parts arranged on an invented song and played by built-in synthesised voices, mixed as they are played",
    "GPL-3.0-or-later; what it plays is yours",
)


class ArrangerStream:
    """Music from a style and a few wishes; see `AudioStream`.

    Args:
        manner: Style, seed, energy, brightness, and a stem if only one is wanted.
        words: What was asked for, which chooses between major and minor.
        key: As "F# minor"; None leaves it to the seed.
        bpm: Tempo; None is the middle of the style's range.
        duration_s: Length; None goes on until it is stopped.
        sample_rate: In Hz.
        block_frames: Frames that are made at a time: a power of two from 1024 to 262144.

    Raises:
        NrxError: "request.invalid", "preset.invalid".
    """

    channels = 2
    source = SOURCE
    warnings: tuple[str, ...] = ()

    def __init__(
        self,
        manner: Manner,
        *,
        words: str = "",
        key: str | None = None,
        bpm: float | None = None,
        duration_s: float | None = None,
        sample_rate: int = 44_100,
        block_frames: int = 8192,
    ) -> None:
        check_style(manner.style)
        self.sample_rate = sample_rate
        self._manner, self._block = manner, block_frames
        self._is_endless = duration_s is None
        length_s = LONGEST_S if duration_s is None else duration_s
        self.analysis: Analysis = invent_song(
            manner.style, seed=manner.seed, key=key, bpm=bpm, duration_s=length_s, words=words
        )
        self.tempo_map: TempoMap = invented_map(manner.style, self.analysis)
        self._length = round(min(length_s, self.analysis.duration_s) * sample_rate)
        self.arranged: list[Arrangement] = []
        """What has been written so far, in beats of `tempo_map`."""
        self._kicks_s: NDArray[np.float64] = np.zeros(0)
        self._parts: dict[str, tuple[PartStream, NDArray[np.float32]]] = {}

    @property
    def times_real_time(self) -> float | None:
        """Always None: it is many times faster than real time."""
        return None

    @property
    def length_frames(self) -> int | None:
        """How many frames there will be; None if it goes on until it is stopped."""
        return None if self._is_endless else self._length

    def __iter__(self) -> Iterator[Samples]:
        """Yield blocks, and between them empty ones, one for each part that was played."""
        limiter = StreamLimiter(self.sample_rate)
        nothing: Samples = np.zeros((2, 0), dtype=np.float32)
        writing = movements(self.analysis, self.tempo_map, self._manner)
        written_s, late = 0.0, limiter.delay_frames
        drive_db = min(MOST_DRIVE_DB, self._manner.style.master.lufs - USUAL_LUFS)
        drive = np.float32(10.0 ** (drive_db / 20.0))
        for start in range(0, self._length, self._block):
            frames = min(self._block, self._length - start)
            wanted_s = min((start + self._block) / self.sample_rate + AHEAD_S, self.analysis.duration_s)
            while written_s < wanted_s:
                written_s, arrangement = next(writing)
                self._take(arrangement)
                yield nothing
            mix = np.zeros((2, frames), dtype=np.float32)
            for part, gains in self._parts.values():
                mix += part.block(start, frames) * gains
                yield nothing
            mix *= drive
            self._fade_end(mix, start)
            limited = limiter(mix)
            yield limited[:, min(late, frames) :]
            late = max(0, late - frames)
        yield limiter.flush()[:, late:]

    def _take(self, arrangement: Arrangement) -> None:
        """Hand the notes of a movement to their parts."""
        self.arranged.append(arrangement)
        kicks = [n.start_beat for p in arrangement.parts if p.is_drums for n in p.notes if n.pitch in KICKS]
        if kicks:
            times = np.asarray(self.tempo_map.seconds(np.array(kicks)), dtype=np.float64)
            self._kicks_s = np.sort(np.concatenate([self._kicks_s, times]))
        for part in arrangement.parts:
            if part.name not in self._parts:
                self._parts[part.name] = (
                    PartStream(
                        part,
                        self.tempo_map,
                        sample_rate=self.sample_rate,
                        length_frames=self._length,
                        seed=self._manner.seed,
                        brightness=self._manner.brightness,
                        kicks_so_far=lambda: self._kicks_s,
                    ),
                    self._gains(part),
                )
            self._parts[part.name][0].add(part)

    def _gains(self, part: Part) -> NDArray[np.float32]:
        """Return a part's gains left and right, shape (2, 1): its role's level, and a balance control."""
        balance_db = {str(role): db for role, db in self._manner.style.balance_db.items()}
        gain = 10.0 ** ((balance_db[part.role] + part.level_db) / 20.0)
        sides = (min(1.0, 1.0 - part.pan), min(1.0, 1.0 + part.pan))
        return np.array([[gain * sides[0]], [gain * sides[1]]], dtype=np.float32)

    def _fade_end(self, mix: Samples, start: int) -> None:
        """End in a short fade, as parts do that are rendered whole."""
        fade = min(math.floor(END_FADE_S * self.sample_rate), self._length)
        first = max(start, self._length - fade)
        stop = start + mix.shape[1]
        if stop > first:
            place = np.arange(first - (self._length - fade) + 1, stop - (self._length - fade) + 1) / fade
            mix[:, first - start :] *= (0.5 + 0.5 * np.cos(np.pi * place)).astype(np.float32)
