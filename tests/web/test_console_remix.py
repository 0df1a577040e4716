"""A whole remix by clicks, and jobs while they run."""

from pathlib import Path

import numpy as np
import soundfile
from console_browser import Page
from console_daemon import Remixed, RunningDaemon

NO_WEBSOCKET = """
globalThis.WebSocket = class { constructor() { setTimeout(() => this.onclose?.(), 0); } close() {} };
"""


def _song(folder: Path, name: str, seconds: float) -> Path:
    rng = np.random.default_rng(len(name))
    file = folder / name
    soundfile.write(file, rng.normal(size=(round(seconds * 22050), 2)) * 0.05, 22050, subtype="PCM_16")
    return file


def test_a_remix_by_clicks_comes_back_whole(remixed: Remixed, daemon: RunningDaemon) -> None:
    assert remixed.manifest["style"] == "lofi_chill"
    assert remixed.manifest["request"]["inputs"][0]["name"] == "small song.wav"
    kinds = {track["kind"] for track in remixed.manifest["tracks"]}
    assert {"separated", "generated", "mix", "master"} <= kinds


def test_progress_is_told_in_words_and_never_goes_back(remixed: Remixed) -> None:
    stages = list(dict.fromkeys(words.split(" · ")[0] for words in remixed.said))
    assert len(stages) >= 3
    assert any("Separating" in stage for stage in stages)
    assert list(remixed.fractions) == sorted(remixed.fractions)
    assert 0 <= remixed.fractions[0] < remixed.fractions[-1] <= 1


def test_a_running_job_can_be_cancelled(page: Page, daemon: RunningDaemon, tmp_path: Path) -> None:
    job = daemon.submit("separate", _song(tmp_path, "long.wav", 240))
    page.wait(f"nrx.store.get('{job['id']}')?.state === 'running'")
    page.click(f".job[data-id='{job['id']}'] .job-buttons button")
    page.wait(f"nrx.store.get('{job['id']}')?.state === 'cancelled'")
    assert daemon.finished(job["id"])["state"] == "cancelled"
    page.wait(
        f"document.querySelector(`.job[data-id='{job['id']}'] .badge`)?.textContent.trim() === 'Cancelled'"
    )


def test_a_job_that_fails_says_why_and_can_be_retried_and_deleted(
    page: Page, daemon: RunningDaemon, tmp_path: Path
) -> None:
    file = tmp_path / "silence.wav"
    soundfile.write(file, np.zeros((44100 * 12, 2)), 44100, subtype="PCM_16")
    job = daemon.submit("analyze", file)
    failed = daemon.finished(job["id"])
    said = failed["error"]["sentence"]
    page.wait("document.querySelector('.toast.bad') !== null")
    assert said in page.text(".toast.bad")
    row = f".job[data-id='{job['id']}']"
    assert said in page.text(row)
    page.click(f"{row} .job-buttons button.primary")
    page.wait(f"nrx.store.get('{job['id']}')?.finished_at > {failed['finished_at']}")
    page.wait(f'document.querySelector("{row} button[aria-label^=Delete]") !== null')
    page.click(f"{row} button[aria-label^=Delete]")
    page.click("dialog button.danger")
    page.wait(f'document.querySelector("{row}") === null')


def test_a_file_that_is_no_audio_is_refused_with_the_daemons_words(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "notes.wav"
    file.write_text("this is not a song", encoding="utf-8")
    page.find("input[type=file]").send_keys(str(file))
    assert "notes.wav" in page.text(".file .problem")
    assert page.run("return document.querySelector('button.large').disabled")
    assert [entry for entry in page.errors() if "/v2/uploads" not in entry] == []


def test_several_files_are_stems_with_roles_guessed_from_their_names(page: Page, songs: Path) -> None:
    names = ("Lead Vox.wav", "Drum Kit.wav", "DI Bass.wav", "Rhodes.wav")
    page.find("input[type=file]").send_keys("\n".join(str(songs / name) for name in names))
    page.wait("document.querySelectorAll('.file select').length === 4")
    roles = page.run(
        "return [...document.querySelectorAll('.file')].map((f) => f.querySelector('select').value)"
    )
    assert roles == ["vocals", "drums", "bass", "other"]
    page.click(".segments input[value=songs]")
    page.wait("document.querySelectorAll('.file select').length === 0")
    page.wait("document.querySelector('.start-note').textContent === '4 songs'")


def test_a_page_that_was_cut_off_misses_no_event(page: Page, daemon: RunningDaemon, songs: Path) -> None:
    page.run(
        "globalThis.seen = []; nrx.feed.addEventListener('event', ({detail}) =>"
        " seen.push([detail.id, detail.job.id, detail.type]))"
    )
    first = daemon.submit("analyze", songs / "Rhodes.wav")
    page.wait(f"seen.some(([, job]) => job === '{first['id']}')")
    page.run("nrx.feed.drop()")
    page.wait("!nrx.feed.connected")
    second = daemon.submit("analyze", songs / "DI Bass.wav")
    daemon.finished(second["id"])
    page.wait(f"nrx.store.get('{second['id']}')?.finished_at")
    page.wait(f"seen.some(([, job, type]) => job === '{second['id']}' && type === 'succeeded')")
    ids = [event[0] for event in page.run("return seen")]
    assert ids == sorted(set(ids))
    types = [event[2] for event in page.run("return seen") if event[1] == second["id"]]
    assert types[0] == "accepted"


def test_without_websockets_events_come_by_server_sent_events(
    blank: Page, daemon: RunningDaemon, songs: Path
) -> None:
    script = blank.command("Page.addScriptToEvaluateOnNewDocument", source=NO_WEBSOCKET)
    try:
        blank.open(daemon.link())
        blank.wait("globalThis.nrx?.feed.way === 'sse' && nrx.feed.connected")
        job = daemon.submit("analyze", songs / "Drum Kit.wav")
        blank.wait(f"nrx.store.get('{job['id']}')?.finished_at")
    finally:
        blank.command("Page.removeScriptToEvaluateOnNewDocument", identifier=script["identifier"])


def test_the_queue_pauses_and_goes_on(page: Page, daemon: RunningDaemon) -> None:
    page.go("#/jobs")
    page.wait("!document.querySelector('.row-between button').hidden")
    page.click(".row-between button")
    page.wait("!document.querySelector('.banner').hidden")
    assert daemon.call("GET", "/v2/queue")["paused"] is True
    page.click(".row-between button")
    page.wait("document.querySelector('.banner').hidden")
    assert daemon.call("GET", "/v2/queue")["paused"] is False


def test_a_flood_of_jobs_neither_fills_the_page_nor_stops_it(page: Page) -> None:
    page.go("#/jobs")
    rows = page.later(
        """
        for (let at = 0; at < 5000; at += 1) {
          nrx.store.take({type: "accepted", job: {id: `flood-${at}`, action: "remix", title: `Song ${at}`, style: null,
            state: "queued", position: at, fraction: 0, created_at: 1e9, inputs: [], notes: [], attempt: 0}});
        }
        await new Promise((done) => setTimeout(done, 200));
        return document.querySelectorAll(".job").length;
        """
    )
    assert rows == 300
    page.find("input[type=search]").send_keys("Song 4999")
    page.wait("document.querySelectorAll('.job').length === 1")
    assert page.text(".job-title") == "Song 4999"
