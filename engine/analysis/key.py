"""The key of a song, with how sure it is and what else it could be.

Spelled as people write it: tonic "C" to "B" with at most one accidental, mode "major" or "minor". The
evidence is described in `key_model`. A minor key and its relative major often share all notes and chords;
then both are near the top and their confidences say how close the call was.
"""

from engine.analysis.chords import ChordResult
from engine.analysis.harte import tonic_name
from engine.analysis.key_model import rank_keys
from engine.analysis.model import Key


def estimate_key(chord_result: ChordResult, *, count: int = 5) -> tuple[Key, ...]:
    """Return the `count` likeliest keys, best first; their confidences are probabilities over all 24 keys."""
    ranked = rank_keys(
        chord_result.states, chord_result.state_probabilities, chord_result.grid, chord_result.features
    )
    return tuple(Key(tonic_name(k.tonic, k.mode), k.mode, round(k.probability, 4)) for k in ranked[:count])
