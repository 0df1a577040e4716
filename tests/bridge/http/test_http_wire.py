"""What never comes to an end on the wire is refused, and the next honest call is answered."""

import pytest
from http_daemon import Daemon
from raw import exchange

LONG = b"a" * 300_000


def head(daemon: Daemon, method: str, path: str, *lines: str) -> bytes:
    named = (f"Host: 127.0.0.1:{daemon.port}", f"Authorization: Bearer {daemon.token}", *lines)
    return "\r\n".join([f"{method} {path} HTTP/1.1", *named, ""]).encode()


@pytest.mark.parametrize(
    "endless",
    [
        pytest.param(lambda daemon: b"GET /" + LONG, id="address"),
        pytest.param(lambda daemon: head(daemon, "GET", "/v2/queue") + b"X-Long: " + LONG, id="header"),
        pytest.param(lambda daemon: head(daemon, "GET", "/v2/queue") + LONG, id="header's name"),
        pytest.param(
            lambda daemon: head(daemon, "GET", "/v2/queue") + b"X-Many: b\r\n" * 30_000 + b"\r\n",
            id="headers",
        ),
        pytest.param(
            lambda daemon: (
                head(daemon, "POST", "/v2/uploads", "Transfer-Encoding: chunked") + b"\r\n1;" + LONG
            ),
            id="chunk's line",
        ),
        pytest.param(
            lambda daemon: (
                head(daemon, "POST", "/v2/uploads", "Transfer-Encoding: chunked")
                + b"\r\n1\r\na\r\n0\r\n"
                + b"X-Many: b\r\n" * 30_000
            ),
            id="trailers",
        ),
    ],
)
def test_what_has_no_end_is_refused(daemon: Daemon, endless: object) -> None:
    assert callable(endless)
    status, answered = exchange(daemon.port, endless(daemon))
    assert status == 400, answered[:200]
    assert daemon.client.get("/v2/queue").status_code == 200


def test_a_large_body_is_no_endless_head(daemon: Daemon) -> None:
    asked = {"action": "generate", "prompt": "a" * 200_000}
    assert daemon.client.post("/v2/jobs", json=asked).status_code == 202


def test_the_direct_route_answers_as_the_others_do(daemon: Daemon) -> None:
    assert daemon.client.post("/v2/jobs").status_code == 422
    assert daemon.client.post("/v2/jobs", json=[]).json()["error"]["code"] == "request.invalid"
    refused = daemon.client.put("/v2/jobs", json={})
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, POST")
    asked = {"action": "generate", "prompt": "rain"}
    long_key = daemon.client.post("/v2/jobs", json=asked, headers={"Idempotency-Key": "k" * 201})
    assert long_key.status_code == 422
    first, again = (
        daemon.client.post("/v2/jobs", json=asked, headers={"Idempotency-Key": "k"}) for _ in range(2)
    )
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.headers["location"] == again.headers["location"]
    assert 'route="/v2/jobs",status="202"' in daemon.client.get("/metrics").text


def test_the_document_tells_of_body_and_key(daemon: Daemon) -> None:
    told = daemon.client.get("/openapi.json").json()["paths"]["/v2/jobs"]["post"]
    assert [item["name"] for item in told["parameters"]] == ["idempotency-key"]
    assert told["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/SubmitBody")
