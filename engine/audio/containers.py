"""Which container a file is, by its first bytes and never by its name, and which decoder takes it.

Only containers in this table are ever given to a decoder: a playlist or script that FFmpeg would follow to
other files is not among them.
"""

from dataclasses import dataclass

from engine.audio.mp3_tag import is_layer_3


@dataclass(frozen=True, slots=True)
class Container:
    """A container: the name in `AudioInfo.format`, and FFmpeg's demuxer, None where libsndfile reads it."""

    format: str
    demuxer: str | None = None


WAV, AIFF, FLAC = Container("WAV"), Container("AIFF"), Container("FLAC")
OGG, OPUS = Container("OGG"), Container("OGG", "ogg")
MP3, AAC = Container("MP3"), Container("AAC", "aac")
M4A, MATROSKA, ASF = Container("M4A", "mov"), Container("Matroska", "matroska"), Container("WMA", "asf")
CAF, W64, AU = Container("CAF"), Container("W64"), Container("AU")


def identify(head: bytes) -> Container | None:
    """Return the container whose file starts with `head` (64 bytes or all there are), or None."""
    if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return WAV
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return AIFF
    if head[:4] == b"OggS":
        return OPUS if head[28:36] == b"OpusHead" else OGG
    if head[4:8] == b"ftyp":
        return M4A
    for magic, container in _MAGIC:
        if head.startswith(magic):
            return container
    if is_layer_3(head[:4]):
        return MP3
    if head[:1] == b"\xff" and head[1:2] and head[1] & 0xF6 == 0xF0:
        return AAC
    return None


_MAGIC = (
    (b"fLaC", FLAC),
    (b"ID3", MP3),
    (b"\x1aE\xdf\xa3", MATROSKA),
    (bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"), ASF),
    (b"caff", CAF),
    (b"riff\x2e\x91\xcf\x11", W64),
    (b".snd", AU),
)
