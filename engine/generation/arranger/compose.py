"""From a song's analysis to an arrangement in a style: form, plan, players, performance.

Each step is a pure function of its input and the seed. Chance is drawn per part and section, so parts don't
depend on one another: the bass line is the same whether or not the drums are asked for.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence

from engine.analysis.model import Analysis
from engine.errors import NrxError
from engine.generation.arranger.ending import Points, close, extent_of, fade_points, playing_span
from engine.generation.arranger.feel import perform
from engine.generation.arranger.form import song_form
from engine.generation.arranger.plan import plan_sections
from engine.generation.arranger.players import PLAYERS
from engine.generation.arranger.players.drums import PIECES
from engine.generation.arranger.players.pad import play_pad
from engine.generation.arranger.score import Event, Score
from engine.generation.arranger.stems import STEM_ROLES, check_stem
from engine.generation.model import Arrangement, Part
from engine.presets.grids import LEVELS
from engine.presets.parts import Drums, StylePart
from engine.presets.style import Style
from engine.tempo import TempoMap

INSTEAD: dict[str, tuple[str, ...]] = {
    "chords": ("pad", "arp", "strings"),
    "pad": ("strings", "chords", "arp"),
    "arp": ("chords", "pad", "strings"),
    "strings": ("pad", "chords"),
    "lead": ("arp", "strings", "pad", "chords"),
    "fx": ("pad", "strings", "chords"),
}
"""What is played where a style lacks the role asked for."""
STOP_FOR_DROP = frozenset({"drums", "bass", "comp", "arp"})
LEVEL_DB_PER_DOUBLING = 2.0


def arrange(
    analysis: Analysis,
    source_map: TempoMap,
    target_map: TempoMap,
    style: Style,
    *,
    seed: int,
    energy: float = 1.0,
    brightness: float = 1.0,
    keep: frozenset[str] = frozenset({"vocals"}),
    only: str | None = None,
) -> Arrangement:
    """Arrange a song in a style.

    Beat b of `source_map` (the song; `analysis` is in its seconds) is beat b of `target_map` (the new
    timeline). `energy` and `brightness` are factors from 0.5 to 2. Stems in `keep` come from the original, so
    their roles are not played. `only` asks for one stem ("drums", "bass", "chords", …), played in all
    sections if the song's form would leave it out.

    Raises:
        NrxError: `request.invalid` for an energy, brightness or stem that is not allowed.
    """
    _check_factor("energy", energy)
    _check_factor("brightness", brightness)
    if only is not None:
        check_stem(only)
    form = song_form(analysis, source_map, target_map, style.tempo_range_bpm)
    extent = extent_of(analysis)
    span = playing_span(extent, form, source_map)
    fade = fade_points(extent, span, form, source_map)
    score = Score(
        form=form,
        plans=plan_sections(form, style.form, energy),
        style=style,
        seed=seed,
        brightness=brightness,
        voice_kept="vocals" in keep,
        sounds_from=span.first,
        starts_to=span.last_start,
        sounds_to=span.end,
        closing=span.closing,
        busy=math.log2(energy),
    )
    parts = [_part(chosen, score, target_map, energy, fade) for chosen in _wanted(style, keep, only)]
    if not any(part.notes for part in parts):
        everywhere = {"levels": LEVELS, "intro": True}
        parts = [
            _part(chosen.model_copy(update=everywhere), score, target_map, energy, fade)
            for chosen in _wanted(style, keep, only)
        ]
    return Arrangement(
        parts=tuple(part for part in parts if part.notes),
        length_beats=form.end / form.multiple,
        seed=seed,
        style=style.id,
        groove_multiple=form.multiple,
    )


def _check_factor(name: str, value: float) -> None:
    if not 0.5 <= value <= 2.0:
        raise NrxError("request.invalid", f"{name} is {value}; use a number from 0.5 to 2.")


def _wanted(style: Style, keep: frozenset[str], only: str | None) -> list[StylePart]:
    if only is not None:
        roles = {part.role for part in style.parts}
        asked = STEM_ROLES[only]
        if not roles & set(asked):
            asked = next(((role,) for role in INSTEAD.get(asked[0], ()) if role in roles), asked)
        return [part for part in style.parts if part.role in asked]
    kept = {role for stem in keep for role in STEM_ROLES.get(stem, ())}
    return [part for part in style.parts if part.role not in kept]


def _part(chosen: StylePart, score: Score, target_map: TempoMap, energy: float, fade: Points) -> Part:
    events = close(_shaped(_played(chosen, score), chosen, score), chosen, score)
    return Part(
        name=chosen.name,
        role=chosen.role,
        voice=chosen.voice,
        notes=perform(events, chosen, score, target_map, energy, _piece_push(chosen)),
        is_drums=isinstance(chosen, Drums),
        effects=chosen.effects,
        pan=chosen.pan,
        level_db=chosen.level_db + LEVEL_DB_PER_DOUBLING * math.log2(energy),
        colour=chosen.colour,
        fade=() if score.closing is not None and isinstance(chosen, Drums) else fade,
    )


def _played(chosen: StylePart, score: Score) -> list[Event]:
    """What the player plays; without a beat only held chords and the melody are left."""
    if score.form.has_beat:
        return PLAYERS[chosen.play](chosen, score)
    if chosen.play in {"pad", "comp"}:
        return play_pad(chosen, score)
    return PLAYERS[chosen.play](chosen, score) if chosen.play in {"lead", "fx"} else []


def _shaped(events: Sequence[Event], part: StylePart, score: Score) -> list[Event]:
    """Silence before drops, and the swell of sections that lead into louder ones."""
    crescendo = score.style.form.crescendo
    shaped: list[Event] = []
    for event in events:
        plan = score.plan_of(score.form.bar_at(event.start))
        if part.play in STOP_FOR_DROP and plan.drop_from < plan.end:
            if plan.drop_from - 1e-6 <= event.start < plan.end:
                continue
            if event.start < plan.drop_from < event.start + event.duration:
                event = dataclasses.replace(event, duration=plan.drop_from - event.start)
        if crescendo and plan.rises:
            share = (event.start - plan.start) / (plan.end - plan.start)
            event = dataclasses.replace(event, velocity=event.velocity * (1.0 + crescendo * (share - 0.5)))
        shaped.append(event)
    return shaped


def _piece_push(part: StylePart) -> Callable[[int], tuple[float, float]] | None:
    """A kit's pieces have a push of their own."""
    if not isinstance(part, Drums):
        return None
    own, general = part.piece_push_ms, part.push_ms
    return lambda pitch: own.get(PIECES[pitch], general)
