"""Bad input gets one clear sentence with a code and leaves nothing behind; odd input that is music just works."""

import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from bridge.config import load_settings
from bridge.job import Job
from bridge.protocol import Manifest, parse_request
from engine.errors import NrxError
from tests.songs import song

RATE = 44100


def remix(path: Path, out: Path, **changes: Any) -> Manifest:
    request = parse_request(
        {"action": "remix", "inputs": [{"path": str(path)}], "style": "lofi_chill", **changes}
    )
    return Job(request, load_settings(), out).run()


def refusal(path: Path, out: Path, **changes: Any) -> NrxError:
    with pytest.raises(NrxError) as raised:
        remix(path, out, **changes)
    assert "\n" not in raised.value.sentence
    assert len(raised.value.sentence) < 400
    assert not out.exists() or list(out.iterdir()) == []
    return raised.value


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def made(path: Path, samples: np.ndarray, rate: int = RATE, subtype: str = "PCM_16") -> Path:
    sf.write(path, samples, rate, subtype=subtype)
    return path


def stereo(seconds: float) -> np.ndarray:
    return np.zeros((int(seconds * RATE), 2))


def missing(folder: Path) -> Path:
    return folder / "no such file.wav"


def a_folder(folder: Path) -> Path:
    (folder / "folder.wav").mkdir()
    return folder / "folder.wav"


def empty(folder: Path) -> Path:
    (folder / "empty.wav").write_bytes(b"")
    return folder / "empty.wav"


def zero_frames(folder: Path) -> Path:
    return made(folder / "zero.wav", stereo(0))


def fifty_ms(folder: Path) -> Path:
    return made(folder / "short.wav", song(bars=1)[: RATE // 20])


def silence(folder: Path) -> Path:
    return made(folder / "silence.wav", stereo(5))


def noise(folder: Path) -> Path:
    return made(folder / "noise.wav", np.random.default_rng(1).normal(size=(RATE * 12, 2)) * 0.1)


def dc(folder: Path) -> Path:
    return made(folder / "dc.wav", stereo(5) + 0.5)


def not_a_number(folder: Path) -> Path:
    samples = song(bars=2)
    samples[1000, 0] = np.nan
    return made(folder / "nan.wav", samples, subtype="FLOAT")


def infinite(folder: Path) -> Path:
    samples = song(bars=2)
    samples[1000, 1] = np.inf
    return made(folder / "inf.wav", samples, subtype="FLOAT")


def truncated(folder: Path) -> Path:
    whole = made(folder / "cut.wav", song(bars=2))
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    return whole


def lying_header(folder: Path) -> Path:
    file = made(folder / "lie.wav", song(bars=2))
    data = bytearray(file.read_bytes())
    at = data.index(b"data")
    data[at + 4 : at + 8] = struct.pack("<I", 0x7FFF0000)
    file.write_bytes(bytes(data))
    return file


def text(folder: Path) -> Path:
    (folder / "text.wav").write_text("This is not a song.\n" * 100)
    return folder / "text.wav"


def forged_flac(folder: Path) -> Path:
    file = made(folder / "forged.flac", song(bars=2))
    data = bytearray(file.read_bytes())
    packed = int.from_bytes(data[18:26], "big")
    data[18:26] = ((packed & ~(0xFFFFF << 44)) | (655_350 << 44)).to_bytes(8, "big")
    file.write_bytes(bytes(data))
    return file


REFUSED = [
    (missing, {"input.not_found"}),
    (a_folder, {"input.is_folder"}),
    (empty, {"input.empty"}),
    (zero_frames, {"input.empty"}),
    (fifty_ms, {"input.too_short"}),
    (silence, {"input.silent"}),
    (noise, {"input.not_music"}),
    (dc, {"input.silent"}),
    (not_a_number, {"input.not_finite"}),
    (infinite, {"input.not_finite"}),
    (truncated, {"input.truncated"}),
    (lying_header, {"input.truncated"}),
    (text, {"input.not_audio"}),
    (forged_flac, {"input.sample_rate", "input.corrupt"}),
]


@pytest.mark.parametrize(("make", "codes"), REFUSED, ids=[make.__name__ for make, _ in REFUSED])
def test_bad_file_is_refused_with_its_code(make: Any, codes: set[str], tmp_path: Path, out: Path) -> None:
    file = make(tmp_path)
    before = file.read_bytes() if file.is_file() else None
    error = refusal(file, out)
    assert error.code in codes
    assert file.name in error.sentence or error.code in ("input.silent", "input.too_short", "input.not_music")
    assert (file.read_bytes() if file.is_file() else None) == before


@pytest.mark.parametrize(
    ("changes", "code", "word"),
    [
        ({"style": "polka"}, "style.unknown", "polka"),
        ({"energy": 7}, "request.invalid", "energy"),
        ({"tempo": 0}, "request.invalid", "tempo"),
        ({"tempo": "fast"}, "request.invalid", "fast"),
        ({"keep": ("vocals", "kazoo")}, "request.invalid", "kazoo"),
        ({"tempo_map": {"segments": "x"}}, "input.tempo_map", "segments"),
    ],
)
def test_bad_parameter_is_refused_with_its_code(
    changes: dict[str, Any], code: str, word: str, tmp_path: Path, out: Path
) -> None:
    error = refusal(made(tmp_path / "a.wav", song(bars=2)), out, **changes)
    assert error.code == code
    assert word in error.sentence


def test_output_below_a_file_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NrxError) as raised:
        remix(made(tmp_path / "a.wav", song(bars=2)), tmp_path / "file" / "out")
    assert raised.value.code == "output.not_writable"


@pytest.mark.skipif(os.name != "posix", reason="file size limits are POSIX")
def test_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path, out: Path) -> None:
    file = made(tmp_path / "a.wav", song(bars=4))
    script = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (900_000, 900_000))\n"
        "from bridge.doors.cli import main\n"
        "sys.argv = ['nrx', 'remix', sys.argv[1], '--style', 'jazz', '--out', sys.argv[2]]\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(file), str(out)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 4, done.stderr
    assert "output.disk_full" in done.stderr
    assert list(out.iterdir()) == []
    assert not list(Path(os.environ["NRX_HOME"]).rglob("*.wav"))


def converted(name: str, tmp_path: Path) -> tuple[Path, int]:
    """Return odd input that is music after all, and the channels that its separated stems have."""
    if name == "mono":
        return made(tmp_path / "mono.wav", song(bars=4).mean(1)), 1
    if name == "6 channels":
        music = song(bars=4)
        six = np.concatenate((music, music[:, :1] * 0.5, music[:, :1] * 0.1, music * 0.2), axis=1)
        return made(tmp_path / "six.wav", six * 0.7), 2
    if name == "8 kHz":
        return made(tmp_path / "8k.wav", song(bars=4, rate=8000), 8000), 2
    if name == "192 kHz":
        return made(tmp_path / "192k.wav", song(bars=2, rate=192_000), 192_000, "PCM_24"), 2
    long_name = "a 'quoted' name “with” 🎹 and ümlauts " + "x" * 140
    return made(tmp_path / f"{long_name}.wav", song(bars=4)), 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mono", "6 channels", "8 kHz", "192 kHz", "long odd name"])
def test_odd_input_that_is_music_is_remixed(name: str, tmp_path: Path, out: Path) -> None:
    file, channels = converted(name, tmp_path)
    manifest = remix(file, out)
    folder = Path(manifest.folder)
    assert json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["id"] == manifest.id
    info = sf.info(file)
    for track in manifest.tracks:
        written = sf.info(folder / track.file)
        assert (written.samplerate, written.frames) == (info.samplerate, info.frames), track.file
        if track.kind == "separated":
            assert written.channels == channels
