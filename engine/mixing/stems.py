"""Stems as the console takes them: named sound at one rate, read in blocks, so that a long song is never held whole.

A stem is mono or stereo (more channels are mixed down), at the session's rate (others are resampled as they
are read), and starts `start_frame` frames into the session. A stereo stem whose sides are the same is found
out while it is listened to, and worked on in mono from there on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.audio import Audio, AudioInfo, downmix_coefficients, read_blocks
from engine.errors import NrxError

Block = NDArray[np.float32]


class StemSource(Protocol):
    """Sound of one stem: `blocks` may be asked for as often as needed, and gives the same each time."""

    @property
    def sample_rate(self) -> int:
        """Rate of the blocks in Hz."""
        ...

    @property
    def channels(self) -> int:
        """1 or 2."""
        ...

    @property
    def frames(self) -> int:
        """Length of the stem, silence before its start not counted."""
        ...

    def blocks(self) -> Iterator[Block]:
        """Yield float32 blocks (channels, frames) of any length, from the stem's first frame on."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class MemoryStem:
    """A stem that is in memory already, mono or stereo."""

    audio: Audio

    @property
    def sample_rate(self) -> int:
        """Rate in Hz."""
        return self.audio.sample_rate

    @property
    def channels(self) -> int:
        """1 or 2."""
        return min(2, self.audio.channels)

    @property
    def frames(self) -> int:
        """Length in frames."""
        return self.audio.frames

    def blocks(self) -> Iterator[Block]:
        """Yield the whole stem as one block."""
        yield _at_most_stereo(self.audio.samples)


@dataclass(frozen=True, slots=True)
class FileStem:
    """A stem in a file, at the session's rate whatever the file's."""

    path: Path
    info: AudioInfo
    sample_rate: int

    @property
    def channels(self) -> int:
        """1 or 2."""
        return min(2, self.info.channels)

    @property
    def frames(self) -> int:
        """Length in frames at the session's rate; the header's word for it."""
        held = self.info.frames or 0
        return (2 * held * self.sample_rate + self.info.sample_rate) // (2 * self.info.sample_rate)

    def blocks(self) -> Iterator[Block]:
        """Decode and, where needed, mix down and resample, block by block."""
        every = (_at_most_stereo(block.T) for block in read_blocks(self.path))
        if self.info.sample_rate == self.sample_rate:
            return every
        return self._resampled(every)

    def _resampled(self, every: Iterator[Block]) -> Iterator[Block]:
        import soxr

        stream = soxr.ResampleStream(
            self.info.sample_rate, self.sample_rate, self.channels, dtype="float32", quality="VHQ"
        )
        left = self.frames
        silence = np.zeros((0, self.channels), np.float32)
        for block in every:
            made = stream.resample_chunk(np.ascontiguousarray(block.T))[:left]
            left -= len(made)
            yield np.ascontiguousarray(made.T)
        yield np.ascontiguousarray(stream.resample_chunk(silence, last=True)[:left].T)


def _at_most_stereo(block: Block) -> Block:
    if len(block) <= 2:
        return block
    left_and_right = np.array(downmix_coefficients(len(block)), np.float32)
    mixed: Block = left_and_right @ block
    return mixed


@dataclass(frozen=True, slots=True, eq=False)
class Stem:
    """A named stem of a session. `role` None has it guessed; `gain_db` and `pan` are what the person had set."""

    name: str
    source: StemSource
    role: str | None = None
    start_frame: int = 0
    file: str = ""

    @property
    def end_frame(self) -> int:
        """First frame of the session after the stem."""
        return self.start_frame + self.source.frames


def even_blocks(blocks: Iterator[Block], channels: int, length_frames: int) -> Iterator[Block]:
    """Regroup blocks into ones of `length_frames` frames, the last one shorter; they may be changed."""
    held = np.empty((channels, length_frames), np.float32)
    filled = 0
    for block in blocks:
        done = 0
        while done < block.shape[1]:
            count = min(length_frames - filled, block.shape[1] - done)
            held[:, filled : filled + count] = block[:, done : done + count]
            filled, done = filled + count, done + count
            if filled == length_frames:
                yield held
                held, filled = np.empty_like(held), 0
    if filled:
        yield held[:, :filled].copy()


def common_rate(stems: list[Stem]) -> int:
    """Return the rate of all stems.

    Raises:
        NrxError: `request.invalid` for no stems, `input.sample_rate` where they differ.
    """
    if not stems:
        raise NrxError("request.invalid", "There is nothing to mix: give at least one stem.")
    rates = sorted({stem.source.sample_rate for stem in stems})
    if len(rates) > 1:
        listed = ", ".join(f"{rate} Hz" for rate in rates)
        raise NrxError(
            "input.sample_rate", f"The stems have different sample rates ({listed}): resample them to one."
        )
    return rates[0]
