"""WavWriter and write_wav: what is written is what is read, whole or not at all, wherever the timeline starts."""

import errno
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from encoded_files import bursts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.audio import Audio, Description, WavWriter, probe, read_audio, write_wav
from engine.audio.publish import LET_GO_EVERY_BYTES, NewFile
from engine.audio.wav_writer import RF64_ABOVE_BYTES, SUBTYPES, Loudness, size_patches
from engine.errors import Cancelled, NrxError
from engine.progress import Monitor

STEP = {"PCM_16": 2.0**-15, "PCM_24": 2.0**-23, "PCM_32": 2.0**-24, "FLOAT": 0.0}


def chunks(data: bytes) -> dict[bytes, bytes]:
    """Walk a RIFF file strictly: every chunk in its place, nothing left over."""
    assert data[8:12] == b"WAVE"
    found: dict[bytes, bytes] = {}
    at = 12
    while at < len(data):
        kind, size = struct.unpack("<4sI", data[at : at + 8])
        if kind == b"data" and size == 0xFFFFFFFF:
            size = struct.unpack("<Q", found[b"ds64"][8:16])[0]
        found[kind] = data[at + 8 : at + 8 + size]
        assert len(found[kind]) == size
        at += 8 + size + size % 2
    assert at == len(data)
    return found


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    subtype=st.sampled_from(SUBTYPES),
    channels=st.integers(1, 8),
    frames=st.integers(8, 3_000),
    sample_rate=st.sampled_from([8_000, 11_025, 44_100, 48_000, 96_000, 192_000]),
    start=st.integers(0, 2**40),
    seed=st.integers(0, 99),
    rf64=st.booleans(),
)
def test_write_and_read_give_the_same_audio(
    tmp_path_factory: pytest.TempPathFactory,
    subtype: str,
    channels: int,
    frames: int,
    sample_rate: int,
    start: int,
    seed: int,
    rf64: bool,
) -> None:
    path = tmp_path_factory.mktemp("w") / "a.wav"
    rng = np.random.default_rng(seed)
    samples = rng.uniform(-0.99, 0.99, (channels, frames)).astype(np.float32)
    with WavWriter(
        path,
        sample_rate=sample_rate,
        channels=channels,
        subtype=subtype,
        time_reference_frames=start,
        rf64_above_bytes=100 if rf64 else RF64_ABOVE_BYTES,
    ) as writer:
        for piece in np.array_split(samples, 3, axis=1):
            writer.write(piece)
    info, audio = probe(path), read_audio(path)
    assert (info.subtype, info.sample_rate, info.channels) == (subtype, sample_rate, channels)
    assert (info.frames, info.time_reference_frames) == (frames, start)
    assert np.abs(audio.samples - samples).max() <= STEP[subtype]
    others = soundfile.read(path, dtype="float32", always_2d=True)[0].T
    assert np.array_equal(others, audio.samples)
    found = chunks(path.read_bytes())
    assert (b"ds64" in found) is rf64
    assert (b"fact" in found) is (subtype == "FLOAT")


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT"])
def test_the_same_audio_gives_the_same_bytes_however_it_is_divided(tmp_path: Path, subtype: str) -> None:
    samples = bursts(44_100, 70_001)
    write_wav(tmp_path / "a.wav", Audio(samples, 44_100), subtype, dither=True)
    with WavWriter(
        tmp_path / "b.wav", sample_rate=44_100, channels=2, subtype=subtype, dither=True
    ) as writer:
        for piece in np.array_split(samples, 13, axis=1):
            writer.write(piece)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_bext_holds_the_start_the_texts_and_the_loudness(tmp_path: Path) -> None:
    about = Description(
        description="Drums – a remix " + "x" * 300,
        originator_reference="job 7",
        loudness=Loudness(-14.25, 5.5, -1.0, -9.0, -float("inf")),
    )
    write_wav(
        tmp_path / "a.wav", Audio(bursts(48_000, 100), 48_000), time_reference_frames=2**33 + 5, about=about
    )
    bext = chunks((tmp_path / "a.wav").read_bytes())[b"bext"]
    assert bext[:256] == ("Drums ? a remix " + "x" * 300).encode()[:256]
    assert bext[256:288].rstrip(b"\0") == b"NRX Bridge"
    assert bext[288:320].rstrip(b"\0") == b"job 7"
    low, high, version = struct.unpack("<IIH", bext[338:348])
    assert (high << 32 | low, version) == (2**33 + 5, 2)
    assert struct.unpack("<5h", bext[412:422]) == (-1425, 550, -100, -900, 0x7FFF)
    assert bext[422:602] == bytes(180)
    assert bext[602:].rstrip(b"\0") == b"A=PCM,F=48000,W=24,M=stereo,T=NRX Bridge\r\n"


def test_without_loudness_bext_is_version_1(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", Audio(bursts(48_000, 100), 48_000), description="Vocals")
    bext = chunks((tmp_path / "a.wav").read_bytes())[b"bext"]
    assert bext.startswith(b"Vocals\0")
    assert struct.unpack("<H", bext[346:348])[0] == 1


def test_more_than_two_channels_say_where_their_speakers_are(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", Audio(bursts(48_000, 100, 6), 48_000))
    fmt = chunks((tmp_path / "a.wav").read_bytes())[b"fmt "]
    tag, channels, _, _, block, bits, extra, valid, mask, inner = struct.unpack("<HHIIHHHHIH", fmt[:26])
    assert (tag, channels, block, bits, extra, valid, mask, inner) == (0xFFFE, 6, 18, 24, 22, 24, 0x3F, 1)


@pytest.mark.parametrize("extra_bytes", [-2, 0, 2, 2**33])
def test_sizes_around_and_above_four_gigabytes_are_right(extra_bytes: int) -> None:
    data_start = 700
    data_bytes = RF64_ABOVE_BYTES - data_start + 8 + extra_bytes
    frames = data_bytes // 2
    patches = dict(size_patches(data_bytes, frames, data_start, None))
    riff_bytes = data_start - 8 + data_bytes + data_bytes % 2
    if extra_bytes <= 0:
        assert patches == {4: struct.pack("<I", riff_bytes), 696: struct.pack("<I", data_bytes)}
    else:
        assert patches[0] == b"RF64\xff\xff\xff\xff"
        assert patches[696] == b"\xff\xff\xff\xff"
        kind, size, *sizes = struct.unpack("<4sIQQQI", patches[12])
        assert (kind, size, sizes) == (b"ds64", 28, [riff_bytes, data_bytes, frames, 0])


@pytest.mark.skipif(sys.platform == "win32", reason="seeking makes no sparse files there")
def test_a_file_above_four_gigabytes_is_found_whole_by_two_readers(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    frames = 5 * 2**30 // 6
    writer = WavWriter(path, sample_rate=48_000, channels=2)
    writer._file._file.seek(frames * 6, os.SEEK_CUR)  # a hole instead of five gigabytes of silence
    writer._frames = frames
    writer.write(np.full((2, 1_000), 0.25, np.float32))
    assert writer.close().is_rf64
    info = probe(path)
    assert (info.frames, info.file_bytes > 5 * 2**30) == (frames + 1_000, True)
    with soundfile.SoundFile(path) as file:
        assert file.frames == frames + 1_000
        file.seek(frames)
        assert np.array_equal(file.read(dtype="float32"), np.full((1_000, 2), 0.25))


def test_integers_clip_at_full_scale_and_say_so_while_floats_keep_it(tmp_path: Path) -> None:
    samples = np.array([[1.5, -1.5, 0.5, 1.0, -1.0]], np.float32)
    written = write_wav(tmp_path / "a.wav", Audio(samples, 44_100), "PCM_24")
    assert written.clipped_samples == 3
    assert np.allclose(read_audio(tmp_path / "a.wav").samples, np.clip(samples, -1, 1 - 2.0**-23))
    assert write_wav(tmp_path / "b.wav", Audio(samples, 44_100), "FLOAT").clipped_samples == 0
    assert np.array_equal(read_audio(tmp_path / "b.wav").samples, samples)


def test_24_bits_survive_reading_and_writing_exactly(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    words = rng.integers(-(2**23), 2**23, (2, 50_000))
    samples = (words / 2.0**23).astype(np.float32)
    write_wav(tmp_path / "a.wav", Audio(samples, 44_100), "PCM_24")
    assert np.array_equal(read_audio(tmp_path / "a.wav").samples, samples)


def test_dither_makes_the_error_independent_of_the_signal(tmp_path: Path) -> None:
    time_s = np.arange(4 * 44_100) / 44_100
    quiet = (0.6 * 2.0**-15 * np.sin(2 * np.pi * 441 * time_s)).astype(np.float32)[None]
    spectra = {}
    for dither in (False, True):
        path = tmp_path / f"{dither}.wav"
        write_wav(path, Audio(quiet, 44_100), "PCM_16", dither=dither)
        error = read_audio(path).samples[0] - quiet[0]
        spectra[dither] = np.abs(np.fft.rfft(error)) / np.sqrt(len(error)) * 2**15
    third_harmonic = 3 * 441 * 4
    floor = np.median(spectra[True])
    assert spectra[False][third_harmonic] > 20 * floor
    assert spectra[True][third_harmonic] < 5 * floor
    variance = (spectra[True] ** 2).mean()
    assert variance == pytest.approx(3 / 12, rel=0.05)  # TPDF: 2/12 of dither and 1/12 of rounding, in LSB^2


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"precious")
    with pytest.raises(NrxError) as caught:
        write_wav(path, Audio(bursts(44_100, 100), 44_100))
    assert caught.value.code == "output.exists"
    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("has_hard_links", [True, False])
def test_the_later_of_two_writers_loses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_hard_links: bool
) -> None:
    if not has_hard_links:

        def no_links(*_args: object) -> None:
            raise OSError(errno.EPERM, "no hard links here")

        monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "a.wav"
    later = WavWriter(path, sample_rate=44_100, channels=1)
    write_wav(path, Audio(bursts(44_100, 100, 1), 44_100))
    first = path.read_bytes()
    with pytest.raises(NrxError) as caught:
        later.close()
    assert caught.value.code == "output.exists"
    assert path.read_bytes() == first
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_appears_before_the_end_and_nothing_stays_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"

    def fail_midway() -> None:
        with WavWriter(path, sample_rate=44_100, channels=1) as writer:
            writer.write(bursts(44_100, 100, 1))
            assert not path.exists()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_midway()
    assert list(tmp_path.iterdir()) == []


def test_cancelling_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        write_wav(
            tmp_path / "a.wav",
            Audio(bursts(44_100, 100), 44_100),
            monitor=Monitor(is_cancelled=lambda: True),
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("samples", [np.zeros((1, 5)), np.zeros(5), np.full((2, 5), np.nan)])
def test_samples_that_cannot_be_written_are_refused(tmp_path: Path, samples: np.ndarray) -> None:
    with (
        pytest.raises(ValueError, match="samples"),
        WavWriter(tmp_path / "a.wav", sample_rate=44_100, channels=2) as writer,
    ):
        writer.write(samples)
    assert list(tmp_path.iterdir()) == []


class FullDisk:
    """A file on a disk that takes so many bytes and then no more."""

    def __init__(self, file: object, room: int, *, short: bool) -> None:
        self._file, self._room, self._short = file, room, short

    def write(self, data: memoryview) -> int:
        taken = min(len(data), self._room)
        self._room -= taken
        if taken < len(data) and not (self._short and taken):
            if self._short:
                return 0
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._file.write(data[:taken])

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)


@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("room", [0, 50, 100_000])
def test_a_full_disk_leaves_nothing_half_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int, short: bool
) -> None:
    begin = NewFile.__init__

    def begin_on_full_disk(self: NewFile, path: Path, *, unread: bool, synced: bool) -> None:
        begin(self, path, unread=unread, synced=synced)
        self._file = FullDisk(self._file, room, short=short)

    monkeypatch.setattr(NewFile, "__init__", begin_on_full_disk)
    with pytest.raises(NrxError) as caught:
        write_wav(tmp_path / "a.wav", Audio(bursts(44_100, 50_000), 44_100))
    assert caught.value.code == "output.disk_full"
    assert "a.wav" in caught.value.sentence
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no resource limits there")
def test_a_real_limit_on_file_size_counts_as_a_full_disk(tmp_path: Path) -> None:
    code = """
import resource, signal, sys, numpy as np
from engine.audio import Audio, write_wav
from engine.errors import NrxError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_wav(sys.argv[1], Audio(np.zeros((2, 100_000), np.float32), 44_100))
except NrxError as error:
    print(error.code)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.wav")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "output.disk_full"
    assert list(tmp_path.iterdir()) == []


def test_folders_that_cannot_be_written_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    audio = Audio(bursts(44_100, 100), 44_100)
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "missing" / "a.wav", tmp_path / "file" / "a.wav"):
        with pytest.raises(NrxError) as caught:
            write_wav(path, audio)
        assert caught.value.code == "output.not_writable"
        assert "a.wav" in caught.value.sentence


@pytest.mark.parametrize(
    "wrong", [{"subtype": "MP3"}, {"channels": 9}, {"sample_rate": 0}, {"time_reference_frames": -1}]
)
def test_wrong_parameters_are_errors_of_the_caller(tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        WavWriter(tmp_path / "a.wav", **{"sample_rate": 44_100, "channels": 2, **wrong})
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_no_frames_is_a_valid_wav(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", Audio(np.zeros((2, 0), np.float32), 44_100))
    assert soundfile.info(tmp_path / "a.wav").frames == 0


def test_a_file_that_nobody_will_read_soon_holds_the_same(tmp_path: Path) -> None:
    audio = Audio(bursts(44_100, 1_000_000), 44_100)
    write_wav(tmp_path / "a.wav", audio)
    write_wav(tmp_path / "b.wav", audio, unread=True)
    assert (tmp_path / "b.wav").stat().st_size > LET_GO_EVERY_BYTES
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
