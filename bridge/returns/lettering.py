"""Text in pictures: fonts that are there on every machine, and texts that they can show.

Pillow brings one font (Aileron), which has the letters of English only. Other texts take the first of the
system's fonts that has their letters; where there is none they are written without their accents.
"""

import re
import unicodedata
from functools import lru_cache

from PIL import ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_SYSTEM_FONTS = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "segoeui.ttf",
    "Arial.ttf",
    "arial.ttf",
    "Helvetica.ttc",
    "NotoSansCJK-Regular.ttc",
    "msgothic.ttc",
    "msyh.ttc",
    "Hiragino Sans GB.ttc",
    "Arial Unicode.ttf",
)
_PLAIN = str.maketrans(
    {"–": "-", "—": "-", "♯": "#", "♭": "b", "’": "'", "‘": "'", "“": '"', "”": '"', "„": '"', "×": "x"}
)
_BARE = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d",
     "Đ": "D", "ð": "d", "þ": "th", "ı": "i"}
)  # fmt: skip
"""Letters that do not fall apart into a plain one and an accent."""

_NO_GLYPH = "\uffff"


@lru_cache(maxsize=64)
def font(size: int, name: str | None = None) -> Font:
    """Return a font of `size` pixels: Pillow's own, or the system's of that file name.

    Raises:
        OSError: if the system has no such font.
    """
    return ImageFont.load_default(size=size) if name is None else ImageFont.truetype(name, size)


@lru_cache(maxsize=512)
def lettering(text: str, size: int) -> tuple[str, Font]:
    """Return what of a text can be shown, and the font that shows it."""
    own = font(size)
    plain = text.translate(_PLAIN)
    if _covers(own, plain):
        return plain, own
    for name in _SYSTEM_FONTS:
        try:
            other = font(size, name)
        except OSError:
            continue
        if _covers(other, text):
            return text, other
    bare = unicodedata.normalize("NFKD", plain.translate(_BARE))
    shown = (char if _covers(own, char) else "\0" for char in bare if not unicodedata.combining(char))
    return re.sub("\0+", "?", "".join(shown)), own


def width(text: str, size: int) -> float:
    """Return the width of a text in pixels."""
    shown, face = lettering(text, size)
    return float(face.getlength(shown))


@lru_cache(maxsize=512)
def fitted(text: str, size: int, room: float) -> str:
    """Return a text, shortened with an ellipsis where it is wider than `room` pixels."""
    if width(text, size) <= room:
        return text
    kept = len(text)
    while kept > 0 and width(text[:kept].rstrip() + "…", size) > room:
        kept -= 1
    return text[:kept].rstrip() + "…" if kept else ""


def _covers(face: Font, text: str) -> bool:
    missing = bytes(face.getmask(_NO_GLYPH))
    return all(char.isspace() or bytes(face.getmask(char)) != missing for char in dict.fromkeys(text))
