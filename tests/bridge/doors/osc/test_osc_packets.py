"""Datagrams: what python-osc builds is read as it was meant, what is malformed never gets further."""

import contextlib
import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from bridge.doors.osc import packet
from bridge.doors.osc.addresses import BY_NAME, TO_CLIENT, TO_NRX, match
from bridge.doors.osc.packet import LARGEST_OUT_BYTES, MalformedPacketError, build, decode, encode
from engine.errors import NrxError

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)
VALUES = st.lists(
    st.one_of(
        st.integers(-(2**31), 2**31 - 1), st.floats(width=32, allow_nan=False, allow_infinity=False), TEXT
    ),
    max_size=packet.MOST_ARGUMENTS,
)


def message(address: str, *values: Any) -> OscMessageBuilder:
    builder = OscMessageBuilder(address)
    for value in values:
        builder.add_arg(value)
    return builder


def bundle(*parts: Any, timestamp: float = IMMEDIATELY) -> Any:
    builder = OscBundleBuilder(timestamp)  # type: ignore[arg-type]  # IMMEDIATELY is an int there
    for part in parts:
        builder.add_content(part)
    return builder.build()


@given(values=VALUES)
def test_what_another_library_builds_is_read_as_meant(values: list[Any]) -> None:
    ((address, read),) = decode(message("/nrx/any", *values).build().dgram)
    assert address == "/nrx/any"
    assert read == values


@given(values=VALUES)
def test_what_is_built_here_another_library_reads(values: list[Any]) -> None:
    read = OscMessage(build("/nrx/any", values))
    assert list(read.params) == values


@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_malformed(data: bytes) -> None:
    try:
        for address, _values in decode(data):
            assert address.startswith("/")
    except MalformedPacketError:
        pass


@given(data=st.binary(max_size=60), at=st.integers(0, 200), values=VALUES)
def test_damaged_messages_are_read_or_malformed(data: bytes, at: int, values: list[Any]) -> None:
    whole = message("/nrx/submit", *values).build().dgram
    damaged = whole[:at] + data + whole[at + len(data) // 2 :]
    with contextlib.suppress(MalformedPacketError):
        decode(damaged)


def test_bundles_are_taken_apart_at_once_whatever_their_time() -> None:
    inner = bundle(message("/b").build(), timestamp=2.08e9)
    outer = bundle(message("/a", 1).build(), inner, message("/c", "x").build(), timestamp=2.08e9)
    assert decode(outer.dgram) == [("/a", [1]), ("/b", []), ("/c", ["x"])]


def test_bundles_nested_too_deep_are_malformed() -> None:
    nested = bundle(message("/a").build())
    for _ in range(packet.DEEPEST_BUNDLE):
        nested = bundle(nested)
    with pytest.raises(MalformedPacketError, match="too deep"):
        decode(nested.dgram)


def test_bundles_of_too_many_messages_are_malformed() -> None:
    many = bundle(*[message("/a").build()] * (packet.MOST_MESSAGES + 1))
    with pytest.raises(MalformedPacketError, match="too many"):
        decode(many.dgram)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0\0\0",
        b"nrx\0",
        b"/nrx",
        b"/nrx/hello",
        b"/a\0\0,i\0\0\0\0",
        b"/a\0\0,b\0\0\0\0\0\4abcd",
        b"/a\0\0,[i]\0\0\0\0\0\0\0\1",
        b"/a\0\0,s\0\0ab\0\0\0",
        b"/\xff\0\0,\0\0\0",
        b"#bundle\0",
        b"#bundle\0" + b"\0" * 8 + b"\0\0\0\0",
        b"#bundle\0" + b"\0" * 8 + b"\xff\xff\xff\xff",
        b"#bundle\0" + b"\0" * 8 + b"\0\0\0\5/a\0\0,",
        b"/a\0\0" + b"," + b"i" * 15 + b"\0" * 4 + b"\0" * 60 + b"extra\0\0\0",
        b"/" + b"a" * 8192,
    ],
)
def test_malformed_datagrams_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedPacketError):
        decode(data)


def test_message_without_type_tags_has_no_arguments() -> None:
    assert decode(b"/nrx/styles\0") == [("/nrx/styles", [])]


def test_other_number_types_are_understood() -> None:
    data = b"/a\0\0,dhTF\0\0\0" + struct.pack(">dq", 0.5, 2**40)
    assert decode(data) == [("/a", [0.5, 2**40, 1, 0])]


def test_values_are_fitted_as_max_sends_them() -> None:
    form, values = match(TO_NRX, "/nrx/submit", [808, "/a.wav", "jazz", 1])
    assert form.name == "submit_audio"
    assert values == ("808", "/a.wav", "jazz", 1.0, 1.0)
    assert isinstance(values[3], float)
    assert match(TO_NRX, "/nrx/hello", ["live", "1", 39200.0])[1] == ("live", "1", 39200, "")


@pytest.mark.parametrize(
    ("address", "values", "says"),
    [
        ("/nrx/dance", [], "There is no address"),
        ("/nrx/submit", [], "0 arguments do not fit"),
        ("/nrx/submit", ["a", "b"], "2 arguments do not fit"),
        ("/nrx/submit", ["a", "b", "c", "loud"], "must be a float"),
        ("/nrx/submit", ["a", "b", "c", math.nan], "must be a float"),
        ("/nrx/submit", [1.5], "must be a string"),
        ("/nrx/hello", ["a", "b", 0.5], "must be a int"),
        ("/nrx/hello", ["a", "b", 2**31], "must be a int"),
        ("/nrx/cancel", ["a"] * 3, "3 arguments do not fit"),
    ],
)
def test_what_does_not_fit_is_told(address: str, values: list[Any], says: str) -> None:
    with pytest.raises(NrxError, match=says) as told:
        match(TO_NRX, address, values)
    assert told.value.code == "request.invalid"


@pytest.mark.parametrize("name", [message.name for message in TO_CLIENT])
@pytest.mark.parametrize("letter", ["x", "é", "絆", "\udcff"])
def test_datagrams_to_clients_are_short(name: str, letter: str) -> None:
    form = BY_NAME[name]
    values = [letter * 3000 if a.cut else {"s": "id", "i": 3, "f": 0.5}[a.kind] for a in form.arguments]
    datagram = encode(form, values)
    assert datagram is not None
    assert len(datagram) <= LARGEST_OUT_BYTES < 1024
    ((address, read),) = decode(datagram)
    assert address == form.address
    for argument, value in zip(form.arguments, read, strict=True):
        assert type(value) is {"s": str, "i": int, "f": float}[argument.kind]


def test_cut_texts_end_in_an_ellipsis() -> None:
    datagram = encode(BY_NAME["error"], ["id", "code", "ö" * 2000])
    assert datagram is not None
    assert decode(datagram)[0][1][2].endswith("ö…")


def test_paths_are_never_cut() -> None:
    assert encode(BY_NAME["done"], ["id", "/long" * 400]) is None
