"""Prompts say what was asked, each thing once, the person's own words first."""

import pytest

from engine.errors import NrxError
from engine.generation.prompts import STEMS, Said, brightness_of, energy_of, prompt_for
from engine.presets import list_styles, load_style


def test_own_words_lead_and_are_not_repeated() -> None:
    said = prompt_for(Said("dark techno, 128 bpm", bpm=128.0, key="C minor"))
    assert said == "dark techno, 128 bpm, C minor"
    assert prompt_for(Said("a waltz in A minor", key="A minor")) == "a waltz in A minor"


@pytest.mark.parametrize("style_id", list_styles())
def test_a_styles_prompt_is_filled_with_tempo_and_key(style_id: str) -> None:
    style = load_style(style_id)
    said = prompt_for(Said(style=style, bpm=96.4, key="F# minor", voiceless=True))
    assert said.startswith(style.prompt.split(",")[0])
    assert said.count("96 bpm") == 1
    assert said.count("F# minor") == 1
    assert said.count("no vocals") == 1
    assert "{" not in said


def test_what_is_not_known_is_left_out() -> None:
    said = prompt_for(Said(style=load_style("jazz")))
    assert "bpm" not in said
    assert "None" not in said
    assert "walking upright bass" in said


@pytest.mark.parametrize("stem", STEMS)
def test_a_stem_is_asked_for_alone(stem: str) -> None:
    said = prompt_for(Said(stem=stem, style=load_style("edm"), mood="groovy", key="C minor", bpm=124.0))
    assert said.startswith("groovy, edm")
    assert STEMS[stem][2][0].split(",")[0] in said
    assert "124 bpm" in said
    assert "four on the floor" not in said  # the style's own band is not asked for beside the stem


def test_energy_and_brightness_choose_words() -> None:
    style = load_style("rock")
    words = {
        scale: prompt_for(Said(style=style, energy=energy_of(scale, style), brightness=brightness_of(scale)))
        for scale in (0.5, 1.0, 2.0)
    }
    assert len(set(words.values())) == 3
    assert "calm" in words[0.5]
    assert "dark" in words[0.5]
    assert "intense" in words[2.0]
    assert "bright" in words[2.0]


def test_what_was_heard_of_a_song_counts() -> None:
    assert energy_of(1.0, None, -8.0) > energy_of(1.0, None, -14.0) > energy_of(1.0, None, -22.0)
    assert brightness_of(1.0, 4000.0) > brightness_of(1.0, 1900.0) == pytest.approx(1.0)
    assert brightness_of(1.0, 700.0) < 0.7


def test_an_unknown_stem_is_refused_with_the_list() -> None:
    with pytest.raises(NrxError, match=r"'kazoo'.*drums, bass, melody") as error:
        prompt_for(Said(stem="kazoo"))
    assert error.value.code == "request.invalid"


def test_nothing_said_is_still_a_prompt() -> None:
    assert prompt_for(Said()) == "music"
