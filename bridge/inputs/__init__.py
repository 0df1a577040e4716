"""Inputs as they were accepted: copies named by their bytes, which no later render changes."""

from bridge.inputs.model import RegisteredInput
from bridge.inputs.snapshots import Snapshots

__all__ = ["RegisteredInput", "Snapshots"]
