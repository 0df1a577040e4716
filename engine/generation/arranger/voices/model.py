"""What a voice is: a stroke goes in, the sound of a key that stays down comes out; the renderer lets the key go.

Because the release is applied afterwards, one rendering of a pitch serves notes of every length. Sounds are
float32 of shape (2, frames), start and end near zero, hold no DC, and have about the same loudness at every
velocity: velocity shapes the timbre here, and the renderer sets the level.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.audio.buffer import Samples

VELOCITY_EXPONENT = 1.6


@dataclass(frozen=True, slots=True)
class Setup:
    """What is fixed for one rendering of a part.

    The rate in Hz, the seed, `brightness` (0.5 to 2, 1 is neutral), and how far A4 lies from 440 Hz in cents.
    """

    sample_rate: int
    seed: int = 0
    brightness: float = 1.0
    tuning_cents: float = 0.0

    def rng(self, *key: int) -> np.random.Generator:
        """Return the random generator that belongs to `key`, whatever was drawn before."""
        return np.random.default_rng([self.seed & 0xFFFFFFFF, *(part & 0xFFFFFFFF for part in key)])


@dataclass(frozen=True, slots=True)
class Stroke:
    """One way a note can be played.

    `strength` is velocity / 127; `frames` how long the sound must last (a voice may end sooner by itself);
    `variant` the round-robin number; `glide_semitones` how far from the pitch a portamento starts (0 for
    none); `tuning_cents` how far the whole part is from A4 = 440 Hz.
    """

    pitch: int
    strength: float
    frames: int
    variant: int = 0
    glide_semitones: float = 0.0
    tuning_cents: float = 0.0

    @property
    def frequency_hz(self) -> float:
        """The fundamental of the pitch in equal temperament."""
        return float(440.0 * 2 ** ((self.pitch - 69) / 12 + self.tuning_cents / 1200))


Voice = Callable[[Stroke], Samples]
"""Renders a stroke: float32, (2, frames)."""

VoiceMaker = Callable[[Setup], Voice]


def level(velocity: float) -> float:
    """Return the amplitude of a velocity (1 to 127), 1.0 at 127; about 30 dB between 16 and 127."""
    return float((velocity / 127) ** VELOCITY_EXPONENT)
