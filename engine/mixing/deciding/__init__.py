"""Deciding: from what was heard in the stems, and a preset, to a session, with the reasons in words."""

from engine.mixing.deciding.decide import Decision, Given, decide

__all__ = ["Decision", "Given", "decide"]
