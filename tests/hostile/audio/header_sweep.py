"""Mutated audio headers against the prober, the watched folder's judgement and the reader, in a process of its own.

Usage: python -m tests.hostile.audio.header_sweep COUNT FOLDER

Prints how often each outcome was seen, and by how many bytes the process has grown after the first tenth.
"""

import json
import random
import sys
from collections import Counter
from pathlib import Path

import av
import numpy as np
import psutil
import soundfile

from bridge.doors.folder.header import judge_header
from engine.audio import Limits, probe, read_audio
from engine.errors import CODES, NrxError

HEADER_BYTES = 256
FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "float.wav": ("WAV", "FLOAT"),
    "wavex": ("WAVEX", "PCM_24"),
    "rf64": ("RF64", "PCM_16"),
    "aiff": ("AIFF", "PCM_24"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "caf": ("CAF", "PCM_16"),
    "w64": ("W64", "PCM_16"),
    "au": ("AU", "PCM_16"),
}
NUMBERS = [
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\1\0\0\0",
    b"\0\0\0\1",
]


def seeds(folder: Path) -> list[tuple[str, bytes]]:
    """Return a small whole file of every format."""
    samples = np.random.default_rng(0).normal(0, 0.1, (2000, 2)).astype(np.float32)
    found = []
    for name, (container, subtype) in FORMATS.items():
        path = folder / f"a.{name}"
        soundfile.write(path, samples, 44100, format=container, subtype=subtype)
        found.append((name, path.read_bytes()))
    path = folder / "a.m4a"
    with av.open(str(path), "w") as opened:
        stream = opened.add_stream("aac", rate=44100)
        stream.layout = "stereo"
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), format="fltp", layout="stereo")
        frame.sample_rate = 44100
        for packet in (*stream.encode(frame), *stream.encode(None)):
            opened.mux(packet)
    return [*found, ("m4a", path.read_bytes())]


def mutated(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(min(HEADER_BYTES, len(changed)) or 1)
        match rng.randrange(5):
            case 0:
                changed[at : at + 1] = rng.randbytes(1)
            case 1:
                changed[at : at + 4] = rng.choice(NUMBERS)
            case 2:
                del changed[at : at + rng.randrange(1, 9)]
            case 3:
                changed[at:at] = rng.randbytes(rng.randrange(1, 9))
            case _:
                del changed[rng.randrange(len(changed) + 1) :]
    return bytes(changed)


def outcome_of(path: Path, limits: Limits) -> str:
    """Return "read", or the code of a refusal that is one sentence about the input."""
    try:
        probe(path)
        judge_header(path)
        read_audio(path, limits=limits)
    except NrxError as error:
        told = error
    else:
        return "read"
    assert told.code in CODES
    assert told.code.startswith("input."), told.sentence
    assert told.sentence.endswith("."), told.sentence
    return told.code


def sweep(count: int, folder: Path) -> tuple[Counter[str], int]:
    """Return the outcomes of so many mutated headers, and the growth in bytes."""
    rng = random.Random(3)
    limits = Limits(max_duration_s=60.0, max_decoded_bytes=64 << 20)
    av.logging.set_level(None)
    outcomes: Counter[str] = Counter()
    whole_files, before = seeds(folder), 0
    for number in range(count):
        name, whole = whole_files[number % len(whole_files)]
        path = folder / f"hostile.{name}"
        path.write_bytes(mutated(rng, whole))
        outcomes[outcome_of(path, limits)] += 1
        if number == count // 10:
            before = psutil.Process().memory_info().rss
    return outcomes, psutil.Process().memory_info().rss - before


if __name__ == "__main__":
    found, grown = sweep(int(sys.argv[1]), Path(sys.argv[2]))
    print(json.dumps({"outcomes": found, "grown_bytes": grown}))
