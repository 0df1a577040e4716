"""All passes of a separation, side by side: members of a bag, groups of channels, and shifts.

A pass is one member over one group of channels from one start, joined by `OverlapAdd`. A round brings every pass up to
the same position, so that what lies before it is complete and can be given away: memory does not grow with the song.
Only one member is loaded at a time. A network may begin with segments before they are needed, also those of the next
round; only where members take turns it does not look beyond the round.
"""

import random
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Samples
from engine.progress import Monitor
from engine.separation.neural.grid import SHIFT_S, Grid, OverlapAdd
from engine.separation.neural.ladder import Climbing
from engine.separation.neural.rates import Source

STRIDES_A_ROUND = 32
"""Of a bag with several members, which are loaded in turn each round: about three minutes of song."""


@dataclass(frozen=True, slots=True)
class Member:
    """A model of a bag: how it cuts the song, its weight for each source, and the network, made when first used."""

    grid: Grid
    weights: tuple[float, ...]
    network: Climbing


@dataclass(frozen=True, slots=True)
class Group:
    """Channels of the song that go through a model together: which, and their sound as the model wants it."""

    channels: tuple[int, ...]
    source: Source


def draw_origins(members: int, shifts: int, sample_rate: int, seed: int) -> list[list[int]]:
    """Return where the passes of each member start: at the song's start, or with shifts up to half a second before it.

    The shifts are what Demucs draws if Python's generator has this seed and nothing else draws from it.
    """
    if shifts == 0:
        return [[0]] * members
    longest = int(SHIFT_S * sample_rate)
    draw = random.Random(seed)  # noqa: S311 - nothing secret
    return [[draw.randint(0, longest) - longest for _ in range(shifts)] for _ in range(members)]


class Passes:
    """A separation on its way through the song, at the model's rate."""

    def __init__(self, members: Sequence[Member], groups: Sequence[Group], origins: list[list[int]]) -> None:
        """Start at the song's start; `origins` has a list of starts a member."""
        self._groups, self._sources = groups, len(members[0].weights)
        self._length = members[0].grid.length
        self._members = [
            (member, [[_Pass(member, group, origin) for origin in starts] for group in groups])
            for member, starts in zip(members, origins, strict=True)
        ]
        self._totals = np.sum([member.weights for member in members], axis=0)
        sounding = sum(not is_constant(group) for group in groups)
        self._todo = sounding * sum(
            member.grid.count(origin)
            for member, starts in zip(members, origins, strict=True)
            for origin in starts
        )
        strides = 1 if len(members) == 1 else STRIDES_A_ROUND
        self._round = strides * max(member.grid.stride for member in members)

    def rounds(self, monitor: Monitor) -> Iterator[NDArray[np.float32]]:
        """Yield stems (sources, channels, frames) that follow one another; `monitor` is told of every segment."""
        done = 0

        def tell() -> None:
            nonlocal done
            done += 1
            monitor.report(done / self._todo)

        channels = sum(len(group.channels) for group in self._groups)
        stops = [*range(self._round, self._length, self._round), self._length]
        with ExitStack() as stack:
            lines: list[Generator[Samples, None, None]] = []
            if len(self._members) == 1:
                lines = [stack.enter_context(closing(self._line(0, stops, monitor)))]
            start = 0
            for stop in stops:
                stems = np.zeros((self._sources, channels, stop - start), np.float32)
                for index in range(len(self._members)):
                    if lines:
                        self._add(index, stop, stems, lines[index], tell)
                        continue
                    with closing(self._line(index, [stop], monitor)) as line:
                        self._add(index, stop, stems, line, tell)
                    self._members[index][0].network.close()
                self._forget()
                stems /= self._totals[:, None, None].astype(np.float32)
                for group in self._groups:
                    stems[:, list(group.channels)] = group.source.level.restore(
                        stems[:, list(group.channels)]
                    )
                yield stems
                start = stop

    def _line(self, index: int, stops: Sequence[int], monitor: Monitor) -> Generator[Samples, None, None]:
        """Return what a member's network makes of the segments of its passes, in the order of rounds up to `stops`."""
        member, by_group = self._members[index]
        sounding = [
            one
            for group, passes in zip(self._groups, by_group, strict=True)
            if not is_constant(group)
            for one in passes
        ]
        return member.network.stream(
            (window for stop in stops for one in sounding for window in one.windows(stop)), monitor
        )

    def _add(
        self, index: int, stop: int, stems: Samples, line: Iterator[Samples], tell: Callable[[], None]
    ) -> None:
        """Add a member's stems up to `stop`, in which `stems` ends."""
        member, by_group = self._members[index]
        for group, passes in zip(self._groups, by_group, strict=True):
            if not is_constant(group):
                mean = _mean([one.advance(stop, line, tell) for one in passes], len(group.channels))
                mean *= np.array(member.weights, np.float32)[:, None, None]
                stems[:, list(group.channels)] += mean

    def _forget(self) -> None:
        for index, group in enumerate(self._groups):
            needed = [one.needs_from for _, by_group in self._members for one in by_group[index]]
            group.source.forget(min(needed))


def is_constant(group: Group) -> bool:
    """Return whether there is nothing but a constant in a group: then no network runs."""
    return group.source.level.deviation == 0.0


class _Pass:
    def __init__(self, member: Member, group: Group, origin: int) -> None:
        self._member, self._group = member, group
        self._read, self._segments = member.grid.segments(origin), member.grid.segments(origin)
        self._next_read, self._next = next(self._read, None), next(self._segments, None)
        self._joined: OverlapAdd | None = None
        self._origin = origin

    @property
    def needs_from(self) -> int:
        """A position before which nothing will be read."""
        grid = self._member.grid
        return grid.length if self._next is None else self._next.start - grid.longest

    def windows(self, stop: int) -> Iterator[Samples]:
        """Yield what the network sees of each segment that starts before `stop` and has not been read."""
        while self._next_read is not None and self._next_read.start < stop:
            yield self._group.source.read(self._next_read.window_start, self._next_read.window)
            self._next_read = next(self._read, None)

    def advance(self, stop: int, line: Iterator[Samples], tell: Callable[[], None]) -> Samples:
        """Return the stems (sources, channels of the model, frames) from where the last call stopped, up to `stop`.

        `line` gives what the network made of the `windows`.
        """
        while self._next is not None and self._next.start < stop:
            segment = self._next
            stems = next(line)[..., segment.offset : segment.offset + segment.frames]
            if self._joined is None:
                self._joined = OverlapAdd(stems.shape[:-1], self._member.grid, self._origin)
            self._joined.add(segment, stems)
            self._next = next(self._segments, None)
            tell()
        assert self._joined is not None, "a round reaches the first segment"
        if self._origin < 0:
            self._joined.take(0)
            self._origin = 0
        return self._joined.take(stop)


def _mean(shifted: Sequence[Samples], channels: int) -> Samples:
    """Return the mean of passes from several starts; of a song's single channel, the mean of the model's channels."""
    mean = shifted[0]
    for other in shifted[1:]:
        mean += other
    mean /= len(shifted)
    if channels < mean.shape[1]:
        mean = mean.mean(axis=1, keepdims=True, dtype=np.float32)
    return mean
