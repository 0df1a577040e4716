"""What was played for a remix or a new piece, by whichever backend, as the last stages take it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from engine.actions.model import Backend, OutputTrack, TakeSummary
from engine.actions.perform import ARRANGER, generated_tracks, to_mix
from engine.actions.taken import TakeTrack
from engine.audio import Audio
from engine.backends import Choice
from engine.generation.model import Arrangement
from engine.mixing import MixedTrack, MixTrack
from engine.presets import Style


@dataclass(frozen=True, slots=True)
class Played:
    """New tracks for the mixer, how they are published once they are mixed, and who played them."""

    tracks: dict[str, MixTrack]
    placed: Callable[[Mapping[str, MixedTrack]], list[OutputTrack]]
    backend: Backend
    arrangement: Arrangement | None = None
    takes: tuple[TakeSummary, ...] = ()
    notes: tuple[str, ...] = ()


def arranged(
    arrangement: Arrangement, rendered: Mapping[str, Audio], energy: float, choice: Choice
) -> Played:
    """Return the parts of an arrangement, that have been rendered, as what was played."""
    return Played(
        to_mix(arrangement, rendered, energy),
        lambda mixed: generated_tracks(arrangement, mixed),
        replace(ARRANGER, why=choice.why),
        arrangement,
    )


def one_take(track: TakeTrack, style: Style, energy: float) -> Played:
    """Return a generator's take as what was played, in a mix of this style."""
    return Played(
        track.to_mix(style, energy), track.placed, track.backend, takes=(track.summary,), notes=track.notes
    )
