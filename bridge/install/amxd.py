"""Max for Live devices (`.amxd`): packs the patcher and the script into one frozen file, and takes such files apart.

    python -m bridge.install.amxd FOLDER      builds `FOLDER/NRX Bridge.amxd` from its `.maxpat` and `nrx.js`

An `.amxd` is `ampf` (the type), `meta` (1, or 7 for a frozen device) and `ptch`, each a tag and a little-endian length
without the eight bytes before it. Inside a frozen `ptch` everything is big-endian and lengths count their own header:
`mx@c`, the files back to back (the patcher with a NUL first), then `dlst` with one `dire` a file.
Source: the files of published devices and the readers in Ableton's maxdevtools (MIT). The same sources give the same
bytes: dates are those of the patcher's project.
"""

import json
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

AUDIO_EFFECT = b"aaaa"
UNFROZEN, FROZEN = 1, 7
DEVICE_FLAG = 0x11
DEVICE_NAME = "NRX Bridge"
SCRIPT_NAME = "nrx.js"
_HEADER_BYTES = 32
_DIRECTORY_FIELDS = (b"type", b"fnam", b"sz32", b"of32", b"vers", b"flag", b"mdat")


@dataclass(frozen=True, slots=True)
class Embedded:
    """A file in a frozen device. `kind` is four letters (`JSON`, `TEXT`), `modified` seconds since 1904."""

    name: str
    kind: bytes
    data: bytes
    flag: int = 0
    modified: int = 0


@dataclass(frozen=True, slots=True)
class Device:
    """A device: frozen with its files, or unfrozen with its patcher in `patch`."""

    kind: bytes
    files: tuple[Embedded, ...] = ()
    patch: bytes = b""
    meta: int = FROZEN


def pack(device: Device) -> bytes:
    """Return the bytes of an `.amxd`."""
    body = _pack_files(device.files) if device.files else device.patch
    head = b"ampf" + struct.pack("<I4s", 4, device.kind) + b"meta" + struct.pack("<II", 4, device.meta)
    return head + b"ptch" + struct.pack("<I", len(body)) + body


def unpack(data: bytes) -> Device:
    """Return what is in an `.amxd`.

    Raises:
        ValueError: if it is none, or encrypted.
    """
    if len(data) < _HEADER_BYTES or data[:8] != b"ampf\4\0\0\0" or data[12:20] != b"meta\4\0\0\0":
        raise ValueError("This is no Max for Live device.")
    kind, (meta,) = data[8:12], struct.unpack("<I", data[20:24])
    if data[24:28] != b"ptch" or struct.unpack("<I", data[28:32])[0] != len(data) - _HEADER_BYTES:
        raise ValueError("The device is encrypted, or not whole.")
    body = data[_HEADER_BYTES:]
    if body[:4] != b"mx@c":
        return Device(kind, patch=body, meta=meta)
    return Device(kind, _unpack_files(body), meta=meta)


def _pack_files(files: tuple[Embedded, ...]) -> bytes:
    payload, entries, at = b"", b"", 16
    for file in files:
        name = file.name.encode() + b"\0"
        values = (
            file.kind,
            name + b"\0" * (-len(name) % 4),
            struct.pack(">I", len(file.data)),
            struct.pack(">I", at + len(payload)),
            struct.pack(">I", 0),
            struct.pack(">I", file.flag),
            struct.pack(">I", file.modified),
        )
        fields = b"".join(_chunk(tag, value) for tag, value in zip(_DIRECTORY_FIELDS, values, strict=True))
        entries += _chunk(b"dire", fields)
        payload += file.data
    return b"mx@c" + struct.pack(">III", 16, 0, at + len(payload)) + payload + _chunk(b"dlst", entries)


def _unpack_files(body: bytes) -> tuple[Embedded, ...]:
    (directory,) = struct.unpack(">I", body[12:16])
    ((tag, entries),) = _chunks(body[directory:])
    if tag != b"dlst":
        raise ValueError("The device has no list of its files.")
    files = []
    for _, fields in _chunks(entries):
        read = dict(_chunks(fields))
        size, at, flag, modified = (
            struct.unpack(">I", read[name])[0] for name in (b"sz32", b"of32", b"flag", b"mdat")
        )
        name = read[b"fnam"].split(b"\0", 1)[0].decode()
        files.append(Embedded(name, read[b"type"], body[at : at + size], flag, modified))
    return tuple(files)


def _chunk(tag: bytes, value: bytes) -> bytes:
    return tag + struct.pack(">I", len(value) + 8) + value


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 0
    while at + 8 <= len(data):
        (length,) = struct.unpack(">I", data[at + 4 : at + 8])
        if length < 8 or at + length > len(data):
            raise ValueError("A part of the device ends early.")
        found.append((data[at : at + 4], data[at + 8 : at + length]))
        at += length
    return found


def build(folder: Path) -> bytes:
    """Return the frozen device that the patcher and the script in `folder` make."""
    patcher = (folder / f"{DEVICE_NAME}.maxpat").read_bytes().replace(b"\r\n", b"\n")
    script = (folder / SCRIPT_NAME).read_bytes().replace(b"\r\n", b"\n")
    modified = int(json.loads(patcher)["patcher"]["project"]["modificationdate"])
    device = Embedded(f"{DEVICE_NAME}.amxd", b"JSON", patcher + b"\0", DEVICE_FLAG, modified)
    return pack(Device(AUDIO_EFFECT, (device, Embedded(SCRIPT_NAME, b"TEXT", script, 0, modified))))


if __name__ == "__main__":
    (Path(sys.argv[1]) / f"{DEVICE_NAME}.amxd").write_bytes(build(Path(sys.argv[1])))
