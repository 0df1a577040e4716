"""Events: in order, each once, resumed by id, and no client slows another down."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import raw
from http_daemon import Daemon, eventually
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from bridge.doors.http import hub as hub_module
from bridge.doors.http.routes import events as events_module


def listen(daemon: Daemon, after: int | None = None, **options: Any) -> ClientConnection:
    url = daemon.url.replace("http", "ws", 1) + "/v2/events" + ("" if after is None else f"?after={after}")
    protocols = ["nrx", f"nrx.token.{daemon.token}"]
    return connect(url, **{"subprotocols": protocols, "close_timeout": 0.5, **options})


def take(socket_: ClientConnection, count: int) -> list[dict[str, Any]]:
    return [json.loads(socket_.recv(timeout=30)) for _ in range(count)]


def sse(lines: Iterator[str], count: int) -> list[tuple[int, dict[str, Any]]]:
    found: list[tuple[int, dict[str, Any]]] = []
    last = 0
    for line in lines:
        if line.startswith("id: "):
            last = int(line[4:])
        if line.startswith("data: "):
            found.append((last, json.loads(line[6:])))
        if len(found) == count:
            break
    return found


def test_events_come_as_they_happen(daemon: Daemon) -> None:
    with listen(daemon) as client:
        assert client.subprotocol == "nrx"
        eventually(lambda: daemon.door._hub is not None and daemon.door._hub.clients == 1)
        job_id = daemon.submit()["id"]
        daemon.jobs.tell("running", job_id, state="running")
        daemon.jobs.tell("progress", job_id, stage="generate", fraction=0.5)
        events = take(client, 3)
        assert [event["type"] for event in events] == ["accepted", "running", "progress"]
        assert [event["id"] for event in events] == [1, 2, 3]
        assert events[2]["job"]["fraction"] == 0.5


def test_a_client_that_comes_back_misses_none(daemon: Daemon) -> None:
    job_id = daemon.submit()["id"]
    for step in range(1200):
        daemon.jobs.tell("progress", job_id, fraction=step / 1200)
    with listen(daemon, after=700) as client:
        daemon.jobs.tell("progress", job_id, fraction=1.0)
        assert [event["id"] for event in take(client, 502)] == list(range(701, 1203))


def test_events_while_a_client_catches_up_come_once_and_in_order(daemon: Daemon) -> None:
    job_id = daemon.submit()["id"]
    for step in range(300):
        daemon.jobs.tell("progress", job_id, fraction=step / 1000)
    stop = threading.Event()

    def go_on() -> None:
        while not stop.is_set():
            daemon.jobs.tell("progress", job_id, fraction=0.5)
            time.sleep(0.002)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        with listen(daemon, after=0) as client:
            assert [event["id"] for event in take(client, 450)] == list(range(1, 451))
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("after", [10**6, 2**63 - 1])
def test_an_id_from_another_store_means_from_now_on(daemon: Daemon, after: int) -> None:
    daemon.submit()
    with listen(daemon, after=after) as client:
        eventually(lambda: daemon.door._hub is not None and daemon.door._hub.clients == 1)
        time.sleep(0.1)
        daemon.submit(seed=1)
        assert take(client, 1)[0]["id"] == 2


def test_server_sent_events_resume_by_their_header(daemon: Daemon) -> None:
    for seed in range(3):
        daemon.submit(seed=seed)
    with daemon.client.stream("GET", "/v2/events", headers={"last-event-id": "1"}) as stream:
        assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert [event_id for event_id, _ in sse(stream.iter_lines(), 2)] == [2, 3]
    with daemon.client.stream("GET", "/v2/events?after=2", headers={"last-event-id": "no id"}) as stream:
        assert [event["id"] for _, event in sse(stream.iter_lines(), 1)] == [3]


def test_a_quiet_stream_stays_alive(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_module, "KEEP_ALIVE_S", 0.05)
    with daemon.client.stream("GET", "/v2/events") as stream:
        lines = stream.iter_lines()
        comments = [line for line in (next(lines) for _ in range(6)) if line.startswith(":")]
        assert len(comments) == 3
        daemon.submit()
        assert sse(lines, 1)[0][1]["type"] == "accepted"


def test_the_token_may_follow_as_the_first_message(daemon: Daemon) -> None:
    daemon.submit()
    with listen(daemon, after=0, subprotocols=None) as client:
        client.send(json.dumps({"token": daemon.token}))
        assert take(client, 1)[0]["id"] == 1


@pytest.mark.parametrize(
    "message", ["{}", "[]", "null", '{"token": 1}', '{"token": "wrong"}', "x", b"\x00\xff"]
)
def test_a_wrong_first_message_ends_the_connection(daemon: Daemon, message: str | bytes) -> None:
    daemon.submit()
    with listen(daemon, after=0, subprotocols=None) as client:
        client.send(message)
        with pytest.raises(ConnectionClosed) as told:
            client.recv(timeout=10)
    assert told.value.rcvd is not None
    assert told.value.rcvd.code in (4401, 1000, 1006, 1011)


def test_silence_instead_of_a_token_ends_the_connection(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_module, "TOKEN_WITHIN_S", 0.1)
    with listen(daemon, after=0, subprotocols=None) as client, pytest.raises(ConnectionClosed):
        client.recv(timeout=10)


@pytest.mark.parametrize(
    "protocols", [["nrx", "nrx.token.wrong"], ["nrx.token."], ["nrx.token.wrong", "nrx.token.x"]]
)
def test_a_wrong_token_is_refused_before_the_upgrade(daemon: Daemon, protocols: list[str]) -> None:
    with pytest.raises(InvalidStatus) as told:
        listen(daemon, subprotocols=protocols)
    assert told.value.response.status_code == 401


def test_a_large_message_ends_only_that_connection(daemon: Daemon) -> None:
    with listen(daemon) as rude, listen(daemon) as other:
        rude.send("x" * 200_000)
        with pytest.raises(ConnectionClosed):
            rude.recv(timeout=10)
        eventually(lambda: daemon.door._hub is not None and daemon.door._hub.clients == 1)
        daemon.submit()
        assert take(other, 1)[0]["type"] == "accepted"


def test_a_client_that_does_not_read_is_let_go_and_can_resume(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "QUEUE_EVENTS", 50)
    job_id = daemon.submit()["id"]
    request = f"GET /v2/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {daemon.token}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", daemon.port)) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(request.encode())
        hub = daemon.door._hub
        assert hub is not None
        assert eventually(lambda: hub.clients == 1)
        with listen(daemon) as fast:
            assert eventually(lambda: hub.clients == 2)
            sent = 0
            while hub.clients == 2 and sent < 100_000:
                for _ in range(5):
                    daemon.jobs.tell("progress", job_id, fraction=0.5, notes=("x" * 30_000,))
                sent += 5
                assert len(take(fast, 5)) == 5
            assert hub.clients == 1
    with listen(daemon, after=1) as again:
        assert take(again, 1)[0]["id"] == 2


def test_fifty_clients_see_every_event(daemon: Daemon) -> None:
    hub = daemon.door._hub
    assert hub is not None
    with ExitStack() as closing:
        clients = [closing.enter_context(listen(daemon)) for _ in range(50)]
        assert eventually(lambda: hub.clients == 50)
        job_id = daemon.submit()["id"]
        for _ in range(20):
            daemon.jobs.tell("progress", job_id, fraction=0.5)
        for client in clients:
            assert [event["id"] for event in take(client, 21)] == list(range(1, 22))
    assert eventually(lambda: hub.clients == 0)


def test_too_many_clients_are_refused(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "MOST_CLIENTS", 1)
    hub = daemon.door._hub
    assert hub is not None
    with listen(daemon), listen(daemon) as second:
        with pytest.raises(ConnectionClosed):
            second.recv(timeout=10)
        assert daemon.client.get("/v2/events").status_code == 429
    assert eventually(lambda: hub.clients == 0)


def test_stopping_ends_every_stream(daemon: Daemon) -> None:
    with listen(daemon) as client:
        with daemon.client.stream("GET", "/v2/events") as stream:
            lines = stream.iter_lines()
            next(lines)
            daemon.door.stop()
            assert list(lines) is not None
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=10)


@pytest.mark.parametrize("key", ["dGhlIHNhbXBs\x9eSBub25jZQ==", "", "x", "dGhlIHNhbXBsZSBub25jZQ", "é" * 24])
def test_a_malformed_upgrade_is_refused(daemon: Daemon, key: str) -> None:
    status, _ = raw.get(
        daemon.port,
        "/v2/events",
        "Host: localhost",
        f"Authorization: Bearer {daemon.token}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key}",
    )
    assert status == 400
