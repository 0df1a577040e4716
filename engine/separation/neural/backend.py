"""Backend `demucs`: a Demucs model as a `Separator`."""

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from engine import thrift
from engine.audio.buffer import Audio
from engine.devices import AUTO, Device, choose_device, give_memory_back
from engine.errors import NrxError
from engine.progress import SILENT, Monitor
from engine.separation.collect import collect
from engine.separation.neural.checkpoints import Bag, read_bag
from engine.separation.neural.ladder import Climbing, Ladder, rungs_for
from engine.separation.neural.network import PRECISIONS
from engine.separation.neural.passes import Group, Member, Passes, draw_origins
from engine.separation.neural.rates import Return, Source, channel_groups, frames_at, level_of
from engine.separation.neural.residual import Redistribution
from engine.separation.protocol import STEMS, SeparatorInfo, StemBlock

VERSION = "1"
"""Counts how the stems that come out for the same checkpoint and options have changed."""
MOST_SHIFTS = 20
HIGHEST_OVERLAP = 0.95


class DemucsSeparator:
    """A checkpoint, and how it is to be used. Weights are loaded while it separates, and let go afterwards."""

    def __init__(
        self, folder: Path, name: str, *, device: str = AUTO, shifts: int = 1, overlap: float = 0.25,
        segment_s: float | None = None, precision: str = "float32", residual: bool = True,
        cache: Path | None = None, seed: int = 0,
    ) -> None:  # fmt: skip
        """Read what the model is.

        Args:
            folder: has `<name>.yaml` and its members, or the member `name`; or it is a member itself.
            name: the model's name.
            device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
            shifts: passes from random starts, which are averaged; 0: one pass from the song's start.
            overlap: share of a segment that the next one covers too, 0 to 0.95.
            segment_s: length of segments; None: the model's own. A transformer takes no longer ones than its own.
            precision: a key of `PRECISIONS`, which says what it costs.
            residual: give what the stems leave of the mix back to them, so that they sum to it.
            cache: folder in which converted networks are kept; None: none is.
            seed: of the shifts.

        Raises:
            NrxError: `request.invalid`; `model.missing`, `model.damaged`, `model.untrusted`.
        """
        _check(shifts, overlap, segment_s, precision)
        self._bag: Bag = read_bag(folder, name)
        self._device, self._shifts, self._overlap, self._segment_s = device, shifts, overlap, segment_s
        self._precision, self._residual, self._cache, self._seed = precision, residual, cache, seed
        self._name = name
        self._used: Device | None = None
        self._steps: list[str] = []

    @property
    def info(self) -> SeparatorInfo:
        """What this is; after a separation also the device that was used, and each step to less memory."""
        cost = (
            "" if self._precision == "float32" else f", in {self._precision} ({PRECISIONS[self._precision]})"
        )
        return SeparatorInfo(
            name="demucs",
            version=f"{version('demucs')}-{VERSION}",
            description=" ".join((f"The neural network {self._name}{cost}.", *self._steps)),
            grade="neural",
            licence="the model's own",
            stems=_in_order(self._bag.sources),
            device=None if self._used is None else self._used.id,
            steps=tuple(self._steps),
        )

    def stream(self, audio: Audio, monitor: Monitor = SILENT) -> Iterator[StemBlock]:
        """Yield consecutive blocks of stems; with `residual` they sum to the mix within float32 rounding.

        Raises:
            NrxError: `model.*`; `model.memory` if there is too little of it on every device; `request.invalid` for a
                device that is not there, and segments that the model can't take.
        """
        self._used = device = choose_device(self._device)
        self._steps.clear()
        ladder = Ladder(
            rungs_for(device, thrift.BLOCK_SHARE // thrift.block_size(thrift.BLOCK_SHARE)), self._note
        )
        monitor.report(0.0)
        try:
            yield from self._blocks(audio, ladder, monitor)
        finally:
            give_memory_back()

    def separate(self, audio: Audio, monitor: Monitor = SILENT) -> dict[str, Audio]:
        """Return all stems at full length."""
        return collect(self.stream(audio, monitor), audio, self.info.stems)

    def _note(self, sentence: str) -> None:
        self._steps.append(sentence)

    def _blocks(self, audio: Audio, ladder: Ladder, monitor: Monitor) -> Iterator[StemBlock]:
        bag = self._bag
        rate, sources = bag.sample_rate, len(bag.sources)
        groups = [self._group(audio, group) for group in channel_groups(audio.channels, bag.channels)]
        back = Return(audio, rate, sources)
        redistribution = (
            Redistribution(sources, audio.channels, audio.sample_rate, audio.frames)
            if self._residual
            else None
        )
        length = frames_at(audio.frames, audio.sample_rate, rate)
        origins = draw_origins(len(bag.files), self._shifts, rate, self._seed)
        members = [
            self._member(file, weights, length, [*starts] * len(groups), ladder)
            for file, weights, starts in zip(bag.files, bag.weights, origins, strict=True)
        ]
        position = given = 0
        for stems in Passes(members, groups, origins).rounds(monitor):
            position += stems.shape[-1]
            is_last = position == length
            block = back.convert(stems, last=is_last)
            if redistribution is not None:
                mix = audio.samples[:, given : given + block.shape[-1]]
                given += block.shape[-1]
                block = redistribution.add(block, mix, last=is_last)
            if block.shape[-1]:
                yield {role: block[bag.sources.index(role)] for role in _in_order(bag.sources)}
        for member in members:
            member.network.close()

    def _group(self, audio: Audio, channels: tuple[int, ...]) -> Group:
        rate, count = self._bag.sample_rate, self._bag.channels
        level = level_of(Source(audio, channels, rate, count))
        return Group(channels, Source(audio, channels, rate, count, level))

    def _member(
        self, file: Path, weights: tuple[float, ...], length: int, starts: list[int], ladder: Ladder
    ) -> Member:
        from engine.separation.neural.making import Maker

        maker = Maker(file, self._bag.segment_s, self._precision, self._cache, self._note)
        grid = maker.grid(length, self._segment_s, self._overlap)
        maker.expect(sum(grid.count(start) for start in starts))
        return Member(grid, weights, Climbing(maker.make, ladder))


def _in_order(sources: tuple[str, ...]) -> tuple[str, ...]:
    """Return the stems in the order in which stems are listed: the usual four first."""
    usual = tuple(role for role in STEMS if role in sources)
    return usual + tuple(role for role in sources if role not in STEMS)


def _check(shifts: int, overlap: float, segment_s: float | None, precision: str) -> None:
    if not 0 <= shifts <= MOST_SHIFTS:
        raise NrxError("request.invalid", f"shifts is {shifts}; it must be from 0 to {MOST_SHIFTS}.")
    if not 0 <= overlap <= HIGHEST_OVERLAP:
        raise NrxError(
            "request.invalid", f"overlap is {overlap:g}; it must be from 0 to {HIGHEST_OVERLAP:g}."
        )
    if segment_s is not None and not segment_s > 0:
        raise NrxError("request.invalid", f"segment_s is {segment_s:g}; it must be above 0 seconds.")
    if precision not in PRECISIONS:
        raise NrxError(
            "request.invalid", f"precision is {precision!r}; it must be one of: {', '.join(PRECISIONS)}."
        )
