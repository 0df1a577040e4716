"""The policy: its weights are those of this version's features, bounded, level-blind, and better than the rules."""

import numpy as np
import pytest
from mix_stems import RATE, song

from engine.mixing.automix import listen_all, make_session
from engine.mixing.deciding import Given
from engine.mixing.deciding.balance import rule_targets
from engine.mixing.policy import FEATURES, load_policy, vectors
from engine.mixing.policy.network import BOUND_DB
from engine.mixing.policy.training import make_example, measure_policies, train
from engine.mixing.presets import load_mix_preset

HELD_OUT = 2_000_000
"""Seeds that neither training nor its benchmark uses."""


def test_offsets_do_not_depend_on_the_levels_at_which_stems_come() -> None:
    random = np.random.default_rng(1)
    moved = song({item.name: float(random.uniform(0.01, 0.5)) for item in song()})
    rows = []
    for stems in (song(), moved):
        heard = list(listen_all(stems).values())
        rows.append(vectors(heard, rule_targets(heard, {})))
    assert rows[0].shape == (len(song()), len(FEATURES))
    assert np.abs(rows[0] - rows[1]).max() < 0.02


def test_the_policy_stays_within_its_bounds_and_leaves_noise_alone() -> None:
    policy = load_policy()
    absurd = np.random.default_rng(2).normal(scale=1e4, size=(50, len(FEATURES)))
    assert np.abs(policy.predict(absurd)).max() <= BOUND_DB


def test_its_reasons_are_told() -> None:
    heard = listen_all(song())
    preset = load_mix_preset("pop")
    rules, learned = (make_session(heard, preset, Given({}, RATE), policy) for policy in ("rules", "learned"))
    moved = [name for name in heard if abs(learned.targets_lu[name] - rules.targets_lu[name]) >= 0.5]
    told = {reason.track for reason in learned.reasons if "learned policy" in reason.text}
    assert set(moved) <= told


@pytest.mark.slow
def test_on_songs_that_it_has_not_seen_it_beats_the_rules_and_both_beat_equal_loudness() -> None:
    examples = [make_example(HELD_OUT + seed) for seed in range(4)]
    measured = measure_policies(examples, load_policy())
    assert measured["learned"].mean_error_db < 0.9 * measured["rules"].mean_error_db
    assert measured["rules"].mean_error_db < measured["equal"].mean_error_db
    assert measured["learned"].mean_error_db < 0.75 * measured["equal"].mean_error_db
    # What was trained on one song says more about that song than the rules do.
    own = measure_policies(examples[:1], train(examples[:1], "a test"))
    assert own["learned"].mean_error_db < own["rules"].mean_error_db
