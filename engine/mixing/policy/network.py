"""The policy's weights: standardise, multiply, bound. Kept as JSON beside the mix presets, readable and diffable."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import NrxError
from engine.mixing.listening.features import StemFeatures
from engine.mixing.policy.vector import FEATURES, HEADS, vectors
from engine.presets import presets_folder

TRUST = 0.5
"""How much of what was learned is done: the engineer that it was learned from is simulated, and the rules are not."""
BOUND_DB = 6.0
"""How far the policy may go from the rules."""


@dataclass(frozen=True, slots=True, eq=False)
class MixPolicy:
    """A linear model: features' `mean` and `scale` (F,), `weights` (F, heads), `bias` (heads,), all in dB."""

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]
    bias: NDArray[np.float64]
    about: str = ""

    def predict(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return offsets in dB for rows of features, shape (stems, heads)."""
        # Features far outside what was trained on say no more than those at its edge.
        inside = np.clip((rows - self.mean) / self.scale, -3.0, 3.0)
        return np.asarray(np.clip(TRUST * (inside @ self.weights + self.bias), -BOUND_DB, BOUND_DB))

    def offsets(self, stems: Sequence[StemFeatures], rule_lu: Mapping[str, float]) -> dict[str, float]:
        """Return the gain in dB beside the rules for each sounding stem; beds of noise are left to the rules."""
        sounding = [stem for stem in stems if not stem.silent]
        if not sounding:
            return {}
        made = self.predict(vectors(sounding, rule_lu))
        return {
            stem.name: float(row[0]) for stem, row in zip(sounding, made, strict=True) if stem.role != "noise"
        }

    def to_json(self) -> str:
        """Return the weights as text."""
        content = {
            "about": self.about,
            "heads": list(HEADS),
            "bias": [round(float(value), 5) for value in self.bias],
            "features": {
                name: {
                    "mean": round(float(self.mean[index]), 5),
                    "scale": round(float(self.scale[index]), 5),
                    "weights": [round(float(value), 5) for value in self.weights[index]],
                }
                for index, name in enumerate(FEATURES)
            },
        }
        return json.dumps(content, indent=1) + "\n"


def policy_path() -> Path:
    """Return where the weights are."""
    return presets_folder() / "mixing" / "policy.json"


@lru_cache(maxsize=1)
def load_policy() -> MixPolicy:
    """Return the policy that ships with the presets.

    Raises:
        NrxError: `preset.invalid` where the file is not what this version writes.
    """
    path = policy_path()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rows = [content["features"][name] for name in FEATURES]
        return MixPolicy(
            np.array([row["mean"] for row in rows]),
            np.array([row["scale"] for row in rows]),
            np.array([row["weights"] for row in rows]),
            np.array(content["bias"]),
            content["about"],
        )
    except (OSError, ValueError, KeyError) as error:
        raise NrxError(
            "preset.invalid", f"The mix policy {path} cannot be used ({error}); install it again."
        ) from None
