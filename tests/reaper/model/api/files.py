"""Files: real ones. Listings are cached until they are asked for index -1, as REAPER's are."""

from pathlib import Path

from tests.reaper.model.registry import offers
from tests.reaper.model.script import Script


@offers("file_exists")
def file_exists(_script: Script, path: str) -> bool:
    # true for folders as well, as REAPER's
    return Path(path).exists()


@offers("RecursiveCreateDirectory")
def create_folder(_script: Script, path: str, _ignored: int) -> int:
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError:
        return 0
    return 1


def _entry(script: Script, path: str, index: int, *, folders: bool) -> str | None:
    cache, key = script.reaper.listings, (path, folders)
    if index < 0:
        cache.pop(key, None)
        return None
    if key not in cache:
        try:
            entries = sorted(Path(path).iterdir())
        except OSError:
            entries = []
        cache[key] = [entry.name for entry in entries if entry.is_dir() == folders]
    found = cache[key]
    return found[index] if index < len(found) else None


@offers("EnumerateFiles")
def enumerate_files(script: Script, path: str, index: int) -> str | None:
    return _entry(script, path, index, folders=False)


@offers("EnumerateSubdirectories")
def enumerate_folders(script: Script, path: str, index: int) -> str | None:
    return _entry(script, path, index, folders=True)
