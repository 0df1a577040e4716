"""Short songs that tests make themselves: drums, bass, chords and a voice-like melody at known beats."""

import numpy as np
from numpy.typing import NDArray

PROGRESSION = ((4, "min"), (0, "maj"), (7, "maj"), (2, "maj"))  # E:min C:maj G:maj D:maj
THIRD = {"maj": 4, "min": 3}


def tone(
    pitch: float, seconds: float, rate: int, partials: int = 6, decay: float = 2.0
) -> NDArray[np.float64]:
    """Return a plucked tone at a MIDI pitch."""
    t = np.arange(int(seconds * rate)) / rate
    frequency = 440.0 * 2 ** ((pitch - 69) / 12)
    wave = sum(
        np.sin(2 * np.pi * frequency * k * t) / k**1.5
        for k in range(1, partials + 1)
        if frequency * k < rate / 2.2
    )
    return (
        np.asarray(wave) * np.exp(-decay * t) * np.minimum(1, t / 0.004) * np.minimum(1, (seconds - t) / 0.01)
    )


def song_stems(
    *, bpm: float = 100.0, bars: int = 8, rate: int = 44100, seed: int = 0
) -> dict[str, NDArray[np.float64]]:
    """Return stems (2, frames): drums, bass, other, vocals; bar 1 starts at 0."""
    rng = np.random.default_rng(seed)
    beat = 60 / bpm
    frames = round(bars * 4 * beat * rate)
    stems = {role: np.zeros((2, frames)) for role in ("vocals", "drums", "bass", "other")}

    def place(role: str, sound: NDArray[np.float64], at_s: float, left: float, right: float) -> None:
        start = round(at_s * rate)
        end = min(frames, start + len(sound))
        stems[role][0, start:end] += left * sound[: end - start]
        stems[role][1, start:end] += right * sound[: end - start]

    t = np.arange(int(0.2 * rate)) / rate
    kick = np.sin(2 * np.pi * (50 * t - 8 * np.exp(-t * 40) / 4)) * np.exp(-t * 18)
    snare = (rng.normal(size=len(t)) * 0.6 + np.sin(2 * np.pi * 190 * t)) * np.exp(-t * 25)
    hat = np.diff(rng.normal(size=len(t) + 1)) * np.exp(-t * 70) * 0.4
    melody = (7, 3, 5, 3, 0, 3, 5, 7)
    for bar in range(bars):
        root, quality = PROGRESSION[bar % 4]
        start = bar * 4 * beat
        for quarter in range(4):
            at = start + quarter * beat
            place("drums", kick if quarter % 2 == 0 else snare, at, 0.5, 0.5)
            place("drums", hat, at, 0.2, 0.3)
            place("drums", hat, at + beat / 2, 0.2, 0.3)
            place("bass", tone(36 + root, beat * 0.9, rate, 4), at, 0.3, 0.3)
        for offset in (0, THIRD[quality], 7):
            chord = tone(60 + (root + offset) % 12, 4 * beat, rate, 5, 0.6)
            place("other", chord, start, 0.1, 0.06)
        if bar % 4 < 3:
            for step in range(4):
                pitch = 64 + melody[(bar * 4 + step) % len(melody)]
                place("vocals", tone(pitch, beat * 0.95, rate, 10, 0.3), start + step * beat, 0.18, 0.18)
    return stems


def song(*, bpm: float = 100.0, bars: int = 8, rate: int = 44100, seed: int = 0) -> NDArray[np.float64]:
    """Return the sum of the stems, shape (frames, 2), for soundfile."""
    return np.asarray(sum(song_stems(bpm=bpm, bars=bars, rate=rate, seed=seed).values())).T
