"""The way into the console: a link that works once."""

import urllib.request
from urllib.error import HTTPError

import pytest
from console_browser import Page
from console_daemon import RunningDaemon


def test_without_a_token_the_page_says_how_to_get_in(blank: Page, daemon: RunningDaemon) -> None:
    blank.open(daemon.url)
    assert "nrx open" in blank.text("main")
    blank.picture("sign-in")


def test_a_one_time_link_signs_in_and_leaves_no_code_in_the_address(
    page: Page, daemon: RunningDaemon
) -> None:
    assert "code" not in page.driver.current_url
    assert page.text("h1") == "Remix a song"
    page.open(daemon.url)  # the access is kept
    assert page.text("h1") == "Remix a song"


def test_a_used_link_is_told_as_used(blank: Page, daemon: RunningDaemon) -> None:
    link = daemon.link()
    blank.open(link)
    blank.find("nav")
    blank.run("localStorage.clear()")
    blank.open(link)
    assert "used up" in blank.text(".problem")
    assert [entry for entry in blank.errors() if "401" not in entry] == []


def test_signing_out_forgets_the_access(page: Page, daemon: RunningDaemon) -> None:
    page.go("#/system")
    page.click("button.own")
    assert "nrx open" in page.text("main.signin")
    assert page.run("return localStorage.getItem('nrx.token')") is None


def test_a_token_that_is_no_longer_valid_leads_to_the_way_in(blank: Page, daemon: RunningDaemon) -> None:
    blank.open(daemon.url)
    blank.run("localStorage.setItem('nrx.token', 'of-an-earlier-installation')")
    blank.open(daemon.url)
    assert "no longer valid" in blank.text(".problem")
    assert [entry for entry in blank.errors() if "401" not in entry and "WebSocket" not in entry] == []


def test_pages_come_with_a_policy_that_runs_no_inline_script(daemon: RunningDaemon) -> None:
    with urllib.request.urlopen(daemon.url + "/", timeout=10) as answer:
        policy = answer.headers["content-security-policy"]
        page = answer.read().decode()
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "<script>" not in page
    assert "style=" not in page


def test_files_of_returns_need_the_token(daemon: RunningDaemon) -> None:
    with pytest.raises(HTTPError, match="401"):
        urllib.request.urlopen(daemon.url + "/v2/returns", timeout=10)
