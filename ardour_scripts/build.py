"""Builds the scripts that Ardour loads: `python ardour_scripts/build.py`.

Ardour keeps only the text of `factory` and has no `require`, so each `source/*.script.lua` names its modules in one
line, `--@modules json files …`, and gets them inlined there, in that order, with a `require` of its own. Modules come
from `source/` and, where REAPER's scripts use them as well, from `daw_lua/`. The results, `nrx_*.lua` beside this
file, are part of the repository; a test checks that they are what this makes.
"""

import re
from pathlib import Path

HERE = Path(__file__).parent
SOURCES = HERE / "source"
SHARED = HERE.parent / "daw_lua"
SUFFIX = ".script.lua"
MODULES = re.compile(r"^\t--@modules (.+)\n", re.MULTILINE)
NOTICE = "-- Made by ardour_scripts/build.py from ardour_scripts/source; change it there.\n"


def module_text(name: str) -> str:
    """Return the code of a module."""
    file = next(path for path in (SOURCES / f"{name}.lua", SHARED / f"{name}.lua") if path.is_file())
    return file.read_text(encoding="utf-8")


def inlined(names: list[str]) -> str:
    """Return the Lua that defines `require` and the modules, without touching a global."""
    parts = [
        "\tlocal modules = {}\n",
        "\tlocal function require (name) return assert (modules[name], name) end\n",
    ]
    parts += [
        f'\tmodules["{name}"] = (function ()\n{module_text(name).rstrip()}\n\tend) ()\n' for name in names
    ]
    return "".join(parts)


def built() -> dict[str, str]:
    """Return file name -> text of every script."""
    scripts = {}
    for source in sorted(SOURCES.glob(f"*{SUFFIX}")):
        text = source.read_text(encoding="utf-8")
        whole, count = MODULES.subn(lambda match: inlined(match[1].split()), text)
        if count != 1:
            raise SystemExit(f"{source.name} must have one line --@modules, and has {count}.")
        scripts[f"nrx_{source.name.removesuffix(SUFFIX)}.lua"] = NOTICE + whole
    return scripts


if __name__ == "__main__":
    for name, text in built().items():
        (HERE / name).write_text(text, encoding="utf-8", newline="\n")
        print(name)
