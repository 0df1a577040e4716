"""Styles: the built-in eight, the user's own, and what is said of files that are wrong."""

from pathlib import Path

import pytest
import yaml

from engine.errors import NrxError
from engine.generation.arranger.effects import check_effects
from engine.presets import list_styles, load_style, presets_folder
from engine.presets.grids import metre_cells

PROMISED = {
    "lofi_chill": (70, 90, 0.4, -14),
    "synthwave": (100, 130, 0.7, -11),
    "neo_soul": (80, 110, 0.6, -12),
    "acoustic": (80, 120, 0.5, -14),
    "edm": (120, 140, 0.9, -9),
    "jazz": (100, 180, 0.6, -16),
    "rock": (110, 150, 0.8, -10),
    "orchestral": (60, 120, 0.7, -16),
}


def content(style_id="lofi_chill"):
    return yaml.safe_load((presets_folder() / "styles" / f"{style_id}.yaml").read_text(encoding="utf-8"))


def saved(folder: Path, data, name="lofi_chill"):
    path = folder / f"{name}.yaml"
    path.write_text(data if isinstance(data, str) else yaml.safe_dump(data), encoding="utf-8")
    return path


def refusal(folder: Path, data, name="lofi_chill") -> str:
    saved(folder, data, name)
    with pytest.raises(NrxError) as caught:
        load_style(name, (folder,))
    assert caught.value.code == "preset.invalid"
    assert f"{name}.yaml" in caught.value.sentence
    return caught.value.sentence


def test_the_eight_styles_are_built_in():
    assert set(list_styles()) == set(PROMISED)


@pytest.mark.parametrize("style_id", PROMISED)
def test_a_style_has_the_promised_tempo_energy_and_loudness(style_id):
    low, high, energy, lufs = PROMISED[style_id]
    style = load_style(style_id)
    assert style.tempo_range_bpm == (low, high)
    assert style.energy == energy
    assert style.master.lufs == lufs
    assert style.master.ceiling_dbtp <= -1.0


@pytest.mark.parametrize("style_id", PROMISED)
def test_a_style_has_drums_bass_and_two_more_parts(style_id):
    roles = [part.role for part in load_style(style_id).parts]
    assert {"drums", "bass"} <= set(roles)
    assert len(roles) >= 4


@pytest.mark.parametrize("style_id", PROMISED)
def test_a_style_names_only_effects_that_exist(style_id):
    style = load_style(style_id)
    for chain in [style.vocal_effects, *(part.effects for part in style.parts)]:
        check_effects(chain)


@pytest.mark.parametrize("style_id", PROMISED)
def test_grooves_get_busier_with_energy(style_id):
    drums = next(part for part in load_style(style_id).parts if part.play == "drums")
    for metre, levels in drums.grooves.items():
        hits = [
            sum(
                sum(len(bar) - bar.count(".") - bar.count("?") for bar in bars) / len(bars)
                for bars in levels[level].values()
            )
            for level in ("low", "middle", "high")
        ]
        assert hits[0] < hits[1] < hits[2], (metre, hits)


@pytest.mark.parametrize("style_id", PROMISED)
def test_the_prompt_is_filled_with_tempo_and_key(style_id):
    prompt = load_style(style_id).prompt_for(97.6, "F# minor")
    assert "98 bpm" in prompt
    assert "F# minor" in prompt


def test_a_user_style_is_listed_and_loaded(tmp_path):
    saved(tmp_path, content() | {"id": "my_lofi", "tempo_range_bpm": [60, 66]}, "my_lofi")
    assert "my_lofi" in list_styles((tmp_path,))
    assert load_style("my_lofi", (tmp_path,)).tempo_range_bpm == (60, 66)


def test_a_user_file_wins_over_the_built_in_style(tmp_path):
    saved(tmp_path, content() | {"name": "Mine"})
    assert load_style("lofi_chill", (tmp_path,)).name == "Mine"
    assert load_style("lofi_chill").name != "Mine"


def test_a_changed_user_file_is_read_again(tmp_path):
    saved(tmp_path, content() | {"name": "First"})
    assert load_style("lofi_chill", (tmp_path,)).name == "First"
    saved(tmp_path, content() | {"name": "The second one"})
    assert load_style("lofi_chill", (tmp_path,)).name == "The second one"


def test_a_folder_that_is_missing_is_no_error(tmp_path):
    assert set(list_styles((tmp_path / "none",))) == set(PROMISED)


@pytest.mark.parametrize(
    ("asked", "near"), [("lofi", "lofi_chill"), ("Synth-Wave", "synthwave"), ("neosoul", "neo_soul")]
)
def test_an_unknown_style_names_near_matches(asked, near):
    with pytest.raises(NrxError) as caught:
        load_style(asked)
    assert caught.value.code == "style.unknown"
    assert near in caught.value.sentence
    assert asked in caught.value.sentence


def test_an_unknown_style_without_near_match_lists_all():
    with pytest.raises(NrxError) as caught:
        load_style("zzzzzz")
    assert all(style_id in caught.value.sentence for style_id in PROMISED)


def test_a_value_of_the_wrong_kind_is_named(tmp_path):
    sentence = refusal(tmp_path, content() | {"tempo_range_bpm": ["fast", 90]})
    assert "tempo_range_bpm.0" in sentence
    assert "'fast'" in sentence
    assert "number" in sentence


def test_a_value_out_of_range_is_named_with_its_bound(tmp_path):
    sentence = refusal(tmp_path, content() | {"energy": 7})
    assert "'energy' = 7" in sentence
    assert "less than or equal to 1" in sentence


def test_bounds_in_the_wrong_order_are_refused(tmp_path):
    sentence = refusal(tmp_path, content() | {"tempo_range_bpm": [90, 70]})
    assert "tempo_range_bpm" in sentence
    assert "lower bound first" in sentence


def test_an_unknown_key_lists_the_allowed_ones(tmp_path):
    sentence = refusal(tmp_path, content() | {"tempo": 80})
    assert "'tempo'" in sentence
    assert "tempo_range_bpm" in sentence


def test_an_unknown_key_of_a_part_lists_that_parts_keys(tmp_path):
    data = content()
    data["parts"][1]["kompass"] = [20, 40]
    sentence = refusal(tmp_path, data)
    assert "kompass" in sentence
    assert "compass" in sentence.split("allowed keys are")[1]
    assert "voicing" not in sentence.split("allowed keys are")[1]


def test_a_missing_key_is_named(tmp_path):
    data = content()
    del data["master"]["lufs"]
    assert "lacks the key 'master.lufs'" in refusal(tmp_path, data)


def test_an_unknown_kind_of_part_lists_the_kinds(tmp_path):
    data = content()
    data["parts"][0]["play"] = "drumz"
    sentence = refusal(tmp_path, data)
    assert "'drumz'" in sentence
    assert "'drums'" in sentence
    assert "'bass'" in sentence


def test_an_unknown_role_lists_the_roles(tmp_path):
    data = content()
    data["parts"][0]["role"] = "kazoo"
    sentence = refusal(tmp_path, data)
    assert "'kazoo'" in sentence
    assert "'strings'" in sentence


@pytest.mark.parametrize(
    ("grid", "said"), [("x...y...x...x...", "not y"), ("x...x...", "16 cells"), ("", "at least one cell")]
)
def test_a_grid_that_cannot_be_played_is_refused(tmp_path, grid, said):
    data = content()
    data["parts"][0]["grooves"]["4/4"]["low"]["kick"] = [grid]
    assert said in refusal(tmp_path, data)


def test_a_role_without_balance_is_refused(tmp_path):
    data = content()
    del data["balance_db"]["lead"]
    assert "lead" in refusal(tmp_path, data)


def test_two_parts_of_one_name_are_refused(tmp_path):
    data = content()
    data["parts"][1]["name"] = data["parts"][0]["name"]
    assert "twice" in refusal(tmp_path, data)


def test_an_id_that_is_not_the_files_name_is_refused(tmp_path):
    assert "other_name" in refusal(tmp_path, content(), "other_name")


@pytest.mark.parametrize("text", ["", "[1, 2]", "a: b: c", "just words", "{unclosed: [", "\t- x"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path, text):
    refusal(tmp_path, text)


def test_a_file_that_is_not_text_is_refused(tmp_path):
    (tmp_path / "lofi_chill.yaml").write_bytes(b"\xff\xfe\x00id")
    with pytest.raises(NrxError, match="UTF-8"):
        load_style("lofi_chill", (tmp_path,))


@pytest.mark.parametrize(
    ("metre", "cells"), [("4/4", 16), ("3/4", 12), ("6/8", 12), ("7/8", 14), ("5/4", 20), ("2/2", 16)]
)
def test_a_metre_has_its_number_of_sixteenths(metre, cells):
    assert metre_cells(metre) == cells
