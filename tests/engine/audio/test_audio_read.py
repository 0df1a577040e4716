"""read_audio and probe: the same samples at the same place, from every format."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from encoded_files import bursts, encode, lag

from engine.audio import Audio, Limits, best_subtype, probe, read_audio, write_wav
from engine.audio.mp3_tag import read_tag
from engine.errors import Cancelled
from engine.progress import Monitor

LOSSLESS = [
    ("WAV", "PCM_U8", 2**-7),
    ("WAV", "PCM_16", 2**-15),
    ("WAV", "PCM_24", 2**-23),
    ("WAV", "PCM_32", 2**-24),
    ("WAV", "FLOAT", 0.0),
    ("WAV", "DOUBLE", 0.0),
    ("WAVEX", "PCM_24", 2**-23),
    ("WAVEX", "FLOAT", 0.0),
    ("RF64", "PCM_24", 2**-23),
    ("AIFF", "PCM_16", 2**-15),
    ("AIFF", "PCM_24", 2**-23),
    ("AIFF", "FLOAT", 0.0),
    ("FLAC", "PCM_16", 2**-15),
    ("FLAC", "PCM_24", 2**-23),
    ("W64", "PCM_24", 2**-23),
    ("CAF", "PCM_24", 2**-23),
]


@pytest.mark.parametrize(("container", "subtype", "step"), LOSSLESS)
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_lossless_formats_give_back_the_samples(
    tmp_path: Path, container: str, subtype: str, step: float, channels: int
) -> None:
    samples = bursts(48_000, 9_001, channels)
    path = tmp_path / "music.bin"
    soundfile.write(path, samples.T, 48_000, format=container, subtype=subtype)
    info, audio = probe(path), read_audio(path)
    assert (info.format, info.subtype) == ("WAV" if container in ("WAVEX", "RF64") else container, subtype)
    assert (info.frames, info.channels, info.sample_rate) == (9_001, channels, 48_000)
    assert audio.samples.flags.c_contiguous
    assert audio.samples.shape == samples.shape
    assert np.abs(audio.samples - samples).max() <= step


@pytest.mark.parametrize("subtype", ["ULAW", "ALAW", "IMA_ADPCM", "MS_ADPCM"])
def test_compressed_wav_is_read(tmp_path: Path, subtype: str) -> None:
    samples = bursts(44_100, 20_000)
    path = tmp_path / "music.wav"
    soundfile.write(path, samples.T, 44_100, subtype=subtype)
    audio, info = read_audio(path), probe(path)
    assert lag(audio.samples[0], samples[0]) == 0
    assert info.lossy
    assert info.frames == audio.frames


@pytest.mark.parametrize("sample_rate", [8_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_mp3_lines_up_with_the_original_and_the_length_tag(
    tmp_path: Path, sample_rate: int, channels: int
) -> None:
    samples = bursts(sample_rate, sample_rate + 123, channels)
    path = encode(tmp_path / "music.mp3", samples, sample_rate, "libmp3lame")
    audio = read_audio(path)
    with path.open("rb") as stream:
        tag = read_tag(stream)
    assert tag is not None
    assert (tag.delay, tag.sample_rate) == (576, sample_rate)
    assert tag.frames == audio.frames == probe(path).frames
    assert 0 <= audio.frames - samples.shape[1] < 576
    assert lag(audio.samples[0], samples[0]) == 0


def test_mp3_with_cover_art_and_long_tags_lines_up(tmp_path: Path) -> None:
    samples = bursts(44_100, 60_000)
    plain = encode(tmp_path / "plain.mp3", samples, 44_100, "libmp3lame").read_bytes()
    size = 200_000
    sizes = bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))
    tagged = tmp_path / "tagged.mp3"
    tagged.write_bytes(b"ID3\x04\x00\x00" + sizes + bytes(size) + plain[plain.index(b"\xff\xfb") :])
    audio = read_audio(tagged)
    assert audio.frames == 60_000
    assert lag(audio.samples[0], samples[0]) == 0


def test_a_decoder_that_does_not_cut_is_cut_by_the_tag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.audio import read

    samples = bursts(44_100, 60_000)
    path = encode(tmp_path / "music.mp3", samples, 44_100, "libmp3lame")
    bare = encode(tmp_path / "bare.mp3", samples, 44_100, "libmp3lame", write_xing="0")
    uncut = soundfile.read(bare, dtype="float32")[0]
    monkeypatch.setattr(read, "_libsndfile_blocks", lambda info, stream: iter(np.array_split(uncut, 7)))
    monkeypatch.setattr(read, "_leaves_delay", lambda stream, tag: True)
    audio = read_audio(path)
    assert audio.frames == 60_000
    assert lag(audio.samples[0], samples[0]) == 0


def test_mp3_without_a_length_tag_is_read_to_its_end(tmp_path: Path) -> None:
    samples = bursts(44_100, 60_000)
    path = encode(tmp_path / "music.mp3", samples, 44_100, "libmp3lame", write_xing="0")
    audio = read_audio(path)
    assert not probe(path).frames_are_exact
    assert audio.frames >= 60_000
    assert lag(audio.samples[0], samples[0]) == 576 + 529  # nothing says what to cut: as every decoder does


@pytest.mark.parametrize("sample_rate", [22_050, 44_100, 48_000])
@pytest.mark.parametrize("codec", ["aac", "alac"])
def test_m4a_lines_up_with_the_original(tmp_path: Path, codec: str, sample_rate: int) -> None:
    samples = bursts(sample_rate, sample_rate + 123)
    path = encode(tmp_path / "music.m4a", samples, sample_rate, codec)
    info, audio = probe(path), read_audio(path)
    assert info.frames == audio.frames
    assert abs(audio.frames - samples.shape[1]) <= sample_rate // 1000  # the edit list counts milliseconds
    assert lag(audio.samples[1], samples[1]) == 0
    assert info.lossy == (codec == "aac")


@pytest.mark.parametrize("writer", ["libsndfile", "ffmpeg"])
def test_opus_lines_up_with_the_original(tmp_path: Path, writer: str) -> None:
    samples = bursts(48_000, 3 * 48_000 + 123)
    path = tmp_path / "music.opus"
    if writer == "ffmpeg":
        encode(path, samples, 48_000, "libopus")
    else:
        soundfile.write(path, samples.T, 48_000, format="OGG", subtype="OPUS")
    audio = read_audio(path)
    assert audio.samples.shape == samples.shape
    assert [lag(audio.samples[ch], samples[ch]) for ch in (0, 1)] == [0, 0]
    assert np.corrcoef(audio.samples[0], samples[0])[0, 1] > 0.8
    assert np.abs(audio.samples[:, 60_000:90_000]).max() < 0.01  # no click at the edge of any block


def test_vorbis_lines_up_and_does_not_depend_on_block_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.audio import read

    samples = bursts(44_100, 100_000)
    path = tmp_path / "music.ogg"
    soundfile.write(path, samples.T, 44_100, format="OGG", subtype="VORBIS")
    whole = read_audio(path)
    monkeypatch.setattr(read, "BLOCK_FRAMES", 1_777)
    assert np.array_equal(read_audio(path).samples, whole.samples)
    assert whole.frames == 100_000
    assert lag(whole.samples[0], samples[0]) == 0


def test_six_channel_vorbis_comes_in_wav_order(tmp_path: Path) -> None:
    seconds = np.arange(44_100) / 44_100
    tones = np.stack([0.3 * np.sin(2 * np.pi * hz * seconds) for hz in (200, 400, 600, 800, 1000, 100)])
    path = tmp_path / "surround.ogg"  # Vorbis order: left, centre, right, surrounds, low frequencies
    soundfile.write(path, tones.T, 44_100, format="OGG", subtype="VORBIS")
    spectra = np.abs(np.fft.rfft(read_audio(path).samples[:, :44_100], axis=1))
    assert list(np.argmax(spectra, axis=1)) == [200, 600, 400, 100, 800, 1000]


@pytest.mark.parametrize("pad", [True, False])
def test_a_wav_whose_writer_left_the_length_open_is_read_to_its_end(tmp_path: Path, pad: bool) -> None:
    samples = bursts(44_100, 5_000, 1)
    path = tmp_path / "piped.wav"
    write_wav(path, Audio(samples, 44_100), "PCM_16")
    data = bytearray(path.read_bytes())
    at = data.index(b"data")
    data[4:8] = data[at + 4 : at + 8] = b"\xff" * 4
    path.write_bytes(bytes(data) + (b"\0" if pad else b""))
    assert read_audio(path).frames == 5_000


@pytest.mark.parametrize(
    "tail", [b"LIST\x04\x00\x00\x00INFO", b"ID3\x04" + bytes(60), bytes(512), b"TAG" + b"x" * 125]
)
def test_what_follows_the_samples_is_left_alone(tmp_path: Path, tail: bytes) -> None:
    path = tmp_path / "tagged.wav"
    write_wav(path, Audio(bursts(44_100, 5_000, 1), 44_100), "PCM_24")
    path.write_bytes(path.read_bytes() + tail)
    assert read_audio(path).frames == 5_000


def test_a_flac_stream_of_unknown_length_is_read_to_its_end(tmp_path: Path) -> None:
    samples = bursts(44_100, 50_000)
    path = tmp_path / "stream.flac"
    soundfile.write(path, samples.T, 44_100, subtype="PCM_24")
    data = bytearray(path.read_bytes())
    packed = int.from_bytes(data[18:26], "big")
    data[18:26] = (packed >> 36 << 36).to_bytes(8, "big")
    path.write_bytes(data)
    assert probe(path).frames is None
    assert np.abs(read_audio(path).samples - samples).max() <= 2**-23


@pytest.mark.parametrize(
    "name",
    [
        "plain name.wav",
        'it\'s "quoted" & 100%.wav',
        "絆ふぉーえばー – naïve.wav",
        "🎸🎤 remix 🔥.wav",
        "x" * 196 + ".wav",
        "-rf.wav",
        "trailing dots....wav",
        "no suffix at all",
    ],
)
def test_any_name_can_be_written_and_read(tmp_path: Path, name: str) -> None:
    if sys.platform == "win32" and '"' in name:
        pytest.skip("Windows allows no quotes in names")
    audio = Audio(bursts(44_100, 3_000), 44_100)
    write_wav(tmp_path / name, audio, "FLOAT")
    assert np.array_equal(read_audio(tmp_path / name).samples, audio.samples)
    flac = tmp_path / f"{name[:190]}.flac"
    soundfile.write(flac, audio.samples.T, 44_100)
    assert read_audio(flac).frames == 3_000
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([name, flac.name])


@pytest.mark.skipif(sys.platform == "win32", reason="paths are shorter there")
def test_a_path_longer_than_libsndfile_takes_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "/".join(["d" * 200] * 6)
    folder.mkdir(parents=True)
    soundfile.write(tmp_path / "a.flac", bursts(44_100, 3_000).T, 44_100)
    (tmp_path / "a.flac").rename(folder / "a.flac")
    assert read_audio(folder / "a.flac").frames == 3_000


def test_progress_rises_to_one_and_cancel_stops_the_decoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.audio import read

    monkeypatch.setattr(read, "BLOCK_FRAMES", 1_000)
    path = tmp_path / "music.flac"
    soundfile.write(path, bursts(44_100, 50_000).T, 44_100)
    seen: list[float] = []
    read_audio(path, monitor=Monitor(on_progress=seen.append))
    assert len(seen) >= 50
    assert all(later >= earlier for earlier, later in pairwise(seen))
    assert seen[-1] == 1.0
    calls = iter(range(100))
    with pytest.raises(Cancelled):
        read_audio(path, monitor=Monitor(is_cancelled=lambda: next(calls) > 3))
    assert next(calls) < 10


def test_start_on_the_timeline_is_read_from_bext(tmp_path: Path) -> None:
    start = 10 * 3600 * 192_000 + 17  # beyond 32 bits
    write_wav(tmp_path / "a.wav", Audio(bursts(192_000, 3_000), 192_000), time_reference_frames=start)
    assert probe(tmp_path / "a.wav").time_reference_frames == start


@pytest.mark.parametrize(
    ("container", "subtype", "expected"),
    [
        ("WAV", "PCM_U8", "PCM_24"),
        ("WAV", "PCM_16", "PCM_24"),
        ("WAV", "PCM_24", "PCM_24"),
        ("WAV", "PCM_32", "PCM_32"),
        ("WAV", "FLOAT", "FLOAT"),
        ("WAV", "DOUBLE", "FLOAT"),
        ("WAV", "IMA_ADPCM", "FLOAT"),
        ("FLAC", "PCM_16", "PCM_24"),
        ("OGG", "VORBIS", "FLOAT"),
        ("MP3", "MPEG_LAYER_III", "FLOAT"),
    ],
)
def test_best_subtype_keeps_all_of_the_input(
    tmp_path: Path, container: str, subtype: str, expected: str
) -> None:
    path = tmp_path / "a"
    soundfile.write(path, bursts(44_100, 9_000).T, 44_100, format=container, subtype=subtype)
    assert best_subtype(probe(path)) == expected


@pytest.mark.parametrize(
    ("sample_rate", "channels"), [(4_000, 1), (8_000, 1), (192_000, 2), (384_000, 2), (48_000, 6)]
)
def test_unusual_rates_and_channel_counts_are_accepted(
    tmp_path: Path, sample_rate: int, channels: int
) -> None:
    path = tmp_path / "a.wav"
    write_wav(path, Audio(bursts(sample_rate, 5_000, channels), sample_rate))
    info = probe(path)
    Limits().check(info)
    audio = read_audio(path)
    assert (audio.sample_rate, audio.channels, audio.frames) == (sample_rate, channels, 5_000)


def test_the_package_root_imports_nothing_heavy() -> None:
    code = "import sys, engine.audio; print([m for m in ('av', 'scipy', 'soxr', 'soundfile') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_names_are_what_they_are_whatever_was_imported_before() -> None:
    code = """
import pkgutil, importlib, types, engine.audio
for module in pkgutil.iter_modules(engine.audio.__path__):
    importlib.import_module(f"engine.audio.{module.name}")
print([name for name in engine.audio.__all__ if isinstance(getattr(engine.audio, name), types.ModuleType)])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
