"""A network that goes on with less where memory runs out: shorter windows first, then the processor.

Each step is noted. The stretches at hand are done again after a step, so nothing is lost but the time; shorter windows
are joined inside of the stretch as segments are in the song.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from itertools import islice, takewhile

import numpy as np

from engine.audio.buffer import Samples
from engine.devices import CPU, Device, give_memory_back, is_out_of_memory
from engine.errors import NrxError
from engine.progress import SILENT, Monitor
from engine.separation.neural.grid import Grid, OverlapAdd
from engine.separation.neural.network import Ahead, Begun, Network

SHARES = (1, 2, 4)
"""A window's length is divided by these, one after the other."""
_OVERLAP = 0.25
_READ_AHEAD = 3
"""How many stretches are read before the first one's stems are waited for: what a network can begin with at once."""


@dataclass(frozen=True, slots=True)
class Rung:
    """Where a network runs, and by what its window is divided."""

    device: Device
    share: int


def rungs_for(device: Device, first_share: int = 1) -> list[Rung]:
    """Return the rungs from the most to the least memory, starting at windows divided by `first_share`."""
    devices = [device] if device.kind == "cpu" else [device, CPU]
    return [Rung(where, share) for where in devices for share in SHARES if share >= first_share]


class Ladder:
    """The rungs that are left, shared by all networks of a job: where memory ran out once, it would again."""

    def __init__(
        self, rungs: list[Rung], note: Callable[[str], None], give_back: Callable[[], None] = give_memory_back
    ) -> None:
        """Start on the first rung; `note` is told each step in one sentence."""
        self._rungs, self._note, self._give_back = list(rungs), note, give_back

    @property
    def rung(self) -> Rung:
        """The rung that is stood on."""
        return self._rungs[0]

    def step_down(self) -> None:
        """Go on with less.

        Raises:
            NrxError: `model.memory` if there is no less.
        """
        before = self._rungs.pop(0)
        self._give_back()
        if not self._rungs:
            raise NrxError(
                "model.memory",
                f"Separation ran out of memory on the {before.device.name} even with the shortest windows; "
                "close other programs, or choose the backend spectral.",
            )
        now = self._rungs[0]
        where = f" on the {now.device.name}" if now.device != before.device else ""
        length = "whole windows" if now.share == 1 else f"windows of 1/{now.share} of their length"
        self._note(f"Out of memory on the {before.device.name}; continued with {length}{where}.")


class Climbing:
    """One model on the ladder: a network that is made anew, with less, whenever memory runs out."""

    def __init__(self, make: Callable[[Rung, int], Network], ladder: Ladder) -> None:
        """`make` gives the network for a rung and a length of stretches in frames."""
        self._make, self._ladder = make, ladder
        self._network: Network | None = None
        self._made_for: tuple[Rung, int] | None = None

    def run(self, mix: Samples, monitor: Monitor = SILENT) -> Samples:
        """Return the stems (stems, channels, frames) of a stretch (channels, frames)."""
        (stems,) = self.stream([mix], monitor)
        return stems

    def stream(self, mixes: Iterable[Samples], monitor: Monitor = SILENT) -> Generator[Samples, None, None]:
        """Yield the stems of stretches one by one; some are read and begun with before they are asked for."""
        waiting: deque[_Stretch] = deque()
        try:
            for mix in mixes:
                waiting.append(_Stretch(mix))
                if len(waiting) == _READ_AHEAD:
                    yield self._first(waiting, monitor)
            while waiting:
                yield self._first(waiting, monitor)
        finally:
            _drop(waiting)

    def close(self) -> None:
        """Let the network go."""
        self._network = self._made_for = None

    def _first(self, waiting: "deque[_Stretch]", monitor: Monitor) -> Samples:
        """Return the stems of the first stretch that waits, which is taken; others are begun with meanwhile."""
        while True:
            try:
                stems = self._attempt(waiting, monitor)
                waiting.popleft()
                return stems
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
            # Out of the handler the error is gone, and with it the frames that held the tensors.
            _drop(waiting)
            self.close()
            self._ladder.step_down()

    def _attempt(self, waiting: "deque[_Stretch]", monitor: Monitor) -> Samples:
        mix = waiting[0].mix
        rung, frames = self._ladder.rung, mix.shape[-1]
        part = -(-frames // rung.share)
        if self._network is None or self._made_for != (rung, part):
            self.close()  # before the next one is made: there may be room for one only
            self._network = self._make(rung, part)
            self._made_for = (rung, part)
        if part < frames:
            return _in_parts(self._network, mix, part, monitor)
        if not isinstance(self._network, Ahead):
            return self._network.run(mix, monitor)
        alike = takewhile(lambda stretch: stretch.mix.shape[-1] == frames, waiting)
        for stretch in islice(alike, self._network.depth):
            stretch.begun = stretch.begun or self._network.begin(stretch.mix)
        assert waiting[0].begun is not None, "a depth is at least 1"
        return waiting[0].begun.stems(monitor)


@dataclass(slots=True)
class _Stretch:
    """Audio that waits, and what a network has begun to make of it."""

    mix: Samples
    begun: Begun | None = None


def _drop(waiting: Iterable[_Stretch]) -> None:
    for stretch in waiting:
        if stretch.begun is not None:
            stretch.begun.drop()
            stretch.begun = None


def _in_parts(network: Network, mix: Samples, part: int, monitor: Monitor) -> Samples:
    grid = Grid(mix.shape[-1], part, _OVERLAP, lambda _frames: part)
    joined: OverlapAdd | None = None
    for segment in grid.segments():
        stems = network.run(window_of(mix, segment.window_start, part), monitor)
        stems = stems[..., segment.offset : segment.offset + segment.frames]
        if joined is None:
            joined = OverlapAdd(stems.shape[:-1], grid, 0)
        joined.add(segment, stems)
    assert joined is not None, "a stretch has frames"
    return joined.take(grid.length)


def window_of(samples: Samples, start: int, frames: int) -> Samples:
    """Return `frames` frames of `samples` (channels, length) from `start` on, with silence outside of them."""
    inside = samples[:, max(0, start) : max(0, start + frames)]
    if inside.shape[-1] == frames:
        return inside
    window = np.zeros((samples.shape[0], frames), np.float32)
    at = max(0, -start)
    window[:, at : at + inside.shape[-1]] = inside
    return window
