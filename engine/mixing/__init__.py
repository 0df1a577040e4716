"""The console: levels by loudness, ducking under the voice, and the sum.

`mix` sets tracks whose roles are known to a style's balance; `balance_stems` does so for any stems, with
roles guessed from their names. Both give back tracks that a DAW can put up as they are: see
`engine.mixing.model` for the pan law.
"""

from engine.mixing.console import balance_stems, mix
from engine.mixing.model import MixedTrack, MixResult, MixSettings, MixTrack
from engine.mixing.roles import ROLES, guess_role

__all__ = [
    "ROLES",
    "MixResult",
    "MixSettings",
    "MixTrack",
    "MixedTrack",
    "balance_stems",
    "guess_role",
    "mix",
]
