"""Signals with known harmony: chords, bass lines, melodies and drums made of a few sines and noise."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.audio import Audio

RATE = 22050
INTERVALS = {
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "min7": (0, 3, 7, 10),
    "sus4": (0, 5, 7),
    "dim": (0, 3, 6),
}
PITCH_CLASSES = {
    "C": 0,
    "C#": 1,
    "Db": 1,
    "D": 2,
    "Eb": 3,
    "E": 4,
    "F": 5,
    "F#": 6,
    "Gb": 6,
    "G": 7,
    "Ab": 8,
    "A": 9,
    "Bb": 10,
    "B": 11,
}


@lru_cache(maxsize=4096)
def tone(pitch, seconds, *, a4_hz=440.0, harmonics=8, decay=0.6, rate=RATE):
    """One plucked-like note: harmonics falling by `decay`, an attack of 10 ms, a slow decay, a short release."""
    t = np.arange(int(seconds * rate)) / rate
    hz = a4_hz * 2 ** ((pitch - 69) / 12)
    wave = sum(
        decay**h * np.sin(2 * np.pi * hz * (h + 1) * t + h)
        for h in range(harmonics)
        if hz * (h + 1) < 0.45 * rate
    )
    return (
        wave * np.minimum(1, t / 0.01) * np.minimum(1, np.maximum(0, seconds - t) / 0.02) * np.exp(-t / 1.5)
    )


def parse(label):
    root, _, quality = label.partition(":")
    return PITCH_CLASSES[root], quality or "maj"


@dataclass
class Song:
    """A song of one chord a bar (or a list of (chord, beats)) with its stems and truth."""

    stems: dict
    mix: Audio
    beats_s: np.ndarray
    downbeats_s: np.ndarray
    truth: list  # (start_s, end_s, label)


def song(chords, *, repeats=4, beats_per_bar=4, bpm=110.0, a4_hz=440.0, drums=True, seed=0, style="block"):
    """Play `chords` (labels, one a bar; or (label, beats)) `repeats` times with bass and drums."""
    rng = np.random.default_rng(seed)
    plan = [(c, beats_per_bar) if isinstance(c, str) else c for c in chords] * repeats
    period = 60.0 / bpm
    total = sum(b for _, b in plan)
    frames = int(total * period * RATE) + RATE // 2
    other, bass, kit = (np.zeros(frames) for _ in range(3))

    def put(track, wave, at_s, gain):
        start = int(at_s * RATE)
        track[start : start + len(wave)] += gain * wave[: max(0, frames - start)]

    truth, at = [], 0
    for label, beats in plan:
        start_s, end_s = at * period, (at + beats) * period
        truth.append((start_s, end_s, label))
        if label != "N":
            root, quality = parse(label)
            pitches = [55 + (root + i - 55) % 12 for i in INTERVALS[quality]]
            for k, pitch in enumerate(pitches):
                if style == "block":
                    put(other, tone(pitch, beats * period, a4_hz=a4_hz), start_s, 0.2)
                else:
                    for step in range(k, 2 * beats, len(pitches)):
                        put(other, tone(pitch, period, a4_hz=a4_hz), start_s + step * period / 2, 0.3)
            low = 31 + (root - 31) % 12
            for beat in range(beats):
                put(
                    bass,
                    tone(low + (7 if beat % 4 == 3 else 0), 0.9 * period, a4_hz=a4_hz, decay=0.5),
                    (at + beat) * period,
                    0.3,
                )
        at += beats
    if drums:
        for beat in range(total):
            burst = rng.normal(0, 1, RATE // 8) * np.exp(-np.arange(RATE // 8) / RATE * 40)
            put(kit, burst, beat * period, 0.2)
    stems = {
        name: Audio(x[None, :].astype(np.float32), RATE)
        for name, x in (("other", other), ("bass", bass), ("drums", kit))
    }
    mix = Audio((other + bass + kit)[None, :].astype(np.float32), RATE)
    beats_s = np.arange(total) * period
    return Song(stems, mix, beats_s, beats_s[::beats_per_bar], truth)


def line(notes, *, a4_hz=440.0, vibrato_cents=0.0, rate=RATE, gap_s=0.02):
    """A sung-like line from (pitch or None, seconds): returns samples and the truth (start_s, end_s, pitch)."""
    pieces, truth, at = [], [], 0.0
    for pitch, seconds in notes:
        n = int(seconds * rate)
        if pitch is None:
            pieces.append(np.zeros(n))
        else:
            t = np.arange(n) / rate
            hz = a4_hz * 2 ** ((pitch - 69) / 12) * 2 ** (vibrato_cents * np.sin(2 * np.pi * 5.5 * t) / 1200)
            phase = 2 * np.pi * np.cumsum(hz) / rate
            wave = sum(0.7**h * np.sin(phase * (h + 1)) for h in range(8) if hz.max() * (h + 1) < 0.45 * rate)
            sound = seconds - gap_s
            pieces.append(wave * np.minimum(1, t / 0.02) * np.clip((sound - t) / 0.03, 0, 1))
            truth.append((at, at + sound, pitch))
        at += n / rate
    return np.concatenate(pieces), truth
