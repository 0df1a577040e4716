"""Where each moment of a recording goes on the new timeline: a piecewise linear map through pairs of anchors."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import NrxError

Floats = NDArray[np.float64]
EDGE_ANCHORS = 4
MIN_STRETCH, MAX_STRETCH = 0.25, 4.0


@dataclass(frozen=True)
class TimeMap:
    """`source_s` goes to `target_s` (both of shape (anchors,), strictly rising), straight between.

    Before the first and after the last anchor the mean stretch of the nearest four spans goes on, as one
    measured beat alone is too noisy to extend.
    """

    source_s: Floats
    target_s: Floats

    @classmethod
    def of(
        cls, source_s: Sequence[float] | NDArray[Any], target_s: Sequence[float] | NDArray[Any]
    ) -> "TimeMap":
        """Return the map through anchors.

        Raises:
            NrxError: `request.invalid` if there are fewer than two, as many sources as targets are not
            given, they do not rise, or a span would be stretched beyond 0.25 to 4 times its length.
        """
        source, target = np.asarray(source_s, dtype=np.float64), np.asarray(target_s, dtype=np.float64)
        if source.ndim != 1 or source.shape != target.shape or source.size < 2:
            raise NrxError(
                "request.invalid",
                f"Fitting audio needs at least two beats and as many new ones, got {source.size} and "
                f"{target.size}.",
            )
        for name, values in (("beats", source), ("new beats", target)):
            if not np.isfinite(values).all() or (np.diff(values) <= 0).any():
                raise NrxError("request.invalid", f"The {name} to fit audio by must be finite and rise.")
        slopes = np.diff(target) / np.diff(source)
        for slope in (slopes.min(), slopes.max()):
            if not MIN_STRETCH <= slope <= MAX_STRETCH:
                raise NrxError(
                    "request.invalid",
                    f"Audio would be stretched to {slope:.2f} times its length; "
                    f"choose a tempo that keeps it between {MIN_STRETCH:g} and {MAX_STRETCH:g}.",
                )
        return cls(source, target)

    @cached_property
    def first_slope(self) -> float:
        """Stretch before the first anchor."""
        n = min(EDGE_ANCHORS, self.source_s.size - 1)
        return float((self.target_s[n] - self.target_s[0]) / (self.source_s[n] - self.source_s[0]))

    @cached_property
    def last_slope(self) -> float:
        """Stretch after the last anchor."""
        n = min(EDGE_ANCHORS, self.source_s.size - 1)
        return float(
            (self.target_s[-1] - self.target_s[-1 - n]) / (self.source_s[-1] - self.source_s[-1 - n])
        )

    def target(self, source_s: Floats) -> Floats:
        """Seconds on the new timeline of `source_s` (any shape)."""
        return _extended(source_s, self.source_s, self.target_s, self.first_slope, self.last_slope)

    def source(self, target_s: Floats) -> Floats:
        """Seconds in the recording of `target_s` (any shape): the inverse of `target`."""
        return _extended(
            target_s, self.target_s, self.source_s, 1.0 / self.first_slope, 1.0 / self.last_slope
        )

    def slopes(self, first_s: float, last_s: float) -> Floats:
        """Stretch (new length over old) of all spans between `first_s` and `last_s` of the recording."""
        return np.diff(self.target(self._edges(first_s, last_s))) / np.diff(self._edges(first_s, last_s))

    def shift_s(self, first_s: float, last_s: float, *, slope: float, seconds: float) -> float | None:
        """Return the shift that this map amounts to between two moments, or None if it stretches.

        A shift has all slopes within `slope` of 1 (relative), and is nowhere off by more than `seconds`.
        """
        edges = self._edges(first_s, last_s)
        offsets = self.target(edges) - edges
        shift = float(0.5 * (offsets.max() + offsets.min()))
        moves = np.abs(self.slopes(first_s, last_s) - 1.0).max() > slope or np.ptp(offsets) > 2.0 * seconds
        return None if moves else shift

    def _edges(self, first_s: float, last_s: float) -> Floats:
        inner = self.source_s[(self.source_s > first_s) & (self.source_s < last_s)]
        return np.concatenate(([first_s], inner, [last_s]))


def _extended(at: Floats, xs: Floats, ys: Floats, first_slope: float, last_slope: float) -> Floats:
    inside = np.interp(at, xs, ys)
    before = np.minimum(at - xs[0], 0.0) * first_slope
    after = np.maximum(at - xs[-1], 0.0) * last_slope
    extended: Floats = inside + before + after
    return extended
