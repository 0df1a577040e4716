"""Which instruments words ask for: "solo piano", "drums and bass only", "no drums", "without guitars or synths".

`INSTRUMENTS` is the table: how people call an instrument, which voices are it, and what it plays when it plays alone.
An instrument without voices of its own is a role ("drums", "bass"). `dressed` gives a style with just those players.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import NrxError
from engine.presets.grids import LEVELS
from engine.presets.parts import Role, StylePart
from engine.presets.style import Style


@dataclass(frozen=True, slots=True)
class Instrument:
    """`words` is a regular expression of its names; the first of `voices` is played where a style has none of them."""

    name: str
    words: str
    roles: tuple[Role, ...]
    voices: tuple[str, ...] = ()

    def plays(self, part: StylePart) -> bool:
        """Whether a style's part is played by it."""
        return part.voice in self.voices if self.voices else part.role in self.roles


KEYBOARD: tuple[Role, ...] = ("bass", "chords", "lead")
FRETTED: tuple[Role, ...] = ("chords", "arp", "lead")
MACHINE: tuple[Role, ...] = ("bass", "pad", "arp", "lead")
SECTION: tuple[Role, ...] = ("bass", "pad", "strings", "lead")
INSTRUMENTS: tuple[Instrument, ...] = (
    Instrument("Drums", r"drums?|drum ?kit|drum machine|percussion|beats?", ("drums",)),
    Instrument("Bass", r"bass ?lines?|bass guitars?|upright bass|double bass|bass", ("bass",)),
    Instrument("Electric piano", r"electric pianos?|e-pianos?|rhodes|wurlitzer|wurli", KEYBOARD, ("electric_piano",)),
    Instrument("Piano", r"pianos?", KEYBOARD, ("piano",)),
    Instrument("Organ", r"organs?|hammond", KEYBOARD, ("organ",)),
    Instrument("Vibraphone", r"vibraphones?|vibes", ("chords", "lead"), ("vibes",)),
    Instrument(
        "Electric guitar", r"electric guitars?|distorted guitars?", FRETTED,
        ("electric_guitar", "power_guitar", "muted_guitar"),
    ),
    Instrument(
        "Acoustic guitar", r"acoustic guitars?|nylon guitars?|steel guitars?|classical guitars?", FRETTED,
        ("nylon_guitar", "steel_guitar", "nylon_lead"),
    ),
    Instrument(
        "Guitar", r"guitars?", FRETTED,
        ("steel_guitar", "nylon_guitar", "nylon_lead", "electric_guitar", "power_guitar", "muted_guitar"),
    ),
    Instrument("Violins", r"violins?|fiddles?", ("lead",), ("violins",)),
    Instrument("Cello", r"cell(?:o|os|i)", ("bass",), ("celli",)),
    Instrument(
        "Strings", r"strings?|string (?:section|quartet)", SECTION,
        ("strings", "violins", "celli", "pizzicato"),
    ),
    Instrument("Trumpet", r"trumpets?", ("lead",), ("trumpet",)),
    Instrument("Horns", r"horns?|brass", ("chords", "lead"), ("horns", "trumpet")),
    Instrument("Saxophone", r"sax(?:ophone)?s?", ("lead",), ("sax",)),
    Instrument("Flute", r"flutes?", ("lead",), ("flute",)),
    Instrument("Woodwinds", r"woodwinds?", ("chords", "lead"), ("woodwinds", "flute")),
    Instrument("Choir", r"choirs?", ("pad",), ("choir",)),
    Instrument(
        "Synth", r"synth(?:esi[sz]er)?s?", MACHINE,
        ("saw_lead", "square_lead", "saw_pad", "warm_pad", "supersaw", "arp_synth", "pluck", "synth_bass", "sub_bass"),
    ),
    Instrument("Pad", r"pads?", ("pad",)),
    Instrument("Arpeggio", r"arps?|arpeggios?", ("arp",)),
    Instrument("Lead", r"leads?|melody|melodies", ("lead",)),
    Instrument("Chords", r"chords|keys|keyboards?", ("chords",)),
    Instrument("Effects", r"effects|fx|risers?", ("fx",)),
)  # fmt: skip
"""Longer names stand before the shorter ones that they contain."""

_NAME = "(?:" + "|".join(f"(?:{each.words})" for each in INSTRUMENTS) + ")"
_LIST = rf"(?:the |a |an |any )?{_NAME}(?:(?:,? and |,? or | & | \+ |, | with )(?:the |a |an |any )?{_NAME})*"
_ONLY = (
    re.compile(rf"\b(?:solo|only|just|nothing but|unaccompanied)\s+({_LIST})\b"),
    re.compile(rf"\b({_LIST})\s+(?:only|alone)\b"),
)
_WITHOUT = re.compile(rf"\b(?:no|without|minus)\s+({_LIST})\b")
_ALONE_EFFECTS = ({"type": "room", "decay_s": 0.8, "wet_db": -18.0},)


def asked_instruments(text: str) -> tuple[tuple[Instrument, ...], tuple[Instrument, ...]]:
    """Return (the only instruments wanted, or none if all may play; those not wanted)."""
    plain = " ".join(text.lower().split())
    unwanted = [name for found in _WITHOUT.finditer(plain) for name in _named(found[1])]
    rest = _WITHOUT.sub(" ", plain)
    wanted = [name for pattern in _ONLY for found in pattern.finditer(rest) for name in _named(found[1])]
    return tuple(dict.fromkeys(wanted)), tuple(dict.fromkeys(unwanted))


def named_instruments(text: str) -> tuple[Instrument, ...]:
    """Return all instruments that are named and not unwanted."""
    return tuple(dict.fromkeys(_named(_WITHOUT.sub(" ", " ".join(text.lower().split())))))


def _named(text: str) -> list[Instrument]:
    return [
        next(each for each in INSTRUMENTS if re.fullmatch(each.words, found[0]))
        for found in re.finditer(rf"\b{_NAME}\b", text)
    ]


def dressed(style: Style, text: str) -> Style:
    """Return the style with the players that the words ask for; the style itself if they ask for none.

    Raises:
        NrxError: `request.invalid` if nobody would be left to play.
    """
    wanted, unwanted = asked_instruments(text)
    if not wanted and not unwanted:
        return style
    parts = _players(style, wanted) if wanted else style.parts
    left = tuple(part for part in parts if not any(each.plays(part) for each in unwanted))
    if not left:
        raise NrxError(
            "request.invalid",
            f"Without {' and '.join(each.name.lower() for each in unwanted)} nothing is left to play in the style "
            f"{style.id}; leave something in, or choose another style.",
        )
    return style.model_copy(update={"parts": left})


def _players(style: Style, wanted: Sequence[Instrument]) -> tuple[StylePart, ...]:
    """The parts of these instruments, in all sections; what a style does not have is taught to its other players."""
    chosen: dict[str, StylePart] = {}
    alone = len(wanted) == 1
    for instrument in wanted:
        own = [part for part in style.parts if instrument.plays(part)]
        roles = instrument.roles if alone else instrument.roles[:1]
        if instrument.voices and (alone or not own):
            taken = {part.role for part in own}
            own += [part for role in roles if role not in taken for part in _taught(style, instrument, role)]
        for part in own or _nearest(style, instrument):
            chosen.setdefault(part.name, part.model_copy(update={"levels": LEVELS, "intro": True}))
    return tuple(chosen.values())


def _taught(style: Style, instrument: Instrument, role: Role) -> list[StylePart]:
    model = next((part for part in style.parts if part.role == role), None)
    if model is None:
        return []
    changes = {
        "name": f"{instrument.name} ({role})",
        "voice": instrument.voices[0],
        "effects": _ALONE_EFFECTS,
    }
    return [model.model_copy(update=changes)]


def _nearest(style: Style, instrument: Instrument) -> list[StylePart]:
    """Where neither the instrument nor its role is in the style: what holds the harmony, or else the first part."""
    harmony = [part for part in style.parts if part.role in ("chords", "pad", "arp", "strings")]
    return (harmony or list(style.parts))[:1]
