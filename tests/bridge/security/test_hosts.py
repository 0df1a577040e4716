"""Host and Origin rules."""

import pytest

from bridge.security.hosts import HostRule, OriginRule, is_loopback, split_host

LOOPBACK = HostRule.for_address("127.0.0.1")


@pytest.mark.parametrize(
    "header",
    ["127.0.0.1", "127.0.0.1:39180", "localhost:39180", "LOCALHOST", "[::1]:39180", "[::1]"],
)
def test_loopback_names_pass(header: str) -> None:
    assert LOOPBACK.allows([header.encode()])


@pytest.mark.parametrize(
    "header",
    [
        "",
        " ",
        ":39180",
        "evil.example",
        "evil.example:39180",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "127.0.0.1@evil.example",
        "evil.example#127.0.0.1",
        "127.0.0.1:39180:1",
        "127.0.0.1:x",
        "127.0.0.1:99999",
        "127.0.0.2",
        "2130706433",
        "0x7f.1",
        "[::ffff:127.0.0.1]",
        "::1",
        "localhost.",
        "local host",
        "localhost/",
        "http://localhost",
        "localhost, evil.example",
        "0.0.0.0",
    ],
)
def test_everything_else_is_refused(header: str) -> None:
    assert not LOOPBACK.allows([header.encode("latin-1")])


def test_none_and_two_are_refused() -> None:
    assert not LOOPBACK.allows([])
    assert not LOOPBACK.allows([b"localhost", b"localhost"])


def test_the_whole_network_takes_addresses_but_no_foreign_names() -> None:
    rule = HostRule.for_address("0.0.0.0")
    assert rule.allows([b"192.168.1.7:39180"])
    assert rule.allows([b"[fe80::1]:39180"])
    assert not rule.allows([b"evil.example:39180"])


def test_one_address_takes_itself() -> None:
    rule = HostRule.for_address("192.168.1.7")
    assert rule.allows([b"192.168.1.7:39180"])
    assert not rule.allows([b"192.168.1.8:39180"])


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("127.5.5.5", True), ("0.0.0.0", False),
     ("::", False), ("192.168.1.1", False), ("example.org", False), ("", False)],
)  # fmt: skip
def test_loopback_is_told_from_the_rest(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://127.0.0.1:39180", True),
        ("http://localhost:39180", True),
        ("http://[::1]:39180", True),
        ("http://localhost:3000", True),
        ("https://studio.example", True),
        ("null", False),
        ("", False),
        ("http://localhost", False),
        ("http://localhost:39181", False),
        ("https://localhost:39180", False),
        ("http://localhost:39180/", False),
        ("http://evil.example", False),
        ("http://localhost:30000", False),
        ("http://localhost:3000.evil.example", False),
        ("http://studio.example", False),
        ("https://sub.studio.example", False),
        ("file://", False),
    ],
)
def test_origins_are_compared_exactly(origin: str, allowed: bool) -> None:
    rule = OriginRule.for_port(
        LOOPBACK, 39180, ["http://localhost:3000/", "https://Studio.example", "null", "x"]
    )
    assert rule.allows(origin) is allowed


def test_hosts_are_split_into_name_and_port() -> None:
    assert split_host("LocalHost:80") == ("localhost", 80)
    assert split_host("[::1]") == ("::1", None)
    assert split_host("a b") is None
