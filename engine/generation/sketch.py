"""A melody as a sketch in sine tones: all that a melody model hears of a recording, and nothing else of it.

A melody model hears which pitch class is strongest, 7.8 times a second (`engine.generation.musicgen.chroma`). A model
that runs elsewhere, in an interpreter of its own or at a cloud service, takes sound. It is given this sketch: one sine
tone, in the octave that the chroma filters weigh most, that has the strongest pitch class of each moment. It lies on
the wanted timeline already, so a new tempo is in it; and of the recording itself nothing leaves this process.
"""

import numpy as np

from engine.audio.buffer import Audio
from engine.generation.melody import Melody
from engine.generation.musicgen.chroma import HOP, PITCH_CLASSES, RATE, frames_for

C5_HZ = 440.0 * 2.0 ** (3.0 / 12.0)
LEVEL = 0.3


def sketch(melody: Melody, duration_s: float) -> Audio:
    """Return `duration_s` seconds of a melody from its start as a sine tone, in mono at 32 kHz."""
    frames = round(duration_s * RATE)
    pitch_classes = melody.chroma(0.0, frames_for(duration_s)).argmax(axis=1)
    tones_hz = C5_HZ * 2.0 ** (np.arange(PITCH_CLASSES) / PITCH_CLASSES)
    nearest = np.minimum((np.arange(frames) + HOP // 2) // HOP, len(pitch_classes) - 1)
    phase = np.cumsum(2.0 * np.pi / RATE * tones_hz[pitch_classes][nearest])
    return Audio((LEVEL * np.sin(phase)).astype(np.float32)[None, :], RATE)
