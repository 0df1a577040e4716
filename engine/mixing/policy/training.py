"""Training and measuring the policy: songs are made, a simulated engineer balances them, and stems are degraded.

The engineer knows the clean stems. He sets each so that what is left audible of it beside the others (see
`engine.mixing.listening.masking`) is as loud as its role is prominent, in part he trusts a level meter rather than his
ears, and he has a taste of his own. What he does is beyond the rules in two ways that can be heard in the stems:
masked stems come up, and sounds in which a meter sees more than the ear stay lower. The policy learns that as gain
beside the rules, from the degraded stems alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.audio import Audio
from engine.mixing.deciding.balance import equal_targets, rule_targets
from engine.mixing.listening.features import StemFeatures
from engine.mixing.listening.listen import listen
from engine.mixing.listening.masking import aligned_bands, masking_of
from engine.mixing.policy.network import MixPolicy
from engine.mixing.policy.songs import RATE, SECONDS, degraded, make_song
from engine.mixing.policy.vector import FEATURES, HEADS, vectors
from engine.mixing.roles import ROLES
from engine.mixing.stems import MemoryStem, Stem

EAR_STEPS = 6
HEARING_BACK = 0.6
"""How much of what is covered the engineer makes up for in each step."""
TASTE_DB, LEANING_DB = 1.0, 1.2
"""Standard deviation of his taste for a stem, and for a role throughout a song."""
METER_TRUST = 0.35
RIDGE = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One song: features of its degraded stems, and the engineer's balance (LU, mean 0)."""

    stems: tuple[StemFeatures, ...]
    rule_lu: NDArray[np.float64]
    rows: NDArray[np.float64]
    truth_lu: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measured:
    """Errors of a policy on held-out songs, each song's own mean level taken out."""

    mean_error_db: float
    within_3_db: float


def make_example(seed: int) -> Example:
    """Return a song with the engineer's balance of it."""
    random = np.random.default_rng((seed, 1))
    clean, dirty = [], []
    for item in make_song(seed):
        heard = _listen(item.name, item.role, item.audio)
        if heard.silent:
            continue
        clean.append(heard)
        dirty.append(_listen(item.name, item.role, degraded(item, random)))
    rule = rule_targets(dirty, {})
    return Example(
        tuple(dirty),
        np.array([rule[stem.name] for stem in dirty]),
        vectors(dirty, rule),
        engineers_balance(clean, random),
    )


def engineers_balance(stems: Sequence[StemFeatures], random: np.random.Generator) -> NDArray[np.float64]:
    """Return the loudness in LU (mean 0) at which the engineer sets clean stems."""
    leaning = {role: random.normal(0.0, LEANING_DB) for role in ROLES}
    base = rule_targets(stems, {})
    prominence = np.array([base[stem.name] + leaning[stem.role] for stem in stems])
    trust = random.uniform(0.0, 2.0 * METER_TRUST)
    by_meter = np.array([stem.brightness_db for stem in stems])
    wanted = prominence + trust * (by_meter - by_meter.mean())
    wanted += random.normal(0.0, TASTE_DB, len(stems))
    bands = aligned_bands(stems)
    loudness = np.array([stem.loudness_lufs for stem in stems])
    level = wanted.copy()
    for _ in range(EAR_STEPS):
        audible = masking_of(bands, (level - loudness).tolist()).audible_db
        level = wanted - HEARING_BACK * (audible - audible.mean())
    return np.asarray(level - level.mean())


def train(examples: Sequence[Example], about: str) -> MixPolicy:
    """Return the ridge regression of gain, against the rules, on the features."""
    rows = np.concatenate([example.rows for example in examples])
    answers = np.concatenate([_centred(example.truth_lu - example.rule_lu)[:, None] for example in examples])
    mean, scale = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-3)
    standard = np.clip((rows - mean) / scale, -3.0, 3.0)
    bias = answers.mean(axis=0)
    gram = standard.T @ standard + RIDGE * np.eye(len(FEATURES))
    weights = np.linalg.solve(gram, standard.T @ (answers - bias))
    return MixPolicy(mean, scale, weights.reshape(len(FEATURES), len(HEADS)), bias, about)


def measure_policies(examples: Sequence[Example], policy: MixPolicy) -> dict[str, Measured]:
    """Return how far equal loudness, the rules and the policy are from the engineer."""
    errors: dict[str, list[NDArray[np.float64]]] = {"equal": [], "rules": [], "learned": []}
    for example in examples:
        learned = example.rule_lu + policy.predict(example.rows)[:, 0]
        equal = np.array(list(equal_targets(example.stems).values()))
        for name, made in (("equal", equal), ("rules", example.rule_lu), ("learned", learned)):
            errors[name].append(_centred(made - example.truth_lu))
    return {
        name: Measured(
            float(np.abs(np.concatenate(each)).mean()), float((np.abs(np.concatenate(each)) <= 3.0).mean())
        )
        for name, each in errors.items()
    }


def _centred(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values - np.median(values)


def _listen(name: str, role: str, audio: Audio) -> StemFeatures:
    features = listen(Stem(name, MemoryStem(audio), role), role, int(SECONDS * RATE))
    return replace(features, role=role)
