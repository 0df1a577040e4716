"""Who plays when: each section's level (third of the song's energy) and drive, builds and drops."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.generation.arranger.form import SongForm, SongSection
from engine.presets.grids import LEVELS, Level
from engine.presets.style import Form

FLAT_SPREAD = 0.15
"""Sections whose energies differ by less than this are taken as equally loud."""
ARC = (0.15, 0.5, 0.8, 0.5, 0.85)
"""What equally loud sections are given instead, so that the piece still has a shape."""
DRIVE = {"low": 0.2, "middle": 0.5, "high": 0.8}
DRIVE_PER_DOUBLING = 0.3
THIRDS = (1 / 3, 2 / 3)
LEVEL_EDGES = (0.35, 0.65)


@dataclass(frozen=True, slots=True)
class SectionPlan:
    """One section of the new piece, in groove beats.

    `drive` is how busily it is played (about 0.2, 0.5 and 0.8 for the three levels, moved by the user's
    energy); `build_from` is where a build starts (`end` if there is none), `drop_from` where the silence
    before the next one starts.
    """

    start: float
    end: float
    label: str
    level: Level
    drive: float
    is_intro: bool
    is_outro: bool
    rises: bool
    enters: bool
    build_from: float
    drop_from: float

    @property
    def number(self) -> int:
        """The level as 0, 1 or 2."""
        return LEVELS.index(self.level)


def plan_sections(form: SongForm, rules: Form, energy: float) -> tuple[SectionPlan, ...]:
    """Return a plan for each section of `form`; `energy` is the user's factor, 0.5 to 2."""
    sections = form.sections
    shares = energy_shares(sections)
    drives = [_drive(share, energy) for share in shares]
    levels = [level_of(drive) for drive in drives]
    plans: list[SectionPlan] = []
    for i, section in enumerate(sections):
        is_last = i == len(sections) - 1
        rises = not is_last and drives[i + 1] > drives[i] + 0.05 and levels[i + 1] != "low"
        bars = [bar for bar in form.bars if bar.section == i]
        build_bars = min(rules.build_bars, len(bars) // 2) if rises else 0
        plans.append(
            SectionPlan(
                start=section.start,
                end=section.end,
                label=section.label,
                level=levels[i],
                drive=drives[i],
                is_intro=i == 0 and len(sections) > 2 and levels[i] != "high",
                is_outro=is_last and len(sections) > 2 and levels[i] != "high",
                rises=rises,
                enters=i == 0 or drives[i] >= drives[i - 1] - 0.05,
                build_from=bars[-build_bars].start if build_bars else section.end,
                drop_from=section.end - rules.drop_beats if rises and rules.drop_beats else section.end,
            )
        )
    return tuple(plans)


def energy_shares(sections: Sequence[SongSection]) -> list[float]:
    """Return each section's place in the song's range of energy, 0 to 1.

    Half of it is the energy itself, half its rank by duration: so one very quiet intro does not make all that
    follows equally loud.
    """
    energies = np.array([section.energy for section in sections], dtype=np.float64)
    spread = float(np.ptp(energies))
    if spread < FLAT_SPREAD:
        count = len(sections)
        return [0.5] * count if count < 3 else [ARC[i % len(ARC)] for i in range(count)]
    lengths = np.array([section.end - section.start for section in sections])
    below = np.array([float(lengths[energies < e - 1e-9].sum()) for e in energies])
    same = np.array([float(lengths[np.abs(energies - e) <= 1e-9].sum()) for e in energies])
    rank = (below + same / 2) / lengths.sum()
    value = (energies - energies.min()) / spread
    return [float(share) for share in (rank + value) / 2]


def _drive(share: float, energy: float) -> float:
    third = sum(share >= edge for edge in THIRDS)
    inside = (share - third / 3) * 3 - 0.5
    return DRIVE[LEVELS[third]] + 0.12 * inside + DRIVE_PER_DOUBLING * math.log2(energy)


def level_of(drive: float) -> Level:
    """Return the level that a drive belongs to."""
    return LEVELS[sum(drive >= edge for edge in LEVEL_EDGES)]
