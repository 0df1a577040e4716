"""Deciding: from what was heard in the stems, and a preset, to a session, with the reasons in words."""

from engine.mixing.deciding.decide import Decision, decide
from engine.mixing.deciding.given import Given

__all__ = ["Decision", "Given", "decide"]
