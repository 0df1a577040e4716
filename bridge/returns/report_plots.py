"""The pictures of a report as inline SVG: lines over time or frequency, and the stereo field.

Colours are CSS classes of the page, so that a picture is light or dark with it. Coordinates are in a box of `WIDTH` by
`HEIGHT`; numbers are rounded to a tenth of a unit to keep the page small. None in a series is a gap.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from math import log10

WIDTH, HEIGHT = 720.0, 220.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 10.0, 10.0, 26.0
MOST_POINTS = 240
"""Of a line over time: more would be a smear."""

Series = Sequence[float | None]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """A series with its name in the legend and its CSS class (`before`, `after`, `one` to `four`)."""

    name: str
    style: str
    values: Series


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis: its ends, where its marks are, and what they say."""

    low: float
    high: float
    marks: tuple[tuple[float, str], ...]
    unit: str


def plot(title: str, lines: Sequence[Line], across: Axis, up: Axis, positions: Sequence[float]) -> str:
    """Return a plot with legend; `positions` are where on `across` the values of every line lie."""
    drawn = [line for line in lines if any(value is not None for value in line.values)]
    if not drawn:
        return ""
    x = _scale(across, LEFT, WIDTH - RIGHT)
    y = _scale(up, HEIGHT - BOTTOM, TOP)
    parts = [_grid(across, up, x, y)]
    for line in drawn:
        values = line.values if len(line.values) == len(positions) else thinned(line.values)
        points = [
            (x(position), y(min(up.high, max(up.low, value)))) if value is not None else None
            for position, value in zip(_spread(positions, len(values)), values, strict=True)
        ]
        parts.append(f'<path class="line {line.style}" d="{_path(points)}"/>')
    legend = " ".join(f'<span class="key {line.style}">{escape(line.name)}</span>' for line in drawn)
    return (
        f"<figure><figcaption>{escape(title)} <small>{escape(up.unit)}</small> {legend}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
        "</figure>"
    )


def thinned(values: Series) -> Series:
    """Return at most `MOST_POINTS` values: means of even stretches, gaps where all of a stretch is missing."""
    step = -(-len(values) // MOST_POINTS)
    if step <= 1:
        return values
    stretches = [values[start : start + step] for start in range(0, len(values), step)]
    known = [[value for value in stretch if value is not None] for stretch in stretches]
    return [sum(stretch) / len(stretch) if stretch else None for stretch in known]


def field(title: str, rows: Sequence[str], style: str) -> str:
    """Return a picture of the stereo field from rows of digits: left to right across, mid upwards."""
    if not rows:
        return ""
    size = len(rows)
    cells = [
        f'<rect class="{style}" x="{column}" y="{row}" width="1.02" height="1.02" '
        f'fill-opacity="{int(digit) / 9:.2f}"/>'
        for row, line in enumerate(rows)
        for column, digit in enumerate(line)
        if digit != "0"
    ]
    half = size / 2.0
    cross = (
        f'<path class="grid" d="M{half:g} 0V{size}M0 {half:g}H{size}M0 0L{size} {size}M{size} 0L0 {size}"/>'
    )
    return (
        f"<figure class='field'><figcaption>{escape(title)}</figcaption>"
        f'<svg viewBox="0 0 {size} {size}" role="img" aria-label="{escape(title)}">{cross}{"".join(cells)}'
        f'<text class="mark" x="0.5" y="2.5">L</text><text class="mark" x="{size - 2}" y="2.5">R</text></svg></figure>'
    )


def time_axis(duration_s: float) -> Axis:
    """Return an axis in minutes and seconds with at most eight marks."""
    steps = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
    step = next((step for step in steps if duration_s / step <= 8.0), 3600.0)
    marks = tuple(
        (index * step, f"{int(index * step) // 60}:{int(index * step) % 60:02d}")
        for index in range(int(duration_s / step) + 1)
    )
    return Axis(0.0, max(duration_s, 0.1), marks, "")


def frequency_axis() -> Axis:
    """Return a logarithmic axis from 20 Hz to 20 kHz; positions on it are logarithms to base ten."""
    marks = ((50.0, "50"), (100.0, "100"), (200.0, "200"), (500.0, "500"), (1000.0, "1k"), (2000.0, "2k"),
             (5000.0, "5k"), (10000.0, "10k"), (20000.0, "20k"))  # fmt: skip
    return Axis(log10(22.0), log10(22_000.0), tuple((log10(at), said) for at, said in marks), "Hz")


def level_axis(values: Sequence[float], unit: str, *, least_span: float = 12.0, step: float = 6.0) -> Axis:
    """Return an axis that holds `values`, with marks every `step` or a multiple of it."""
    low, high = (min(values), max(values)) if values else (0.0, 0.0)
    low = min(low, high - least_span)
    while (high - low) / step > 8.0:
        step *= 2.0
    first, last = int(low // step), int(-(-high // step))
    marks = tuple((index * step, f"{index * step:g}") for index in range(first, last + 1))
    return Axis(first * step, max(last, first + 1) * step, marks, unit)


def _spread(positions: Sequence[float], count: int) -> Sequence[float]:
    """Return one position for each value: as given, or `count` spread evenly over the first and last given."""
    if len(positions) == count:
        return positions
    low, high = positions[0], positions[-1]
    return [low + (high - low) * (index + 0.5) / count for index in range(count)]


def _scale(axis: Axis, start: float, end: float) -> Callable[[float], float]:
    span = axis.high - axis.low or 1.0
    return lambda value: start + (end - start) * (value - axis.low) / span


def _path(points: Sequence[Point | None]) -> str:
    words, pen = [], "M"
    for point in points:
        if point is None:
            pen = "M"
            continue
        words.append(f"{pen}{point[0]:.1f} {point[1]:.1f}")
        pen = "L"
    return "".join(words)


def _grid(across: Axis, up: Axis, x: Callable[[float], float], y: Callable[[float], float]) -> str:
    parts = []
    for at, said in across.marks:
        parts.append(f'<path class="grid" d="M{x(at):.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
        parts.append(
            f'<text class="mark" x="{x(at):.1f}" y="{HEIGHT - 8}" text-anchor="middle">{escape(said)}</text>'
        )
    for at, said in up.marks:
        parts.append(f'<path class="grid" d="M{LEFT} {y(at):.1f}H{WIDTH - RIGHT}"/>')
        parts.append(
            f'<text class="mark" x="{LEFT - 5}" y="{y(at) + 4:.1f}" text-anchor="end">{escape(said)}</text>'
        )
    return "".join(parts)
