"""Rendering a song through drive and limiter, and mending what is over the ceiling.

No limiter of one pass holds a true-peak ceiling on everything, since its own gain changes raise peaks between
samples. So what was rendered is measured, the hops that are over need a little more reduction, and only the
stretches whose gain changes are rendered again, until nothing is over.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import log10

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Samples
from engine.loudness.finepeak import fine_true_peak, hop_fine_peaks
from engine.loudness.truepeak import HOP_FRAMES, hop_true_peaks, true_peak
from engine.mastering.drive import MARGIN_HOPS, MERGED_HOPS, Drive
from engine.mastering.limiter import Nepers, gains_between, needed_reduction, reduction_curve
from engine.mastering.parallel import in_pieces
from engine.mastering.sliding import largest_of
from engine.progress import SILENT, Monitor

MAX_RETRIMS = 12
OVERSHOOT_FACTOR = 1.1
RETRIM_ABOVE = 1.0005
"""Overshoot that is mended, as a factor: 0.004 dB, well inside the margin kept for quantising."""
FORESIGHT = 1.001
"""Strict renderings are limited by 0.009 dB more than the hops' peaks ask for."""
UNCHANGED_NEPERS = 1e-5
MERGE_GAP_HOPS = 512
TINY = 1e-20
BLOCK_HOPS, LEAST_BLOCK_HOPS, LEAST_BLOCKS = 22_050, 2_048, 4
"""Hops rendered at once: 4 s at 44.1 kHz, and less of a short song, so that there is something to share out."""


class Rendering:
    """One rendering of the song through drive and limiter, and what is needed to mend it.

    `curve` is the limiter's reduction in nepers at every hop's edges, `max_saturation_db` the most that saturation
    takes off a peak.
    """

    def __init__(
        self, drive: Drive, out: NDArray[np.float32], monitor: Monitor, *, fine: bool = False
    ) -> None:
        """Render all of `drive`'s song into `out`, shape (channels, frames); `fine` trims by the 8x meter too.

        `out` may be the song's own samples: what is rendered then takes their place.
        """
        self._fine = fine
        self._drive = drive
        self._out = out
        self._hops = len(drive.hop_peaks)
        rate = drive.audio.sample_rate
        peaks = np.empty(self._hops, dtype=np.float32)
        stretches = list(_blocks(self._hops))
        around = [_around(drive.audio.samples, stretch) for stretch in stretches]

        def render(which: int) -> float:
            first, last = stretches[which]
            peaks[first:last] = drive.driven_peaks(first, last)
            out[:, first * HOP_FRAMES : last * HOP_FRAMES] = drive.samples_between(first, last, around[which])
            return float(peaks[first:last].max())

        # The highest peak is bent most.
        highest = np.array(
            [max(in_pieces(render, range(len(stretches)), monitor.part(0.0, 0.4)), default=0.0)], np.float32
        )
        most_bent = max(1.0, float((highest / np.maximum(drive.expected_peaks(highest), TINY))[0]))
        self.max_saturation_db = 20.0 * log10(most_bent)
        if most_bent > 1.0:
            peaks = hop_peaks_over(out, rate, drive.ceiling, monitor.part(0.4, 0.6), fine=fine)
        # A little more than is needed, so that few hops have to be mended.
        self._needed = needed_reduction(peaks, drive.ceiling / (FORESIGHT if fine else 1.0))
        self.curve: Nepers = reduction_curve(self._needed, rate)

        def limit(stretch: tuple[int, int]) -> None:
            first, last = stretch
            if self.curve[first : last + 1].any():
                block = out[:, first * HOP_FRAMES : last * HOP_FRAMES]
                block *= gains_between(self.curve, first, last)[: block.shape[1]]

        in_pieces(limit, stretches, monitor.part(0.6, 1.0))

    def retrim(self, monitor: Monitor) -> None:
        """Reduce further what is over the ceiling, until nothing is."""
        rate, ceiling = self._drive.audio.sample_rate, self._drive.ceiling
        peaks = hop_peaks_over(self._out, rate, ceiling, monitor.part(0.0, 0.5), fine=self._fine)
        for attempt in range(MAX_RETRIMS):
            over = np.flatnonzero(peaks > ceiling * RETRIM_ABOVE)
            if not len(over):
                return
            extra = np.zeros_like(self._needed)
            extra[over] = OVERSHOOT_FACTOR * np.log(peaks[over] / ceiling)
            # What a hop needs is on top of the reduction that it has.
            wanted = np.maximum(self.curve[over], self.curve[over + 1]) + extra[over]
            self._needed[over] = np.maximum(self._needed[over], wanted)
            curve = reduction_curve(self._needed, rate)
            changed = np.abs(curve - self.curve) > UNCHANGED_NEPERS
            for first, last in _stretches(changed[:-1] | changed[1:], self._hops):
                self._limit_anew(first, last, curve)
                reach = (max(0, first - 2), min(self._hops, last + 2))
                measured = hop_fine_peaks if self._fine else hop_true_peaks
                peaks[reach[0] : reach[1]] = measured(self._out, rate, above=ceiling, hops=reach)
            monitor.report(0.5 + 0.5 * (attempt + 1) / MAX_RETRIMS)
        highest = (fine_true_peak if self._fine else true_peak)(self._out, rate)
        if highest > ceiling * RETRIM_ABOVE:
            self._out *= np.float32(ceiling / highest)

    def merged_curve(self) -> Nepers:
        """Return the largest reduction around every edge of merged hops."""
        return np.append(largest_of(self.curve[:-1], MERGED_HOPS), self.curve[-1:])

    def _limit_anew(self, first: int, last: int, curve: Nepers) -> None:
        """Follow `curve` in the hops from `first` to `last`, instead of the curve that they were limited with."""
        for start in range(first, last, BLOCK_HOPS):
            end = min(last, start + BLOCK_HOPS)
            block = self._out[:, start * HOP_FRAMES : end * HOP_FRAMES]
            change = gains_between(curve, start, end) / gains_between(self.curve, start, end)
            block *= change[: block.shape[1]]
        self.curve[first : last + 1] = curve[first : last + 1]


def _blocks(hops: int) -> Iterator[tuple[int, int]]:
    """Yield (first, end) of the stretches that are worked on at once."""
    size = min(BLOCK_HOPS, max(LEAST_BLOCK_HOPS, -(-hops // LEAST_BLOCKS)))
    for first in range(0, hops, size):
        yield first, min(hops, first + size)


def _stretches(chosen: NDArray[np.bool_], hops: int) -> list[tuple[int, int]]:
    """Return (first, end) of the runs of True, joined where the gap between them is small."""
    where = np.flatnonzero(chosen)
    if not len(where):
        return []
    breaks = np.flatnonzero(np.diff(where) > MERGE_GAP_HOPS)
    firsts = np.concatenate((where[:1], where[breaks + 1]))
    lasts = np.concatenate((where[breaks], where[-1:]))
    return [(int(first), min(hops, int(last) + 1)) for first, last in zip(firsts, lasts, strict=True)]


def _around(samples: Samples, stretch: tuple[int, int]) -> tuple[Samples, Samples]:
    """Return copies of what lies around a stretch of hops, as far as `Drive.samples_between` looks."""
    first, last = (hop * HOP_FRAMES for hop in stretch)
    margin = MARGIN_HOPS * HOP_FRAMES
    return samples[:, max(0, first - margin) : first].copy(), samples[:, last : last + margin].copy()


def hop_peaks_over(
    samples: NDArray[np.float32], rate: int, above: float, monitor: Monitor, *, fine: bool = False
) -> NDArray[np.float32]:
    """Return every hop's true peak, exact where it may exceed `above`."""
    measured = hop_fine_peaks if fine else hop_true_peaks
    pieces = in_pieces(
        lambda stretch: measured(samples, rate, above=above, hops=stretch),
        list(_blocks(-(-samples.shape[1] // HOP_FRAMES))),
        monitor,
    )
    return np.concatenate(pieces) if pieces else np.empty(0, dtype=np.float32)


def hop_peaks_of(
    samples: NDArray[np.float32], rate: int, above: float, monitor: Monitor
) -> NDArray[np.float32]:
    """Return every hop's true peak, exact where it may exceed `above` and for the highest of all."""
    peaks = hop_peaks_over(samples, rate, above, monitor)
    highest = float(peaks.max(initial=0.0))
    return peaks if highest > above else hop_peaks_over(samples, rate, highest, SILENT)
