"""Styles: YAML files that say everything that makes a style, loaded and checked.

`load_style(id)` and `list_styles()` are the way in; `Style` is what a file holds; `read_preset` reads and
checks any preset file, so that every kind of preset refuses bad files with the same words.
"""

from engine.presets.library import list_styles, load_style, presets_folder
from engine.presets.style import Style
from engine.presets.yaml_file import read_preset

__all__ = ["Style", "list_styles", "load_style", "presets_folder", "read_preset"]
