"""The mix: each role at its loudness relative to the voice, the music dipped under it, one sane peak.

Levels are set by gated loudness (BS.1770-4): what counts is how loud a track is where it sounds, so a part
that plays eight bars sits as well as one that plays throughout. Gains are bounded: never more than
`MAX_GAIN_DB`, and never so much that a track's peaks stand more than `MAX_CREST_DB` above the loudness of the
voice.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from math import floor, inf, isfinite, log10

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio
from engine.errors import NrxError
from engine.loudness import integrated_lufs
from engine.loudness.meter import BLOCK_S
from engine.mixing.ducking import presence
from engine.mixing.model import MixedTrack, MixResult, MixSettings, MixTrack
from engine.mixing.roles import ROLES, balance_of, guess_role
from engine.mixing.strip import Strip, run_strip
from engine.progress import SILENT, Monitor, shared_monitor
from engine.thrift import at_a_time

VOICE = "vocals"
NOMINAL_LUFS = -20.0
"""Loudness that roles are set against where there is no voice; only differences matter."""
VOICE_BELOW_SONG_LU = 8.0
"""A voice further than this below its song is a remainder, and is mixed as quietly as it was."""
MAX_GAIN_DB = 24.0
MAX_CREST_DB = 22.0
MAX_FADER_DB = 6.0
GAIN_STEP_DB = 0.01
STRIPS_AT_A_TIME = 2


def mix(tracks: Mapping[str, MixTrack], settings: MixSettings, monitor: Monitor = SILENT) -> MixResult:
    """Mix `tracks` (mono or stereo, one sample rate; shorter ones end earlier).

    Returns:
        The processed tracks (stereo), their gains, and the mix, which is the sum of the tracks at their
        gains.

    Raises:
        NrxError: `request.invalid` without tracks; `input.sample_rate` where rates differ.
    """
    rate = _common_rate(tracks)
    balance = dict(settings.balance_db)
    voices = [name for name in tracks if tracks[name].role == VOICE]
    others = [name for name in tracks if tracks[name].role != VOICE]
    shares = shared_monitor(monitor.part(0.0, 0.9), len(tracks))

    def strip_of(name: str, share: Monitor, voice_presence: NDArray[np.float64] | None) -> Strip:
        track = tracks[name]
        traits = ROLES.get(track.role, ROLES["other"])
        return run_strip(
            track.audio,
            pan=track.pan,
            low_cut_hz=traits.low_cut_hz,
            may_overwrite=track.may_overwrite,
            depth_db=settings.ducking_db if traits.makes_room and track.ducked else 0.0,
            presence_by_hop=voice_presence,
            monitor=share,
        )

    strips: dict[str, Strip] = {}
    voice_presence: NDArray[np.float64] | None = None
    with ThreadPoolExecutor(at_a_time(STRIPS_AT_A_TIME)) as pool:
        # The voices first: the others' dip follows them.
        strips.update(zip(voices, pool.map(strip_of, voices, shares, repeat(None)), strict=True))
        for name in voices:
            voice_presence = _stronger(voice_presence, presence(strips[name].meter))
        made = pool.map(strip_of, others, shares[len(voices) :], repeat(voice_presence))
        strips.update(zip(others, made, strict=True))

    gains, warnings = _gains(tracks, strips, balance, settings.song_lufs)
    total = _sum(strips, gains, monitor.part(0.9, 1.0))
    shift = _shift_db(Audio(total, rate), settings)
    total *= np.float32(10.0 ** (shift / 20.0))
    monitor.report(1.0)
    return MixResult(
        tracks={name: _mixed(strips[name], gains[name] + shift, rate) for name in tracks},
        mix=Audio(total, rate),
        warnings=tuple(warnings),
    )


def balance_stems(
    stems: Mapping[str, Audio],
    *,
    roles: Mapping[str, str] | None = None,
    settings: MixSettings | None = None,
    monitor: Monitor = SILENT,
) -> MixResult:
    """Mix any stems to the table's balance: roles from `roles` where given, else guessed from their names."""
    given = roles or {}
    tracks = {name: MixTrack(audio, given.get(name) or guess_role(name)) for name, audio in stems.items()}
    return mix(tracks, settings or MixSettings(), monitor)


def _common_rate(tracks: Mapping[str, MixTrack]) -> int:
    if not tracks:
        raise NrxError("request.invalid", "There is nothing to mix: give at least one track.")
    rates = {track.audio.sample_rate for track in tracks.values()}
    if len(rates) > 1:
        listed = ", ".join(f"{rate} Hz" for rate in sorted(rates))
        raise NrxError(
            "input.sample_rate", f"The tracks have different sample rates ({listed}): resample them to one."
        )
    return rates.pop()


def _peak(samples: NDArray[np.float32]) -> float:
    return max(float(samples.max(initial=0.0)), -float(samples.min(initial=0.0)))


def _shift_db(total: Audio, settings: MixSettings) -> float:
    """Return the gain in dB that brings the sum to the level asked for."""
    peak = _peak(total.samples)
    if peak <= 0.0:
        return 0.0
    peak_dbfs = 20.0 * log10(peak)
    if settings.lufs is None:
        return _stepped(settings.peak_dbfs - peak_dbfs)
    loudness = integrated_lufs(total)
    wanted = settings.lufs - loudness if isfinite(loudness) else 0.0
    return _stepped(min(wanted, settings.highest_peak_dbfs - peak_dbfs))


def _stepped(gain_db: float) -> float:
    """Return a gain on the grid that faders and manifests are written in."""
    return round(round(gain_db / GAIN_STEP_DB) * GAIN_STEP_DB, 6)


def _gains(
    tracks: Mapping[str, MixTrack],
    strips: Mapping[str, Strip],
    balance: Mapping[str, float],
    song_lufs: float | None,
) -> tuple[dict[str, float], list[str]]:
    """Return each track's gain in dB before the whole is scaled, and sentences about bounds that were met."""
    heard = {name: strip.loudness_lufs for name, strip in strips.items() if isfinite(strip.loudness_lufs)}
    voices = [10.0 ** (heard[name] / 10.0) for name in heard if tracks[name].role == VOICE]
    voice_lufs = 10.0 * log10(sum(voices)) if voices else -inf
    reference = voice_lufs if voices else NOMINAL_LUFS
    if voices and song_lufs is not None and isfinite(song_lufs):
        reference = max(voice_lufs, song_lufs - VOICE_BELOW_SONG_LU)
    alike = {
        role: sum(tracks[name].role == role for name in heard) for role in {t.role for t in tracks.values()}
    }
    gains: dict[str, float] = {}
    warnings: list[str] = []
    for name, track in tracks.items():
        if name not in heard:
            gains[name] = 0.0
            warnings.append(f"Track '{name}' is silent, and was left as it is.")
            continue
        target = reference + balance_of(track.role, balance) - 10.0 * log10(alike[track.role])
        wanted = target - heard[name]
        if track.role == VOICE:
            wanted = balance_of(VOICE, balance)
        by_peak = reference + MAX_CREST_DB - 20.0 * log10(strips[name].peak)
        bound = min(MAX_GAIN_DB, by_peak) if track.role != VOICE else wanted
        if wanted > bound:
            warnings.append(
                f"Track '{name}' is {wanted - bound:.1f} LU under its place in the balance: "
                f"it is too sparse or too quiet to be raised by {wanted:.1f} dB."
            )
        gains[name] = _stepped(min(wanted, bound) + track.level_db)
    return gains, warnings


def _sum(strips: Mapping[str, Strip], gains: Mapping[str, float], monitor: Monitor) -> NDArray[np.float32]:
    """Return the stereo sum of the strips at their gains, as long as the longest."""
    total = np.zeros((2, max(strip.samples.shape[1] for strip in strips.values())), dtype=np.float32)
    for index, (name, strip) in enumerate(strips.items()):
        gain = np.float32(10.0 ** (gains[name] / 20.0))
        step = int(BLOCK_S * strip.meter.sample_rate)
        for start in range(0, strip.samples.shape[1], step):
            block = strip.samples[:, start : start + step]
            total[:, start : start + block.shape[1]] += block * gain
        monitor.report((index + 1) / len(strips))
    return total


def _mixed(strip: Strip, gain_db: float, rate: int) -> MixedTrack:
    """Put a strip on a fader: what the fader cannot hold, or exceeds full scale, goes into the audio."""
    printed_db = max(0.0, gain_db - MAX_FADER_DB)
    if strip.peak > 0.0 and 20.0 * log10(strip.peak) + printed_db > 0.0:
        printed_db = floor(-20.0 * log10(strip.peak) / GAIN_STEP_DB) * GAIN_STEP_DB
    printed_db = round(printed_db, 2)
    if printed_db:
        strip.samples *= np.float32(10.0 ** (printed_db / 20.0))
    return MixedTrack(
        audio=Audio(strip.samples, rate),
        gain_db=round(gain_db - printed_db, 2),
        pan=0.0,
        loudness_lufs=strip.loudness_lufs + gain_db,
        ducked_db=strip.ducked_db,
    )


def _stronger(one: NDArray[np.float64] | None, other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the larger of two presences, as long as the longer."""
    if one is None:
        return other
    longer, shorter = (one, other) if len(one) >= len(other) else (other, one)
    combined = longer.copy()
    np.maximum(combined[: len(shorter)], shorter, out=combined[: len(shorter)])
    return combined
