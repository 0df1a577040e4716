"""The arranger: new parts from the song's own chords, form and melody; needs no weights.

`arrange` writes the notes, `invent_song` makes up a song where there is none, `parse_words` and `style_for_words`
understand a request in words; `engine.generation.arranger.midi` writes MIDI files and
`engine.generation.arranger.render` makes sound. Names are loaded when first used, so that the effect and voice
tables can be had without the composer.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.generation.arranger.check import check_style
    from engine.generation.arranger.compose import arrange
    from engine.generation.arranger.invent import invent_song, invented_map, parse_key
    from engine.generation.arranger.stems import check_stem
    from engine.generation.arranger.words import parse_words, style_for_words

__all__ = [
    "arrange",
    "check_stem",
    "check_style",
    "invent_song",
    "invented_map",
    "parse_key",
    "parse_words",
    "style_for_words",
]

_HOMES = {
    "arrange": "compose",
    "check_stem": "stems",
    "check_style": "check",
    "invent_song": "invent",
    "invented_map": "invent",
    "parse_key": "invent",
    "parse_words": "words",
    "style_for_words": "words",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
