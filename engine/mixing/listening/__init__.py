"""Listening to stems before anything is decided: what each is like alone, and what it covers of the others."""

from engine.mixing.listening.features import StemFeatures
from engine.mixing.listening.listen import listen
from engine.mixing.listening.masking import Masking, masking_of

__all__ = ["Masking", "StemFeatures", "listen", "masking_of"]
