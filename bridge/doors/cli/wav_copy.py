"""`--out song.wav`: the master of a return as one file where it was asked for, beside the return itself."""

import shutil
from pathlib import Path

from bridge.protocol import Manifest
from engine.errors import NrxError

SUFFIX = ".wav"
OTHER_FORMATS = frozenset({".aif", ".aiff", ".flac", ".m4a", ".mp3", ".ogg", ".opus", ".rf64", ".wave"})
"""Endings by which people mean a file, and not a folder."""


def as_file(out: Path | None) -> Path | None:
    """Return the file that `--out` names, or None where it names a folder.

    Raises:
        NrxError: `request.invalid` for a file of another format.
    """
    if out is not None and out.suffix.lower() in OTHER_FORMATS and not out.is_dir():
        raise NrxError(
            "request.invalid",
            f'"{out}" cannot be written: the master is copied as WAV; end it in .wav, or name a folder.',
        )
    if out is None or out.suffix.lower() != SUFFIX or out.is_dir():
        return None
    return out


def numbered(file: Path, number: int, count: int) -> Path:
    """Return the file of take `number` (from 1) of `count`: song.wav, or song-1.wav, song-2.wav and so on."""
    return file if count == 1 else file.with_stem(f"{file.stem}-{number}")


def refuse_what_is_there(files: list[Path]) -> None:
    """Refuse files that exist, before any work is done.

    Raises:
        NrxError: `output.exists`.
    """
    for file in files:
        if file.exists():
            raise NrxError(
                "output.exists", f"{file} is already there and is never overwritten; choose another name."
            )


def copy_master(manifest: Manifest, file: Path) -> None:
    """Copy the master of a finished return to `file`, or, where there is none, the first track.

    Raises:
        NrxError: `output.exists`, `output.not_writable`.
    """
    track = next((item for item in manifest.tracks if item.kind == "master"), manifest.tracks[0])
    source = Path(manifest.folder) / track.file
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with source.open("rb") as sound, file.open("xb") as copy:
            shutil.copyfileobj(sound, copy)
    except FileExistsError as error:
        refuse_what_is_there([file])
        raise NrxError("output.exists", f"{file} is already there and is never overwritten.") from error
    except OSError as error:
        raise NrxError("output.not_writable", f"{file} cannot be written ({error.strerror}).") from error
