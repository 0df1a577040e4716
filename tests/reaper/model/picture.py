"""Paints a recorded frame with Pillow: what a user would see, for the documents."""

from typing import TYPE_CHECKING

from tests.reaper.model.gfx import Draw, Window, font_of, text_origin

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

Colour = tuple[int, int, int, int]
SIGNS: dict[str, list[tuple[float, float]]] = {
    "▾": [(0.0, 0.35), (0.55, 0.35), (0.275, 0.65)],
    "▴": [(0.0, 0.65), (0.55, 0.65), (0.275, 0.35)],
    "▸": [(0.1, 0.25), (0.1, 0.8), (0.45, 0.525)],
    "✓": [(0.0, 0.5), (0.1, 0.42), (0.22, 0.58), (0.5, 0.2), (0.58, 0.28), (0.22, 0.75)],
}
"""Signs that the font of the pictures has not, as corners in units of the font's height."""


def paint(window: Window, scale: int = 2) -> "Image.Image":
    """Return the last frame of a window as an image, `scale` pixels for each of the window's."""
    from PIL import Image

    picture = Image.new("RGBA", (window.width * scale, window.height * scale), (0, 0, 0, 255))
    for draw in window.shown:
        if draw.dest != -1:
            continue
        layer = Image.new("RGBA", picture.size, (0, 0, 0, 0))
        _put(layer, draw, scale)
        picture = Image.alpha_composite(picture, layer)
    return picture.convert("RGB")


def _put(layer: "Image.Image", draw: Draw, scale: int) -> None:
    from PIL import ImageDraw

    pen = ImageDraw.Draw(layer)
    colour: Colour = tuple(round(255 * min(1.0, max(0.0, part))) for part in draw.colour)  # type: ignore[assignment]
    if draw.text:
        _text(pen, draw, colour, scale)
        return
    numbers = [float(value) for value in draw.arguments]
    painter = SHAPES.get(draw.name)
    if painter is not None:
        painter(pen, draw, numbers, colour, scale)


def _text(pen: "ImageDraw.ImageDraw", draw: Draw, colour: Colour, scale: int) -> None:
    x, y = text_origin(draw)
    if draw.text in SIGNS:
        corners = [
            ((x + draw.font_px * a) * scale, (y + draw.font_px * b) * scale) for a, b in SIGNS[draw.text]
        ]
        pen.polygon(corners, fill=colour)
        return
    font = font_of(draw.font_px * scale)
    pen.text(
        (x * scale, y * scale),
        draw.text,
        fill=colour,
        font=font,
        stroke_width=0.4 * scale if draw.bold else 0,
    )


def _rect(pen: "ImageDraw.ImageDraw", _draw: Draw, at: list[float], colour: Colour, scale: int) -> None:
    x, y, width, height = (value * scale for value in at[:4])
    if width < 1 or height < 1:
        return
    filled = len(at) < 5 or at[4] != 0
    box = (x, y, x + width - 1, y + height - 1)
    pen.rectangle(box, fill=colour if filled else None, outline=None if filled else colour, width=scale)


def _rectto(pen: "ImageDraw.ImageDraw", draw: Draw, at: list[float], colour: Colour, scale: int) -> None:
    _rect(pen, draw, [draw.x, draw.y, at[0] - draw.x, at[1] - draw.y], colour, scale)


def _roundrect(pen: "ImageDraw.ImageDraw", _draw: Draw, at: list[float], colour: Colour, scale: int) -> None:
    x, y, width, height, radius = (value * scale for value in at[:5])
    pen.rounded_rectangle((x, y, x + width, y + height), radius, outline=colour, width=scale)


def _line(pen: "ImageDraw.ImageDraw", _draw: Draw, at: list[float], colour: Colour, scale: int) -> None:
    pen.line([value * scale for value in at[:4]], fill=colour, width=scale)


def _lineto(pen: "ImageDraw.ImageDraw", draw: Draw, at: list[float], colour: Colour, scale: int) -> None:
    _line(pen, draw, [draw.x, draw.y, at[0], at[1]], colour, scale)


def _circle(pen: "ImageDraw.ImageDraw", _draw: Draw, at: list[float], colour: Colour, scale: int) -> None:
    x, y, radius = (value * scale for value in at[:3])
    filled = len(at) > 3 and at[3] != 0
    box = (x - radius, y - radius, x + radius, y + radius)
    pen.ellipse(box, fill=colour if filled else None, outline=None if filled else colour, width=scale)


def _arc(pen: "ImageDraw.ImageDraw", _draw: Draw, at: list[float], colour: Colour, scale: int) -> None:
    x, y, radius = (value * scale for value in at[:3])
    box = (x - radius, y - radius, x + radius, y + radius)
    degrees = 57.29577951308232
    # gfx counts angles from the top, Pillow from the right, both clockwise
    pen.arc(box, at[3] * degrees - 90, at[4] * degrees - 90, fill=colour, width=scale)


def _triangle(pen: "ImageDraw.ImageDraw", _draw: Draw, at: list[float], colour: Colour, scale: int) -> None:
    even = len(at) - len(at) % 2
    pen.polygon([value * scale for value in at[:even]], fill=colour)


def _gradrect(pen: "ImageDraw.ImageDraw", _draw: Draw, at: list[float], _colour: Colour, scale: int) -> None:
    x, y, width, height = at[:4]
    rows = at[12:16] if len(at) >= 16 else [0.0] * 4
    for row in range(int(height)):
        parts = [round(255 * min(1.0, max(0.0, at[4 + i] + rows[i] * row))) for i in range(4)]
        box = (x * scale, (y + row) * scale, (x + width) * scale - 1, (y + row + 1) * scale - 1)
        pen.rectangle(box, fill=(parts[0], parts[1], parts[2], parts[3]))


SHAPES = {
    "rect": _rect,
    "rectto": _rectto,
    "roundrect": _roundrect,
    "line": _line,
    "lineto": _lineto,
    "circle": _circle,
    "arc": _arc,
    "triangle": _triangle,
    "gradrect": _gradrect,
}
"""What is painted; the rest (blits, blurs, single pixels) leaves a picture as it is."""
