import pytest

from engine.errors import NrxError
from engine.generation.arranger.effects import EFFECTS, check_effects
from engine.generation.arranger.effects.chain import make_chain
from engine.generation.arranger.effects.context import Context
from engine.generation.arranger.voices.table import VOICES, voice_spec

KITS = ("acoustic", "brush", "electronic", "lofi", "eighties", "jazz", "rock", "orchestral")
KEYS = ("electric_piano", "piano", "organ", "vibes")
GUITARS = ("nylon_guitar", "steel_guitar", "electric_guitar", "power_guitar", "muted_guitar", "nylon_lead")
BASSES = ("finger_bass", "pick_bass", "upright_bass", "sub_bass", "synth_bass", "pizzicato_bass", "celli")
SYNTHS = ("saw_pad", "warm_pad", "supersaw", "pluck", "arp_synth", "saw_lead", "square_lead", "fx")
PLAYERS = ("choir", "strings", "pizzicato", "horns", "woodwinds", "flute", "sax", "trumpet", "violins")
NAMES = (*(f"kit_{kit}" for kit in KITS), *KEYS, *GUITARS, *BASSES, *SYNTHS, *PLAYERS)


@pytest.mark.parametrize("name", NAMES)
def test_every_promised_voice_is_there_and_can_be_made(name):
    assert callable(voice_spec(name).make())


def test_each_voice_states_a_sensible_range_program_and_effects():
    for name, spec in VOICES.items():
        assert spec.low < spec.high, name
        assert (spec.program is None) == (spec.family in ("drums", "effects")), name
        assert spec.program is None or 0 <= spec.program <= 127, name
        check_effects(spec.effects)


def test_an_unknown_voice_is_refused_with_the_names_that_exist():
    with pytest.raises(NrxError, match=r'no voice "kazoo".*electric_piano') as caught:
        voice_spec("kazoo")
    assert caught.value.code == "preset.invalid"


@pytest.mark.parametrize("name", EFFECTS)
def test_every_effect_of_the_table_can_be_made_with_its_defaults(name):
    assert callable(make_chain([{"type": name}], Context(44100, 44100)))
