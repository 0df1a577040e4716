"""A strict model of REAPER for tests of its scripts; README.md beside this says how to use it."""

from tests.reaper.model.failures import Failures, ReaperFailureError
from tests.reaper.model.project import Project
from tests.reaper.model.reaper import Dialog, Reaper
from tests.reaper.model.render import RenderOptions
from tests.reaper.model.script import Script
from tests.reaper.model.state import Fx, Item, Marker, Note, Source, Take, Track
from tests.reaper.model.tempo import TempoMap, TempoMarker

__all__ = [
    "Dialog",
    "Failures",
    "Fx",
    "Item",
    "Marker",
    "Note",
    "Project",
    "Reaper",
    "ReaperFailureError",
    "RenderOptions",
    "Script",
    "Source",
    "Take",
    "TempoMap",
    "TempoMarker",
    "Track",
]
