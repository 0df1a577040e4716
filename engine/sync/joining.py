"""Putting stretched pieces on the new timeline, with crossfades that neither dip nor comb.

Two pieces of one phrase were stretched apart, so that their phases differ where they meet. The later one is
moved by the few samples (at most 2.5 ms) at which they agree best, and the crossfade's gains hold the power
for the correlation that is left: g = 1 / sqrt(a^2 + b^2 + 2 rho a b) for the linear gains a and b.
"""

import numpy as np
from numpy.typing import NDArray

FADE_S = 0.03
EDGE_FADE_S = 0.005
LARGEST_MOVE_S = 0.0025
QUIET = 1e-4
"""Where pieces meet at a power this far below the piece's, a crossfade is not heard and nothing is moved for it."""


class Timeline:
    """The output (channels, frames) that pieces are laid on in order of time."""

    def __init__(self, channels: int, length_frames: int, sample_rate: int) -> None:
        self.samples: NDArray[np.float32] = np.zeros((channels, length_frames), dtype=np.float32)
        self._fade = round(FADE_S * sample_rate)
        self._edge = round(EDGE_FADE_S * sample_rate)
        self._largest_move = round(LARGEST_MOVE_S * sample_rate)
        self._kept: NDArray[np.float32] | None = None
        self._kept_from = 0

    @property
    def overlap_frames(self) -> int:
        """How far pieces of one phrase must reach beyond the place where they meet."""
        return self._fade // 2 + self._largest_move + 1

    def lay(
        self, piece: NDArray[np.float32], piece_from: int, start: int, end: int, *, joins_before: bool
    ) -> None:
        """Lay frames `start` to `end` of the timeline from `piece`, whose first frame is its frame `piece_from`.

        A piece that joins the one before crossfades with it around `start`; other edges get a short fade.
        """
        half = self._fade // 2
        if joins_before and self._kept is not None:
            piece_from = self._joined(piece, piece_from, start)
            body_from = start + half
        else:
            body_from = start
            self._add_faded_edge(piece, piece_from, start)
            body_from = start + self._edge
        self._add(piece, piece_from, body_from, end - half)
        # What lies around the end waits for the next piece.
        self._kept, self._kept_from = _cut(piece, piece_from, end - half, end + half), end - half

    def finish_phrase(self, end: int) -> None:
        """End the phrase that was being laid, with a short fade at `end`."""
        if self._kept is None:
            return
        half = self._fade // 2
        tail = self._kept[:, :half].copy()
        tail[:, half - self._edge :] *= np.linspace(1.0, 0.0, self._edge, dtype=np.float32)
        self._add(tail, self._kept_from, end - half, end)
        self._kept = None

    def _joined(self, piece: NDArray[np.float32], piece_from: int, start: int) -> int:
        """Crossfade the kept end with `piece` around `start`; return where the moved piece now starts."""
        assert self._kept is not None
        half, most = self._fade // 2, self._largest_move
        old = self._kept
        wide = _cut(piece, piece_from, start - half - most, start + half + most).astype(np.float64)
        scores = np.zeros(2 * most + 1)
        for channel in range(old.shape[0]):
            scores += np.correlate(wide[channel], old[channel].astype(np.float64), mode="valid")
        square = np.concatenate(([0.0], np.cumsum(np.sum(wide * wide, axis=0))))
        energy = square[old.shape[1] :] - square[: -old.shape[1]]
        old_energy = float(np.sum(old.astype(np.float64) ** 2))
        likeness = scores / np.sqrt(np.maximum(energy * old_energy, 1e-20))
        is_quiet = old_energy / old.size < QUIET * float(np.mean(np.square(piece, dtype=np.float64)))
        best = most if is_quiet else int(np.argmax(likeness))
        rho = float(np.clip(likeness[best], 0.0, 1.0))
        new = wide[:, best : best + old.shape[1]]
        rise = (np.arange(old.shape[1]) + 0.5) / old.shape[1]
        gain = 1.0 / np.sqrt(rise**2 + (1.0 - rise) ** 2 + 2.0 * rho * rise * (1.0 - rise))
        mixed = (gain * ((1.0 - rise) * old + rise * new)).astype(np.float32)
        self._add(mixed, start - half, start - half, start + half)
        return piece_from - (best - most)

    def _add_faded_edge(self, piece: NDArray[np.float32], piece_from: int, start: int) -> None:
        edge = _cut(piece, piece_from, start, start + self._edge)
        self._add(
            edge * np.linspace(0.0, 1.0, self._edge, dtype=np.float32), start, start, start + self._edge
        )

    def _add(self, piece: NDArray[np.float32], piece_from: int, start: int, end: int) -> None:
        first, last = max(start, 0), min(end, self.samples.shape[1])
        if last > first:
            self.samples[:, first:last] += _cut(piece, piece_from, first, last)


def _cut(piece: NDArray[np.float32], piece_from: int, start: int, end: int) -> NDArray[np.float32]:
    """Frames `start` to `end` of the timeline from `piece`, zero where it does not reach."""
    cut = np.zeros((piece.shape[0], max(end - start, 0)), dtype=np.float32)
    first, last = max(start, piece_from), min(end, piece_from + piece.shape[1])
    if last > first:
        cut[:, first - start : last - start] = piece[:, first - piece_from : last - piece_from]
    return cut
