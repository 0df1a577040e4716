"""What to do to a song: from wishes, what was heard of it and of the references, to the chain's settings and reasons.

Reasons are sentences for people; they go into the report as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.loudness.spectrum import CENTRES_HZ, THIRD_OCTAVES_HZ
from engine.mastering.chain import ChainSettings
from engine.mastering.compressor import MAX_SLOPE, Compression, compress, slope_for
from engine.mastering.image import Image, image_for
from engine.mastering.profile import Heard, Profile
from engine.mastering.tone import balance_move, match_curve, resonance_cut, rumble_cut, tone_curve
from engine.mastering.wishes import BANDS, DEFAULT_LUFS, MAX_EQ_DB, MasterWishes

LOUDEST_TARGET, QUIETEST_TARGET = -6.0, -30.0
MAX_SPREAD_DB = 4.0
"""The most that matching takes off a band's loud moments."""
WORTH_SAYING_DB = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """The chain's settings, the loudness and range aimed for, and why."""

    chain: ChainSettings
    image: Image
    compression: Compression | None
    lufs: float
    lra_max: float | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Corrections:
    """What failed checks change: factors of the equaliser, of compression and of the side."""

    eq_scale: float = 1.0
    compression_scale: float = 1.0
    side_scale: float = 1.0


@dataclass(slots=True, eq=False)
class _Thoughts:
    """Reasons as they come up."""

    said: list[str] = field(default_factory=list)

    def say(self, sentence: str) -> None:
        self.said.append(sentence)


def decide(
    heard: Heard,
    wishes: MasterWishes,
    reference: Profile | None,
    sample_rate: int,
    corrections: Corrections = Corrections(),
    dynamics_db: NDArray[np.float64] | None = None,
) -> Decisions:
    """Return what to do to a song that was `heard`, for `wishes`, like `reference`.

    `dynamics_db` is what compression and limiting do to the spectrum, third octave by third octave, where it is known:
    the equaliser then allows for it.
    """
    thoughts = _Thoughts()
    eq_db = _equaliser(heard.profile, wishes, reference, thoughts, dynamics_db) * corrections.eq_scale
    compression = _compression(heard, wishes, reference, sample_rate, corrections, thoughts)
    image = image_for(
        heard.figures.stereo,
        heard.levels,
        wishes.width_pct,
        heard.profile.side_db,
        reference.side_db if reference is not None else None,
        wishes.amounts.match_width,
        corrections.side_scale,
    )
    for reason in image.reasons:
        thoughts.say(reason)
    lufs = _target(wishes, reference, thoughts)
    lra_max = _range(wishes, reference, heard.profile, thoughts)
    chain = ChainSettings(
        eq_db, image.side_gain, compression.gain_db if compression is not None else None, image.flip_right
    )
    return Decisions(chain, image, compression, round(lufs, 2), lra_max, tuple(thoughts.said))


def _equaliser(
    own: Profile,
    wishes: MasterWishes,
    reference: Profile | None,
    thoughts: _Thoughts,
    dynamics_db: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    amounts, total = wishes.amounts, np.zeros(len(CENTRES_HZ))
    if not np.isfinite(own.integrated_lufs):
        return total
    matched = reference is not None and amounts.match_spectrum > 0.0
    if reference is not None and matched:
        expected_db = own.spectrum_db if dynamics_db is None else own.spectrum_db + dynamics_db
        total += match_curve(expected_db, reference.spectrum_db, amounts.match_spectrum)
        thoughts.say(f"Equaliser towards the reference: {_peaks_of(total)}.")
    else:
        rumble = rumble_cut(own.spectrum_db) * amounts.corrective
        resonances = resonance_cut(own.spectrum_db) * amounts.corrective
        balance = balance_move(own.spectrum_db) * amounts.corrective
        tone = tone_curve(wishes.tone_db) * amounts.tone
        for curve, sentence in (
            (rumble, "Rumble below the lowest notes was cut"),
            (resonances, "Bands that stick out were turned down"),
            (balance, "The balance was moved towards what records have"),
            (tone, "The preset's tone was added"),
        ):
            if np.abs(curve).max() >= WORTH_SAYING_DB:
                thoughts.say(f"{sentence}: {_peaks_of(curve)}.")
        total += rumble + resonances + balance + tone
    held = np.clip(total, -MAX_EQ_DB, MAX_EQ_DB)
    if np.abs(total).max() > MAX_EQ_DB + 1e-9 or np.count_nonzero(np.abs(held) > MAX_EQ_DB - 0.01) > 0:
        thoughts.say(f"The equaliser was held at {MAX_EQ_DB:g} dB in the bands that asked for more.")
    return held


def _peaks_of(curve_db: NDArray[np.float64]) -> str:
    """Return the largest boost and the largest cut in words."""
    words = [
        f"{curve_db[index]:+.1f} dB at {_hertz(THIRD_OCTAVES_HZ[index])}"
        for index in dict.fromkeys((int(np.argmax(curve_db)), int(np.argmin(curve_db))))
        if abs(curve_db[index]) >= WORTH_SAYING_DB / 2.0
    ]
    return " and ".join(words) or "less than half a decibel anywhere"


def _hertz(frequency: float) -> str:
    return f"{frequency / 1000.0:g} kHz" if frequency >= 1000.0 else f"{frequency:g} Hz"


def _compression(
    heard: Heard,
    wishes: MasterWishes,
    reference: Profile | None,
    sample_rate: int,
    corrections: Corrections,
    thoughts: _Thoughts,
) -> Compression | None:
    slopes = np.array([1.0 - 1.0 / ratio for ratio in wishes.ratios]) * wishes.amounts.compression
    share = wishes.amounts.match_dynamics if reference is not None else 0.0
    if reference is not None and share > 0.0:
        wanted = np.clip(heard.profile.spread_db - reference.spread_db, 0.0, MAX_SPREAD_DB)
        towards = [
            slope_for(spread, need) for spread, need in zip(heard.profile.spread_db, wanted, strict=True)
        ]
        slopes = (1.0 - share) * slopes + share * np.array(towards)
    slopes = np.clip(slopes * corrections.compression_scale, 0.0, MAX_SLOPE)
    compression = compress(heard.levels, tuple(slopes.tolist()), sample_rate)
    if compression is not None and compression.average_db.max() >= 0.1:
        parts = ", ".join(
            f"{name} {1.0 / (1.0 - slope):.2f}:1 ({average:.1f} dB on average)"
            for name, slope, average in zip(BANDS, slopes, compression.average_db, strict=True)
            if average >= 0.05
        )
        why = "to come nearer to the reference's dynamics" if share > 0.0 else "for density"
        thoughts.say(f"Compressed in bands {why}: {parts}.")
    return compression


def _target(wishes: MasterWishes, reference: Profile | None, thoughts: _Thoughts) -> float:
    if wishes.lufs is not None:
        return wishes.lufs
    if reference is None or not np.isfinite(reference.integrated_lufs):
        return DEFAULT_LUFS
    lufs = min(LOUDEST_TARGET, max(QUIETEST_TARGET, reference.integrated_lufs))
    thoughts.say(f"The loudness aimed for is the reference's: {lufs:.1f} LUFS.")
    return lufs


def _range(
    wishes: MasterWishes, reference: Profile | None, own: Profile, thoughts: _Thoughts
) -> float | None:
    share = wishes.amounts.match_dynamics
    if wishes.lra_max is None and reference is not None and share > 0.0 and own.lra_lu > reference.lra_lu:
        wanted = own.lra_lu + share * (max(reference.lra_lu, 2.0) - own.lra_lu)
        if own.lra_lu - wanted > 1.0:
            thoughts.say(f"The loudness range is brought towards the reference's {reference.lra_lu:.1f} LU.")
            return wanted
    return wishes.lra_max
