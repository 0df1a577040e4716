"""Master presets load, and bad ones are refused by file, key and what is allowed."""

from pathlib import Path

import pytest

from engine.errors import NrxError
from engine.mastering.presets import list_master_presets, load_master_preset

LOUDNESS = {"streaming": -14.0, "pop": -10.0, "hip_hop": -8.0, "rock": -10.0, "electro_house": -10.0}


@pytest.mark.parametrize("preset_id", LOUDNESS)
def test_built_in_presets_load(preset_id: str) -> None:
    preset = load_master_preset(preset_id)
    assert preset.wishes().lufs == LOUDNESS[preset_id]
    assert preset.wishes().ceiling_dbtp == -1.0


def test_every_file_is_listed_and_loads() -> None:
    assert set(LOUDNESS) <= set(list_master_presets())
    for preset_id in list_master_presets():
        assert load_master_preset(preset_id).id == preset_id


def test_names_as_people_write_them_are_found() -> None:
    assert load_master_preset("Hip-Hop").id == "hip_hop"
    assert load_master_preset(" Electro House ").id == "electro_house"


def test_an_unknown_preset_is_refused_with_near_matches() -> None:
    with pytest.raises(NrxError, match="hip_hop") as refused:
        load_master_preset("hip hopp")
    assert refused.value.code == "request.invalid"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id: mine\nname: Mine\nlufs: 3\n", "lufs"),
        ("id: mine\nname: Mine\nlufs: -12\nloud: yes\n", "loud"),
        ("id: mine\nname: Mine\n", "lufs"),
        ("id: other\nname: Mine\nlufs: -12\n", "other"),
        ("id: mine\nname: Mine\nlufs: -12\nbits: 20\n", "bits"),
    ],
)
def test_a_bad_file_is_refused_by_file_and_key(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(NrxError, match=told) as refused:
        load_master_preset("mine", [tmp_path])
    assert refused.value.code == "preset.invalid"
    assert "mine.yaml" in refused.value.sentence


def test_a_users_file_wins_over_a_built_in_one(tmp_path: Path) -> None:
    (tmp_path / "pop.yaml").write_text("id: pop\nname: My pop\nlufs: -12.5\n")
    assert load_master_preset("pop", [tmp_path]).lufs == -12.5
    assert load_master_preset("pop").lufs == -10.0
