"""MusicGen: text and melody to music, run by this project's own code on checkpoints in `transformers`' layout.

`model.MusicGen` is the way in. Torch is imported when a checkpoint is loaded, not before.
"""

from engine.generation.musicgen.model import MusicGen
from engine.generation.musicgen.sampling import Sampling

__all__ = ["MusicGen", "Sampling"]
