"""`decide`: features and a preset in, a whole session out, and why.

Gain brings every stem to the working level; equaliser and compressor act there, and the fader puts what comes out of
them at its place in the balance. What each does to the loudness is worked out beforehand, from the stem's own spectrum
and levels, so that one rendering is enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from engine.mixing.deciding.channel import muted_strip, strip_of
from engine.mixing.deciding.given import Given
from engine.mixing.deciding.groups import decide_buses
from engine.mixing.deciding.reasons import Reason, Reasons
from engine.mixing.deciding.space import places
from engine.mixing.deciding.tone import make_way, tone_bands
from engine.mixing.listening.alignment import Correction
from engine.mixing.listening.features import PLAN_FRAMES, StemFeatures
from engine.mixing.listening.masking import aligned_bands, masking_of
from engine.mixing.presets import MixPreset, Tone
from engine.mixing.session.strips import ChannelStrip, MixSession, Send
from engine.thrift import at_a_time

THREADS = 2
DELAY_BEATS = 0.75


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """A session, the reasons for it, and the figures that it was made from."""

    session: MixSession
    reasons: tuple[Reason, ...]
    targets_lu: Mapping[str, float]
    covered: Mapping[str, float]


def decide(
    stems: Sequence[StemFeatures],
    targets_lu: Mapping[str, float],
    preset: MixPreset,
    given: Given,
    corrections: Mapping[str, Correction],
    reasons: Reasons,
) -> Decision:
    """Return the session for stems whose loudness against the lead vocal is to be `targets_lu`."""
    sounding = [stem for stem in stems if not stem.silent]
    eq = {stem.name: tone_bands(stem, preset.tone.get(stem.role, Tone()), 1.0, reasons) for stem in sounding}
    make_way(sounding, eq, reasons)
    where = places(sounding, targets_lu, preset, reasons)
    covered, by_voice = _covering(sounding, targets_lu)

    def channel(stem: StemFeatures) -> tuple[ChannelStrip, NDArray[np.float64], Reasons]:
        own = Reasons()
        if stem.silent:
            return muted_strip(stem, given, own), np.zeros(0), own
        strip, power = strip_of(
            stem,
            targets_lu[stem.name],
            by_voice.get(stem.name, 0.0),
            eq[stem.name],
            where[stem.name],
            corrections.get(stem.name, Correction()),
            preset,
            given,
            own,
        )
        return strip, power, own

    with ThreadPoolExecutor(at_a_time(THREADS), thread_name_prefix="nrx-decide") as pool:
        channels = list(pool.map(channel, stems))
        for _, _, own in channels:
            reasons.items += own.items
        strips = [strip for strip, _, _ in channels]
        powers = {strip.name: power for strip, power, _ in channels if len(power)}
        hop_s = PLAN_FRAMES / given.sample_rate
        buses, moved = decide_buses(strips, powers, hop_s, preset, reasons, pool)
    strips = [_against(strip, moved.get(strip.name, 0.0)) for strip in strips]
    used = {name for strip in strips for name in strip.sends}
    settings = {
        "room": preset.room,
        "plate": preset.plate,
        "delay": _in_time(preset.delay, given.tempo_bpm, reasons),
    }
    session = MixSession.model_validate(
        {
            "preset": preset.id,
            "sample_rate": given.sample_rate,
            "tempo_bpm": given.tempo_bpm,
            "respect_user_gains": given.respect_user_gains,
            "amounts": dict(given.amounts or {}),
            "bypass": given.bypass,
            "tracks": tuple(strips),
            "buses": buses,
            "sends": {name: send for name, send in settings.items() if name in used},
        }
    )
    return Decision(session, tuple(reasons.items), dict(targets_lu), covered)


def _covering(
    stems: Sequence[StemFeatures], targets_lu: Mapping[str, float]
) -> tuple[dict[str, float], dict[str, float]]:
    """Return how much of each stem is covered in the balance, and how much of the voices each stem covers."""
    if not stems:
        return {}, {}
    gains = [targets_lu[stem.name] - stem.loudness_lufs for stem in stems]
    masking = masking_of(aligned_bands(stems), gains)
    voices = [index for index, stem in enumerate(stems) if stem.role == "vocals"]
    over = {
        stem.name: float(sum(masking.by[voice, column] for voice in voices))
        for column, stem in enumerate(stems)
    }
    return {stem.name: float(share) for stem, share in zip(stems, masking.covered, strict=True)}, over


def _against(strip: ChannelStrip, moved_db: float) -> ChannelStrip:
    """Return the strip with its fader set against what the buses' dynamics do to it."""
    return strip.model_copy(update={"fader_db": round(max(-60.0, min(36.0, strip.fader_db - moved_db)), 1)})


def _in_time(send: Send, tempo_bpm: float | None, reasons: Reasons) -> Send:
    """Set the delay to a dotted eighth of the song's tempo, halved until it is short enough."""
    if tempo_bpm is None or not isfinite(tempo_bpm):
        return send
    delay_ms = DELAY_BEATS * 60_000.0 / tempo_bpm
    while delay_ms > 800.0:
        delay_ms /= 2.0
    reasons.add("sends", "", f"echoes every {delay_ms:.0f} ms: a dotted eighth at {tempo_bpm:.1f} BPM.")
    return send.model_copy(update={"delay_ms": round(delay_ms, 1)})
