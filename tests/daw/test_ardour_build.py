"""The scripts that Ardour loads are what their build makes of the sources."""

import importlib.util
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "ardour_scripts"
SHARED = FOLDER.parent / "daw_lua"


def _built() -> dict[str, str]:
    spec = importlib.util.spec_from_file_location("ardour_build", FOLDER / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return dict(module.built())


def test_the_scripts_in_the_repository_are_a_fresh_build() -> None:
    there = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("nrx_*.lua")}
    assert there == _built(), "run: python ardour_scripts/build.py"


@pytest.mark.parametrize("name", ["json", "files", "spool"])
def test_what_reaper_uses_too_is_inlined_from_the_one_copy(name: str) -> None:
    text = (SHARED / f"{name}.lua").read_text(encoding="utf-8").rstrip()
    assert all(text in built for built in _built().values())
    assert not (FOLDER / "source" / f"{name}.lua").exists()
