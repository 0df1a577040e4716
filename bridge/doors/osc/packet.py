"""OSC 1.0 datagrams, read within bounds and written short.

Source: Open Sound Control 1.0 (Wright, 2002). A bundle's messages are taken at once, whatever its time tag says:
keeping packets for later is how a sender fills another's memory. Beside `i f s` the types `d h T F` are understood, as
some libraries send them. Everything else, and whatever is longer or deeper than the bounds, is malformed.
"""

import struct
from collections.abc import Iterator, Sequence

from bridge.doors.osc.addresses import Message, Value

LARGEST_IN_BYTES = 8192
LARGEST_OUT_BYTES = 1000
DEEPEST_BUNDLE = 4
MOST_MESSAGES = 64
MOST_ARGUMENTS = 16
_BUNDLE = b"#bundle\0"
_FIXED = {
    "i": struct.Struct(">i"),
    "f": struct.Struct(">f"),
    "d": struct.Struct(">d"),
    "h": struct.Struct(">q"),
}
_WITHOUT_DATA = {"T": 1, "F": 0}


class MalformedPacketError(Exception):
    """A datagram that is not OSC, or larger or deeper than is allowed."""


def decode(data: bytes) -> list[tuple[str, list[Value]]]:
    """Return the messages of a datagram, in order.

    Raises:
        MalformedPacketError: if any part of it is malformed; nothing of it counts then.
    """
    if len(data) > LARGEST_IN_BYTES:
        raise MalformedPacketError(f"{len(data)} bytes")
    messages: list[tuple[str, list[Value]]] = []
    for part in _parts(data, 0):
        if len(messages) == MOST_MESSAGES:
            raise MalformedPacketError("too many messages")
        messages.append(_message(part))
    return messages


def _parts(data: bytes, depth: int) -> Iterator[bytes]:
    """Yield the messages in a packet, going into bundles."""
    if not data.startswith(_BUNDLE):
        yield data
        return
    if depth == DEEPEST_BUNDLE:
        raise MalformedPacketError("bundles too deep")
    at = len(_BUNDLE) + 8
    if len(data) < at:
        raise MalformedPacketError("a bundle without a time tag")
    while at < len(data):
        if at + 4 > len(data):
            raise MalformedPacketError("a bundle that ends early")
        size = int.from_bytes(data[at : at + 4], "big")
        at += 4
        if size == 0 or size % 4 or at + size > len(data):
            raise MalformedPacketError("a bundle with a wrong size")
        yield from _parts(data[at : at + size], depth + 1)
        at += size


def _message(data: bytes) -> tuple[str, list[Value]]:
    address, at = _string(data, 0)
    if not address.startswith("/"):
        raise MalformedPacketError("no address")
    if at == len(data):
        return address, []  # old senders leave out the type tags of a message without arguments
    tags, at = _string(data, at)
    if not tags.startswith(",") or len(tags) > MOST_ARGUMENTS + 1:
        raise MalformedPacketError("no type tags, or too many")
    values: list[Value] = []
    for tag in tags[1:]:
        if tag == "s":
            text, at = _string(data, at)
            values.append(text)
        elif (form := _FIXED.get(tag)) is not None:
            if at + form.size > len(data):
                raise MalformedPacketError("a message that ends early")
            values.append(form.unpack_from(data, at)[0])
            at += form.size
        elif tag in _WITHOUT_DATA:
            values.append(_WITHOUT_DATA[tag])
        else:
            raise MalformedPacketError("a type that is not understood")
    if at != len(data):
        raise MalformedPacketError("more bytes than arguments")
    return address, values


def _string(data: bytes, at: int) -> tuple[str, int]:
    """Return the string at a position, and where the next thing begins."""
    end = data.find(b"\0", at)
    if end < 0:
        raise MalformedPacketError("a string without an end")
    after = end + 4 - (end - at) % 4
    if after > len(data):
        raise MalformedPacketError("a string without its padding")
    try:
        return data[at:end].decode("utf-8"), after
    except UnicodeDecodeError:
        raise MalformedPacketError("a string that is not UTF-8") from None


def encode(message: Message, values: Sequence[Value], largest: int = LARGEST_OUT_BYTES) -> bytes | None:
    """Return a datagram of at most `largest` bytes, texts for people cut to fit; None if that is not possible."""
    fitted = list(values)
    datagram = build(message.address, fitted, "".join(argument.kind for argument in message.arguments))
    for index in reversed(range(len(message.arguments))):
        over = len(datagram) - largest
        if over <= 0:
            return datagram
        if message.arguments[index].cut:
            fitted[index] = shortened(str(fitted[index]), over)
            datagram = build(
                message.address, fitted, "".join(argument.kind for argument in message.arguments)
            )
    return datagram if len(datagram) <= largest else None


def shortened(text: str, by_bytes: int) -> str:
    """Return a text that is at least so many bytes shorter in UTF-8, with an ellipsis where there is room for one."""
    data = text.encode("utf-8", "replace")
    keep = len(data) - by_bytes - 4 - len("…".encode())
    if keep <= 0:
        return ""
    return data[:keep].decode("utf-8", "ignore").rstrip() + "…"


def build(address: str, values: Sequence[Value], kinds: str | None = None) -> bytes:
    """Return the datagram of one message; without `kinds`, ints, floats and strings are `i`, `f` and `s`."""
    from pythonosc.osc_message_builder import OscMessageBuilder

    builder = OscMessageBuilder(address=address)
    for index, value in enumerate(values):
        kind = kinds[index] if kinds else {int: "i", float: "f"}.get(type(value), "s")
        # A lone surrogate (an undecodable file name) is no UTF-8.
        builder.add_arg(value.encode("utf-8", "replace").decode() if isinstance(value, str) else value, kind)
    return bytes(builder.build().dgram)
