"""`probe`: what a file is, from its header alone.

Each way in which a file cannot be used has one clear sentence, in `refusals`.
"""

import stat
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from engine.audio import aiff_format, containers, flac_format, mp3_tag, wav_format
from engine.audio.containers import Container
from engine.audio.info import MAX_SAMPLE_RATE, MIN_SAMPLE_RATE, AudioInfo
from engine.audio.refusals import corrupt, empty
from engine.errors import NrxError

if TYPE_CHECKING:
    import av.container

HEAD_BYTES = 64
_UNKNOWN_FRAMES = 1 << 62
_OPUS_RATE = 48_000


def probe(path: Path | str) -> AudioInfo:
    """Return what the header of an audio file says, decoding nothing.

    Headers that contradict the file (a WAV, AIFF or FLAC that is cut off or lies about its length) are
    refused here.

    Raises:
        NrxError: `input.not_found`, `input.is_folder`, `input.unreadable`, `input.empty`, `input.not_audio`,
            `input.truncated` or `input.corrupt`.
    """
    path = Path(path)
    with open_input(path) as stream:
        file_bytes = stream.seek(0, 2)
        container = identify(path, stream, file_bytes)
        if container is containers.WAV:
            layout = wav_format.find_layout(path, stream, file_bytes)
            if layout.subtype is not None:
                return AudioInfo(
                    path,
                    container.format,
                    layout.subtype,
                    layout.sample_rate,
                    layout.channels,
                    layout.frames,
                    file_bytes,
                    time_reference_frames=layout.time_reference_frames,
                )
        elif container is containers.AIFF:
            aiff_format.check_length(path, stream, file_bytes)
        elif container is containers.FLAC:
            return _probe_flac(path, stream, file_bytes)
        if container.demuxer is not None and container is not containers.OPUS:
            return _probe_with_ffmpeg(path, stream, container, file_bytes)
        return _probe_with_libsndfile(path, stream, container, file_bytes)


def open_input(path: Path) -> BinaryIO:
    """Open an input file for reading.

    Raises:
        NrxError: `input.not_found`, `input.is_folder` or `input.unreadable`.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise NrxError("input.is_folder", f'"{path}" is a folder; give an audio file in it.')
        if not stat.S_ISREG(mode):
            raise NrxError("input.unreadable", f'"{path}" is not an ordinary file; give an audio file.')
        return path.open("rb")
    except (FileNotFoundError, NotADirectoryError):
        raise NrxError("input.not_found", f'There is no file "{path}"; check the name.') from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise NrxError(
            "input.unreadable", f'"{path}" cannot be read ({reason}); check its permissions.'
        ) from None


def identify(path: Path, stream: BinaryIO, file_bytes: int) -> Container:
    """Return the container of an open file.

    Raises:
        NrxError: `input.empty` or `input.not_audio`.
    """
    if file_bytes == 0:
        raise NrxError("input.empty", f'"{path.name}" is an empty file; copy or export it again.')
    stream.seek(0)
    container = containers.identify(stream.read(HEAD_BYTES))
    if container is None:
        raise NrxError(
            "input.not_audio",
            f'"{path.name}" is not audio that can be read; give a WAV, AIFF, FLAC, OGG, MP3 or M4A file.',
        )
    return container


def _probe_flac(path: Path, stream: BinaryIO, file_bytes: int) -> AudioInfo:
    info, first_frame = flac_format.read_stream_info(path, stream)
    result = AudioInfo(
        path, "FLAC", _flac_subtype(info.bits), info.sample_rate, info.channels, info.frames, file_bytes
    )
    if first_frame >= file_bytes:
        raise empty(path)
    if MIN_SAMPLE_RATE <= info.sample_rate <= MAX_SAMPLE_RATE:  # others are refused for their rate
        flac_format.check_frames(path, stream, info, first_frame, file_bytes)
    return result


def _flac_subtype(bits: int) -> str:
    return "PCM_S8" if bits <= 8 else f"PCM_{-(-bits // 8) * 8}"


def _probe_with_libsndfile(path: Path, stream: BinaryIO, container: Container, file_bytes: int) -> AudioInfo:
    import soundfile

    tag = None
    if container is containers.MP3:
        tag = mp3_tag.read_tag(stream)
    stream.seek(0)
    try:
        with soundfile.SoundFile(stream) as file:
            frames, sample_rate, subtype, channels = file.frames, file.samplerate, file.subtype, file.channels
            actual_format = file.format
    except soundfile.LibsndfileError as error:
        raise corrupt(path, error.error_string) from None
    if tag is not None and tag.sample_rate == sample_rate:
        frames = tag.frames
    if container is containers.OPUS:
        frames, sample_rate = frames * (_OPUS_RATE // sample_rate), _OPUS_RATE
    name = (
        container.format
        if container is not containers.MP3
        else {"MPEG": "MP3"}.get(actual_format, actual_format)
    )
    return AudioInfo(
        path,
        name,
        subtype,
        sample_rate,
        channels,
        frames if 0 <= frames < _UNKNOWN_FRAMES else None,
        file_bytes,
        frames_are_exact=container is not containers.MP3 or tag is not None,
    )


def _probe_with_ffmpeg(path: Path, stream: BinaryIO, container: Container, file_bytes: int) -> AudioInfo:
    with open_container(path, stream, container) as opened:
        audio = opened.streams.audio[0]
        codec = audio.codec_context
        frames = None
        if audio.duration is not None and audio.time_base is not None:
            frames = round(audio.duration * audio.time_base * codec.sample_rate)
        return AudioInfo(
            path,
            container.format,
            _ffmpeg_subtype(codec.name, codec.format.name if codec.format else ""),
            codec.sample_rate,
            codec.channels,
            frames,
            file_bytes,
            frames_are_exact=container is containers.M4A and frames is not None,
        )


def _ffmpeg_subtype(codec: str, sample_format: str) -> str:
    if codec == "alac":
        return "ALAC_16" if sample_format.startswith("s16") else "ALAC_24"
    if codec.startswith("pcm_"):
        return {"u8": "PCM_U8", "s16": "PCM_16", "s32": "PCM_24", "flt": "FLOAT", "dbl": "DOUBLE"}.get(
            sample_format.rstrip("p"), "FLOAT"
        )
    if codec == "flac":
        return "PCM_16" if sample_format.startswith("s16") else "PCM_24"
    return codec.upper().removesuffix("FLOAT")


def open_container(path: Path, stream: BinaryIO, container: Container) -> "av.container.InputContainer":
    """Open a stream with FFmpeg's demuxer for its container; no other file or address is ever followed.

    Raises:
        NrxError: `input.corrupt`, or `input.not_audio` where there is no audio stream.
    """
    import av

    stream.seek(0)
    try:
        opened = av.open(
            stream,
            "r",
            format=container.demuxer,
            options={"protocol_whitelist": ""},
            metadata_errors="replace",
        )
    except av.error.FFmpegError as error:
        raise corrupt(path, error.strerror) from None
    if not opened.streams.audio or opened.streams.audio[0].codec_context is None:
        opened.close()
        raise NrxError(
            "input.not_audio", f'"{path.name}" has no sound in it; give a file with an audio track.'
        )
    return opened
