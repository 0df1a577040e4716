"""A style that asks for what does not exist is refused before any work starts."""

import pytest

from engine.errors import NrxError
from engine.generation.arranger.check import check_style
from engine.presets import list_styles, load_style


def changed(**update):
    style = load_style("lofi_chill")
    return style.model_copy(update={"parts": (style.parts[0].model_copy(update=update), *style.parts[1:])})


@pytest.mark.parametrize("style_id", list_styles())
def test_built_in_styles_ask_for_what_exists(style_id):
    check_style(load_style(style_id))


def test_an_unknown_voice_is_named_with_its_part_and_what_there_is():
    with pytest.raises(NrxError, match=r"lofi_chill.*'kazoo'.*'Drums'.*electric_piano") as caught:
        check_style(changed(voice="kazoo"))
    assert caught.value.code == "preset.invalid"


def test_a_soundfont_may_be_a_voice():
    check_style(changed(voice="soundfont:/somewhere/piano.sf2"))


@pytest.mark.parametrize(
    "effect", [{"type": "sparkle"}, {"type": "reverb", "room": 1}, {"type": "reverb", "room_size": 9}]
)
def test_an_unknown_effect_or_parameter_is_named_with_its_part(effect):
    with pytest.raises(NrxError, match=r"lofi_chill.*'Drums'") as caught:
        check_style(changed(effects=(effect,)))
    assert caught.value.code == "preset.invalid"
