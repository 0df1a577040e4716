"""Small songs with known beats for the tests of rhythm: drums, bass and chords laid on any list of beat times."""

import numpy as np
from numpy.typing import NDArray

from engine.audio import Audio

RATE = 22050
ROOTS = (0, 5, 7, 9)
GROOVES = {
    "backbeat": {"kick": (0, 2, 2.5), "snare": (1, 3), "beats": 4},
    "four": {"kick": (0, 1, 2, 3), "snare": (1, 3), "beats": 4},
    "waltz": {"kick": (0,), "snare": (1, 2), "beats": 3},
}


def steady_beats(bpm: float, count: int, start_s: float = 0.0) -> NDArray[np.float64]:
    return start_s + 60.0 / bpm * np.arange(count)


def ramp_beats(bpm: float, end_bpm: float, count: int) -> NDArray[np.float64]:
    return np.concatenate([[0.0], np.cumsum(60.0 / np.linspace(bpm, end_bpm, count - 1))])


def hit(kind: str, rng: np.random.Generator) -> NDArray[np.float64]:
    t = np.arange(int(0.25 * RATE)) / RATE
    if kind == "kick":
        return 0.9 * np.sin(2 * np.pi * (50 * t + 4 * (1 - np.exp(-t * 40)))) * np.exp(-t * 18)
    if kind == "snare":
        return (0.5 * rng.standard_normal(len(t)) + 0.4 * np.sin(2 * np.pi * 190 * t)) * np.exp(-t * 25)
    if kind == "click":
        return np.where(t < 0.004, np.sin(2 * np.pi * 2000 * t), 0.0)
    return 0.15 * np.diff(rng.standard_normal(len(t) + 1)) * np.exp(-t * 60)


def note(midi: float, seconds: float, gain: float) -> NDArray[np.float64]:
    t = np.arange(int(seconds * RATE)) / RATE
    wave = sum(np.sin(2 * np.pi * 440 * 2 ** ((midi - 69) / 12) * h * t) / h**1.5 for h in (1, 2, 3, 4))
    return gain * wave * np.minimum(1, t / 0.005) * np.minimum(1, (t[-1] - t) / 0.02) * np.exp(-t * 1.5)


def add(to: NDArray[np.float64], sound: NDArray[np.float64], at_s: float) -> None:
    first = round(at_s * RATE)
    if 0 <= first < len(to):
        to[first : first + len(sound)] += sound[: len(to) - first]


def song(
    beats_s: NDArray[np.float64],
    groove: str = "backbeat",
    *,
    duration_s: float | None = None,
    first_downbeat: int = 0,
    dense_from_bar: int = 0,
) -> dict[str, Audio]:
    """Stems drums, bass and other on `beats_s`; before `dense_from_bar` there are only kick, hats and chords."""
    rng = np.random.default_rng(7)
    last = float(beats_s[-1] - beats_s[-2])
    edges = np.append(beats_s, beats_s[-1] + last)
    total_s = duration_s or float(edges[-1])
    stems = {role: np.zeros(round(total_s * RATE)) for role in ("drums", "bass", "other")}
    pattern = GROOVES[groove]
    bar_beats = pattern["beats"]

    def when(beat: float) -> float:
        return float(np.interp(beat, np.arange(len(edges)), edges))

    for k in range(len(beats_s)):
        for eighth in (0, 0.5):
            add(stems["drums"], hit("hat", rng), when(k + eighth))
    for bar, first in enumerate(range(first_downbeat, len(beats_s), bar_beats)):
        for kind in ("kick", "snare"):
            for beat in pattern[kind]:
                if first + beat < len(beats_s) and (kind == "kick" or bar >= dense_from_bar):
                    add(stems["drums"], hit(kind, rng), when(first + beat))
        root = ROOTS[bar % 4]
        length_s = max(0.2, when(min(first + bar_beats, len(beats_s))) - when(first))
        for step in (0, 4 if root != 9 else 3, 7):
            add(stems["other"], note(60 + root + step, length_s, 0.12), when(first))
        add(stems["bass"], note(36 + root, length_s, 0.3), when(first))
        if bar_beats == 4 and bar >= dense_from_bar:
            add(stems["bass"], note(36 + root, length_s / 3, 0.2), when(min(first + 2.5, len(beats_s))))
    return {role: Audio((0.4 * x[None]).astype(np.float32), RATE) for role, x in stems.items()}


def mix_of(stems: dict[str, Audio]) -> Audio:
    return Audio(np.sum([a.samples for a in stems.values()], axis=0, dtype=np.float32), RATE)
