"""All built-in voices by name: where they are made, how the renderer plays them, and their General MIDI program.

This is data: importing it loads no signal processing. `gain_db` brings a typical part to about -20 LUFS.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from engine.errors import NrxError
from engine.generation.arranger.voices.model import VoiceMaker

Effects = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class VoiceSpec:
    """One voice.

    `maker` is "module:function" in this package. `program` is the General MIDI program (0 to 127), None for
    drums and effects. `low` and `high` are the range in which it sounds natural. After a key is let go the
    sound falls by 60 dB in `release_s`; a `one_shot` always sounds to its end. `mono` voices play one note at
    a time and glide between notes that touch. A slow attack starts `early_s` before its beat, as players
    of such instruments do, so that it is heard on it. `fits_note` voices are rendered anew for each length.
    `variants` is the number of round-robin renderings, `layers` of velocity layers. `effects` belong to the
    instrument (amplifier, rotary) and come before the part's own. `choke` maps notes to a group in which a
    new hit silences the last.
    """

    family: str
    maker: str
    program: int | None
    low: int
    high: int
    release_s: float
    gain_db: float = 0.0
    layers: int = 6
    variants: int = 1
    one_shot: bool = False
    mono: bool = False
    fits_note: bool = False
    early_s: float = 0.0
    effects: Effects = ()
    choke: Mapping[int, int] | None = None

    def make(self) -> VoiceMaker:
        """Import and return the maker."""
        module, function = self.maker.split(":")
        found = importlib.import_module(f"engine.generation.arranger.voices.{module}")
        return cast(VoiceMaker, getattr(found, function))


_HATS = {42: 1, 44: 1, 46: 1}


def _kit(name: str, gain_db: float = 0.0, effects: Effects = ()) -> VoiceSpec:
    return VoiceSpec(
        "drums",
        f"kits:{name}",
        None,
        35,
        82,
        0.08,
        gain_db,
        layers=5,
        variants=4,
        one_shot=True,
        effects=effects,
        choke=_HATS,
    )


def _plucked(name: str, program: int, low: int, high: int, release_s: float, **more: Any) -> VoiceSpec:
    return VoiceSpec("plucked", f"plucked:{name}", program, low, high, release_s, **{"variants": 2, **more})


def _ensemble(name: str, program: int, low: int, high: int, release_s: float, **more: Any) -> VoiceSpec:
    return VoiceSpec("ensemble", f"ensembles:{name}", program, low, high, release_s, **{"layers": 5, **more})


_CLEAN_AMP: Effects = (
    {"type": "amp", "drive_db": 4.0, "bass_db": 1.0, "middle_db": -2.0, "treble_db": 2.0},
    {"type": "cabinet", "cutoff_hz": 5200.0},
)
_NO_RUMBLE: Effects = ({"type": "high_pass", "cutoff_hz": 20.0, "slope_db": 12},)
_LEAD_AMP: Effects = (
    {"type": "amp", "drive_db": 36.0, "bass_db": 1.0, "middle_db": 1.5, "treble_db": 2.0},
    {"type": "cabinet", "cutoff_hz": 4800.0},
)

VOICES: dict[str, VoiceSpec] = {
    "kit_acoustic": _kit(
        "kit_acoustic", gain_db=3.5, effects=({"type": "room", "decay_s": 0.35, "wet_db": -19.0},)
    ),
    "kit_brush": _kit("kit_brush", gain_db=6.0, effects=({"type": "room", "decay_s": 0.4, "wet_db": -19.0},)),
    "kit_electronic": _kit("kit_electronic", gain_db=-1.0),
    "kit_lofi": _kit("kit_lofi", gain_db=4.5),
    "kit_eighties": _kit("kit_eighties", gain_db=-2.0),
    "kit_jazz": _kit("kit_jazz", gain_db=7.0, effects=({"type": "room", "decay_s": 0.45, "wet_db": -17.0},)),
    "kit_rock": _kit("kit_rock", gain_db=-1.5, effects=({"type": "room", "decay_s": 0.5, "wet_db": -15.0},)),
    "kit_orchestral": _kit("kit_orchestral", gain_db=6.0),
    "electric_piano": VoiceSpec("keys", "keys:electric_piano", 4, 28, 100, 0.22, gain_db=-10.0),
    "piano": VoiceSpec("keys", "keys:piano", 0, 21, 108, 0.35, gain_db=-12.0),
    "organ": VoiceSpec(
        "keys", "keys:organ", 16, 36, 96, 0.06, layers=4, effects=({"type": "rotary"},), gain_db=-19.0
    ),
    "vibes": VoiceSpec("keys", "keys:vibes", 11, 53, 96, 0.9, gain_db=-10.5),
    "nylon_guitar": _plucked("nylon_guitar", 24, 40, 84, 0.22, gain_db=-13.0),
    "nylon_lead": _plucked("nylon_lead", 24, 45, 88, 0.25, mono=False, gain_db=-8.5),
    "steel_guitar": _plucked("steel_guitar", 25, 40, 86, 0.25, gain_db=-14.0),
    "electric_guitar": _plucked(
        "electric_guitar", 27, 40, 88, 0.18, effects=(*_CLEAN_AMP, {"type": "gain", "gain_db": -4.5})
    ),
    "power_guitar": _plucked(
        "power_guitar", 30, 36, 88, 0.07, effects=(*_LEAD_AMP, {"type": "gain", "gain_db": -15.0})
    ),
    "muted_guitar": _plucked(
        "muted_guitar", 28, 40, 86, 0.10, effects=(*_CLEAN_AMP, {"type": "gain", "gain_db": 3.0})
    ),
    "finger_bass": _plucked("finger_bass", 33, 28, 67, 0.11, gain_db=-12.0, effects=_NO_RUMBLE),
    "pick_bass": _plucked("pick_bass", 34, 28, 67, 0.10, gain_db=-12.5, effects=_NO_RUMBLE),
    "upright_bass": _plucked("upright_bass", 32, 28, 67, 0.16, gain_db=-9.0, effects=_NO_RUMBLE),
    "pizzicato_bass": _plucked("pizzicato_bass", 45, 28, 60, 0.4, gain_db=-7.5, effects=_NO_RUMBLE),
    "pizzicato": _plucked("pizzicato", 45, 55, 100, 0.4, gain_db=-8.0),
    "sub_bass": VoiceSpec(
        "synth", "synths:sub_bass", 39, 24, 60, 0.12, layers=4, mono=True, gain_db=-10.5, effects=_NO_RUMBLE
    ),
    "synth_bass": VoiceSpec(
        "synth", "synths:synth_bass", 38, 24, 67, 0.09, layers=5, mono=True, gain_db=-10.0, effects=_NO_RUMBLE
    ),
    "arp_synth": VoiceSpec("synth", "synths:arp_synth", 81, 36, 108, 0.25, layers=5, gain_db=-12.0),
    "pluck": VoiceSpec("synth", "synths:pluck", 84, 36, 108, 0.3, layers=5, gain_db=-13.0),
    "saw_lead": VoiceSpec("synth", "synths:saw_lead", 81, 40, 108, 0.18, layers=5, mono=True, gain_db=-15.5),
    "square_lead": VoiceSpec(
        "synth", "synths:square_lead", 80, 40, 108, 0.18, layers=5, mono=True, gain_db=-13.5
    ),
    "saw_pad": _ensemble("saw_pad", 90, 28, 96, 1.4, gain_db=-15.0, early_s=0.005),
    "warm_pad": _ensemble("warm_pad", 89, 28, 96, 1.8, gain_db=-15.0, early_s=0.004),
    "supersaw": _ensemble("supersaw", 81, 28, 108, 0.45, gain_db=-15.0, early_s=0.004),
    "choir": _ensemble("choir", 52, 40, 84, 1.0, gain_db=-15.0, early_s=0.005),
    "strings": _ensemble("strings", 48, 36, 100, 0.75, gain_db=-14.5, early_s=0.005),
    "violins": _ensemble("violins", 48, 55, 103, 0.6, gain_db=-11.5, early_s=0.004),
    "celli": _ensemble("celli", 42, 24, 76, 0.6, gain_db=-7.0, early_s=0.004),
    "horns": _ensemble("horns", 60, 34, 79, 0.4, gain_db=-14.0, early_s=0.005),
    "woodwinds": _ensemble("woodwinds", 68, 50, 96, 0.35, gain_db=-14.5, early_s=0.004),
    "flute": VoiceSpec(
        "wind", "winds:flute", 73, 60, 98, 0.16, layers=5, mono=True, gain_db=-12.5, early_s=0.004
    ),
    "sax": VoiceSpec(
        "wind", "winds:sax", 66, 42, 84, 0.14, layers=5, mono=True, gain_db=-12.0, early_s=0.005
    ),
    "trumpet": VoiceSpec(
        "wind", "winds:trumpet", 56, 52, 90, 0.14, layers=5, mono=True, gain_db=-13.0, early_s=0.004
    ),
    "fx": VoiceSpec("effects", "atmosphere:fx", None, 0, 3, 0.0, layers=3, fits_note=True, gain_db=-9.0),
}


def voice_spec(name: str) -> VoiceSpec:
    """Return the voice of that name.

    Raises:
        NrxError: "preset.invalid" if there is none.
    """
    if name not in VOICES:
        raise NrxError("preset.invalid", f'There is no voice "{name}"; there are {", ".join(VOICES)}.')
    return VOICES[name]
