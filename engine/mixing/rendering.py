"""`render`: a session over its stems to a mix at its peak, and the tracks that add up to it.

Tracks are handed over as they stand in the mix but for one gain, which is known only when the whole mix has been
summed: it goes onto their faders (`Rendered.gain_db`). They are turned down by `pad_db` so that none exceeds full
scale on its way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log10

import numpy as np

from engine.audio import Audio
from engine.mixing.desk.desk import DeskResult, Keep, run_desk
from engine.mixing.desk.freezing import freeze
from engine.mixing.listening.features import StemFeatures
from engine.mixing.plugin_host import run_plugins
from engine.mixing.session.applied import applied
from engine.mixing.session.strips import MixSession
from engine.mixing.stems import Stem
from engine.progress import SILENT, Monitor

PEAK_DBFS = -6.0
STEP_DB = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """The mix at its peak, the gain in dB that took it there, and the desk's meters."""

    mix: Audio
    gain_db: float
    desk: DeskResult


def render(
    session: MixSession,
    stems: Sequence[Stem],
    heard: Mapping[str, StemFeatures],
    *,
    keep: Keep | None = None,
    peak_dbfs: float = PEAK_DBFS,
    monitor: Monitor = SILENT,
) -> Rendered:
    """Render a session; `keep` takes the tracks and returns block by block, before the mix's own gain."""
    wanted = applied(session)
    frozen = freeze(wanted, stems, heard, monitor)
    desk = run_desk(frozen.session, frozen.stems, frozen.heard, keep, monitor, frozen.sends_only)
    mix = desk.mix
    if not wanted.bus("mix").bypass:
        mix = run_plugins(mix, wanted.bus("mix").plugins, "the mix", monitor)
    peak = max(float(mix.samples.max(initial=0.0)), -float(mix.samples.min(initial=0.0)))
    gain_db = round(round((peak_dbfs - 20.0 * log10(peak)) / STEP_DB) * STEP_DB, 2) if peak > 0.0 else 0.0
    mix.samples.__imul__(np.float32(10.0 ** (gain_db / 20.0)))
    return Rendered(mix, gain_db, desk)
