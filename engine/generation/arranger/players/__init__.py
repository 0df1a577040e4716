"""The players: each turns a part of a style and the score into events on the straight grid."""

from collections.abc import Callable
from typing import Any

from engine.generation.arranger.players.arp import play_arp
from engine.generation.arranger.players.bass import play_bass
from engine.generation.arranger.players.comp import play_comp
from engine.generation.arranger.players.drums import play_drums
from engine.generation.arranger.players.fx import play_fx
from engine.generation.arranger.players.lead import play_lead
from engine.generation.arranger.players.pad import play_pad
from engine.generation.arranger.score import Event, Score

PLAYERS: dict[str, Callable[[Any, Score], list[Event]]] = {
    "drums": play_drums,
    "bass": play_bass,
    "comp": play_comp,
    "pad": play_pad,
    "arp": play_arp,
    "lead": play_lead,
    "fx": play_fx,
}
"""By a part's `play`. Each takes its own kind of part and the score."""

__all__ = ["PLAYERS"]
