"""Tempo maps: seconds, beats, bars and ticks, both ways."""

from engine.tempo.bar_table import BarRow, TableReport, reconciled
from engine.tempo.document import map_and_report
from engine.tempo.lead_in import LeadIn, with_lead_in
from engine.tempo.load import load_tempo_map, load_tempo_map_and_report
from engine.tempo.octave import nearest_octave
from engine.tempo.segments import LAWS, Law, TempoSegment
from engine.tempo.signatures import TimeSignature
from engine.tempo.tempo_map import PPQ, TempoMap

__all__ = [
    "LAWS",
    "PPQ",
    "BarRow",
    "Law",
    "LeadIn",
    "TableReport",
    "TempoMap",
    "TempoSegment",
    "TimeSignature",
    "load_tempo_map",
    "load_tempo_map_and_report",
    "map_and_report",
    "nearest_octave",
    "reconciled",
    "with_lead_in",
]
