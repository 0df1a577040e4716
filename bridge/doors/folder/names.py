"""What names say: which files are audio, which are junk, which folders choose a style, which files are stems of a song.

Stem names follow what DAWs write: `<song> - <role>.wav`, `<song>_<role>.wav`, `<song> <track>.wav` (Live),
`<song>-03-<track>.wav` (REAPER's $project-$tracknumber-$track), `<song>_(Vocals).wav` (separators), and `<role>.wav` in
a folder of the song's name. A name is a stem's if it ends in words that are roles.
"""

import re
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import PurePath

AUDIO_SUFFIX = re.compile(
    r"\.(wave?|bwf|rf64|w64|aif[fc]?|flac|og[ga]|opus|mp3|m4a|aac|caf|au|wma|mka)", re.IGNORECASE
)
SIDECAR_SUFFIX = ".nrx.json"

JUNK_FILES = (
    ".*",
    "~*",
    "*.reapeaks",
    "*.asd",
    "*.pkf",
    "*.ovw",
    "*.tmp",
    "*.part",
    "*.partial",
    "*.partial~",
    "*.writing",
    "*.crdownload",
    "*.download",
    "*.sync-conflict-*",
    "desktop.ini",
    "thumbs.db",
)
"""Never taken, whatever they hold; compared in lower case. `.*` covers `.DS_Store` and `._*`."""

JUNK_FOLDERS = (".*", "@eadir", "__macosx", "$recycle.bin", "system volume information", "lost+found")
"""Never entered."""

_QUALIFIER = re.compile(
    r"acoustic|electric|nylon|steel|rhythm|main|stereo|mono|dry|wet|left|right|l|r|bus|stem|track|loop|room|live|sub|low|"
    r"high|top|bottom|in|out|di|mic|amp|clean|dist|verb|print|bip|bounce|render|edit"
)
"""Words that stand beside a role in track names, and alone name none."""
_REST = frozenset(["other", "music", "instrumental", "rest", "accompaniment"])
"""Words with which a name says that it is what remains."""


@dataclass(frozen=True, slots=True)
class StemName:
    """A stem's name taken apart: the song as it is written and as it is compared, a track number, and the role."""

    title: str
    song: str
    number: str
    role: str


def is_junk(name: str) -> bool:
    """Whether a file of that name is never taken."""
    return any(fnmatch(name.lower(), pattern) for pattern in JUNK_FILES)


def is_junk_folder(name: str) -> bool:
    """Whether a folder of that name is never entered."""
    return any(fnmatch(name.lower(), pattern) for pattern in JUNK_FOLDERS)


def is_audio(name: str) -> bool:
    """Whether a name is that of an audio file that may be taken."""
    return AUDIO_SUFFIX.fullmatch(PurePath(name).suffix) is not None and not is_junk(name)


def audio_of_sidecar(name: str) -> str | None:
    """Return what a sidecar's name has before `.nrx.json`, or None if it is no sidecar."""
    return name[: -len(SIDECAR_SUFFIX)] if name.lower().endswith(SIDECAR_SUFFIX) else None


def style_of_folder(name: str, styles: list[str]) -> str | None:
    """Return the style that a folder is named after: "Lofi Chill", "lofi-chill" and "lofi_chill" are one."""
    plain = _plain(name)
    return next((style for style in styles if _plain(style) == plain), None)


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())


def stem_name(name: str) -> StemName | None:
    """Return what song and role a file name speaks of, or None if it does not end in a role.

    >>> stem_name("Fishin_03_Lead Vox.wav")
    StemName(title='Fishin', song='fishin', number='03', role='vocals')
    >>> stem_name("Drums.wav")
    StemName(title='', song='', number='', role='drums')
    >>> stem_name("Fishin.wav") is None
    True
    """
    return _take_apart(PurePath(name).stem)


@lru_cache(maxsize=4096)
def _take_apart(stem: str) -> StemName | None:
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", stem)
    found = list(re.finditer(r"[^\W_]+", text))
    words = [each.group() for each in found]
    tail, number = len(words), ""
    while tail > 0 and _belongs_to_a_role(words[tail - 1].lower()):
        tail -= 1
        if words[tail].isdigit() and any(not word.isdigit() for word in words[tail:]):
            number = words[tail]
            break
    role = _role(" ".join(words[tail + bool(number) :]))
    if role is None:
        return None
    title = text[: found[tail - 1].end()] if tail else ""
    return StemName(title, " ".join(words[:tail]).casefold(), number, role)


def _belongs_to_a_role(word: str) -> bool:
    return word.isdigit() or _QUALIFIER.fullmatch(word) is not None or _role(word) is not None


def _role(words: str) -> str | None:
    """Return the role that words speak of, or None where they speak of none."""
    from engine.mixing import guess_role

    role = guess_role(words)
    return None if role == "other" and _REST.isdisjoint(words.lower().split()) else role
