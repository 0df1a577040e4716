"""Decoding of hidden Markov chains: the best path, and the probability of each state at each step.

Conventions: `log_emission` is (steps, states); `log_transitions` is (kinds, states, states) from row to
column, and `kinds[t]` says which of them leads into step t (`kinds[0]` is not used). Source: Rabiner, "A
tutorial on hidden Markov models", Proc. IEEE 77(2), 1989.
"""

import numpy as np
from numpy.typing import NDArray

from engine.progress import SILENT, Monitor

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

_STEPS_BETWEEN_REPORTS = 4096


def best_path(
    log_emission: Floats,
    log_transitions: Floats,
    kinds: Ints,
    log_initial: Floats,
    *,
    monitor: Monitor = SILENT,
) -> Ints:
    """Return the most probable state at each step, jointly (Viterbi): int array of shape (steps,)."""
    steps, states = log_emission.shape
    if steps == 0:
        return np.zeros(0, dtype=np.intp)
    came_from = np.zeros((steps, states), dtype=np.int16)
    score = log_initial + log_emission[0]
    columns = np.arange(states)
    for t in range(1, steps):
        through = score[:, None] + log_transitions[kinds[t]]
        came_from[t] = through.argmax(axis=0)
        score = through[came_from[t], columns] + log_emission[t]
        if t % _STEPS_BETWEEN_REPORTS == 0:
            monitor.report(t / steps)
    path = np.zeros(steps, dtype=np.intp)
    path[-1] = int(score.argmax())
    for t in range(steps - 1, 0, -1):
        path[t - 1] = came_from[t, path[t]]
    return path


def state_probabilities(
    log_emission: Floats, log_transitions: Floats, kinds: Ints, log_initial: Floats
) -> Floats:
    """Return each state's probability at each step given all steps (forward-backward), (steps, states)."""
    steps, states = log_emission.shape
    if steps == 0:
        return np.zeros((0, states))
    emission = np.exp(log_emission - log_emission.max(axis=1, keepdims=True))
    transitions = np.exp(log_transitions)
    forward = np.zeros((steps, states))
    forward[0] = np.exp(log_initial - log_initial.max()) * emission[0]
    forward[0] /= forward[0].sum()
    for t in range(1, steps):
        forward[t] = (forward[t - 1] @ transitions[kinds[t]]) * emission[t]
        forward[t] /= forward[t].sum()
    backward = np.ones(states)
    for t in range(steps - 2, -1, -1):
        backward = transitions[kinds[t + 1]] @ (emission[t + 1] * backward)
        backward /= backward.sum()
        forward[t] *= backward
        forward[t] /= forward[t].sum()
    return forward
