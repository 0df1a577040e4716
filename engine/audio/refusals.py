"""The sentences with which a file is refused: the same words for the same thing in every reader."""

from pathlib import Path

from engine.errors import NrxError


def empty(path: Path) -> NrxError:
    """Return the error for a file that is audio but has no frames."""
    return NrxError(
        "input.empty", f'"{path.name}" holds no audio: its length is zero frames; export it again.'
    )


def cut_off(path: Path, claimed_s: float, held_s: float) -> NrxError:
    """Return the error for a file that ends before its header says."""
    claimed, held = (f"{seconds:.2f} s" for seconds in (claimed_s, held_s))
    there = f"{held} are there" if held != claimed else "a little less is there"
    return NrxError(
        "input.truncated",
        f'"{path.name}" is cut off: its header says {claimed} of audio and {there}; copy or export it again.',
    )


def no_audio_begun(path: Path) -> NrxError:
    """Return the error for a file that ends inside its header."""
    return NrxError(
        "input.truncated", f'"{path.name}" ends before its audio begins; copy or export it again.'
    )


def lying(path: Path, claimed_s: float, held_s: float) -> NrxError:
    """Return the error for a file that holds more, or other, audio than its header says."""
    return NrxError(
        "input.truncated",
        f'"{path.name}" has a header that lies about its length: it says {claimed_s:.2f} s of audio and'
        f" {held_s:.2f} s are there; export it again.",
    )


def impossible(path: Path, what: str) -> NrxError:
    """Return the error for a header that describes what cannot be."""
    return NrxError("input.corrupt", f'"{path.name}" describes {what}, which cannot be; export it again.')


def corrupt(path: Path, reason: object) -> NrxError:
    """Return the error for audio that a decoder gave up on."""
    text = " ".join(str(reason).split()).rstrip(".")
    return NrxError("input.corrupt", f'"{path.name}" cannot be decoded ({text}); export it again.')


def not_finite(name: str) -> NrxError:
    """Return the error for samples that are no numbers."""
    return NrxError(
        "input.not_finite",
        f"{name} holds samples that are not numbers (NaN or infinite); export it again from a clean session.",
    )
