"""`styles.json`: what DAW scripts offer to choose from."""

import json
from pathlib import Path

from bridge.config import load_settings
from bridge.styles_file import write_styles
from engine.presets import list_styles


def test_every_style_is_told_with_its_name_and_a_broken_one_is_left_out(own_home: Path) -> None:
    settings = load_settings()
    settings.styles_folder.mkdir()
    (settings.styles_folder / "broken.yaml").write_text("tempo: [", encoding="utf-8")
    write_styles(settings)
    rows = json.loads((own_home / "styles.json").read_text(encoding="ascii"))
    assert [row["id"] for row in rows] == [style for style in list_styles(()) if style != "broken"]
    assert all(row["name"] and row["description"] for row in rows)


def test_a_home_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    settings = load_settings().model_copy(update={"home": tmp_path / "gone"})
    write_styles(settings)
    assert not settings.home.exists()
