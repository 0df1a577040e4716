"""Makes what of REAPER's scripts is not written by hand: `python reaper_scripts/build.py`.

- `NRX/lib/shared/`: copies of `daw_lua/`, the Lua that REAPER and Ardour share. ReaPack wants every file of a package
  below the package's own folder.
- `index.xml`: ReaPack's index, one package that brings all actions.

Both are part of the repository; a test checks that they are what this makes.
"""

import re
import sys
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

HERE = Path(__file__).parent
SHARED = HERE.parent / "daw_lua"
PACKAGE = HERE / "NRX"
MAIN = "NRX_Remix selected track.lua"
NOTICE = "-- @noindex\n-- Made by reaper_scripts/build.py from daw_lua; change it there.\n"
RAW = "https://raw.githubusercontent.com/nrx-bridge/nrx-bridge"
RELEASED = "2026-11-21T00:00:00Z"


def tag(name: str) -> str:
    """Return a tag of the package's header."""
    found = re.search(rf"^-- @{name} (.+)$", (PACKAGE / MAIN).read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise SystemExit(f"{MAIN} has no @{name}")
    return found[1]


def index() -> str:
    """Return ReaPack's index."""
    version = tag("version")
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<index version="1" name="NRX Bridge">',
        '  <category name="NRX">',
        f'    <reapack name={quoteattr(MAIN)} type="script" desc={quoteattr(tag("description"))}>',
        f'      <version name="{version}" author={quoteattr(tag("author"))} time="{RELEASED}">',
        f"        <changelog><![CDATA[{tag('changelog')}]]></changelog>",
    ]
    shared = {f"lib/shared/{name}" for name in shared_copies()}
    written = {file.relative_to(PACKAGE).as_posix() for file in PACKAGE.rglob("*.lua")}
    for name in sorted(written | shared):
        is_action = "/" not in name
        main = ' main="main"' if is_action else ""
        file = "" if name == MAIN else f" file={quoteattr(name)}"
        url = f"{RAW}/v{version}/reaper_scripts/NRX/{quote(name)}"
        lines.append(f"        <source{main}{file}>{escape(url)}</source>")
    lines += ["      </version>", "    </reapack>", "  </category>", "</index>", ""]
    return "\n".join(lines)


def shared_copies() -> dict[str, str]:
    """Return file name -> text of every shared module."""
    return {file.name: NOTICE + file.read_text(encoding="utf-8") for file in sorted(SHARED.glob("*.lua"))}


def built() -> dict[Path, str]:
    """Return file -> text of all that is made."""
    copies = {PACKAGE / "lib" / "shared" / name: text for name, text in shared_copies().items()}
    return {**copies, HERE / "index.xml": index()}


if __name__ == "__main__":
    for path, text in built().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        sys.stdout.write(f"{path.name}\n")
