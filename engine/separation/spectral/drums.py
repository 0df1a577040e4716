"""Drums, by templates of what begins and recurs.

A hit is sudden: what stands above the lower third of its surroundings in time (a rank filter, the harmonic side of
median-filter HPSS, FitzGerald 2010). A hit recurs: around each onset, the sudden part is compared with that around
the onsets most like it, and a lower rank among them is the template, so that notes and syllables which happen to begin
with some of them drop out (nearest neighbours and ranks, FitzGerald 2012). The template, placed at the onset and
scaled to it, is the drums' magnitude there.

A hit that does not recur is still sudden and broad: half of what stands out over a wide range of frequencies (a
moving median over them) counts as drums anywhere, and all of it where too little begins for anything to recur.
"""

import numpy as np
from numpy.typing import NDArray

from engine.progress import Monitor
from engine.separation.spectral.bands import FloatPlane
from engine.separation.spectral.levels import BytePlane, decode, encode
from engine.separation.spectral.onsets import band_matrix
from engine.separation.spectral.ranks import moving_median, rank_of
from engine.separation.spectral.survey import Survey

STEADY_FRAMES, STEADY_RANK = 9, 2
"""What sounds steadily is the third-lowest of nine frames around (0.4 s)."""

LEAD_FRAMES, TAIL_FRAMES = 2, 9
"""A template begins so many frames before its onset, and ends so many after."""

NEIGHBOURS, FEWEST_NEIGHBOURS = 24, 4
"""A quarter of all onsets are compared, within these bounds: there may be four kinds of hit."""

RANK_SHARE = 0.4
FEWEST_ONSETS = 8
"""With fewer onsets than this nothing can be said to recur."""

POOL = 2048
"""No more onsets than this, evenly chosen, are candidates for neighbours."""

FEATURE_BANDS = 32
FEATURE_LAGS = (0, 1, 3)
FEATURE_SMOOTHING = 9
STRONGEST_GAIN = 2.0
CHECK_EVERY_ONSETS = 64

BROAD_COUNT, BROAD_APART = 11, 3
"""What is broad is the median of eleven bands, three apart: 165 Hz wide at low frequencies, 1.3 kHz at high."""

BROAD_SHARE = 0.5

_LENGTH = LEAD_FRAMES + TAIL_FRAMES


class Drums:
    """The drums' magnitude at any stretch of frames of a surveyed song."""

    def __init__(self, found: Survey, monitor: Monitor) -> None:
        self.found = found
        self.onsets = found.onsets
        self.matrix = band_matrix(found.bands.centres_hz, FEATURE_BANDS, 30.0)
        chosen = np.arange(len(self.onsets))
        if len(chosen) > POOL:
            chosen = np.linspace(0, len(chosen) - 1, POOL).astype(np.intp)
        self.chosen = {float(onset): place for place, onset in enumerate(self.onsets[chosen])}
        self.pool = np.zeros((len(chosen), _LENGTH, found.bands.count), dtype=np.uint8)
        self.pool_features = np.zeros((len(chosen), len(FEATURE_LAGS) * FEATURE_BANDS), dtype=np.float32)
        for onset, place in self.chosen.items():
            hit = self._hit(onset)
            self.pool[place] = encode(hit)
            self.pool_features[place] = self._features(hit)
            if place % CHECK_EVERY_ONSETS == 0:
                monitor.report(place / len(chosen))

    def magnitude(self, start: int, stop: int) -> FloatPlane:
        """Return the drums' magnitude in frames `start` to `stop`, (stop - start, bands)."""
        sudden = self._sudden(start, stop)
        plane: FloatPlane = np.minimum(sudden, moving_median(sudden, BROAD_COUNT, BROAD_APART))
        if len(self.pool) < FEWEST_ONSETS:
            return plane
        plane *= np.float32(BROAD_SHARE)
        first, last = np.searchsorted(self.onsets, (start - _LENGTH, stop + _LENGTH))
        for onset in self.onsets[first:last]:
            frame = int(np.floor(onset)) - LEAD_FRAMES + 1
            inside = slice(max(start, frame), min(stop, frame + _LENGTH - 1))
            if inside.start < inside.stop:
                placed = self._placed(float(onset))[inside.start - frame : inside.stop - frame]
                here = plane[inside.start - start : inside.stop - start]
                np.maximum(here, placed, out=here)
        return plane

    def _sudden(self, start: int, stop: int) -> FloatPlane:
        """Return how far each magnitude stands above what sounds steadily; silence outside of the song."""
        found = self.found
        reach = STEADY_FRAMES // 2
        low, high = max(0, start - reach), min(found.framing.count, stop + reach)
        total = np.hypot(decode(found.centre[low:high]), decode(found.side[low:high]))
        before, after = low - (start - reach), stop + reach - high
        if before or after:
            total = np.pad(total, ((before, after), (0, 0)), mode="edge")
        count = stop - start
        steady = rank_of([total[k : k + count] for k in range(STEADY_FRAMES)], STEADY_RANK)
        sudden: FloatPlane = np.maximum(0, total[reach : reach + count] - steady)
        return sudden

    def _hit(self, onset: float) -> FloatPlane:
        """Return the sudden part around an onset, aligned to it: (_LENGTH, bands)."""
        frame = int(np.floor(onset))
        between = np.float32(onset - frame)
        rows = self._sudden(frame - LEAD_FRAMES, frame + TAIL_FRAMES + 1)
        hit: FloatPlane = rows[:-1] * (1 - between) + rows[1:] * between
        return hit

    def _features(self, hit: FloatPlane) -> NDArray[np.float32]:
        """Return the unit vector that hits are compared by: its broad spectrum just after the onset."""
        rows = hit[[LEAD_FRAMES + lag for lag in FEATURE_LAGS]]
        broad = moving_median(rows, FEATURE_SMOOTHING)
        vector = np.sqrt(broad @ self.matrix).ravel()
        unit: NDArray[np.float32] = vector / (np.linalg.norm(vector) + 1e-9)
        return unit

    def _placed(self, onset: float) -> FloatPlane:
        """Return the template of an onset on the song's frames, from the first frame after its start on."""
        place = self.chosen.get(onset)
        hit = self._hit(onset) if place is None else decode(self.pool[place])
        features = self._features(hit) if place is None else self.pool_features[place]
        likeness = self.pool_features @ features
        count = min(NEIGHBOURS, max(FEWEST_NEIGHBOURS, len(likeness) // 4))
        nearest = np.argsort(-likeness, kind="stable")[:count]
        neighbours: list[BytePlane] = [self.pool[place] for place in nearest]
        template = decode(rank_of(neighbours, int(RANK_SHARE * (count - 1))))
        template *= _gain(hit, template)
        between = np.float32(onset - np.floor(onset))
        placed: FloatPlane = template[:-1] * between + template[1:] * (1 - between)
        return placed


def _gain(hit: FloatPlane, template: FloatPlane) -> np.float32:
    """Return how loud a hit is beside its template: the median ratio where the template is strong."""
    rows = slice(LEAD_FRAMES - 1, LEAD_FRAMES + 5)
    strong = template[rows] > np.quantile(template[rows], 0.8)
    if not strong.any():
        return np.float32(1)
    ratio = np.median(hit[rows][strong] / template[rows][strong])
    return np.float32(np.clip(ratio, 1 / STRONGEST_GAIN, STRONGEST_GAIN))
