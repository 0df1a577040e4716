"""Waveforms as pixels: peaks pale, RMS bright, edges anti-aliased by how much of each pixel they cover."""

import numpy as np
from numpy.typing import NDArray

from engine.audio.envelopes import Envelope

Colour = tuple[int, int, int]
Canvas = NDArray[np.float32]

CURVE = 0.6
"""Drawn height is amplitude to this power: 10 dB less is half as high, and 40 dB less can still be seen."""

_PADDING = 4
_PALE, _BRIGHT = 0.50, 0.95
_DIM_PALE, _DIM_BRIGHT = 0.20, 0.36
_SILENCE_PIXELS = 0.05


def blend(
    canvas: Canvas, rows: slice, columns: slice, colour: Colour, strength: NDArray[np.floating] | float
) -> None:
    """Mix a colour into a rectangle; `strength` is 0 to 1, one value or one for each pixel."""
    region = canvas[rows, columns]
    amount = np.asarray(strength, np.float32)
    if amount.ndim == 2:
        amount = amount[:, :, None]
    region += (np.array(colour, np.float32) - region) * amount


def peak(envelope: Envelope) -> float:
    """Return the largest absolute value."""
    return float(max(-envelope.lowest.min(initial=0.0), envelope.highest.max(initial=0.0)))


def paint_waveform(
    canvas: Canvas,
    envelope: Envelope,
    colour: Colour,
    *,
    top: int,
    height: int,
    left: int,
    right: int,
    full_scale: float,
    dim: bool = False,
) -> None:
    """Paint a waveform into a rectangle of the canvas; nothing is painted where there is no sound.

    Args:
        canvas: float32 of shape (height, width, 3), changed in place.
        envelope: what to paint.
        colour: of the peaks; the RMS is painted lighter.
        top: first row of the rectangle.
        height: its rows.
        left: first column.
        right: the column after the last.
        full_scale: the amplitude that fills the height.
        dim: paint it as a muted track.
    """
    if full_scale <= 0 or right <= left or envelope.columns == 0:
        return
    lowest, highest, rms = _to_pixels(envelope, right - left)
    half = height / 2 - _PADDING
    above, below, body = (
        (np.minimum((np.maximum(values, 0) / full_scale) ** CURVE, 1.0) * half).astype(np.float32)
        for values in (highest, -lowest, rms)
    )
    middle = top + height / 2
    y = np.arange(top, top + height, dtype=np.float32)[:, None]
    sounding = above + below > _SILENCE_PIXELS
    peaks = _coverage(y, middle - np.maximum(above, 0.5), middle + np.maximum(below, 0.5)) * sounding
    core = _coverage(y, middle - np.minimum(body, above), middle + np.minimum(body, below)) * sounding
    rows, columns = slice(top, top + height), slice(left, right)
    blend(canvas, rows, columns, colour, peaks * (_DIM_PALE if dim else _PALE))
    blend(canvas, rows, columns, _lighter(colour), core * (_DIM_BRIGHT if dim else _BRIGHT))


def _to_pixels(
    envelope: Envelope, pixels: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return lowest, highest and RMS for each pixel column."""
    starts = (np.arange(pixels) * envelope.columns) // pixels
    counts = np.maximum(1, np.diff(np.append(starts, envelope.columns)))
    power = np.add.reduceat(envelope.rms.astype(np.float64) ** 2, starts) / counts
    return (
        np.minimum.reduceat(envelope.lowest, starts),
        np.maximum.reduceat(envelope.highest, starts),
        np.sqrt(power).astype(np.float32),
    )


def _coverage(
    y: NDArray[np.floating], top: NDArray[np.floating], bottom: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Return how much of each pixel lies between `top` and `bottom`, shape (rows, columns)."""
    inside: NDArray[np.floating] = np.minimum(bottom, y + 1)
    inside -= np.maximum(top, y)
    np.clip(inside, 0, 1, out=inside)
    return inside


def parse_colour(text: str) -> Colour:
    """Return the colour written "#rrggbb"."""
    digits = text.removeprefix("#")
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def _lighter(colour: Colour) -> Colour:
    red, green, blue = (round(value + (255 - value) * 0.25) for value in colour)
    return red, green, blue
