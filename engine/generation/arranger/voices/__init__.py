"""Built-in instruments in numpy: notes in, sound out. `table` lists them, `player` plays them."""

from engine.generation.arranger.voices.table import VOICES, VoiceSpec, voice_spec

__all__ = ["VOICES", "VoiceSpec", "voice_spec"]
