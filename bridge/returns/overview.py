"""`overview.png`: all tracks of a return on one time axis, readable at a glance.

From top to bottom: title; the form as coloured bands (the stronger the colour, the higher the section's
energy); the chords, each root in its own hue, neighbours on the circle of fifths alike; bar numbers; one row
for each track; minutes and seconds. Waveforms show peaks (pale) and RMS (bright). All tracks that sound share
one scale, so that loud and quiet can be compared, and all muted ones, which are dim, share another. Labels
that find no room are left out.
"""

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bridge.returns.chord_names import chord_colour, chord_name, merged_chords
from bridge.returns.lettering import fitted, lettering, width
from bridge.returns.waveforms import Canvas, Colour, blend, paint_waveform, parse_colour, peak
from engine.analysis.model import Chord, Section
from engine.audio.envelopes import Envelope, envelope
from engine.thrift import at_a_time

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["OverviewTrack", "draw_overview", "envelope"]

THREADS = 2
WIDTH = 1800
MARGIN = 32
LABELS_WIDTH = 216
HEADER_HEIGHT = 92
SECTIONS_HEIGHT, BARS_HEIGHT, TIMES_HEIGHT, GAP = 34, 26, 40, 6
MIN_ROW_HEIGHT, MAX_ROW_HEIGHT, ROWS_HEIGHT = 58, 112, 1120

BACKGROUND: Colour = (15, 17, 23)
ROW: Colour = (22, 25, 33)
GRID: Colour = (58, 64, 80)
TEXT: Colour = (236, 239, 245)
SOFT_TEXT: Colour = (148, 157, 176)
SECTION_COLOURS: tuple[Colour, ...] = (
    (92, 148, 255),
    (255, 140, 92),
    (112, 204, 140),
    (214, 122, 228),
    (240, 200, 84),
    (84, 200, 214),
    (240, 110, 140),
    (150, 140, 240),
)
"""Colours of the section labels in the order in which they come."""

_TIME_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200)


@dataclass(frozen=True, slots=True)
class OverviewTrack:
    """A track in the picture. `colour` is "#rrggbb"; `start_s` is where its audio starts on the time axis."""

    name: str
    role: str
    colour: str
    envelope: Envelope
    start_s: float = 0.0
    loudness_lufs: float | None = None
    muted: bool = False


def draw_overview(
    path: Path | None,
    tracks: Sequence[OverviewTrack],
    *,
    bars_s: Sequence[float],
    beats_per_bar: int = 4,
    chords: Sequence[Chord] = (),
    sections: Sequence[Section] = (),
    title: str = "",
    subtitle: str = "",
    duration_s: float | None = None,
) -> bytes:
    """Draw the picture and return it as PNG; write it to `path` if one is given.

    Args:
        path: file to write, or None.
        tracks: from top to bottom.
        bars_s: start of each bar in seconds, ascending; the first that is not negative is bar 1.
        beats_per_bar: beats are drawn where there is room for them.
        chords: in Harte's syntax, in seconds on the same axis.
        sections: the form, in seconds on the same axis.
        title: first line.
        subtitle: second line.
        duration_s: length of the axis; by default up to the end of the last track.
    """
    from PIL import Image

    end_s = max((track.start_s + track.envelope.duration_s for track in tracks), default=0.0)
    axis = _Axis(max(duration_s or end_s, 1e-3), MARGIN + LABELS_WIDTH, WIDTH - MARGIN)
    row_height = int(np.clip(ROWS_HEIGHT // max(1, len(tracks)), MIN_ROW_HEIGHT, MAX_ROW_HEIGHT))
    chords = merged_chords(chords)
    manner = _chord_manner(chords, axis)
    layout = _Layout(row_height, len(tracks), bool(sections), manner.height)
    canvas = np.empty((layout.height, WIDTH, 3), np.float32)
    canvas[:] = BACKGROUND
    _paint_rows(canvas, layout, axis)
    section_colours = _section_colours(sections)
    for section in sections:
        _tint(
            canvas, layout.rows_top, layout.rows_bottom, axis, section, section_colours[section.label], 0.055
        )
    _paint_grid(canvas, layout, axis, bars_s, beats_per_bar)
    full_scales = {
        muted: max((peak(track.envelope) for track in tracks if track.muted is muted), default=0.0)
        for muted in (False, True)
    }

    def paint(index: int) -> None:
        track = tracks[index]
        paint_waveform(
            canvas,
            track.envelope,
            parse_colour(track.colour),
            top=layout.row_top(index),
            height=row_height,
            left=round(axis.x(track.start_s)),
            right=round(axis.x(track.start_s + track.envelope.duration_s)),
            full_scale=full_scales[track.muted],
            dim=track.muted,
        )

    # A row of the picture each; numpy leaves the interpreter to others.
    with ThreadPoolExecutor(at_a_time(THREADS)) as pool:
        list(pool.map(paint, range(len(tracks))))
    _paint_bands(canvas, layout, axis, sections, section_colours, chords)
    canvas += 0.5
    image = Image.fromarray(np.clip(canvas, 0, 255, out=canvas).astype(np.uint8), "RGB")
    pen = _Pen(image)
    _write_header(pen, title, subtitle)
    _write_sections(pen, layout, axis, sections)
    _write_chords(pen, layout, axis, chords, manner)
    _write_bar_numbers(pen, layout, axis, bars_s)
    _write_times(pen, layout, axis)
    for index, track in enumerate(tracks):
        _write_track(pen, layout.row_top(index), row_height, track)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=4)
    data = buffer.getvalue()
    if path is not None:
        path.write_bytes(data)
    return data


@dataclass(frozen=True, slots=True)
class _Axis:
    """Seconds to pixels."""

    duration_s: float
    left: int
    right: int

    def x(self, seconds: float) -> float:
        """Return the pixel position of a time, within the axis."""
        share = min(1.0, max(0.0, seconds / self.duration_s))
        return self.left + share * (self.right - self.left)

    @property
    def pixels_per_s(self) -> float:
        """Pixels per second."""
        return (self.right - self.left) / self.duration_s


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the picture's parts stand, in pixels from the top."""

    row_height: int
    rows: int
    has_sections: bool
    chords_height: int

    @property
    def sections_top(self) -> int:
        return HEADER_HEIGHT + MARGIN // 2

    @property
    def chords_top(self) -> int:
        return self.sections_top + (SECTIONS_HEIGHT + GAP if self.has_sections else 0)

    @property
    def bars_top(self) -> int:
        return self.chords_top + (self.chords_height + GAP if self.chords_height else 0)

    @property
    def rows_top(self) -> int:
        return self.bars_top + BARS_HEIGHT

    def row_top(self, index: int) -> int:
        return self.rows_top + index * (self.row_height + GAP)

    @property
    def rows_bottom(self) -> int:
        return self.rows_top + max(1, self.rows * (self.row_height + GAP) - GAP)

    @property
    def height(self) -> int:
        return self.rows_bottom + TIMES_HEIGHT + MARGIN // 2


def _paint_rows(canvas: Canvas, layout: _Layout, axis: _Axis) -> None:
    for index in range(layout.rows):
        top = layout.row_top(index)
        blend(canvas, slice(top, top + layout.row_height), slice(MARGIN, axis.right), ROW, 1.0)


def _tint(
    canvas: Canvas, top: int, bottom: int, axis: _Axis, span: Chord | Section, colour: Colour, strength: float
) -> None:
    left, right = round(axis.x(span.start_s)), round(axis.x(span.end_s))
    blend(canvas, slice(top, bottom), slice(left, max(left + 1, right)), colour, strength)


def _paint_grid(
    canvas: Canvas, layout: _Layout, axis: _Axis, bars_s: Sequence[float], beats_per_bar: int
) -> None:
    """Draw beats, bars and every fourth bar, each only where its lines stand far enough apart."""
    bars = _numbered_bars(bars_s, axis)
    spacing = _median_spacing(bars, axis)
    rows = slice(layout.rows_top, layout.rows_bottom)
    if spacing / max(1, beats_per_bar) >= 12:
        for (_, start_s), (_, end_s) in pairwise(bars):
            for beat in range(1, beats_per_bar):
                x = round(axis.x(start_s + (end_s - start_s) * beat / beats_per_bar))
                blend(canvas, rows, slice(x, x + 1), GRID, 0.28)
    step = _bar_step(spacing)
    for number, start_s in bars:
        is_strong = (number - 1) % step == 0
        if is_strong or spacing >= 8:
            x = round(axis.x(start_s))
            blend(canvas, rows, slice(x, x + 1), GRID, 0.95 if is_strong else 0.45)


def _numbered_bars(bars_s: Sequence[float], axis: _Axis) -> list[tuple[int, float]]:
    starts = [start_s for start_s in bars_s if -1e-6 <= start_s <= axis.duration_s]
    return list(enumerate(starts, start=1))


def _median_spacing(bars: Sequence[tuple[int, float]], axis: _Axis) -> float:
    starts = [start_s for _, start_s in bars]
    return float(np.median(np.diff(starts))) * axis.pixels_per_s if len(starts) > 1 else float(axis.right)


def _bar_step(spacing: float) -> int:
    """Return every how many bars a number finds room."""
    return next((step for step in (1, 2, 4, 8, 16, 32, 64, 128) if step * spacing >= 46), 256)


def _paint_bands(
    canvas: Canvas,
    layout: _Layout,
    axis: _Axis,
    sections: Sequence[Section],
    section_colours: dict[str, Colour],
    chords: Sequence[Chord],
) -> None:
    bottom = layout.sections_top + SECTIONS_HEIGHT
    for section in sections:
        strength = 0.30 + 0.50 * min(1.0, max(0.0, section.energy))
        _tint(canvas, layout.sections_top, bottom, axis, section, section_colours[section.label], strength)
        _separate(canvas, layout.sections_top, bottom, axis, section)
    bottom = layout.chords_top + layout.chords_height
    for chord in chords:
        colour = chord_colour(chord.label)
        if colour is not None:
            _tint(canvas, layout.chords_top, bottom, axis, chord, colour, 0.62)
            _separate(canvas, layout.chords_top, bottom, axis, chord)


def _separate(canvas: Canvas, top: int, bottom: int, axis: _Axis, span: Chord | Section) -> None:
    """Cut a thin gap at the start of a band where it is wide enough to spare it."""
    left = round(axis.x(span.start_s))
    if axis.x(span.end_s) - left >= 4:
        blend(canvas, slice(top, bottom), slice(left, left + 1), BACKGROUND, 1.0)


def _section_colours(sections: Sequence[Section]) -> dict[str, Colour]:
    labels = dict.fromkeys(section.label for section in sections)
    return {label: SECTION_COLOURS[index % len(SECTION_COLOURS)] for index, label in enumerate(labels)}


def _dimmed(colour: Colour) -> Colour:
    red, green, blue = (
        round(value * 0.6 + back * 0.4) for value, back in zip(colour, BACKGROUND, strict=True)
    )
    return red, green, blue


class _Pen:
    """Writes text by its middle height."""

    def __init__(self, image: "Image.Image") -> None:
        from PIL import ImageDraw

        self._image = image
        self._draw = ImageDraw.Draw(image)

    def write(self, x: float, middle: float, text: str, size: int, colour: Colour, anchor: str = "l") -> None:
        """Write a text at `x` (its left, middle or right by `anchor` "l", "m" or "r")."""
        shown, face = lettering(text, size)
        self._draw.text((x, middle), shown, fill=colour, font=face, anchor=f"{anchor}m")

    def write_upwards(self, x: float, middle: float, text: str, size: int, colour: Colour) -> None:
        """Write a text from bottom to top around a point."""
        from PIL import Image, ImageDraw

        shown, face = lettering(text, size)
        long, short = round(width(text, size)) + 2, size + 6
        mask = Image.new("L", (long, short))
        ImageDraw.Draw(mask).text((long / 2, short / 2), shown, fill=255, font=face, anchor="mm")
        corner = (round(x - short / 2), round(middle - long / 2))
        self._image.paste(colour, corner, mask.transpose(Image.Transpose.ROTATE_90))

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour, radius: int) -> None:
        """Fill a rectangle with rounded corners."""
        self._draw.rounded_rectangle((left, top, right, bottom), radius, fill=colour)


def _write_header(pen: _Pen, title: str, subtitle: str) -> None:
    pen.write(MARGIN, 40, fitted(title, 34, WIDTH - 2 * MARGIN), 34, TEXT)
    pen.write(MARGIN, 80, fitted(subtitle, 20, WIDTH - 2 * MARGIN), 20, SOFT_TEXT)


def _write_sections(pen: _Pen, layout: _Layout, axis: _Axis, sections: Sequence[Section]) -> None:
    middle = layout.sections_top + SECTIONS_HEIGHT / 2
    if sections:
        pen.write(axis.left - 14, middle, "Form", 17, SOFT_TEXT, "r")
    for section in sections:
        left, right = axis.x(section.start_s), axis.x(section.end_s)
        if width(section.label, 20) + 12 <= right - left:
            pen.write(left + 9, middle, section.label, 20, TEXT)


@dataclass(frozen=True, slots=True)
class _ChordManner:
    """How chord names are written: the band's height, and text sizes to try, largest first."""

    height: int
    upwards: bool = False
    sizes: tuple[int, ...] = ()

    def size(self, name: str, room: float) -> int | None:
        """Return the largest size at which a name has room in a cell that is `room` pixels wide."""
        for size in self.sizes:
            along, across = width(name, size) + 6, size - 1.0
            if (across <= room and along <= self.height) if self.upwards else along <= room:
                return size
        return None


_CHORD_MANNERS = (
    _ChordManner(32, sizes=(18, 16, 14)),
    _ChordManner(62, upwards=True, sizes=(15, 14, 13, 12)),
    _ChordManner(24),
)
_MOST_NAMES = 0.75


def _chord_manner(chords: Sequence[Chord], axis: _Axis) -> _ChordManner:
    """Return the first manner in which most of the names find room: along, upwards, or colours alone."""
    named = [(chord_name(chord.label), axis.x(chord.end_s) - axis.x(chord.start_s)) for chord in chords]
    named = [(name, room) for name, room in named if name]
    if not named:
        return _ChordManner(0)
    for manner in _CHORD_MANNERS[:-1]:
        if sum(manner.size(name, room) is not None for name, room in named) >= _MOST_NAMES * len(named):
            return manner
    return _CHORD_MANNERS[-1]


def _write_chords(
    pen: _Pen, layout: _Layout, axis: _Axis, chords: Sequence[Chord], manner: _ChordManner
) -> None:
    middle = layout.chords_top + layout.chords_height / 2
    if manner.height:
        pen.write(axis.left - 14, middle, "Chords", 17, SOFT_TEXT, "r")
    for chord in chords:
        left, right = axis.x(chord.start_s), axis.x(chord.end_s)
        name = chord_name(chord.label)
        size = manner.size(name, right - left) if name else None
        if size is not None and manner.upwards:
            pen.write_upwards((left + right) / 2, middle, name, size, TEXT)
        elif size is not None:
            pen.write((left + right) / 2, middle, name, size, TEXT, "m")


def _write_bar_numbers(pen: _Pen, layout: _Layout, axis: _Axis, bars_s: Sequence[float]) -> None:
    bars = _numbered_bars(bars_s, axis)
    step = _bar_step(_median_spacing(bars, axis))
    middle = layout.bars_top + BARS_HEIGHT / 2
    if bars:
        pen.write(axis.left - 14, middle, "Bars", 17, SOFT_TEXT, "r")
    free_from = 0.0
    for number, start_s in bars:
        x = axis.x(start_s)
        text = str(number)
        if (number - 1) % step == 0 and x >= free_from and x + width(text, 16) <= axis.right:
            pen.write(x, middle, text, 16, SOFT_TEXT)
            free_from = x + width(text, 16) + 8


def _write_times(pen: _Pen, layout: _Layout, axis: _Axis) -> None:
    step_s = next((step for step in _TIME_STEPS_S if step * axis.pixels_per_s >= 84), 3600)
    middle = layout.rows_bottom + TIMES_HEIGHT / 2
    for seconds in range(0, int(axis.duration_s) + 1, step_s):
        x, text = axis.x(seconds), f"{seconds // 60}:{seconds % 60:02d}"
        if x + width(text, 17) <= axis.right + MARGIN / 2:
            pen.box(x, layout.rows_bottom, x + 1, layout.rows_bottom + 7, GRID, 0)
            pen.write(x, middle, text, 17, SOFT_TEXT)


def _write_track(pen: _Pen, top: int, height: int, track: OverviewTrack) -> None:
    colour, bright, soft = (
        _dimmed(shade) if track.muted else shade for shade in (parse_colour(track.colour), TEXT, SOFT_TEXT)
    )
    pen.box(MARGIN, top, MARGIN + 6, top + height - 1, colour, 3)
    left, right, middle = MARGIN + 20, MARGIN + LABELS_WIDTH - 14, top + height / 2
    loudness = _loudness_text(track)
    role = "" if track.role == track.name.lower() else track.role
    role = ", ".join(filter(None, (role, "muted" if track.muted else "")))
    pen.write(left, middle - 12, fitted(track.name, 21, right - left), 21, bright)
    pen.write(left, middle + 15, fitted(role, 16, right - left - width(loudness, 16) - 10), 16, soft)
    pen.write(right, middle + 15, loudness, 16, soft, "r")


def _loudness_text(track: OverviewTrack) -> str:
    if track.loudness_lufs is None:
        return ""
    return f"{track.loudness_lufs:.1f} LUFS" if track.loudness_lufs > -70 else "silent"
