"""What the README promises can be read from it by machines: its first two blocks, its options, its styles."""

import re
from pathlib import Path

from bridge.doors.cli.commands.remix import command as remix
from engine.presets import list_styles, load_style

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def test_first_two_blocks_are_one_line_each_and_set_themselves_up() -> None:
    assert len(BLOCKS) == 2
    for block, ends_with in zip(BLOCKS, ("nrx demo", "pytest -n 2"), strict=True):
        assert block.count("\n") == 1
        assert block.startswith("python3 -m venv .venv && ")
        assert block.strip().endswith(ends_with)


def test_every_style_and_its_tempo_range_is_told() -> None:
    for style in map(load_style, list_styles()):
        low, high = style.tempo_range_bpm
        assert re.search(rf"\| `{style.id}` \| {low:g}-{high:g} \|", README), style.id


def test_every_option_that_is_told_exists() -> None:
    real = {name for parameter in remix.params for name in parameter.opts}
    told = set(re.findall(r"^\| (`--[a-z-]+`(?:, `--[a-z-]+`)*)", README, re.MULTILINE))
    names = {name for row in told for name in re.findall(r"--[a-z-]+", row)}
    assert names
    assert names <= real
