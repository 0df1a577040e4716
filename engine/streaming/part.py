"""One part of an arrangement, sounded block by block: notes, effects, and the fall of its level at the end.

Blocks join without a seam. Notes give the same samples as `render_part`, bit for bit; effects keep their state from
block to block and differ by rounding only (convolutions are cut into other lengths). Where a part has been silent for
seconds, effects that swing by themselves (chorus, phaser) may take up their swing at another place than offline.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Samples
from engine.generation.arranger.effects.chain import make_chain
from engine.generation.arranger.effects.context import Context, TimeMap
from engine.generation.arranger.render import chain_of, fade_gain, seed_of, timed_notes
from engine.generation.arranger.voices.external import is_external, play_external
from engine.generation.arranger.voices.model import Setup
from engine.generation.arranger.voices.player import Playing, TimedNote
from engine.generation.model import Part

KEPT_BYTES = 12_000_000
"""Rendered sounds that a part keeps for their next use."""
EXTERNAL_TAIL_S = 4.0


class _Sounding(Protocol):
    """Notes that can be added to a block."""

    end_frame: int

    def add_to(self, out: Samples, start_frame: int) -> None:
        """Add what sounds from `start_frame` on."""

    def forget(self, before_frame: int) -> None:
        """Let go of what is over."""


class PartStream:
    """A part whose notes come movement by movement. `add` them before the blocks in which they sound.

    Args:
        part: The first of them; name, voice and effects are the same in all.
        target_map: Where its beats lie.
        sample_rate: In Hz.
        length_frames: Where the piece ends.
        seed: Seed of all chance in the sound.
        brightness: 0.5 to 2.
        kicks_so_far: Gives the kicks that are known by now, in seconds, ascending, for `sidechain`.
    """

    def __init__(
        self,
        part: Part,
        target_map: TimeMap,
        *,
        sample_rate: int,
        length_frames: int,
        seed: int,
        brightness: float,
        kicks_so_far: Callable[[], NDArray[np.float64]],
    ) -> None:
        self._map, self._rate, self._length = target_map, sample_rate, length_frames
        self._setup = Setup(sample_rate, seed_of(part, seed), brightness)
        self._sounding: list[_Sounding] = []
        self._latest = part
        effects = chain_of(part, brightness)
        context = Context(
            sample_rate, length_frames, target_map, seed=self._setup.seed, kicks_so_far=kicks_so_far
        )
        self._effects = make_chain(effects, context) if effects else None

    def add(self, part: Part) -> None:
        """Add the notes of a movement."""
        notes = timed_notes(part, self._map)
        self._latest = part
        if is_external(part.voice):
            self._sounding.append(_Recorded(part, notes, self._rate, self._length))
        else:
            self._sounding.append(Playing(part.voice, notes, self._setup, self._length, KEPT_BYTES))

    def block(self, start_frame: int, frames: int) -> Samples:
        """Return the next block, shape (2, frames); each starts where the last one ended."""
        out = np.zeros((2, frames), dtype=np.float32)
        for sounding in self._sounding:
            sounding.add_to(out, start_frame)
            sounding.forget(start_frame + frames)
        self._sounding = [each for each in self._sounding if each.end_frame > start_frame + frames]
        if self._effects is not None:
            out = self._effects(out, start_frame)
        gain = fade_gain(self._latest, self._map, self._rate, start_frame, start_frame + frames)
        if gain is not None:
            out = out.copy()
            out[:, -len(gain) :] *= gain
        return out


class _Recorded:
    """Notes of an instrument from outside, which can only be played in one go."""

    def __init__(self, part: Part, notes: list[TimedNote], sample_rate: int, length_frames: int) -> None:
        self._first = max(0, int(min((note.start_s for note in notes), default=0.0) * sample_rate))
        ends = int((max((note.end_s for note in notes), default=0.0) + EXTERNAL_TAIL_S) * sample_rate)
        self.end_frame = min(length_frames, ends)
        since_s = self._first / sample_rate
        moved = [
            TimedNote(note.start_s - since_s, note.end_s - since_s, note.pitch, note.velocity)
            for note in notes
        ]
        frames = max(0, self.end_frame - self._first)
        self._samples = play_external(part.voice, moved, part.is_drums, sample_rate, frames)

    def add_to(self, out: Samples, start_frame: int) -> None:
        """Add what sounds from `start_frame` on."""
        first, last = max(start_frame, self._first), min(start_frame + out.shape[1], self.end_frame)
        if last > first:
            piece = self._samples[:, first - self._first : last - self._first]
            out[:, first - start_frame : last - start_frame] += piece

    def forget(self, before_frame: int) -> None:
        """Keep everything: it is let go as a whole."""
