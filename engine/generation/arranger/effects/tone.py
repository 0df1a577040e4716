"""Level and equalisation."""

from engine.generation.arranger.effects.context import Context, Process
from engine.generation.arranger.effects.streaming import (
    Gain,
    Series,
    Sos,
    SosFilter,
    bell,
    butterworth,
    shelf,
)


def _filter(sos: Sos | None) -> Process:
    return Series() if sos is None else SosFilter(sos)


def gain(_context: Context, *, gain_db: float) -> Process:
    """Multiply by a constant."""
    return Gain(10 ** (gain_db / 20))


def low_pass(context: Context, *, cutoff_hz: float, slope_db: int) -> Process:
    """Butterworth low-pass."""
    return _filter(butterworth("lowpass", cutoff_hz, slope_db, context.sample_rate))


def high_pass(context: Context, *, cutoff_hz: float, slope_db: int) -> Process:
    """Butterworth high-pass."""
    return _filter(butterworth("highpass", cutoff_hz, slope_db, context.sample_rate))


def peak(context: Context, *, frequency_hz: float, gain_db: float, q: float) -> Process:
    """Bell equaliser."""
    return _filter(bell(frequency_hz, gain_db, q, context.sample_rate))


def low_shelf(context: Context, *, frequency_hz: float, gain_db: float) -> Process:
    """Low shelf."""
    return _filter(shelf("low", frequency_hz, gain_db, context.sample_rate))


def high_shelf(context: Context, *, frequency_hz: float, gain_db: float) -> Process:
    """High shelf."""
    return _filter(shelf("high", frequency_hz, gain_db, context.sample_rate))
