"""Tempo, beats, downbeats, metre, key, chords, sections, energy, brightness and melody of a song.

`analyze` gives it all as an `Analysis`. Importing this package is cheap: what needs scipy is imported on
first use.
"""

from typing import TYPE_CHECKING, Any

from engine.analysis.model import (
    Analysis,
    Chord,
    Curve,
    Extent,
    Key,
    MelodyNote,
    Section,
    TempoCandidate,
    VocalEvidence,
)

if TYPE_CHECKING:
    from engine.analysis.whole import analyze

ANALYSIS_VERSION = 6
"""Raised whenever the same input would be analysed otherwise; cached analyses of other versions are not used.
"""

__all__ = [
    "ANALYSIS_VERSION",
    "Analysis",
    "Chord",
    "Curve",
    "Extent",
    "Key",
    "MelodyNote",
    "Section",
    "TempoCandidate",
    "VocalEvidence",
    "analyze",
]


def __getattr__(name: str) -> Any:
    if name != "analyze":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    function = importlib.import_module("engine.analysis.whole").analyze
    globals()["analyze"] = function
    return function
