"""What gets past the guard, on a real port."""

import json
import logging
from pathlib import Path

import httpx
import pytest
import raw
from http_daemon import ALLOWED_ORIGIN, Daemon, eventually, start_daemon
from http_standin import StandInJobs

from bridge.config import HttpSettings, Settings
from bridge.doors.http.context import HttpContext
from bridge.doors.http.door import HttpDoor
from engine.errors import NrxError

UPGRADE = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
BAD_HOSTS = (
    "",
    " ",
    "evil.example",
    "evil.example:80",
    "127.0.0.1.evil.example",
    "localhost@evil.example",
    "0.0.0.0",
)
BAD_ORIGINS = (
    "null",
    "http://evil.example",
    "http://localhost:3001",
    "http://localhost:3000.evil.example",
    "file://",
)


@pytest.fixture
def daemon(shared_daemon: Daemon) -> Daemon:
    return shared_daemon


def bearer(daemon: Daemon) -> str:
    return f"Authorization: Bearer {daemon.token}"


@pytest.mark.parametrize("host", BAD_HOSTS)
@pytest.mark.parametrize("path", ["/health", "/", "/v2/jobs", "/nothing"])
def test_a_foreign_host_is_refused_before_routing(daemon: Daemon, host: str, path: str) -> None:
    status, answered = raw.get(daemon.port, path, f"Host: {host}", bearer(daemon))
    assert status == 421
    assert b"nrx.toml" not in answered


@pytest.mark.parametrize("host", BAD_HOSTS)
def test_a_foreign_host_is_refused_for_websockets(daemon: Daemon, host: str) -> None:
    status, _ = raw.get(daemon.port, "/v2/events", f"Host: {host}", bearer(daemon), *UPGRADE)
    assert status in (400, 421)


@pytest.mark.parametrize(
    "headers",
    [(), ("Host: localhost", "Host: localhost"), ("Host: localhost", "Host: evil.example")],
)
@pytest.mark.parametrize("upgrade", [(), UPGRADE])
def test_no_host_and_two_hosts_are_refused(
    daemon: Daemon, headers: tuple[str, ...], upgrade: tuple[str, ...]
) -> None:
    status, _ = raw.get(
        daemon.port, "/v2/events" if upgrade else "/health", *headers, bearer(daemon), *upgrade
    )
    assert status in (400, 421)


def test_http_1_0_without_a_host_is_refused(daemon: Daemon) -> None:
    status, _ = raw.exchange(daemon.port, b"GET /health HTTP/1.0\r\n\r\n")
    assert status == 421


def test_an_address_in_the_request_line_does_not_beat_the_host(daemon: Daemon) -> None:
    status, _ = raw.get(daemon.port, f"http://localhost:{daemon.port}/health", "Host: evil.example")
    assert status == 421


@pytest.mark.parametrize("origin", BAD_ORIGINS)
def test_foreign_origins_are_refused_even_with_the_token(daemon: Daemon, origin: str) -> None:
    for method, path in (
        ("GET", "/v2/jobs"),
        ("POST", "/v2/session"),
        ("GET", "/health"),
        ("OPTIONS", "/v2/jobs"),
    ):
        answer = daemon.client.request(method, path, headers={"origin": origin})
        assert answer.status_code == 403, (method, path)
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("origin", BAD_ORIGINS)
def test_foreign_origins_are_refused_for_websockets(daemon: Daemon, origin: str) -> None:
    status, _ = raw.get(
        daemon.port,
        "/v2/events",
        f"Host: localhost:{daemon.port}",
        f"Origin: {origin}",
        bearer(daemon),
        *UPGRADE,
    )
    assert status == 403


def test_two_origins_are_refused(daemon: Daemon) -> None:
    own = f"Origin: http://localhost:{daemon.port}"
    status, _ = raw.get(daemon.port, "/health", "Host: localhost", own, own)
    assert status == 403


def test_the_own_origin_and_allowed_ones_pass(daemon: Daemon) -> None:
    own = daemon.client.get("/v2/jobs", headers={"origin": daemon.url})
    assert own.status_code == 200
    assert "access-control-allow-origin" not in own.headers
    other = daemon.client.get("/v2/jobs", headers={"origin": ALLOWED_ORIGIN, "sec-fetch-site": "cross-site"})
    assert other.status_code == 200
    assert other.headers["access-control-allow-origin"] == ALLOWED_ORIGIN
    assert "access-control-allow-credentials" not in other.headers


def test_an_allowed_origin_still_needs_the_token(daemon: Daemon) -> None:
    answer = httpx.get(f"{daemon.url}/v2/jobs", headers={"origin": ALLOWED_ORIGIN})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == ALLOWED_ORIGIN  # so that the page can read why


def test_a_preflight_of_an_allowed_origin_needs_no_token(daemon: Daemon) -> None:
    answer = httpx.options(
        f"{daemon.url}/v2/jobs",
        headers={"origin": ALLOWED_ORIGIN, "access-control-request-method": "POST"},
    )
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == ALLOWED_ORIGIN
    assert "Authorization" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_requests_that_a_browser_marks_as_foreign_are_refused(daemon: Daemon, site: str) -> None:
    assert daemon.client.get("/v2/jobs", headers={"sec-fetch-site": site}).status_code == 403
    assert daemon.client.get("/", headers={"sec-fetch-site": site}).status_code == 403


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_requests_that_a_browser_marks_as_own_pass(daemon: Daemon, site: str) -> None:
    assert daemon.client.get("/v2/jobs", headers={"sec-fetch-site": site}).status_code == 200


def every_call(daemon: Daemon) -> list[tuple[str, str]]:
    document = daemon.client.get("/openapi.json").json()
    calls = [(method.upper(), path) for path, item in document["paths"].items() for method in item]
    assert len(calls) > 35
    return [*calls, ("GET", "/openapi.json"), ("GET", "/nothing"), ("DELETE", "/"), ("GET", "/docs")]


def test_every_route_but_health_and_session_needs_the_token(daemon: Daemon) -> None:
    with httpx.Client(base_url=daemon.url) as client:
        for method, path in every_call(daemon):
            expected = path not in ("/health", "/v2/session")
            bare = client.request(method, path)
            assert (bare.status_code == 401) is expected, (method, path)
            wrong = client.request(method, path, headers={"authorization": "Bearer wrong"})
            assert wrong.status_code == 401, (method, path)


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", "Basic {}", "{}", "Bearer {}x", "Bearer x{}", 'Bearer "{}"']
)
def test_only_a_whole_bearer_token_counts(daemon: Daemon, authorization: str) -> None:
    status, _ = raw.get(
        daemon.port, "/v2/jobs", "Host: localhost", f"Authorization: {authorization.format(daemon.token)}"
    )
    assert status == 401


def test_two_authorization_headers_are_refused(daemon: Daemon) -> None:
    status, _ = raw.get(daemon.port, "/v2/jobs", "Host: localhost", bearer(daemon), "Authorization: Bearer x")
    assert status == 401


def test_the_token_counts_in_no_query_and_no_cookie(daemon: Daemon) -> None:
    assert httpx.get(f"{daemon.url}/v2/jobs?token={daemon.token}").status_code == 401
    assert httpx.get(f"{daemon.url}/v2/jobs?ticket={daemon.token}").status_code == 401
    assert httpx.get(f"{daemon.url}/v2/jobs", headers={"cookie": f"token={daemon.token}"}).status_code == 401


def test_a_code_gives_the_token_once(daemon: Daemon) -> None:
    code = daemon.door.link().partition("#code=")[2]
    first = httpx.post(f"{daemon.url}/v2/session", json={"code": code})
    assert first.json() == {"token": daemon.token}
    second = httpx.post(f"{daemon.url}/v2/session", json={"code": code})
    assert second.status_code == 401
    new = daemon.client.post("/v2/session/code").json()
    assert new["url"] == f"{daemon.url}/#code={new['code']}"
    assert httpx.post(f"{daemon.url}/v2/session", json={"code": new["code"]}).status_code == 200


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b'{"action": "generate"}', "text/plain", 415),
        (b"action=generate", "application/x-www-form-urlencoded", 415),
        (b'{"action": "generate"}', "application/json; charset=utf-8", 202),
        (b'{"action": "generate"}', "application/jsonp", 415),
        (b"{", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"a":' * 100 + b"1" + b"}" * 100, "application/json", 400),
        (b'{"seed": NaN}', "application/json", 400),
        (b'{"energy": 1e999}', "application/json", 400),
        (b'{"prompt": "\\ud800"}', "application/json", 400),
        (b'{"prompt": "\xff"}', "application/json", 400),
        (b'{"seed": ' + b"9" * 5000 + b"}", "application/json", 400),
        (b"[]", "application/json", 422),
        (b'"text"', "application/json", 422),
        (b"{}", "application/json", 422),
        (b'{"action": "generate", "unknown": 1}', "application/json", 422),
        (b'{"prompt": "' + b"x" * 5_000_000 + b'"}', "application/json", 413),
    ],
)
def test_only_strict_json_of_bounded_size_is_taken(
    daemon: Daemon, content: bytes, kind: str, status: int
) -> None:
    answer = daemon.client.post("/v2/jobs", content=content, headers={"content-type": kind})
    assert answer.status_code == status, answer.text
    if status != 202:
        error = answer.json()["error"]
        assert set(error) == {"code", "sentence"}


def test_a_body_without_a_type_is_refused(daemon: Daemon) -> None:
    status, _ = raw.get(
        daemon.port,
        "/v2/jobs",
        "Host: localhost",
        bearer(daemon),
        method="POST",
        body=b'{"action": "generate"}',
    )
    assert status == 415


def test_a_chunked_body_without_end_is_cut_off(daemon: Daemon) -> None:
    lines = ("POST /v2/jobs HTTP/1.1", "Host: localhost", bearer(daemon), "Connection: close", "")
    head = "\r\n".join(lines) + "Content-Type: application/json\r\n"
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    status, _ = raw.exchange(daemon.port, head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 100)
    assert status == 413


def test_errors_have_one_shape_and_a_code(daemon: Daemon) -> None:
    for method, path, status in (
        ("GET", "/nothing", 404),
        ("PUT", "/v2/jobs", 405),
        ("GET", "/v2/jobs/x", 404),
    ):
        answer = daemon.client.request(method, path)
        assert answer.status_code == status
        assert set(answer.json()["error"]) == {"code", "sentence"}
    assert daemon.client.put("/v2/jobs/x").headers["allow"] == "DELETE, GET, PATCH"


def test_an_unexpected_exception_is_logged_and_answered_without_its_text(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_job_id: str) -> None:
        raise ValueError("the secret reason")

    monkeypatch.setattr(daemon.jobs, "get", broken)
    answer = daemon.client.get("/v2/jobs/x")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal"
    assert "secret" not in answer.text
    assert eventually(lambda: "the secret reason" in caplog.text)


def test_the_log_has_no_secrets(daemon: Daemon, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    code = daemon.door.link().partition("#code=")[2]
    httpx.post(f"{daemon.url}/v2/session", json={"code": code})
    ticket = daemon.context.tickets.sign("/v2/returns/x/zip")
    httpx.get(f"{daemon.url}/v2/returns/x/zip?ticket={ticket}")
    daemon.client.get("/v2/jobs?search=private")
    assert eventually(lambda: "GET /v2/jobs 200" in caplog.text)
    told = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("nrx"))
    assert "GET /v2/returns/x/zip 404" in told
    for secret in (daemon.token, code, ticket, "private"):
        assert secret not in told


def test_a_line_break_in_a_path_makes_no_second_line_in_the_log(
    daemon: Daemon, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    daemon.client.get("/v2/jobs/a%0d%0aGET%20/forged%20200")
    assert eventually(lambda: "forged" in caplog.text)
    for record in caplog.records:
        if record.name == "nrx.http":
            assert "\n" not in record.getMessage()


def test_every_answer_tells_browsers_to_be_careful(daemon: Daemon) -> None:
    for path in ("/health", "/v2/jobs", "/nothing", "/"):
        headers = daemon.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers


def test_another_address_is_refused_without_the_flag(daemon: Daemon) -> None:
    def context(host: str, *, lan: bool) -> HttpContext:
        there = daemon.context
        return HttpContext(
            settings=Settings(home=daemon.home, http=HttpSettings(host=host, port=0)),
            jobs=there.jobs,
            roots=there.roots,
            token=there.token,
            uploads=there.uploads,
            library=there.library,
            lan=lan,
        )

    for host in ("0.0.0.0", "::", "192.168.1.1"):
        with pytest.raises(NrxError, match="--lan"):
            HttpDoor(context(host, lan=False)).start()
    door = HttpDoor(context("0.0.0.0", lan=True))
    door.start()
    try:
        assert httpx.get(f"{door.url}/health").status_code == 200
        assert httpx.get(f"{door.url}/v2/jobs").status_code == 401
        assert httpx.get(f"{door.url}/health", headers={"host": "evil.example"}).status_code == 421
    finally:
        door.stop()


def test_a_port_that_is_taken_is_told_of(daemon: Daemon) -> None:
    there = daemon.context
    settings = Settings(home=daemon.home, http=HttpSettings(port=daemon.port))
    door = HttpDoor(HttpContext(settings, there.jobs, there.roots, there.token, there.uploads, there.library))
    with pytest.raises(NrxError) as told:
        door.start()
    assert told.value.code == "daemon.address"
    assert str(daemon.port) in told.value.sentence
    assert daemon.client.get("/health").status_code == 200


def test_the_door_stops_twice_and_starts_again(own_home: Path) -> None:
    daemon = start_daemon(own_home, StandInJobs(own_home))
    daemon.door.stop()
    daemon.door.stop()
    with pytest.raises(httpx.ConnectError):
        daemon.client.get("/health")
    daemon.door.start()
    assert httpx.get(f"{daemon.door.url}/health").status_code == 200
    daemon.stop()


def test_the_document_names_the_token_for_every_call(daemon: Daemon) -> None:
    document = daemon.client.get("/openapi.json").json()
    assert document["security"] == [{"token": []}]
    assert document["paths"]["/health"]["get"]["security"] == []
    assert "SubmitBody" in document["components"]["schemas"]
    assert json.dumps(document).count("JobStatus") > 5


class TestConsole:
    def test_the_index_has_a_strict_policy(self, daemon: Daemon) -> None:
        answer = httpx.get(daemon.url + "/")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy

    def test_files_have_their_types(self, daemon: Daemon) -> None:
        assert httpx.get(daemon.url + "/console/css/base.css").headers["content-type"].startswith("text/css")
        script = httpx.get(daemon.url + "/console/js/main.js")
        assert script.headers["content-type"].startswith("text/javascript")

    @pytest.mark.parametrize(
        "path",
        [
            "/console",
            "/console/",
            "/console/js",
            "/console/js/",
            "/package.json",
            "/__init__.py",
            "/console/../__init__.py",
            "/console/%2e%2e/__init__.py",
            "/console/..%2f__init__.py",
            "/console/..%5c__init__.py",
            "/console//js/main.js",
            "//console/js/main.js",
            "/console/js/main.js%00.css",
            "/console/js/.hidden.js",
            "/%2e%2e/%2e%2e/config.py",
            "/etc/passwd",
            "/console/js/main.js/",
        ],
    )
    def test_nothing_else_is_served(self, daemon: Daemon, path: str) -> None:
        status, _ = raw.get(daemon.port, path, "Host: localhost")
        assert status == 401
        status, _ = raw.get(daemon.port, path, "Host: localhost", bearer(daemon))
        assert status == 404
