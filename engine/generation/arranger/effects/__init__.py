"""Effects of parts and vocals: a table of names and parameters, and the chain that runs them."""

from engine.generation.arranger.effects.chain import apply_effects, check_effects, make_chain
from engine.generation.arranger.effects.context import Context
from engine.generation.arranger.effects.parameters import EffectSpec, Number, OneOf
from engine.generation.arranger.effects.table import EFFECTS

__all__ = [
    "EFFECTS",
    "Context",
    "EffectSpec",
    "Number",
    "OneOf",
    "apply_effects",
    "check_effects",
    "make_chain",
]
