"""The master: a song at its loudness, under its true-peak ceiling, checked on the samples that are written.

`master` takes an `Audio` and `MasterSettings`; `engine.mastering.presets` reads settings from YAML files.
"""

from engine.mastering.mastering import master
from engine.mastering.model import MasterReport, MasterResult, MasterSettings

__all__ = ["MasterReport", "MasterResult", "MasterSettings", "master"]
