"""Draws the device's face from its patcher: `python ableton_m4l/draw_face.py PATCHER PICTURE.png`.

Live draws the real one; this shows what stands where, in Live's size doubled, from the same rectangles and texts. What
the script writes on the face while it works (`SAID`) goes where the patcher's cords lead it.
"""

import json
import sys
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

SCALE = 2
HEIGHT = 169
LINE_PX = 12.0
"""Height of a line of Live's small text."""
BACK, FIELD, EDGE, TEXT, ACCENT = "#b8b8b8", "#8f8f8f", "#5a5a5a", "#101010", "#ff9b2f"
SAID: dict[str, Any] = {
    "light": 1,
    "stage": "Playing",
    "percent": 42,
    "left": "25 s",
    "used": "This track's clips, from their files: without effects and automation; fades as last saved.",
}
"""What the face says in the picture: a remix is under way."""


def draw(patcher: dict[str, Any], said: dict[str, Any] = SAID) -> Image.Image:
    """Return the picture of a patcher's presentation."""
    width = int(patcher["devicewidth"])
    picture = Image.new("RGB", (width * SCALE, HEIGHT * SCALE), BACK)
    pen = ImageDraw.Draw(picture)
    told = {box: said[word] for word, box in places(patcher).items() if word in said}
    for entry in patcher["boxes"]:
        box = entry["box"]
        if box.get("presentation"):
            x, y, w, h = (value * SCALE for value in box["presentation_rect"])
            SHAPES[box["maxclass"]](pen, font(), box, (x, y, x + w, y + h), told.get(box["id"]))
    return picture


def font() -> Any:
    """Return the font, in the picture's size."""
    return ImageFont.load_default(9.5 * SCALE)


def places(patcher: dict[str, Any]) -> dict[str, str]:
    """Return for each word that the script says to the face the box that shows it, along the cords."""
    boxes = {entry["box"]["id"]: entry["box"] for entry in patcher["boxes"]}
    cords = [line["patchline"] for line in patcher["lines"]]
    route = next(box for box in boxes.values() if str(box.get("text", "")).startswith("route "))
    found = {}
    for outlet, word in enumerate(str(route["text"]).split()[1:]):
        (setter,) = (cord["destination"][0] for cord in cords if cord["source"] == [route["id"], outlet])
        (found[word],) = (cord["destination"][0] for cord in cords if cord["source"] == [setter, 0])
    return found


def lines_of(text: str, width_px: float) -> list[str]:
    """Return a text in lines that fit a width in Live's pixels."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font().getlength(longer) <= (width_px - 4) * SCALE:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _value(box: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = box.get("saved_attribute_attributes", {}).get("valueof", {})
    return told


At = tuple[float, float, float, float]


def _comment(pen: Any, font: Any, box: dict[str, Any], at: At, said: Any) -> None:
    colour = tuple(int(255 * part) for part in box.get("textcolor", [0.06, 0.06, 0.06])[:3])
    for index, line in enumerate(lines_of(box["text"] if said is None else said, (at[2] - at[0]) / SCALE)):
        pen.text((at[0] + 2, at[1] + index * LINE_PX * SCALE), line, colour, font)


def _menu(pen: Any, font: Any, box: dict[str, Any], at: At, _said: Any) -> None:
    told = _value(box)
    pen.rectangle(at, FIELD, EDGE)
    pen.text((at[0] + 6, at[1] + 3), told["parameter_enum"][int(told["parameter_initial"][0])], TEXT, font)
    pen.text((at[2] - 10 * SCALE, at[1] + 3), "v", TEXT, font)


def _text(pen: Any, font: Any, box: dict[str, Any], at: At, said: Any) -> None:
    is_on = (_value(box).get("parameter_initial", [0])[0] if said is None else said) == 1
    pen.rectangle(at, ACCENT if is_on else FIELD, EDGE)
    middle = ((at[0] + at[2]) / 2, (at[1] + at[3]) / 2)
    pen.text(middle, box["texton"] if is_on else box["text"], TEXT, font, anchor="mm")


def _dial(pen: Any, font: Any, box: dict[str, Any], at: At, _said: Any) -> None:
    told = _value(box)
    middle = (at[0] + at[2]) / 2
    pen.text((middle, at[1]), told["parameter_shortname"], TEXT, font, anchor="ma")
    ring = (middle - 11 * SCALE, at[1] + 14 * SCALE, middle + 11 * SCALE, at[1] + 36 * SCALE)
    share = (told["parameter_initial"][0] - told["parameter_mmin"]) / (
        told["parameter_mmax"] - told["parameter_mmin"]
    )
    pen.arc(ring, 135, 405, EDGE, 3 * SCALE)
    pen.arc(ring, 135, 135 + 270 * share, ACCENT, 3 * SCALE)
    pen.text((middle, at[3]), f"{told['parameter_initial'][0]:.2f}", TEXT, font, anchor="md")


def _number(pen: Any, font: Any, box: dict[str, Any], at: At, said: Any) -> None:
    pen.rectangle(at, FIELD, EDGE)
    middle = ((at[0] + at[2]) / 2, (at[1] + at[3]) / 2)
    pen.text(
        middle, f"{_value(box)['parameter_initial'][0] if said is None else said} %", TEXT, font, anchor="mm"
    )


SHAPES = {
    "live.comment": _comment,
    "live.menu": _menu,
    "live.text": _text,
    "live.dial": _dial,
    "live.numbox": _number,
}

if __name__ == "__main__":
    read = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["patcher"]
    draw(read).save(sys.argv[2], optimize=True)
