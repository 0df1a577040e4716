"""A master, and what was measured of a file, as plain data: what `report.json` holds and every renderer reads.

Numbers are rounded for people; silence is None. Curves have at most `CURVE_POINTS` points, from which a picture can be
drawn. The layout is versioned by `SCHEMA`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.loudness.figures import Figures
from engine.loudness.meter import HOPS_PER_S, SHORT_TERM_HOPS, lufs, sliding_means
from engine.loudness.spectrum import THIRD_OCTAVES_HZ
from engine.mastering.codec_preview import Preview
from engine.mastering.whole import MadeMaster
from engine.mastering.wishes import BANDS, MasterWishes

SCHEMA = 1
CURVE_POINTS = 600
SCATTER_LEVELS = 9

Plain = dict[str, Any]


def rounded(value: float, digits: int = 2) -> float | None:
    """Return a number for people; None for what is infinite or not a number."""
    return round(float(value), digits) + 0.0 if isfinite(value) else None


def describe_figures(measured: Figures) -> Plain:
    """Return everything measured of a sound; the spectrum as nominal third octave -> level in dB."""
    return {
        "duration_s": rounded(measured.duration_s, 3),
        "sample_rate": measured.sample_rate,
        "integrated_lufs": rounded(measured.integrated_lufs),
        "momentary_max_lufs": rounded(measured.momentary_max_lufs),
        "short_term_max_lufs": rounded(measured.short_term_max_lufs),
        "lra_lu": rounded(measured.lra_lu),
        "true_peak_dbtp": rounded(measured.true_peak_dbtp),
        "true_peak_8x_dbtp": rounded(measured.true_peak_8x_dbtp),
        "sample_peak_dbfs": rounded(measured.sample_peak_dbfs),
        "plr_lu": rounded(measured.plr_lu),
        "width_pct": rounded(measured.stereo.width_pct, 1),
        "correlation": rounded(measured.stereo.correlation, 3),
        "balance_db": rounded(measured.stereo.balance_db),
        "spectrum_db": {
            f"{centre:g}": rounded(level, 1)
            for centre, level in zip(THIRD_OCTAVES_HZ, measured.spectrum.level_db(), strict=True)
        },
    }


def describe_master(made: MadeMaster, wishes: MasterWishes, name: str) -> Plain:
    """Return a master's report: targets, figures before and after, what was done, checks, reasons, curves."""
    report, compression = made.report, made.decisions.compression
    return {
        "schema": SCHEMA,
        "name": name,
        "bits": wishes.bits,
        "target": {
            "lufs": rounded(made.decisions.lufs),
            "aimed_lufs": rounded(report.aimed_lufs),
            "ceiling_dbtp": min(wishes.ceiling_dbtp, -1.0),
            "width_pct": wishes.width_pct,
            "lra_max": rounded(made.decisions.lra_max) if made.decisions.lra_max is not None else None,
            "plr_min": wishes.plr_min,
        },
        "before": describe_figures(made.before),
        "after": describe_figures(made.after),
        "level_match_db": rounded(made.level_match_db),
        "done": {
            "eq_db": {
                f"{centre:g}": rounded(gain)
                for centre, gain in zip(THIRD_OCTAVES_HZ, made.decisions.chain.eq_db, strict=True)
            },
            "side_pct": {
                band: rounded(100.0 * gain, 1)
                for band, gain in zip(BANDS, made.decisions.image.side_gain, strict=True)
            },
            "right_turned_over": made.decisions.image.flip_right,
            "band_reduction_average_db": {
                band: rounded(float(average))
                for band, average in zip(
                    BANDS, compression.average_db if compression is not None else np.zeros(4), strict=True
                )
            },
            "gain_db": rounded(report.gain_db),
            "glue_average_db": rounded(report.glue_average_db),
            "riding_db": [rounded(value) for value in report.riding_db],
            "saturation_max_db": rounded(report.max_saturation_db),
            "limiter_average_db": rounded(report.average_reduction_db),
            "limiter_max_db": rounded(report.max_reduction_db),
        },
        "guardrails": [
            {
                "id": item.id,
                "what": item.what,
                "value": rounded(item.value, 3),
                "limit": rounded(item.limit, 3),
                "unit": item.unit,
                "passed": item.passed,
                "why": item.why,
            }
            for item in made.checks
        ],
        "retries": made.retries,
        "reasons": list(made.reasons),
        "warnings": list(made.warnings),
        "curves": _curves(made),
        "stereo": {"before": _scatter(made.before.scatter), "after": _scatter(made.after.scatter)},
        "codec_preview": [],
    }


def describe_preview(previews: Sequence[Preview]) -> list[Plain]:
    """Return what codecs do to a master."""
    return [
        {
            "codec": item.codec,
            "available": item.available,
            "true_peak_dbtp": rounded(item.true_peak_dbtp) if item.available else None,
            "integrated_lufs": rounded(item.integrated_lufs) if item.available else None,
            "over_db": rounded(item.over_db) if item.available else None,
            "said": item.said,
        }
        for item in previews
    ]


def _curves(made: MadeMaster) -> Plain:
    """Return loudness (short-term), limiter and slow gain over time, in steps of `step_s`."""
    compression = made.decisions.compression
    return {
        "duration_s": rounded(made.after.duration_s, 3),
        "loudness_before_lufs": _thinned(_short_term(made.before), highest=False),
        "loudness_after_lufs": _thinned(_short_term(made.after), highest=False),
        "limiter_db": _thinned(made.reduction_db.astype(np.float64), highest=True),
        "slow_gain_db": _thinned(made.slow_gain_db, highest=False),
        "band_gain_db": {
            band: _thinned(compression.gain_db[index].astype(np.float64), highest=False)
            for index, band in enumerate(BANDS)
            if compression is not None and compression.average_db[index] > 0.0
        },
    }


def _short_term(measured: Figures) -> NDArray[np.float64]:
    """Return the loudness of the 3 s around every 100 ms, cut off at the ends; silence is -70."""
    energies = measured.hop_energies
    if len(energies) <= SHORT_TERM_HOPS:
        return np.zeros(0)
    half = SHORT_TERM_HOPS // 2
    padded = np.pad(energies, (half, SHORT_TERM_HOPS - half - 1), mode="reflect")
    means = sliding_means(padded, SHORT_TERM_HOPS, measured.sample_rate)[:: HOPS_PER_S // 10]
    return np.maximum(lufs(means), -70.0)


def _thinned(values: NDArray[np.float64], *, highest: bool) -> list[float | None]:
    """Return at most `CURVE_POINTS` values: the highest or the mean of what lies around each."""
    if not len(values):
        return []
    count = min(CURVE_POINTS, len(values))
    edges = (np.arange(count) * len(values)) // count
    if highest:
        kept = np.maximum.reduceat(values, edges)
    else:
        kept = np.add.reduceat(values, edges) / np.diff(np.append(edges, len(values)))
    return [rounded(value) for value in kept]


def _scatter(shares: NDArray[np.float64]) -> list[str]:
    """Return a picture of the stereo field: rows of digits 0 to 9, the logarithm of how often a cell is met."""
    if not shares.any():
        return []
    level = 1.0 + SCATTER_LEVELS * (1.0 + np.log10(np.maximum(shares / shares.max(), 1e-9)) / 4.0)
    digits = np.clip(np.where(shares > 0.0, level, 0.0), 0, SCATTER_LEVELS).astype(int)
    return ["".join(map(str, row)) for row in digits[::-1]]
