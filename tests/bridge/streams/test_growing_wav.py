"""A growing WAV is a whole file at every moment, for readers that know nothing of it."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from bridge.streams import growing
from bridge.streams.growing import GrowingWav
from engine.audio import probe
from engine.errors import NrxError


@pytest.fixture(autouse=True)
def patched_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "PATCH_EVERY_S", 0.0)


@pytest.mark.parametrize(("subtype", "kind"), [("PCM_16", "<i2"), ("FLOAT", "<f4")])
@pytest.mark.parametrize("channels", [1, 2])
def test_what_is_in_it_can_be_read_at_every_moment(
    tmp_path: Path, subtype: str, kind: str, channels: int
) -> None:
    path = tmp_path / "Müsik.wav"
    rng = np.random.default_rng(0)
    written = np.zeros((0, channels))
    with GrowingWav(path, sample_rate=24_000, channels=channels, subtype=subtype) as file:
        assert len(soundfile.read(path)[0]) == 0
        for _ in range(5):
            block = rng.uniform(-0.9, 0.9, (333, channels))
            data = block * (32767 if kind == "<i2" else 1)
            file.write(np.asarray(np.rint(data) if kind == "<i2" else data).astype(kind).tobytes())
            written = np.concatenate([written, block])
            heard, rate = soundfile.read(path, always_2d=True)
            assert rate == 24_000
            np.testing.assert_allclose(heard, written, atol=1e-4)
    info = probe(path)
    assert (info.frames, info.channels, info.subtype) == (5 * 333, channels, subtype)


def test_its_header_never_tells_of_samples_that_are_not_there(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with GrowingWav(path, sample_rate=8000, channels=1, subtype="PCM_16") as file:
        for _ in range(3):
            file.write(bytes(1000))
            told = int.from_bytes(path.read_bytes()[4:8], "little") + 8
            assert told <= path.stat().st_size


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"mine")
    with pytest.raises(NrxError, match="never overwritten"):
        GrowingWav(path, sample_rate=8000, channels=1, subtype="PCM_16")
    assert path.read_bytes() == b"mine"
