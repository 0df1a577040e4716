"""Where a song sounds, and how it ends: with a last stroke that rings, by fading, or cut off.

All of it is read off the loudness of 10 ms steps (K-weighted, BS.1770). An attack is a rise by `ATTACK_DB` within
`ATTACK_S`. After the last attack of a song that ends there is only decay. In a song that is faded out attacks go on
while the level falls, until nothing is left; one that is cut off is still loud when the file ends.
"""

import numpy as np
from numpy.typing import NDArray

from engine.analysis.model import Extent

Array = NDArray[np.float64]

STEP_S = 0.01
SMOOTH_STEPS = 5
START_LU, END_LU, QUIETEST_LUFS = -30.0, -40.0, -65.0
"""Levels against the song's own from which on it is taken to have begun, and below which it has ended."""
ATTACK_DB, ATTACK_S = 4.0, 0.12
LAST_ATTACK_LU, BEFORE_S = 18.0, 4.0
"""How far the last attack may lie below the loudest moment of the seconds before it: what is softer is a noise."""
CUT_LU, CUT_S, LEAST_RING_S = 12.0, 0.15, 0.75
"""A song that sounds up to the end of the file is cut off if it is no softer there than this against its last seconds,
or if its last attack had no longer to ring: then it is a loop, or a piece of a song."""
FADE_STEP_S, FADED_DB = 0.5, -60.0
FADE_TOP_LU, FADE_BOTTOM_LU, FADE_LEAST_S, FADE_ATTACKS = 3.0, 22.0, 2.5, 3
"""A fade goes from the one level below the song to the other, takes this long and has so many attacks on its way."""


def find_extent(level_lufs: Array, song_lufs: float, duration_s: float) -> Extent:
    """Return where a song sounds and how it ends.

    `level_lufs` is the loudness of each `STEP_S`, -inf where it is silent; `song_lufs` that of the whole song.
    """
    level = _smoothed(level_lufs)
    first = _first_above(level, max(song_lufs + START_LU, QUIETEST_LUFS))
    last = _first_above(level[::-1], max(song_lufs + END_LU, QUIETEST_LUFS))
    if first is None or last is None:
        return Extent(0.0, duration_s, duration_s, "cut")
    starts_s = round(first * STEP_S, 2)
    ends_s = min(duration_s, round((len(level) - last) * STEP_S, 2))
    attacks = _attacks(level, max(song_lufs + END_LU, QUIETEST_LUFS))
    fade_from_s = _fade_start(level, song_lufs, attacks, ends_s)
    if fade_from_s is not None:
        fade = _fade(level, fade_from_s, ends_s)
        return Extent(starts_s, ends_s, round(float(attacks[-1]) * STEP_S, 2), "fade", fade_from_s, fade)
    loud = [int(at) for at in attacks if level[at] >= _loudest_before(level, int(at)) - LAST_ATTACK_LU]
    last_attack_s = loud[-1] * STEP_S if loud else starts_s
    tail = level[-int(CUT_S / STEP_S) :]
    reference = _loudest_before(level, len(level) - 1)
    is_cut = duration_s - ends_s <= CUT_S and (
        float(np.mean(tail)) >= reference - CUT_LU or duration_s - last_attack_s < LEAST_RING_S
    )
    return Extent(starts_s, ends_s, round(last_attack_s, 2), "cut" if is_cut else "stop")


def _smoothed(level_lufs: Array) -> Array:
    """Mean power over 50 ms, in LUFS, never under the quietest that counts less the span of an attack."""
    power = 10.0 ** (np.maximum(level_lufs, QUIETEST_LUFS - 20.0) / 10.0)
    if len(power) < SMOOTH_STEPS:
        return 10.0 * np.log10(power)
    padded = np.pad(power, SMOOTH_STEPS // 2, mode="edge")
    return np.asarray(
        10.0 * np.log10(np.convolve(padded, np.full(SMOOTH_STEPS, 1 / SMOOTH_STEPS), mode="valid"))
    )


def _first_above(level: Array, threshold: float) -> int | None:
    above = np.flatnonzero(level > threshold)
    return int(above[0]) if above.size else None


def _attacks(level: Array, threshold: float) -> NDArray[np.intp]:
    """Return the steps at which the level has just risen by `ATTACK_DB`, one for each attack, at its top."""
    from scipy.ndimage import minimum_filter1d

    reach = int(ATTACK_S / STEP_S)
    before = minimum_filter1d(level, reach, origin=(reach - 1) // 2, mode="nearest")
    rising = (level - before >= ATTACK_DB) & (level > threshold)
    edges = np.flatnonzero(rising & ~np.concatenate([[False], rising[:-1]]))
    tops = [int(edge) + int(np.argmax(level[edge : edge + reach])) for edge in edges]
    return np.asarray(tops, dtype=np.intp)


def _loudest_before(level: Array, at: int) -> float:
    return float(level[max(0, at - int(BEFORE_S / STEP_S)) : at + 1].max())


def _to_come(level: Array) -> Array:
    """Return the loudest that is still to come at each step."""
    return np.asarray(np.maximum.accumulate(level[::-1])[::-1])


def _fade(level: Array, from_s: float, to_s: float) -> tuple[tuple[float, float], ...]:
    """Return the fall of the attacks' tops every `FADE_STEP_S`, and silence at the end."""
    times = np.arange(from_s, to_s, FADE_STEP_S)
    tops = _to_come(level)[np.minimum((times / STEP_S).astype(int), len(level) - 1)]
    points = [(round(float(t), 2), round(float(db), 2)) for t, db in zip(times, tops - tops[0], strict=True)]
    return (*points, (to_s, FADED_DB))


def _fade_start(level: Array, song_lufs: float, attacks: NDArray[np.intp], ends_s: float) -> float | None:
    """Return where a fade-out starts: attacks go on while what is still to come grows ever softer."""
    to_come = _to_come(level)
    top = min(float(np.percentile(level, 90)), song_lufs + 6.0)
    high = np.flatnonzero(to_come >= top - FADE_TOP_LU)
    low = np.flatnonzero(to_come <= top - FADE_BOTTOM_LU)
    if not high.size:
        return None
    start = int(high[-1])
    stop = int(low[0]) if low.size else len(level)
    on_the_way = attacks[(attacks > start + int(0.5 / STEP_S)) & (attacks <= stop)]
    soft = [at for at in on_the_way if level[at] <= top - FADE_BOTTOM_LU / 2]
    ended = ends_s if low.size else len(level) * STEP_S
    if (ended - start * STEP_S) < FADE_LEAST_S or len(on_the_way) < FADE_ATTACKS or not soft:
        return None
    return round(start * STEP_S, 2)
