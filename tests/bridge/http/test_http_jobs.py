"""Uploads, jobs and the queue by the native routes."""

import os
from pathlib import Path

import pytest
import raw
from http_daemon import Daemon, eventually, start_daemon
from http_standin import StandInJobs, wav_bytes


def code_of(answer: object) -> str:
    return str(answer.json()["error"]["code"])  # type: ignore[attr-defined]


def test_an_upload_becomes_the_input_of_a_job(daemon: Daemon) -> None:
    job = daemon.submit(energy=1.5)
    assert job["state"] == "queued"
    assert job["title"] == "song.wav"
    request = daemon.jobs.asked[job["id"]]
    assert request.energy == 1.5
    assert Path(request.inputs[0].path).read_bytes() == wav_bytes()


def test_an_upload_tells_what_it_is_and_not_where(daemon: Daemon) -> None:
    upload_id = daemon.upload("Größe ✓.wav")
    shown = daemon.client.get(f"/v2/uploads/{upload_id}").json()
    assert shown["name"] == "Größe ✓.wav"
    assert (shown["duration_s"], shown["sample_rate"], shown["channels"]) == (1.0, 44100, 2)
    assert shown["bytes"] == len(wav_bytes())
    assert set(shown) == {"id", "name", "bytes", "sha256", "duration_s", "sample_rate", "channels"}


def test_a_form_is_an_upload_too(daemon: Daemon) -> None:
    answer = daemon.client.post("/v2/uploads", files={"file": ("a b.wav", wav_bytes(), "audio/wav")})
    assert answer.status_code == 201
    assert answer.json()["name"] == "a b.wav"


def test_a_deleted_upload_is_gone(daemon: Daemon) -> None:
    upload_id = daemon.upload()
    assert daemon.client.delete(f"/v2/uploads/{upload_id}").status_code == 204
    assert daemon.client.get(f"/v2/uploads/{upload_id}").status_code == 404
    answer = daemon.client.post("/v2/jobs", json={"action": "separate", "inputs": [{"upload": upload_id}]})
    assert code_of(answer) == "upload.unknown"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.wav", "passwd.wav"),
        ("..\\..\\evil.wav", "evil.wav"),
        ("C:\\Music\\a.wav", "a.wav"),
        ("..", "_"),
        ("CON.wav", "CON.wav_"),
        ("a\x00b.wav", "a_b.wav"),
        ("x" * 400 + ".wav", "x" * 200),
    ],
)
def test_a_name_cannot_lead_anywhere(daemon: Daemon, name: str, kept: str) -> None:
    answer = daemon.client.post("/v2/uploads", params={"name": name}, content=wav_bytes())
    assert answer.status_code == 201
    assert answer.json()["name"] == kept
    inside = {path.parent for path in daemon.home.rglob("*") if path.is_file()}
    assert inside <= {daemon.home, daemon.home / "inputs", daemon.home / "uploads"}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "input.empty"),
        (b"hello world" * 100, "input.not_audio"),
        (wav_bytes()[:1000], "input.truncated"),
        (b"MZ" + bytes(5000), "input.not_audio"),
    ],
)
def test_what_is_no_audio_is_refused_and_leaves_nothing(daemon: Daemon, data: bytes, code: str) -> None:
    answer = daemon.client.post("/v2/uploads", params={"name": "bad.wav"}, content=data)
    assert code_of(answer) == code
    assert "bad.wav" in answer.json()["error"]["sentence"]
    assert [path for path in (daemon.home / "uploads").iterdir() if path.suffix == ".part"] == []


def test_a_header_that_forges_hours_of_sound_is_refused_undecoded(daemon: Daemon) -> None:
    flac = bytearray(b"fLaC\x80\x00\x00\x22" + bytes(34))
    flac[8:12] = (4096).to_bytes(2, "big") * 2
    packed = (655350 << 44) | (7 << 41) | (15 << 36) | (2**36 - 1)
    flac[18:26] = packed.to_bytes(8, "big")
    answer = daemon.client.post(
        "/v2/uploads", params={"name": "bomb.flac"}, content=bytes(flac) + bytes(4000)
    )
    assert answer.status_code in (413, 422)


def test_an_upload_over_the_limit_is_refused_by_its_length_and_while_it_streams(own_home: Path) -> None:
    daemon = start_daemon(own_home, StandInJobs(own_home), upload_max_gb=0.0001)
    try:
        large = wav_bytes(2.0)
        assert daemon.client.post("/v2/uploads", content=large).status_code == 413
        assert daemon.client.post("/v2/uploads", content=iter([large[:50_000]] * 4)).status_code == 413
        assert daemon.client.post("/v2/uploads", files={"file": ("a.wav", large)}).status_code == 413
        status, _ = raw.get(
            daemon.port,
            "/v2/uploads",
            "Host: localhost",
            f"Authorization: Bearer {daemon.token}",
            "Content-Length: 99999999999999",
            method="POST",
        )
        assert status == 413
        assert daemon.upload(data=wav_bytes(0.4))
        assert len(list((own_home / "uploads").iterdir())) == 1
    finally:
        daemon.stop()


def test_an_upload_that_breaks_off_leaves_nothing(daemon: Daemon) -> None:
    head = (
        f"POST /v2/uploads HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {daemon.token}\r\n"
        "Content-Length: 1000000\r\n\r\n"
    )
    raw.exchange(daemon.port, head.encode() + wav_bytes()[:5000], timeout_s=0.3)
    assert daemon.upload()
    assert [path for path in (daemon.home / "uploads").iterdir() if path.suffix == ".part"] == []


FORM = "multipart/form-data; boundary=b"
FIELD = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'
FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx'


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("multipart/form-data", b"x", 400),
        ("multipart/form-data; boundary=", b"x", 400),
        (FORM, b"nothing of the kind", 400),
        (FORM, FILE, 400),
        (FORM, b"--b\r\n" + b"X: y\r\n" * 3000 + b"\r\nx\r\n--b--\r\n", 400),
        (FORM, b"--b\r\n\r\nx\r\n--b--\r\n", 400),
        (FORM, FIELD + b"--b--\r\n", 422),
        (FORM, FIELD * 200, 413),
        ("application/json", b"{}", 415),
        ("application/x-www-form-urlencoded", b"a=b", 415),
    ],
)  # fmt: skip
def test_broken_forms_are_refused(daemon: Daemon, kind: str, body: bytes, status: int) -> None:
    answer = daemon.client.post("/v2/uploads", content=body, headers={"content-type": kind})
    assert answer.status_code == status, answer.text


def test_a_path_below_a_root_is_taken_as_it_is_now(daemon: Daemon) -> None:
    song = daemon.home / "renders" / "take 1.wav"
    song.parent.mkdir()
    song.write_bytes(wav_bytes())
    body = {"action": "separate", "inputs": [{"path": str(song)}]}
    answer = daemon.client.post("/v2/jobs", json=body)
    assert answer.status_code == 202, answer.text
    song.write_bytes(b"changed")
    taken = daemon.jobs.asked[answer.json()["id"]].inputs[0]
    assert taken.name == "take 1.wav"
    assert Path(taken.path).read_bytes() == wav_bytes()


@pytest.mark.parametrize(
    "spelling", ["{}", "{}/../outside.wav", "/etc/hostname", "//host/share/a.wav", "a.wav", "\x00"]
)
def test_paths_elsewhere_are_refused(daemon: Daemon, tmp_path: Path, spelling: str) -> None:
    outside = tmp_path / "outside.wav"
    outside.write_bytes(wav_bytes())
    path = spelling.format(outside if spelling == "{}" else daemon.home)
    answer = daemon.client.post("/v2/jobs", json={"action": "separate", "inputs": [{"path": path}]})
    assert answer.status_code == 403
    assert code_of(answer) == "request.forbidden"


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_out_of_a_root_is_refused(daemon: Daemon, tmp_path: Path) -> None:
    (tmp_path / "outside.wav").write_bytes(wav_bytes())
    link = daemon.home / "link.wav"
    link.symlink_to(tmp_path / "outside.wav")
    answer = daemon.client.post("/v2/jobs", json={"action": "separate", "inputs": [{"path": str(link)}]})
    assert code_of(answer) == "request.forbidden"


@pytest.mark.parametrize(
    "inputs",
    [
        [{}],
        [{"upload": "a", "path": "b"}],
        [{"upload": 1}],
        ["a"],
        "a",
        {"upload": "a"},
        [{"path": "/a", "extra": 1}],
        [{"path": ""}],
        [{"path": "/a"}] * 65,
    ],
)
def test_inputs_have_an_upload_or_a_path(daemon: Daemon, inputs: object) -> None:
    answer = daemon.client.post("/v2/jobs", json={"action": "separate", "inputs": inputs})
    assert answer.status_code in (403, 422)


def test_requests_are_refused_in_the_protocols_words(daemon: Daemon) -> None:
    body = {"action": "remix", "style": "jazz", "energy": 7, "inputs": [{"upload": daemon.upload()}]}
    answer = daemon.client.post("/v2/jobs", json=body)
    assert answer.status_code == 422
    assert "energy 7" in answer.json()["error"]["sentence"]


def test_the_same_key_is_the_same_job_and_never_another(daemon: Daemon) -> None:
    body = {"action": "separate", "inputs": [{"upload": daemon.upload()}], "key": "k1"}
    first = daemon.client.post("/v2/jobs", json=body)
    again = daemon.client.post("/v2/jobs", json=body)
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["id"] == again.json()["id"]
    assert first.headers["location"] == f"/v2/jobs/{first.json()['id']}"
    other = daemon.client.post("/v2/jobs", json={**body, "two_stems": "vocals"})
    assert (other.status_code, code_of(other)) == (409, "request.conflict")
    body.pop("key")
    by_header = daemon.client.post("/v2/jobs", json=body, headers={"idempotency-key": "k1"})
    assert by_header.json()["id"] == first.json()["id"]


@pytest.mark.parametrize("fields", [{"key": ""}, {"key": 1}, {"key": "x" * 201}, {"key": "a\nb"}, {"priority": 101},
                                    {"priority": True}, {"priority": "1"}, {"out": "/tmp"}])  # fmt: skip
def test_keys_priorities_and_unknown_fields_are_checked(daemon: Daemon, fields: dict[str, object]) -> None:
    answer = daemon.client.post("/v2/jobs", json={"action": "generate", "prompt": "x", **fields})
    assert answer.status_code == 422


def test_jobs_are_listed_by_page_and_state(daemon: Daemon) -> None:
    ids = [daemon.submit(seed=seed)["id"] for seed in range(5)]
    daemon.client.post(f"/v2/jobs/{ids[0]}/cancel")
    page = daemon.client.get("/v2/jobs", params={"limit": 2}).json()
    assert [job["id"] for job in page["jobs"]] == [ids[4], ids[3]]
    assert page["total"] == 5
    assert page["counts"]["cancelled"] == 1
    following = daemon.client.get("/v2/jobs", params={"limit": 2, "before": page["next"]}).json()
    assert [job["id"] for job in following["jobs"]] == [ids[2], ids[1]]
    assert daemon.client.get("/v2/jobs", params={"state": "cancelled"}).json()["total"] == 1


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 501}, {"state": "gone"}, {"before": "x"}, {"limit": "x"}]
)
def test_queries_are_checked(daemon: Daemon, query: dict[str, str]) -> None:
    assert daemon.client.get("/v2/jobs", params=query).status_code == 422


def test_a_job_is_cancelled_retried_moved_and_deleted(daemon: Daemon) -> None:
    job_id = daemon.submit()["id"]
    assert daemon.client.patch(f"/v2/jobs/{job_id}", json={"priority": 5}).json()["priority"] == 5
    assert daemon.client.patch(f"/v2/jobs/{job_id}", json={"priority": 101}).status_code == 422
    assert daemon.client.post(f"/v2/jobs/{job_id}/cancel").json()["state"] == "cancelled"
    assert code_of(daemon.client.post(f"/v2/jobs/{job_id}/cancel")) == "job.state"
    assert daemon.client.post(f"/v2/jobs/{job_id}/retry").json()["state"] == "queued"
    assert daemon.client.delete(f"/v2/jobs/{job_id}", params={"files": True}).status_code == 204
    assert daemon.client.get(f"/v2/jobs/{job_id}").status_code == 404


def test_the_queue_is_paused_and_resumed(daemon: Daemon) -> None:
    daemon.submit()
    assert daemon.client.post("/v2/queue/pause").json() == daemon.client.get("/v2/queue").json()
    assert daemon.client.get("/v2/queue").json()["paused"] is True
    assert daemon.client.post("/v2/queue/resume").json()["paused"] is False
    assert daemon.client.get("/v2/queue").json()["counts"]["queued"] == 1


def test_styles_presets_system_and_health(daemon: Daemon) -> None:
    styles = {style["id"]: style for style in daemon.client.get("/v2/styles").json()}
    assert styles["lofi_chill"]["tempo_range_bpm"] == [70, 90]
    assert styles["lofi_chill"]["colour"].startswith("#")
    presets = daemon.client.get("/v2/presets").json()
    assert {"streaming", "hip_hop"} <= {preset["id"] for preset in presets["mastering"]}
    system = daemon.client.get("/v2/system").json()
    assert system["backends"]["arranger"] == {"stage": "generate", "installed": True}
    assert system["memory"]["daemon_bytes"] > 10_000_000
    assert daemon.client.get("/health").json()["status"] == "ok"


def test_a_users_broken_style_is_left_out(daemon: Daemon) -> None:
    folder = daemon.home / "styles"
    folder.mkdir()
    (folder / "broken.yaml").write_text("id: other\n")
    answer = daemon.client.get("/v2/styles")
    assert answer.status_code == 200
    assert "broken" not in {style["id"] for style in answer.json()}


def test_metrics_count_jobs_stages_and_calls(daemon: Daemon) -> None:
    job_id = daemon.submit()["id"]
    daemon.submit(seed=1)
    daemon.jobs.finish(job_id)
    counted = 'nrx_stage_duration_seconds_count{stage="generate"} 1'
    assert eventually(lambda: counted in daemon.client.get("/metrics").text)
    text = daemon.client.get("/metrics").text
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
    assert lines['nrx_jobs{state="succeeded"}'] == "1"
    assert lines["nrx_queue_length"] == "1"
    assert lines['nrx_stage_duration_seconds_sum{stage="generate"}'] == "1.5"
    assert lines['nrx_job_duration_seconds_count{action="remix",state="succeeded"}'] == "1"
    assert (
        int(lines['nrx_http_request_duration_seconds_count{method="POST",route="/v2/jobs",status="202"}'])
        == 2
    )
    assert float(lines['nrx_resident_memory_bytes{process="daemon"}']) > 1e7
