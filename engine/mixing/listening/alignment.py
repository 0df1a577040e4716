"""Polarity and time between tracks of one kit: what must be turned over or moved so that they add up.

Works on the middle signal at a quarter of the rate, in the half minute where most happens. Three kinds of evidence:

- waveform: two tracks that hear the same hits (microphones of one kit, layers of one sample) correlate; the sign of
  the peak says whether one is inverted, its place how far one is late. Applied.
- first excursion: a drum that nothing else correlates with is turned so that its hits begin outwards, as most
  recordings of kicks do; it costs nothing, and lets kick and bass push the same way. Applied where hits agree.
- onsets: a track whose hits are late against at least two others by the same amount, within a millisecond, was moved
  as a whole. Applied unless the preset keeps its feel; else only told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.audio.fourier import irfft
from engine.audio.spectra import fast_length, padded_rfft
from engine.mixing.listening.features import COARSE, StemFeatures

KIT_ROLES = ("kick", "snare", "hats", "percussion", "drums")
TURNED_ROLES = ("kick", "snare", "percussion")
EXCERPT_S = 30.0
REACH_S = 0.030
CORRELATES = 0.35
SIGN_MARGIN = 1.1
LEAST_DELAY_S = 0.0003
HITS, HIT_APART_S = 40, 0.12
HIT_BEFORE_S, HIT_AFTER_S = 0.02, 0.06
STARTS_AT, EXCURSION = 0.08, 0.25
AGREE = 0.8
LEAST_HITS = 6
COINCIDE_S, LATE_S, STEADY_S = 0.060, 0.005, 0.001

Wave = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Correction:
    """What is to be done to a track: turn it over, move it by `delay_ms` (negative: earlier); why, in words."""

    invert: bool = False
    delay_ms: float = 0.0
    text: str = ""


def find_corrections(stems: Sequence[StemFeatures], *, keep_feel: bool = False) -> dict[str, Correction]:
    """Return corrections by stem for the tracks of the kit; stems that need none are left out."""
    kit = [stem for stem in stems if stem.role in KIT_ROLES and not stem.silent and len(stem.coarse)]
    if not kit:
        return {}
    rate = kit[0].sample_rate / COARSE
    waves = _excerpts(kit, rate)
    groups, relative = _groups(kit, waves, rate)
    found: dict[str, Correction] = {}
    for group in groups:
        turn, why = _orientation(
            [kit[index] for index in group], [waves[index] for index in group], relative, rate
        )
        leader = kit[group[0]].name
        for index in group:
            name = kit[index].name
            sign, delay_s = relative.get(name, (1, 0.0))
            invert = (sign < 0) != turn
            said = []
            if sign < 0:
                said.append(f"its waveform is {leader}'s turned over")
            if turn and not why.startswith(" "):
                said.append(why)
            if abs(delay_s) >= LEAST_DELAY_S:
                said.append(
                    f"it hears {leader}'s hits {abs(delay_s) * 1000:.2f} ms {'late' if delay_s > 0 else 'early'}"
                )
            if invert or abs(delay_s) >= LEAST_DELAY_S:
                done = [
                    *(["turned over"] if invert else []),
                    *([f"moved by {-delay_s * 1000:+.2f} ms"] if abs(delay_s) >= LEAST_DELAY_S else []),
                ]
                moved_ms = -1000.0 * delay_s if abs(delay_s) >= LEAST_DELAY_S else 0.0
                found[name] = Correction(invert, moved_ms, f"{'; '.join(said)}: {' and '.join(done)}.")
    _by_onsets(kit, waves, groups, rate, found, keep_feel=keep_feel)
    return found


def _excerpts(kit: Sequence[StemFeatures], rate: float) -> list[Wave]:
    """Return the tracks' waves in the same stretch of the session, the one with most hits of all."""
    step = max(1, int(rate))
    starts = [round(stem.start_frame / COARSE) for stem in kit]
    length = max(start + len(stem.coarse) for start, stem in zip(starts, kit, strict=True))
    busy = np.zeros(length // step + 1)
    for start, stem in zip(starts, kit, strict=True):
        power = np.square(stem.coarse)
        each = np.add.reduceat(power, np.arange(0, len(power), step))
        first = start // step
        busy[first : first + len(each)] += np.sqrt(each / max(1e-20, float(each.max())))
    window = min(len(busy), int(EXCERPT_S))
    best = int(np.argmax(np.convolve(busy, np.ones(window), "valid"))) * step
    frames = min(length, window * step)
    waves = []
    for start, stem in zip(starts, kit, strict=True):
        wave = np.zeros(frames, np.float32)
        low, high = max(best, start), min(best + frames, start + len(stem.coarse))
        if high > low:
            wave[low - best : high - best] = stem.coarse[low - start : high - start]
        waves.append(wave)
    return waves


def _groups(
    kit: Sequence[StemFeatures], waves: Sequence[Wave], rate: float
) -> tuple[list[list[int]], dict[str, tuple[int, float]]]:
    """Return groups of tracks that hear the same hits, and each follower's (sign, lateness in s) to its leader."""
    size = fast_length(len(waves[0]) + int(2 * REACH_S * rate))
    spectra = [padded_rfft(wave, size) for wave in waves]
    norms = [float(np.sqrt(np.vdot(wave, wave))) for wave in waves]
    # The kick leads, then the loudest.
    order = sorted(range(len(kit)), key=lambda index: (kit[index].role != "kick", -kit[index].loudness_lufs))
    groups: list[list[int]] = []
    relative: dict[str, tuple[int, float]] = {}
    for index in order:
        best: tuple[float, int, int, float] | None = None
        for number, group in enumerate(groups):
            leader = group[0]
            if not norms[leader] or not norms[index]:
                continue
            made = irfft(spectra[index] * np.conj(spectra[leader]), size) / (norms[leader] * norms[index])
            lag, value = _peak(made, int(REACH_S * rate))
            if abs(value) >= CORRELATES and (best is None or abs(value) > best[0]):
                best = (abs(value), number, 1 if value > 0 else -1, lag / rate)
        if best is None:
            groups.append([index])
        else:
            groups[best[1]].append(index)
            relative[kit[index].name] = (best[2], best[3])
    return groups, relative


def _peak(correlation: NDArray[np.floating], reach: int) -> tuple[float, float]:
    """Return where, within `reach`, a correlation is strongest, to a fraction of a sample, and its value."""
    near = np.concatenate((correlation[-reach:], correlation[: reach + 1]))
    top, bottom = int(np.argmax(near)), int(np.argmin(near))
    at = bottom if -near[bottom] > SIGN_MARGIN * near[top] else top
    value = float(near[at])
    if 0 < at < len(near) - 1:
        before, after = float(near[at - 1]), float(near[at + 1])
        bend = before - 2.0 * value + after
        shift = 0.5 * (before - after) / bend if bend else 0.0
    else:
        shift = 0.0
    return at + shift - reach, value


def _orientation(
    group: Sequence[StemFeatures],
    waves: Sequence[Wave],
    relative: Mapping[str, tuple[int, float]],
    rate: float,
) -> tuple[bool, str]:
    """Return whether the whole group is to be turned over, by how its leader's hits begin."""
    if group[0].role not in TURNED_ROLES:
        return False, ""
    votes = [vote for vote in (_excursion(waves[0], hit, rate) for hit in hits_of(waves[0], rate)) if vote]
    if len(votes) < LEAST_HITS:
        return False, ""
    inwards = sum(vote < 0 for vote in votes) / len(votes)
    if inwards < AGREE:
        return False, ""
    if len(group) > 1 and any(relative.get(stem.name, (1, 0.0))[0] < 0 for stem in group[1:]):
        return True, f"{group[0].name}'s hits begin inwards, and so does what goes with them"
    return True, f"{100 * inwards:.0f} % of {group[0].name}'s hits begin inwards"


def hits_of(wave: Wave, rate: float) -> list[int]:
    """Return the samples at which the strongest hits begin, in order of time."""
    step = max(1, round(0.005 * rate))
    count = len(wave) // step
    if count < 3:
        return []
    power = np.square(wave[: count * step]).reshape(count, step).sum(axis=1)
    rise = np.maximum(0.0, power - np.concatenate((power[:1], np.maximum(power[:-1], 0.0))))
    chosen: list[int] = []
    apart = max(1, round(HIT_APART_S / 0.005))
    floor = float(power.max()) * 0.02
    for hop in np.argsort(rise)[::-1]:
        if rise[hop] <= floor or len(chosen) >= HITS:
            break
        if all(abs(int(hop) - other) > apart for other in chosen):
            chosen.append(int(hop))
    found = []
    for hop in sorted(chosen):
        first = max(0, hop * step - round(HIT_BEFORE_S * rate))
        piece = np.abs(wave[first : hop * step + round(HIT_AFTER_S * rate)])
        if len(piece) and piece.max() > 0.0:
            found.append(first + int(np.argmax(piece > STARTS_AT * piece.max())))
    return found


def _excursion(wave: Wave, hit: int, rate: float) -> int:
    """Return the sign of a hit's first half-wave that counts, 0 if there is none."""
    piece = wave[hit : hit + round(HIT_AFTER_S * rate)]
    if not len(piece):
        return 0
    counts = np.abs(piece) > EXCURSION * np.abs(piece).max()
    return int(np.sign(piece[int(np.argmax(counts))])) if counts.any() else 0


def _by_onsets(
    kit: Sequence[StemFeatures],
    waves: Sequence[Wave],
    groups: Sequence[Sequence[int]],
    rate: float,
    found: dict[str, Correction],
    *,
    keep_feel: bool,
) -> None:
    """Find groups whose hits are late or early against at least two others by one steady amount."""
    leaders = [group[0] for group in groups]
    if len(leaders) < 3:
        return
    times = {index: np.array(hits_of(waves[index], rate)) / rate for index in leaders}
    apart = {(a, b): _steady_offset(times[a], times[b]) for a in leaders for b in leaders if a != b}
    for group in groups:
        index = group[0]
        others = [apart[index, other] for other in leaders if other != index]
        offsets = [offset for offset in others if offset is not None]
        if len(offsets) < 2 or np.ptp(offsets) > 2.0 * STEADY_S + 0.001 or abs(np.median(offsets)) < LATE_S:
            continue
        agreeing = [
            apart[a, b]
            for a in leaders for b in leaders
            if a < b and index not in (a, b) and apart[a, b] is not None
        ]  # fmt: skip
        if any(abs(offset or 0.0) > LATE_S for offset in agreeing) or not agreeing:
            continue
        late_ms = 1000.0 * float(np.median(offsets))
        text = f"all its hits are {abs(late_ms):.1f} ms {'late' if late_ms > 0 else 'early'} against the other drums"
        for member in group:
            name = kit[member].name
            before = found.get(name, Correction())
            said = f"{before.text[:-1]}; {text}" if before.text else text
            if keep_feel:
                found[name] = Correction(
                    before.invert, before.delay_ms, f"{said}: left, as this style may mean it."
                )
            else:
                found[name] = Correction(
                    before.invert, before.delay_ms - late_ms, f"{said}: moved by {-late_ms:+.1f} ms."
                )


def _steady_offset(one: NDArray[np.float64], other: NDArray[np.float64]) -> float | None:
    """Return by how much hits of `one` come after those of `other` next to them, in s; None where it is not steady."""
    if not len(one) or not len(other):
        return None
    nearest = other[np.argmin(np.abs(one[:, None] - other[None, :]), axis=1)]
    gaps = (one - nearest)[np.abs(one - nearest) < COINCIDE_S]
    if len(gaps) < LEAST_HITS:
        return None
    middle = float(np.median(gaps))
    return middle if float(np.median(np.abs(gaps - middle))) <= STEADY_S else None
