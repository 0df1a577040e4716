"""The master: a song at its loudness, under its true-peak ceiling, checked on the samples that are written.

Two entries. `make_master` is the whole of mastering: equaliser, matching to references, four-band compression, image,
saturation, limiter, dither, guardrails checked on the written file, and a report. `master` is its last part alone
(glue, saturation, limiter, retrim, quantising), in memory: what a remix uses. `engine.mastering.presets` reads presets,
`engine.mastering.describe` turns a master into the data of `report.json`.
"""

from engine.mastering.mastering import master
from engine.mastering.model import MasterReport, MasterResult, MasterSettings
from engine.mastering.whole import MadeMaster, make_master, read_both, reference_profile
from engine.mastering.wishes import Amounts, MasterWishes

__all__ = [
    "Amounts",
    "MadeMaster",
    "MasterReport",
    "MasterResult",
    "MasterSettings",
    "MasterWishes",
    "make_master",
    "master",
    "read_both",
    "reference_profile",
]
