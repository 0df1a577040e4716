"""Folders of styles are not listed again for nothing, and what changes in them is seen at once."""

import os
import shutil
import time
from pathlib import Path

import pytest

from engine.errors import NrxError
from engine.presets import list_styles, load_style, presets_folder


def test_a_style_that_comes_or_goes_is_seen(tmp_path: Path) -> None:
    long_ago = time.time() - 1000
    os.utime(tmp_path, (long_ago, long_ago))
    assert "mine" not in list_styles((tmp_path,))
    file = tmp_path / "mine.yaml"
    ours = (presets_folder() / "styles" / "jazz.yaml").read_text(encoding="utf-8")
    file.write_text(ours.replace("id: jazz", "id: mine"), encoding="utf-8")
    assert "mine" in list_styles((tmp_path,))
    assert load_style("mine", (tmp_path,)).id == "mine"
    file.unlink()
    with pytest.raises(NrxError):
        load_style("mine", (tmp_path,))


def test_two_changes_in_one_tick_are_both_seen(tmp_path: Path) -> None:
    now = time.time()
    source = presets_folder() / "styles" / "jazz.yaml"
    for name in ("one", "two"):
        shutil.copy(source, tmp_path / f"{name}.yaml")
        os.utime(tmp_path, (now, now))  # as on a file system that tells changes apart only so finely
        assert name in list_styles((tmp_path,))


def test_a_folder_that_is_not_there_has_no_styles(tmp_path: Path) -> None:
    assert list_styles((tmp_path / "none",)) == list_styles()
