"""The icon of the remix action for a toolbar of REAPER, as its `Data/toolbar_icons` has them.

30 x 30 pixels in three states side by side: at rest, under the mouse, on.
"""

from io import BytesIO

ICON = "toolbar_nrx_remix.png"
SIDE = 30
INKS = ((190, 190, 195), (235, 235, 240), (77, 158, 242))
BARS = (5, 9, 16, 11, 20, 7, 13)
"""Heights of a waveform's bars, in pixels."""


def icon_png() -> bytes:
    """Return the picture as PNG."""
    from PIL import Image, ImageDraw

    image = Image.new("RGBA", (SIDE * len(INKS), SIDE), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    for state, ink in enumerate(INKS):
        for index, height in enumerate(BARS):
            left = state * SIDE + 2 + 4 * index
            top = (SIDE - height) // 2
            draw.rectangle((left, top, left + 1, top + height - 1), fill=(*ink, 255))
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
