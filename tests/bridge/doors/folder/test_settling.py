"""When a file is finished: the rule with a clock that the test turns."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bridge.doors.folder.header import Unfinished, has_open_sizes, judge_header
from bridge.doors.folder.settling import Candidate, Settling, State, signature
from engine.errors import NrxError


@pytest.fixture
def rule() -> Settling:
    return Settling(settle_s=2.0, patience_s=10.0)


def begin(rule: Settling, path: Path, now: float = 0.0) -> Candidate:
    candidate = rule.begin(path, now, 0.0, None)
    assert candidate is not None
    return candidate


def wav(path: Path, frames: int = 4410) -> Path:
    soundfile.write(path, np.zeros((frames, 2), np.float32), 44100, subtype="PCM_16")
    return path


def with_sizes(path: Path, riff: int, data: int) -> Path:
    """Patch the sizes of a plain 44-byte header."""
    wav(path)
    content = bytearray(path.read_bytes())
    assert content[36:40] == b"data"
    content[4:8], content[40:44] = struct.pack("<I", riff), struct.pack("<I", data)
    path.write_bytes(content)
    return path


def look(rule: Settling, candidate: Candidate, now: float) -> State:
    rule.examine(candidate, now, None)
    return candidate.state


def test_quiet_file_is_ready_after_the_settle_time_and_not_before(rule: Settling, tmp_path: Path) -> None:
    candidate = begin(rule, wav(tmp_path / "a.wav"))
    assert look(rule, candidate, 1.99) is State.SETTLING
    assert look(rule, candidate, 2.0) is State.READY


def test_growing_file_waits_for_as_long_as_it_grows(rule: Settling, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    wav(path)
    candidate = begin(rule, path)
    for step in range(1, 500):
        with path.open("ab") as file:
            file.write(b"\0" * 400)
        assert look(rule, candidate, step * 1.9) is State.SETTLING
        assert candidate.reason == "Still growing."
    assert candidate.due == pytest.approx(499 * 1.9 + 2.0)


def test_change_of_time_alone_starts_the_clock_again(rule: Settling, tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav")
    candidate = begin(rule, path)
    os.utime(path, (1e9, 1e9))
    assert look(rule, candidate, 2.0) is State.SETTLING
    assert look(rule, candidate, 4.0) is State.READY


def test_event_without_a_change_starts_the_clock_again(rule: Settling, tmp_path: Path) -> None:
    candidate = begin(rule, wav(tmp_path / "a.wav"))
    rule.touch(candidate, 1.5, None, event=True)
    assert look(rule, candidate, 2.5) is State.SETTLING
    assert look(rule, candidate, 3.5) is State.READY


def test_closing_without_a_change_does_not(rule: Settling, tmp_path: Path) -> None:
    candidate = begin(rule, wav(tmp_path / "a.wav"))
    rule.touch(candidate, 1.5, None, event=False)
    assert look(rule, candidate, 2.0) is State.READY


def test_sidecar_that_changes_starts_the_clock_again(rule: Settling, tmp_path: Path) -> None:
    candidate = begin(rule, wav(tmp_path / "a.wav"))
    rule.examine(candidate, 2.0, (10, 10))
    assert candidate.state is State.SETTLING
    rule.examine(candidate, 4.0, (10, 10))
    assert candidate.state is State.READY


def test_ready_file_that_is_written_again_settles_again(rule: Settling, tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav")
    candidate = begin(rule, path)
    look(rule, candidate, 2.0)
    wav(path, 8820)
    rule.touch(candidate, 3.0, None, event=True)
    assert candidate.state is State.SETTLING


def test_file_that_vanishes_is_dropped(rule: Settling, tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav")
    candidate = begin(rule, path)
    path.unlink()
    assert look(rule, candidate, 2.0) is State.GONE


def test_folders_links_and_pipes_are_no_candidates(rule: Settling, tmp_path: Path) -> None:
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "link.wav").symlink_to(wav(tmp_path / "a.wav"))
    assert signature(tmp_path / "folder.wav") is None
    assert signature(tmp_path / "link.wav") is None
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.wav")
        assert rule.begin(tmp_path / "pipe.wav", 0.0, 0.0, None) is None


@pytest.mark.parametrize("sizes", [(0, 0), (36, 0), (0xFFFFFFFF, 0xFFFFFFFF), (0, 0xFFFFFFFF)])
def test_header_whose_sizes_are_not_patched_yet_is_waited_for(
    rule: Settling, tmp_path: Path, sizes: tuple[int, int]
) -> None:
    path = with_sizes(tmp_path / "a.wav", *sizes)
    candidate = begin(rule, path)
    for now in (2.0, 5.0, 9.0, 11.0):
        assert look(rule, candidate, now) is State.SETTLING
        assert candidate.reason.startswith("Not finished yet: ")
    wav(path)
    os.utime(path, (1e9, 1e9))
    assert look(rule, candidate, 12.0) is State.SETTLING
    assert look(rule, candidate, 14.0) is State.READY


def test_file_that_opens_without_a_length_is_taken_after_patience(rule: Settling, tmp_path: Path) -> None:
    candidate = begin(rule, with_sizes(tmp_path / "pipe.wav", 0xFFFFFFFF, 0xFFFFFFFF))
    assert look(rule, candidate, 2.0) is State.SETTLING
    assert look(rule, candidate, 11.9) is State.SETTLING
    assert look(rule, candidate, 12.9) is State.READY


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "input.empty"), (b"no audio at all", "input.not_audio"), (b"RIFF\0\0\0\0WAVE", "input.truncated")],
)
def test_bad_file_is_bad_after_patience(rule: Settling, tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    candidate = begin(rule, path)
    assert look(rule, candidate, 2.0) is State.SETTLING
    assert look(rule, candidate, 12.9) is State.BAD
    assert candidate.error is not None
    assert candidate.error.code == code


def test_file_that_another_program_keeps_locked_is_waited_for(tmp_path: Path) -> None:
    locked = Unfinished(NrxError("input.unreadable", "It cannot be read."), opens=False)
    answers = iter([locked, locked, None])
    rule = Settling(settle_s=2.0, patience_s=10.0, judge=lambda _path: next(answers))
    candidate = begin(rule, wav(tmp_path / "a.wav"))
    assert [look(rule, candidate, now) for now in (2.0, 3.0, 4.0)] == [
        State.SETTLING,
        State.SETTLING,
        State.READY,
    ]


def test_cut_off_file_gets_its_patience_anew_when_it_grows(rule: Settling, tmp_path: Path) -> None:
    whole = wav(tmp_path / "whole.wav").read_bytes()
    path = tmp_path / "a.wav"
    path.write_bytes(whole[:1000])
    candidate = begin(rule, path)
    look(rule, candidate, 2.0)
    path.write_bytes(whole[:2000])
    assert look(rule, candidate, 12.0) is State.SETTLING
    assert look(rule, candidate, 14.0) is State.SETTLING
    path.write_bytes(whole)
    look(rule, candidate, 20.0)
    assert look(rule, candidate, 22.0) is State.READY


def test_whole_files_have_no_open_sizes(tmp_path: Path) -> None:
    assert not has_open_sizes(wav(tmp_path / "a.wav"))
    for suffix in ("flac", "ogg", "aiff"):
        path = tmp_path / f"a.{suffix}"
        soundfile.write(path, np.zeros((4410, 2), np.float32), 44100)
        assert judge_header(path) is None
