"""Bad input: each kind has its code and one clear sentence that names the file."""

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from encoded_files import bursts, encode

from engine.audio import Audio, Limits, probe, read_audio, write_wav
from engine.errors import NrxError


def wav_bytes(frames: int = 20_000, subtype: str = "PCM_16", channels: int = 2) -> bytearray:
    buffer = io.BytesIO()
    soundfile.write(buffer, bursts(44_100, frames, channels).T, 44_100, format="WAV", subtype=subtype)
    return bytearray(buffer.getvalue())


def encoded_bytes(container: str, subtype: str, frames: int = 60_000) -> bytearray:
    rng = np.random.default_rng(1)
    noise = 0.1 * rng.standard_normal((frames, 2))
    buffer = io.BytesIO()
    soundfile.write(buffer, noise, 44_100, format=container, subtype=subtype)
    return bytearray(buffer.getvalue())


def set_data_size(data: bytearray, size: int) -> bytearray:
    at = data.index(b"data") + 4
    data[at : at + 4] = struct.pack("<I", size)
    return data


def set_stream_info(
    data: bytearray, *, rate: int | None = None, frames: int | None = None, channels: int | None = None
) -> bytearray:
    packed = int.from_bytes(data[18:26], "big")
    if rate is not None:
        packed = packed & ~(0xFFFFF << 44) | rate << 44
    if channels is not None:
        packed = packed & ~(7 << 41) | (channels - 1) << 41
    if frames is not None:
        packed = packed & ~((1 << 36) - 1) | frames
    data[18:26] = packed.to_bytes(8, "big")
    return data


def refusal(path: Path, limits: Limits | None = None) -> NrxError:
    with pytest.raises(NrxError) as caught:
        read_audio(path, limits=limits)
    sentence = caught.value.sentence
    assert path.name in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return caught.value


def outcome_of(path: Path) -> str:
    try:
        return "finite" if np.isfinite(read_audio(path).samples).all() else "not finite"
    except NrxError as error:
        return error.code


BROKEN: dict[str, tuple[str, Callable[[], bytes]]] = {
    "empty.wav": ("input.empty", bytes),
    "text.wav": ("input.not_audio", lambda: b"I am not a song, I only say so.\n" * 100),
    "page.mp3": ("input.not_audio", lambda: b"<html><body>404</body></html>"),
    "picture.flac": ("input.not_audio", lambda: b"\x89PNG\r\n\x1a\n" + bytes(1000)),
    "playlist.m3u8": ("input.not_audio", lambda: b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n"),
    "video list.wav": ("input.not_audio", lambda: b"ffconcat version 1.0\nfile /etc/passwd\n"),
    "zero frames.wav": ("input.empty", lambda: wav_bytes(20_000)[:36] + b"data" + bytes(4)),
    "zero frames.aiff": ("input.empty", lambda: _zero_frames("AIFF", "PCM_16")),
    "zero frames.flac": ("input.empty", lambda: _zero_frames("FLAC", "PCM_16")),
    "cut.wav": ("input.truncated", lambda: wav_bytes()[:30_000]),
    "cut by a frame.wav": ("input.truncated", lambda: wav_bytes()[:-4]),
    "cut in the header.wav": ("input.truncated", lambda: wav_bytes()[:30]),
    "cut after the magic.wav": ("input.truncated", lambda: wav_bytes()[:12]),
    "says too much.wav": ("input.truncated", lambda: set_data_size(wav_bytes(), 0x7FFFFFF0)),
    "says too little.wav": ("input.truncated", lambda: set_data_size(wav_bytes(), 1_000)),
    "never finished.wav": ("input.truncated", lambda: set_data_size(wav_bytes(), 0)),
    "no channels.wav": ("input.corrupt", lambda: _patched(wav_bytes(), 22, bytes(2))),
    "no rate.wav": ("input.corrupt", lambda: _patched(wav_bytes(), 24, bytes(4))),
    "no block.wav": ("input.corrupt", lambda: _patched(wav_bytes(), 32, bytes(2))),
    "five-byte blocks.wav": ("input.corrupt", lambda: _patched(wav_bytes(), 32, b"\x05\0")),
    "unknown coding.wav": ("input.corrupt", lambda: _patched(wav_bytes(), 20, b"\x77\x77")),
    "3 Hz.wav": ("input.sample_rate", lambda: _patched(wav_bytes(), 24, struct.pack("<I", 3))),
    "cut.aiff": ("input.truncated", lambda: encoded_bytes("AIFF", "PCM_16")[:50_000]),
    "cut in the header.aiff": ("input.truncated", lambda: encoded_bytes("AIFF", "PCM_16")[:20]),
    "cut.flac": ("input.truncated", lambda: encoded_bytes("FLAC", "PCM_16")[:90_000]),
    "cut in the header.flac": ("input.truncated", lambda: encoded_bytes("FLAC", "PCM_16")[:20]),
    "says too much.flac": (
        "input.truncated",
        lambda: set_stream_info(encoded_bytes("FLAC", "PCM_16"), frames=90_000_000),
    ),
    "says too little.flac": (
        "input.truncated",
        lambda: set_stream_info(encoded_bytes("FLAC", "PCM_16"), frames=30_000),
    ),
    "says 36 bits.flac": (
        "input.truncated",
        lambda: set_stream_info(encoded_bytes("FLAC", "PCM_16"), frames=(1 << 36) - 1),
    ),
    "forged rate.flac": (
        "input.corrupt",
        lambda: set_stream_info(encoded_bytes("FLAC", "PCM_16"), rate=8_000),
    ),
    "bomb.flac": (
        "input.sample_rate",
        lambda: set_stream_info(encoded_bytes("FLAC", "PCM_16"), rate=655_350, channels=8),
    ),
    "forged channels.flac": (
        "input.corrupt",
        lambda: set_stream_info(encoded_bytes("FLAC", "PCM_16"), channels=8),
    ),
    "broken inside.flac": (
        "input.corrupt",
        lambda: _patched(encoded_bytes("FLAC", "PCM_16"), 60_000, bytes(5_000)),
    ),
    "only a tag.mp3": ("input.corrupt", lambda: b"ID3\x04\0\0\0\0\x07\x76" + bytes(1014)),
    "only a page.ogg": ("input.corrupt", lambda: encoded_bytes("OGG", "VORBIS")[:40]),
    "only a brand.m4a": ("input.corrupt", lambda: b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42" + bytes(500)),
}


def _zero_frames(container: str, subtype: str) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros((0, 2)), 44_100, format=container, subtype=subtype)
    return buffer.getvalue()


def _patched(data: bytearray, at: int, patch: bytes) -> bytes:
    data[at : at + len(patch)] = patch
    return bytes(data)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_with_its_code(tmp_path: Path, name: str) -> None:
    code, make = BROKEN[name]
    path = tmp_path / name
    path.write_bytes(make())
    assert refusal(path).code == code


def test_missing_folder_and_unreadable_inputs_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refusal(tmp_path / "nothing.wav").code == "input.not_found"
    assert refusal(tmp_path).code == "input.is_folder"
    (tmp_path / "file").write_bytes(wav_bytes())
    assert refusal(tmp_path / "file" / "below.wav").code == "input.not_found"
    with pytest.raises(NrxError) as caught:
        read_audio("bad\0name.wav")
    assert caught.value.code == "input.unreadable"

    def denied(*_args: object, **_options: object) -> io.BytesIO:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    assert refusal(tmp_path / "file").code == "input.unreadable"


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite_are_refused(tmp_path: Path, subtype: str, value: float) -> None:
    samples = bursts(44_100, 400_000)
    samples[1, 399_000] = value
    soundfile.write(tmp_path / "a.wav", samples.T, 44_100, subtype=subtype)
    assert refusal(tmp_path / "a.wav").code == "input.not_finite"


def test_doubles_beyond_single_precision_are_refused(tmp_path: Path) -> None:
    samples = bursts(44_100, 4_000).astype(np.float64)
    samples[0, 5] = 1e300
    soundfile.write(tmp_path / "a.wav", samples.T, 44_100, subtype="DOUBLE")
    assert refusal(tmp_path / "a.wav").code == "input.not_finite"


def test_loud_floats_are_kept_and_absurd_ones_refused(tmp_path: Path) -> None:
    samples = bursts(44_100, 4_000) * np.float32(1000)  # +46 dB: a session without a fader
    soundfile.write(tmp_path / "loud.wav", samples.T, 44_100, subtype="FLOAT")
    assert np.array_equal(read_audio(tmp_path / "loud.wav").samples, samples)
    soundfile.write(tmp_path / "absurd.wav", samples.T * np.float32(1e15), 44_100, subtype="FLOAT")
    assert refusal(tmp_path / "absurd.wav").code == "input.corrupt"


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(max_bytes=1_000), "input.too_large"),
        (Limits(min_sample_rate=48_000), "input.sample_rate"),
        (Limits(max_sample_rate=32_000), "input.sample_rate"),
        (Limits(max_channels=1), "input.channels"),
        (Limits(max_duration_s=0.1), "input.too_long"),
        (Limits(max_decoded_bytes=1_000), "input.too_long"),
    ],
)
def test_limits_are_checked_before_decoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: Limits, code: str
) -> None:
    from engine.audio import read

    path = tmp_path / "a.wav"
    path.write_bytes(wav_bytes())
    monkeypatch.setattr(read, "_blocks", lambda info, stream: pytest.fail("decoded"))
    assert refusal(path, limits).code == code


def test_a_length_that_no_header_tells_is_bounded_while_decoding(tmp_path: Path) -> None:
    path = tmp_path / "stream.flac"
    path.write_bytes(set_stream_info(encoded_bytes("FLAC", "PCM_16"), frames=0))
    assert probe(path).frames is None
    assert refusal(path, Limits(max_duration_s=0.5)).code == "input.too_long"
    assert read_audio(path, limits=Limits(max_duration_s=2)).frames == 60_000


def test_a_truncated_m4a_is_refused(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.m4a", bursts(44_100, 60_000), 44_100, "aac")
    path.write_bytes(path.read_bytes()[:-2_000])
    assert refusal(path).code in ("input.corrupt", "input.truncated")


def test_an_mp3_that_lost_its_second_half_is_refused(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp3", bursts(44_100, 120_000), 44_100, "libmp3lame")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert refusal(path).code == "input.truncated"


def test_a_video_without_sound_is_not_audio(tmp_path: Path) -> None:
    import av

    path = tmp_path / "silent film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    assert refusal(path).code == "input.not_audio"


@pytest.mark.parametrize("seed", range(40))
def test_damaged_bytes_never_crash(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    makers = [
        lambda: wav_bytes(3_000),
        lambda: wav_bytes(3_000, "FLOAT"),
        lambda: encoded_bytes("AIFF", "PCM_24", 3_000),
        lambda: encoded_bytes("FLAC", "PCM_16", 9_000),
        lambda: encoded_bytes("OGG", "VORBIS", 9_000),
        lambda: encoded_bytes("MP3", "MPEG_LAYER_III", 9_000),
    ]
    data = makers[seed % len(makers)]()
    for at in rng.integers(0, min(len(data), 200), 6):
        data[at] = rng.integers(0, 256)
    path = tmp_path / "damaged"
    path.write_bytes(data[: int(rng.integers(len(data) // 2, len(data) + 1))])
    outcome = outcome_of(path)
    assert outcome.startswith("input.") or outcome == "finite"


def test_a_file_that_was_overwritten_with_a_shorter_one_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    write_wav(path, Audio(bursts(44_100, 5_000), 44_100), "PCM_24")
    path.write_bytes(path.read_bytes()[:-600])
    error = refusal(path)
    assert error.code == "input.truncated"
    assert "0.11 s" in error.sentence
