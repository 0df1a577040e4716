"""Space: pan, width and sends.

What carries beat, bottom and words stays in the middle; other mono stems are put left and right in turn, each to the
side that is lighter so far. A stereo stem keeps its picture, but one that leans is set upright, and one that is a mono
sound panned in its file is folded to mono and placed anew, on its side if it was clearly on one. Sides that cancel are
mended or narrowed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log10

import numpy as np

from engine.mixing.deciding.reasons import Reasons
from engine.mixing.deciding.tables import CENTRE, PLACES, SENDS_DB, WIDTHS_PCT
from engine.mixing.listening.features import StemFeatures
from engine.mixing.presets import MixPreset
from engine.mixing.session.strips import SendName

PANNED_MONO_CORRELATION = 0.98
LEANS_DB = 0.7
PUT_ASIDE_DB = 2.5
"""A mono sound that leans so far in its file was panned there, and stays on that side."""
CANCELS_BELOW = -0.3
MAX_WIDTH_PCT = 140.0
MAX_WIDTH_RATIO = 0.9
"""Side over mid beyond which a stem is not widened: less than this leaves the mix a correlation over 0.1."""
BED_WIDTH = 1.0
QUIETEST_SEND_DB = -40.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stem stands."""

    pan: float = 0.0
    width_pct: float = 100.0
    flip_right: bool = False
    loudness_lu: float = 0.0
    """What pan and width do to the loudness."""


def places(
    stems: Sequence[StemFeatures], targets: Mapping[str, float], preset: MixPreset, reasons: Reasons
) -> dict[str, Place]:
    """Return the place of every stem."""
    made: dict[str, Place] = {}
    weight = {"left": 0.0, "right": 0.0}
    mono: list[StemFeatures] = []
    for stem in stems:
        folded = is_panned_mono(stem)
        if stem.mono or folded:
            mono.append(stem)
        else:
            made[stem.name] = _stereo(stem, preset, reasons)
    # What somebody has put on a side first, then the loudest, so that the sides come out even.
    for stem in sorted(mono, key=lambda item: (not _put_aside(item), -targets[item.name], item.name)):
        far = 0.0 if stem.role in CENTRE else min(0.9, PLACES.get(stem.role, 0.0) * preset.spread)
        side = -1.0 if weight["left"] <= weight["right"] else 1.0
        if _put_aside(stem):
            side = -1.0 if stem.lean_db > 0.0 else 1.0
        if far:
            weight["left" if side < 0 else "right"] += far * 10.0 ** (targets[stem.name] / 10.0)
        pan = round(side * far, 2) if far else 0.0
        folded = not stem.mono
        made[stem.name] = Place(pan, 0.0 if folded else 100.0, False, _fold_lu(stem) if folded else 0.0)
        if folded:
            reasons.add(
                "panning",
                stem.name,
                f"its file holds one sound panned {abs(stem.lean_db):.1f} dB to the "
                f"{'left' if stem.lean_db > 0 else 'right'}: "
                f"folded to mono and placed at {_where(pan)}.",
            )
        elif pan:
            reasons.add("panning", stem.name, f"placed at {_where(pan)}, the lighter side.")
    return made


def is_panned_mono(stem: StemFeatures) -> bool:
    """Whether a stereo stem is one sound at different levels left and right."""
    return not stem.mono and stem.correlation > PANNED_MONO_CORRELATION and abs(stem.lean_db) > LEANS_DB


def _put_aside(stem: StemFeatures) -> bool:
    """Whether a stem was panned clearly to one side."""
    return is_panned_mono(stem) and abs(stem.lean_db) >= PUT_ASIDE_DB


def sends(stem: StemFeatures, preset: MixPreset) -> dict[SendName, float]:
    """Return the stem's sends in dB after the fader."""
    usual: dict[SendName, float] = {**SENDS_DB.get(stem.role, {}), **preset.sends_db.get(stem.role, {})}
    levels = {name: round(level + preset.wetness_db, 1) for name, level in usual.items()}
    return {name: level for name, level in levels.items() if level > QUIETEST_SEND_DB}


def _stereo(stem: StemFeatures, preset: MixPreset, reasons: Reasons) -> Place:
    flip = stem.correlation < CANCELS_BELOW
    width = 1.0 / max(stem.width, 1e-6) if flip else stem.width
    if flip:
        reasons.add(
            "alignment",
            stem.name,
            f"its sides cancel in mono (correlation {stem.correlation:+.2f}): the right one is turned over.",
        )
    usual = WIDTHS_PCT.get(stem.role, 100.0)
    wanted = usual if usual <= 100.0 else 100.0 + (usual - 100.0) * preset.spread
    if wanted > 100.0:
        wanted = max(100.0, min(wanted, MAX_WIDTH_PCT, 100.0 * MAX_WIDTH_RATIO / max(width, 1e-6)))
    if width > BED_WIDTH * 1.3:
        wanted = min(wanted, 100.0 * 1.3 / width)
    wanted = float(round(wanted))
    if abs(wanted - 100.0) < 5.0:
        wanted = 100.0
    if wanted != 100.0:
        reasons.add(
            "width",
            stem.name,
            f"width {wanted:.0f} %: "
            f"{'narrowed, so that it holds in mono' if wanted < 100 else 'a bed around the middle'}.",
        )
    pan = 0.0
    if abs(stem.lean_db) > LEANS_DB and stem.role in (*CENTRE, "pad", "noise"):
        # A balance control turns down the louder side.
        pan = round(
            float(np.clip(np.sign(stem.lean_db) * (1.0 - 10.0 ** (-abs(stem.lean_db) / 20.0)), -0.8, 0.8)), 2
        )
        reasons.add("panning", stem.name, f"leaned {abs(stem.lean_db):.1f} dB to one side: set upright.")
    return Place(pan, wanted, flip, _width_lu(width, wanted / 100.0) + _balance_lu(stem, pan))


def _width_lu(ratio: float, width: float) -> float:
    return 10.0 * log10((1.0 + (width * ratio) ** 2) / (1.0 + ratio**2))


def _fold_lu(stem: StemFeatures) -> float:
    return -10.0 * log10(1.0 + stem.width**2)


def _balance_lu(stem: StemFeatures, pan: float) -> float:
    left, right = 10.0 ** (stem.lean_db / 10.0), 1.0
    after = left * min(1.0, 1.0 - pan) ** 2 + right * min(1.0, 1.0 + pan) ** 2
    return 10.0 * log10(after / (left + right))


def _where(pan: float) -> str:
    return "the middle" if not pan else f"{abs(pan) * 100:.0f} % {'left' if pan < 0 else 'right'}"
