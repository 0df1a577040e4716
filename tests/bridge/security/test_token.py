"""The token's file, one-time codes and tickets."""

import os
from pathlib import Path

import pytest

from bridge.security.codes import LIFE_S, MOST_CODES, OneTimeCodes
from bridge.security.tickets import BEGIN_WITHIN_S, GOES_ON_S, Tickets
from bridge.security.token import Token
from engine.errors import NrxError


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_token_is_made_once_and_read_again(tmp_path: Path) -> None:
    first, second = Token.load(tmp_path / "home"), Token.load(tmp_path / "home")
    assert first.text == second.text
    assert len(first.text) >= 43  # 256 bits in base64


def test_two_homes_have_different_tokens(tmp_path: Path) -> None:
    assert Token.load(tmp_path / "a").text != Token.load(tmp_path / "b").text


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_the_token_file_is_its_owners_alone_and_made_so_again(tmp_path: Path) -> None:
    file = Token.load(tmp_path).file
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o644)
    Token.load(tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600


def test_only_the_whole_token_matches(tmp_path: Path) -> None:
    token = Token.load(tmp_path)
    assert token.matches(token.text)
    assert token.matches(token.text.encode())
    for wrong in ("", token.text[:-1], token.text + "x", token.text.swapcase(), "\ud800", "ü"):
        assert not token.matches(wrong)


def test_a_token_shows_up_in_no_repr(tmp_path: Path) -> None:
    token = Token.load(tmp_path)
    assert token.text not in repr(token)
    assert token.text not in f"{token}"


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff\xfe"])
def test_a_broken_token_file_is_an_error_and_not_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(NrxError, match="delete it"):
        Token.load(tmp_path)
    assert (tmp_path / "token").read_bytes() == content


def test_no_draft_is_left_beside_the_token(tmp_path: Path) -> None:
    Token.load(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["token"]


def test_a_code_works_once() -> None:
    codes = OneTimeCodes()
    code = codes.new()
    assert not codes.redeem(code + "x")
    assert codes.redeem(code)
    assert not codes.redeem(code)


def test_a_code_dies_after_ten_minutes() -> None:
    clock = Clock()
    codes = OneTimeCodes(clock)
    early, late = codes.new(), codes.new()
    clock.now += LIFE_S - 1
    assert codes.redeem(early)
    clock.now += 2
    assert not codes.redeem(late)


def test_old_codes_make_room_for_new_ones() -> None:
    codes = OneTimeCodes()
    first = codes.new()
    others = [codes.new() for _ in range(MOST_CODES)]
    assert not codes.redeem(first)
    assert codes.redeem(others[0])


def test_a_ticket_opens_its_own_path_only() -> None:
    tickets = Tickets()
    ticket = tickets.sign("/v2/returns/a/files/mix.wav")
    assert tickets.admits("/v2/returns/a/files/mix.wav", ticket)
    assert not tickets.admits("/v2/returns/a/files/master.wav", ticket)
    assert not Tickets().admits("/v2/returns/a/files/mix.wav", ticket)


def test_a_ticket_must_be_begun_in_time_and_goes_on_for_an_hour() -> None:
    clock = Clock()
    tickets = Tickets(clock)
    begun, unused = tickets.sign("/a"), tickets.sign("/b")
    clock.now += BEGIN_WITHIN_S - 1
    assert tickets.admits("/a", begun)
    clock.now += 60
    assert tickets.admits("/a", begun)
    assert not tickets.admits("/b", unused)
    clock.now += GOES_ON_S
    assert not tickets.admits("/a", begun)


@pytest.mark.parametrize(
    "forged", ["", ".", "99999999999.", "x.y", "-1.x", "9" * 40 + ".x", "1000.\udcff", "٣.x", "1e9.x"]
)
def test_forged_tickets_open_nothing(forged: str) -> None:
    assert not Tickets().admits("/a", forged)


def test_a_ticket_whose_end_was_moved_is_refused() -> None:
    tickets = Tickets()
    end, _, signature = tickets.sign("/a").partition(".")
    assert not tickets.admits("/a", f"{int(end) + 600}.{signature}")
