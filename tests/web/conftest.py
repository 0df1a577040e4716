"""A real daemon and a real headless Chromium for the tests of the console.

Both start once for a run of tests. Pages are opened by a one-time link, as people do. After each test the page must
have called no address but the daemon's, told no browser error, and shown the token in no address.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from console_browser import Page, open_chromium
from console_daemon import READY_S, Remixed, RunningDaemon

from tests.songs import song_stems

START_S = 60.0
SERVE = "from bridge.doors.cli import main; main()"


@pytest.fixture(scope="session")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    home = tmp_path_factory.mktemp("console-home")
    command = [sys.executable, "-c", SERVE, "serve", "--http-port", "0", "--osc-port", "0"]
    environment = {**os.environ, "NRX_HOME": str(home)}
    with (home / "out.txt").open("wb") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield _ready(home, process)
    finally:
        process.terminate()
        process.wait(30)


def _ready(home: Path, process: subprocess.Popen[bytes]) -> RunningDaemon:
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        if (home / "daemon.json").is_file():
            info = json.loads((home / "daemon.json").read_text(encoding="utf-8"))
            token = Path(info["token_file"]).read_text(encoding="ascii").strip()
            return RunningDaemon(home, info["http"], token)
        time.sleep(0.05)
    raise AssertionError(f"the daemon did not start: {(home / 'out.txt').read_text(encoding='utf-8')}")


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    page = open_chromium(tmp_path_factory.mktemp("downloads"))
    yield page
    page.driver.quit()


@pytest.fixture
def blank(chromium: Page, daemon: RunningDaemon) -> Iterator[Page]:
    """A browser that has never been here; checked after the test."""
    chromium.reset(daemon.url)
    yield chromium
    asked = chromium.addresses()
    assert [
        address for address in asked if not address.startswith((daemon.url, daemon.url.replace("http", "ws")))
    ] == []
    assert [address for address in asked if daemon.token in address] == []
    assert chromium.errors() == []


@pytest.fixture
def page(blank: Page, daemon: RunningDaemon) -> Page:
    """A browser that is signed in, on the first page."""
    blank.open(daemon.link())
    blank.find("main h1")
    blank.wait(SIGNED_IN)
    return blank


@pytest.fixture(scope="session")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `small song.wav` and its stems."""
    import soundfile

    folder = tmp_path_factory.mktemp("songs")
    stems = song_stems(bpm=120.0, bars=8)
    mix = sum(stems.values())
    peak = abs(mix).max() / 0.8
    soundfile.write(folder / "small song.wav", (mix / peak).T, 44100, subtype="PCM_16")
    names = {"vocals": "Lead Vox.wav", "drums": "Drum Kit.wav", "bass": "DI Bass.wav", "other": "Rhodes.wav"}
    for role, name in names.items():
        soundfile.write(folder / name, (stems[role] / peak).T, 44100, subtype="PCM_16")
    return folder


@pytest.fixture(scope="session")
def remixed(chromium: Page, daemon: RunningDaemon, songs: Path) -> Remixed:
    """Make a remix by clicks alone, once."""
    page = chromium
    page.reset(daemon.url)
    page.open(daemon.link())
    page.wait(SIGNED_IN)  # until then, jobs of others are not known, and would be taken for this one
    page.find("input[type=file]").send_keys(str(songs / "small song.wav"))
    page.find(".file .hint")
    page.click(".style-card input[value=lofi_chill]")
    page.wait("!document.querySelector('button.large').disabled")
    page.picture("remix-page")
    before = set(page.run("return [...nrx.store.jobs.keys()]"))
    page.click("button.large")
    page.run(WATCH_JOB)
    page.wait("document.querySelector('.job .job-buttons a') !== null", within_s=READY_S)
    page.picture("remix-done")
    seen = page.run("return watched")
    job_id = next(iter(set(page.run("return [...nrx.store.jobs.keys()]")) - before))
    manifest = daemon.call("GET", f"/v2/returns/{job_id}")
    return Remixed(job_id, manifest, tuple(seen["said"]), tuple(seen["fractions"]))


SIGNED_IN = "globalThis.nrx?.feed.connected && nrx.store.waiting === null"
WATCH_JOB = """
globalThis.watched = {said: [], fractions: []};
new MutationObserver(() => {
  const job = document.querySelector(".job[data-state=running]");
  if (!job) return;
  const said = job.querySelector(".job-said").textContent;
  if (watched.said.at(-1) === said) return;
  watched.said.push(said);
  watched.fractions.push(job.querySelector("progress").value);
}).observe(document.querySelector(".recent"), {subtree: true, childList: true, characterData: true, attributes: true});
"""


@pytest.fixture
def mixer(page: Page, remixed: Remixed) -> Page:
    """The mixer of the remix, ready to play."""
    page.go(f"#/return/{remixed.job_id}")
    page.find(".mixer")
    page.wait("document.querySelector('.mixer').dataset.peaks === 'shown'", within_s=30)
    page.run("globalThis.player = document.querySelector('.mixer').player")
    page.run("globalThis.deck = document.querySelector('.mixer').deck")
    return page
