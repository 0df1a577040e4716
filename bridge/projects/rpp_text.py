"""The text of a REAPER project (`.RPP`): blocks `<TAG …` to `>` around lines of words.

What is not asked for is not kept (the states of plug-ins are most of such a file).

Words are parted by blanks; one that holds blanks is quoted by ", ' or `, whichever it does not hold itself. Files are
UTF-8; what is not is read as Windows' Latin, which REAPER wrote before version 4.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from engine.errors import NrxError

LARGEST_BYTES = 1 << 30
LONGEST_LINE_BYTES = 1 << 20
_WORD = re.compile(r'"([^"]*)"?|\'([^\']*)\'?|`([^`]*)`?|(\S+)')


@dataclass(slots=True)
class Block:
    """A block: the words after `<`, and in order what is inside: lines (lists of words) and blocks."""

    words: list[str]
    content: list["list[str] | Block"] = field(default_factory=list)

    @property
    def tag(self) -> str:
        """The first word."""
        return self.words[0]

    def lines(self, name: str) -> Iterator[list[str]]:
        """Yield the words after `name` of each line that begins with it."""
        for entry in self.content:
            if isinstance(entry, list) and entry[0] == name:
                yield entry[1:]

    def line(self, name: str) -> list[str]:
        """Return the words after `name` of the first such line; none where there is no such line."""
        return next(self.lines(name), [])

    def number(self, name: str, index: int = 0, default: float = 0.0) -> float:
        """Return a number of a line, or the default.

        Raises:
            ValueError: for a word that is no number.
        """
        return number_in(self.line(name), index, default)

    def blocks(self, tag: str) -> list["Block"]:
        """Return the blocks of a tag."""
        return [entry for entry in self.content if isinstance(entry, Block) and entry.tag == tag]


def number_in(words: list[str], index: int, default: float) -> float:
    """Return the number at a place in a line, or the default where the line ends before it.

    Raises:
        ValueError: for a word that is no finite number.
    """
    if index >= len(words):
        return default
    value = float(words[index])
    if not -1e12 < value < 1e12:
        raise ValueError(f"{words[index]} is no number of a project")
    return value


def read_blocks(path: Path, kept: frozenset[str]) -> Block:
    """Read the outermost block of a project; blocks whose tags are not in `kept` stay empty.

    Raises:
        NrxError: `input.not_found`, `input.unreadable`, `input.empty`, `input.too_large`; `input.corrupt` for what
            is no project of REAPER.
    """
    try:
        with path.open("rb") as file:
            return _read(file, path, kept)
    except FileNotFoundError:
        raise NrxError("input.not_found", f'There is no file "{path}".') from None
    except IsADirectoryError:
        raise NrxError("input.is_folder", f'"{path}" is a folder; name a REAPER project (.RPP).') from None
    except OSError as error:
        raise NrxError("input.unreadable", f'"{path}" cannot be read ({error.strerror}).') from None


def no_project(path: Path, why: str) -> NrxError:
    """Return the error for a file that is no project, or a broken one."""
    return NrxError(
        "input.corrupt",
        f'"{path.name}" is not a REAPER project that can be read ({why}); save it again in REAPER.',
    )


def _read(file: BinaryIO, path: Path, kept: frozenset[str]) -> Block:
    first = file.readline(LONGEST_LINE_BYTES)
    if not first:
        raise NrxError("input.empty", f'"{path.name}" is empty; save the project again in REAPER.')
    if not first.lstrip(b"\xef\xbb\xbf \t").startswith(b"<REAPER_PROJECT"):
        raise no_project(path, "it does not begin as one")
    root = Block(["REAPER_PROJECT"])
    stack, unread, count = [root], 0, len(first)
    while stack:
        raw = file.readline(LONGEST_LINE_BYTES)
        if not raw:
            raise no_project(path, "it ends early")
        count += len(raw)
        if count > LARGEST_BYTES:
            raise NrxError("input.too_large", f'"{path.name}" is larger than any project may be.')
        line = raw.strip()
        if unread:
            unread += line.startswith(b"<") - (line == b">")
        elif line == b">":
            stack.pop()
        elif line.startswith(b"<"):
            block = Block(_words(line[1:]) or [""])
            stack[-1].content.append(block)
            if block.tag in kept:
                stack.append(block)
            else:
                unread = 1
        elif line:
            stack[-1].content.append(_words(line))
    return root


def _words(line: bytes) -> list[str]:
    try:
        text = line.decode()
    except UnicodeDecodeError:
        text = line.decode("cp1252", "replace")
    return [next((part for part in found.groups() if part is not None), "") for found in _WORD.finditer(text)]
