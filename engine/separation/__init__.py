"""Separation: one mix in, stems out that add up to it again.

`separate` is the way in; `BACKENDS` is the table of what can do it. A backend is anything that follows `Separator`.

Conventions: audio is float32 (channels, frames); stems have the mix's rate, frames and channels; the last stem is the
exact remainder, so that the stems sum to the mix whatever the backend did.
"""

from engine.separation.protocol import STEMS, Separator, SeparatorInfo
from engine.separation.registry import BACKENDS, load_backend, separator_of
from engine.separation.separate import separate, stem_names, stream

__all__ = [
    "BACKENDS",
    "STEMS",
    "Separator",
    "SeparatorInfo",
    "load_backend",
    "separate",
    "separator_of",
    "stem_names",
    "stream",
]
