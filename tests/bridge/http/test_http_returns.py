"""The library and the files of returns."""

import io
import itertools
import json
import os
import urllib.parse
import zipfile
from pathlib import Path

import httpx
import numpy as np
import pytest
import raw
import soundfile
from http_daemon import Daemon
from http_standin import make_return, wav_bytes

from bridge.protocol import InputFile, Request

REMIX = Request(action="remix", style="jazz", inputs=(InputFile(path="x"),))


@pytest.fixture
def done(daemon: Daemon) -> str:
    """The id of a job that has a return."""
    job_id = str(daemon.submit()["id"])
    daemon.jobs.finish(job_id)
    return job_id


def test_a_return_is_listed_with_what_it_holds(daemon: Daemon, done: str) -> None:
    page = daemon.client.get("/v2/returns").json()
    assert page["total"] == 1
    item = page["returns"][0]
    assert (item["job_id"], item["style"], item["tracks"], item["loudness_lufs"]) == (
        done,
        "lofi_chill",
        3,
        -14.0,
    )


def test_returns_made_without_the_daemon_are_found_on_disk(daemon: Daemon) -> None:
    make_return(daemon.home / "returns", "alone", REMIX)
    assert daemon.client.get("/v2/returns/alone").json()["id"] == "alone"
    assert daemon.client.get("/v2/returns/alone/files/mix.wav").content == wav_bytes()


def test_returns_are_searched_by_words_and_paged(daemon: Daemon) -> None:
    for number in range(5):
        make_return(daemon.home / "returns", f"r{number}", REMIX)
    assert daemon.client.get("/v2/returns", params={"search": "jazz R3"}).json()["total"] == 1
    assert daemon.client.get("/v2/returns", params={"search": "rock"}).json()["total"] == 0
    seen: list[str] = []
    mark = None
    while True:
        page = daemon.client.get(
            "/v2/returns", params={"limit": 2, **({"before": mark} if mark else {})}
        ).json()
        seen += [item["job_id"] for item in page["returns"]]
        mark = page["next"]
        if mark is None:
            break
    assert seen == ["r4", "r3", "r2", "r1", "r0"]


@pytest.mark.parametrize("mark", ["x", "W10=", "bnVsbA==", "e30=", "ü"])
def test_a_page_mark_that_never_was_is_refused(daemon: Daemon, mark: str) -> None:
    assert daemon.client.get("/v2/returns", params={"before": mark}).status_code == 422


def test_broken_and_half_made_folders_are_no_returns(daemon: Daemon) -> None:
    parent = daemon.home / "returns"
    for name, manifest in (
        (".nrx-staging-1", "{}"),
        ("a", "not json"),
        ("b", "[]"),
        ("c", '{"id": 1}'),
        ("d", None),
    ):
        (parent / name).mkdir(parents=True)
        if manifest is not None:
            (parent / name / "manifest.json").write_text(manifest)
    assert daemon.client.get("/v2/returns").json()["returns"] == []


def test_a_changed_manifest_is_read_again(daemon: Daemon) -> None:
    folder = make_return(daemon.home / "returns", "r", REMIX)
    daemon.client.get("/v2/returns")
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "style": "rock, another one"}))
    assert daemon.client.get("/v2/returns").json()["returns"][0]["style"] == "rock, another one"


def test_every_file_of_the_manifest_is_served(daemon: Daemon, done: str) -> None:
    manifest = daemon.client.get(f"/v2/returns/{done}").json()
    for track in manifest["tracks"]:
        answer = daemon.client.get(f"/v2/returns/{done}/files/{track['file']}")
        assert answer.content == wav_bytes()
        assert answer.headers["content-type"] == "audio/wav"
    assert daemon.client.get(f"/v2/returns/{done}/files/overview.png").headers["content-type"] == "image/png"


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=44-", 44, None),
        ("bytes=-100", -100, None),
        ("bytes=100-999999999", 100, None),
        ("bytes=-999999999", 0, None),
    ],
)
def test_a_range_is_that_part_of_the_file(
    daemon: Daemon, done: str, asked: str, first: int, end: int | None
) -> None:
    whole = wav_bytes()
    answer = daemon.client.get(f"/v2/returns/{done}/files/mix.wav", headers={"range": asked})
    assert answer.status_code == 206
    assert answer.content == whole[first:end]
    start = first if first >= 0 else len(whole) + first
    last = start + len(answer.content) - 1
    assert answer.headers["content-range"] == f"bytes {start}-{last}/{len(whole)}"
    assert answer.headers["content-length"] == str(len(answer.content))


@pytest.mark.parametrize("asked", ["bytes=999999999-", "bytes=-0"])
def test_a_range_beyond_the_file_is_416(daemon: Daemon, done: str, asked: str) -> None:
    answer = daemon.client.get(f"/v2/returns/{done}/files/mix.wav", headers={"range": asked})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(wav_bytes())}"


@pytest.mark.parametrize(
    "asked",
    ["bytes=", "bytes=-", "bytes=5-2", "bytes=0-1,5-6", "frames=0-1", "bytes=a-b", "bytes=1-" + "9" * 99],
)
def test_a_range_that_makes_no_sense_gives_the_whole_file(daemon: Daemon, done: str, asked: str) -> None:
    answer = daemon.client.get(f"/v2/returns/{done}/files/mix.wav", headers={"range": asked})
    assert (answer.status_code, len(answer.content)) == (200, len(wav_bytes()))


def test_validators_save_sending_what_is_known(daemon: Daemon, done: str) -> None:
    path = f"/v2/returns/{done}/files/mix.wav"
    first = daemon.client.get(path)
    etag = first.headers["etag"]
    assert daemon.client.get(path, headers={"if-none-match": etag}).status_code == 304
    assert daemon.client.get(path, headers={"range": "bytes=0-9", "if-range": etag}).status_code == 206
    assert daemon.client.get(path, headers={"range": "bytes=0-9", "if-range": '"old"'}).status_code == 200
    head = daemon.client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == first.headers["content-length"]


def test_a_return_comes_as_a_zip_with_everything_in_one_folder(daemon: Daemon, done: str) -> None:
    answer = daemon.client.get(f"/v2/returns/{done}/zip")
    assert answer.headers["content-type"] == "application/zip"
    assert urllib.parse.quote(f"Söng {done}.zip") in answer.headers["content-disposition"]
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    names = {name.removeprefix(f"Söng {done}/") for name in archive.namelist()}
    assert names == {"manifest.json", "mix.wav", "master.wav", "overview.png", "tracks/a.wav"}
    assert archive.read(f"Söng {done}/mix.wav") == wav_bytes()


def test_the_source_is_what_was_accepted(daemon: Daemon, done: str) -> None:
    answer = daemon.client.get(f"/v2/returns/{done}/source")
    assert answer.content == wav_bytes()
    assert "song.wav" in answer.headers["content-disposition"]
    assert daemon.client.get(f"/v2/returns/{done}/source", params={"index": 1}).status_code == 404
    assert daemon.client.get("/v2/returns/none/source").status_code == 404


def test_a_source_outside_the_roots_is_not_served(daemon: Daemon, tmp_path: Path) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(wav_bytes())
    folder = make_return(daemon.home / "returns", "r", REMIX)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "source": [{"path": str(secret)}]}))
    assert daemon.client.get("/v2/returns/r/source").status_code == 403


def test_peaks_are_the_extremes_of_each_column(daemon: Daemon) -> None:
    folder = make_return(daemon.home / "returns", "r", REMIX)
    rng = np.random.default_rng(1)
    sound = rng.uniform(-1, 1, (700_000, 2)).astype(np.float32)
    sound[:350_000] *= 0.25
    soundfile.write(folder / "mix.wav", sound, 44100, subtype="FLOAT")
    for columns in (1, 7, 1200):
        peaks = daemon.client.get("/v2/returns/r/peaks", params={"columns": columns}).json()["tracks"][
            "mix.wav"
        ]
        edges = [column * len(sound) // columns for column in range(columns + 1)]
        expected = [(sound[a:b].min(), sound[a:b].max()) for a, b in itertools.pairwise(edges)]
        assert np.abs(np.array(peaks) - np.array(expected)).max() < 1e-4


def test_peaks_of_a_file_shorter_than_the_columns(daemon: Daemon) -> None:
    folder = make_return(daemon.home / "returns", "r", REMIX)
    soundfile.write(folder / "mix.wav", np.full((3, 1), 0.5, np.float32), 44100, subtype="FLOAT")
    peaks = daemon.client.get("/v2/returns/r/peaks", params={"columns": 10}).json()["tracks"]["mix.wav"]
    assert len(peaks) == 10
    assert max(high for _, high in peaks) == 0.5


TRAVERSALS = (
    "../manifest.json",
    "..%2fmanifest.json",
    "%2e%2e/%2e%2e/token",
    "..%5c..%5ctoken",
    "..\\..\\token",
    "....//token",
    "tracks/../../../token",
    "tracks/%2e%2e/mix.wav",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "//etc/passwd",
    "file:///etc/passwd",
    "C:%5cWindows%5cwin.ini",
    "%5c%5cserver%5cshare%5ca.wav",
    "mix.wav%00.png",
    "mix.wav:stream",
    "mix.wav::$DATA",
    "mix.wav/",
    "mix.wav.",
    "MIX.WAV%20",
    "./mix.wav",
    "tracks//a.wav",
    "tracks",
    "",
    "%c0%ae%c0%ae/token",
    "%252e%252e%252ftoken",
    "..;/token",
    "CON",
    ".hidden",
    "link.wav",
    "linked/token",
    "pipe",
)


@pytest.mark.parametrize("path", TRAVERSALS)
def test_no_path_leaves_the_return(daemon: Daemon, path: str) -> None:
    folder = make_return(daemon.home / "returns", "r", REMIX)
    (folder / ".hidden").write_bytes(b"hidden")
    if os.name != "nt":
        (folder / "link.wav").symlink_to(daemon.home / "token")
        (folder / "linked").symlink_to(daemon.home, target_is_directory=True)
        os.mkfifo(folder / "pipe")
    bearer = f"Authorization: Bearer {daemon.token}"
    status, answered = raw.get(daemon.port, f"/v2/returns/r/files/{path}", "Host: localhost", bearer)
    assert status in (400, 404, 405)
    assert daemon.token.encode() not in answered
    assert b"root:" not in answered
    assert b"RIFF" not in answered


@pytest.mark.parametrize(
    "job_id", ["..", "%2e%2e", "..%2f..", "r%2f..%2fr", "%00", "r%00", "*", "Söng%20r", "~", "a" * 3000]
)
def test_no_id_leaves_the_library(daemon: Daemon, job_id: str) -> None:
    make_return(daemon.home / "returns", "r", REMIX)
    for tail in ("", "/zip", "/source", "/peaks", "/files/token", "/files/mix.wav"):
        status, _ = raw.get(
            daemon.port,
            f"/v2/returns/{job_id}{tail}".encode().decode("latin-1"),
            "Host: localhost",
            f"Authorization: Bearer {daemon.token}",
        )
        assert status in (400, 404), tail


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_folder_of_returns_that_is_a_link_is_no_return(daemon: Daemon, tmp_path: Path) -> None:
    elsewhere = make_return(tmp_path, "r", REMIX)
    (daemon.home / "returns").mkdir()
    (daemon.home / "returns" / "linked").symlink_to(elsewhere, target_is_directory=True)
    assert daemon.client.get("/v2/returns").json()["total"] == 0
    assert daemon.client.get("/v2/returns/r").status_code == 404


def test_links_stay_out_of_the_zip(daemon: Daemon) -> None:
    folder = make_return(daemon.home / "returns", "r", REMIX)
    if os.name != "nt":
        (folder / "link.txt").symlink_to(daemon.home / "token")
    content = daemon.client.get("/v2/returns/r/zip").content
    assert "link.txt" not in str(zipfile.ZipFile(io.BytesIO(content)).namelist())


def test_a_ticket_opens_one_file_without_a_header(daemon: Daemon, done: str) -> None:
    path = f"/v2/returns/{done}/files/mix.wav"
    url = daemon.url + daemon.client.post("/v2/tickets", json={"path": path}).json()["url"]
    with httpx.Client() as bare:
        assert bare.get(url).content == wav_bytes()
        assert bare.get(url, headers={"range": "bytes=0-3"}).content == b"RIFF"
        assert bare.head(url).status_code == 200
        # a page of another origin plays it in an <audio> element
        assert bare.get(url, headers={"sec-fetch-site": "cross-site"}).status_code == 200
        assert bare.get(url.replace("mix", "master")).status_code == 401
        assert bare.get(url + "x").status_code == 401
        assert bare.get(f"{url}&{url.partition('?')[2]}").status_code == 401
        assert bare.delete(url).status_code == 401
        assert bare.get(url, headers={"host": "evil.example"}).status_code == 421
        assert bare.get(url, headers={"origin": "http://evil.example"}).status_code == 403


@pytest.mark.parametrize(
    "path",
    ["/v2/jobs", "/openapi.json", "/v2/returns/x", "/v2/returns/x/../y/zip", "/v2/events", "http://evil/", "",
     "/v2/returns/x/zip?a=b", "/v2/returns/x/zip#a", "/v2/returns/x/files/é", "/v2/returns/x/zip\n"],
)  # fmt: skip
def test_tickets_are_for_files_only(daemon: Daemon, path: str) -> None:
    assert daemon.client.post("/v2/tickets", json={"path": path}).status_code == 422
