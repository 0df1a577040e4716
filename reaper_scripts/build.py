"""Copies the Lua that REAPER and Ardour share into REAPER's scripts: `python reaper_scripts/build.py`.

ReaPack wants every file of a package below the package's own folder, so `NRX/lib/shared/` holds copies of `daw_lua/`.
They are part of the repository; a test checks that they are what this makes.
"""

from pathlib import Path

HERE = Path(__file__).parent
SHARED = HERE.parent / "daw_lua"
TARGET = HERE / "NRX" / "lib" / "shared"
NOTICE = "-- @noindex\n-- Made by reaper_scripts/build.py from daw_lua; change it there.\n"


def built() -> dict[str, str]:
    """Return file name -> text of every shared module."""
    return {file.name: NOTICE + file.read_text(encoding="utf-8") for file in sorted(SHARED.glob("*.lua"))}


if __name__ == "__main__":
    TARGET.mkdir(exist_ok=True)
    for name, text in built().items():
        (TARGET / name).write_text(text, encoding="utf-8", newline="\n")
        print(name)
