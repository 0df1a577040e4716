"""The learned part of the balance: a small linear model over what was heard, beside the rules.

`load_policy` reads the weights that ship with the presets; `benchmarks/mix_policy.py` trains and measures them, on
songs that `engine.mixing.policy.songs` makes and a simulated engineer balances.
"""

from engine.mixing.policy.network import MixPolicy, load_policy, policy_path
from engine.mixing.policy.vector import FEATURES, HEADS, vectors

__all__ = ["FEATURES", "HEADS", "MixPolicy", "load_policy", "policy_path", "vectors"]
