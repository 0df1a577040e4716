"""`/api/stream` with real WebSocket clients: several at once, slow ones, gone ones, refused ones."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from http_daemon import ALLOWED_ORIGIN, Daemon, eventually, start_daemon
from http_standin import StandInJobs
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from bridge.config import Settings, StreamsSettings
from bridge.doors.http.routes import streams as streams_module
from bridge.streams.making import make_stream
from bridge.streams.request import parse_stream

WISH = {"prompt": "lofi", "generator": "arranger", "quality": "fast", "seed": 4, "pace": "full"}


@pytest.fixture(scope="module")
def streaming(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    home = tmp_path_factory.mktemp("stream-home")
    running = start_daemon(home, StandInJobs(home), streams=StreamsSettings(workers=2, sessions=5))
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def nothing_is_left_open(streaming: Daemon) -> Iterator[None]:
    yield
    assert eventually(lambda: streaming.context.streams.count() == 0)


def listen(daemon: Daemon, **options: Any) -> ClientConnection:
    url = daemon.url.replace("http", "ws", 1) + "/api/stream"
    protocols = ["nrx", f"nrx.token.{daemon.token}"]
    return connect(url, **{"subprotocols": protocols, "close_timeout": 0.5, "max_size": None, **options})


def start(client: ClientConnection, **changes: Any) -> dict[str, Any]:
    """Ask for a stream and return what is said at its start."""
    client.send(json.dumps({"type": "start", **WISH, **changes}))
    accepted = json.loads(client.recv(timeout=20))
    assert accepted["type"] == "accepted", accepted
    started = json.loads(client.recv(timeout=20))
    assert started["session_id"] == accepted["session_id"]
    return dict(started)


def take(client: ClientConnection) -> tuple[bytes, dict[str, Any]]:
    """Return all audio, and the last message."""
    data = bytearray()
    while True:
        message = client.recv(timeout=20)
        if isinstance(message, str):
            return bytes(data), json.loads(message)
        data += message


def test_the_audio_is_that_of_the_engine_in_the_format_that_was_stated(streaming: Daemon) -> None:
    with listen(streaming) as client:
        assert client.subprotocol == "nrx"
        said = start(client, duration=3, format="f32")
        data, last = take(client)
    stream, _ = make_stream(
        parse_stream({**WISH, "duration": 3, "format": "f32"}), Settings(home=streaming.home)
    )
    expected = np.concatenate(list(stream), axis=1)
    assert said["sample_rate"] == stream.sample_rate == 24_000
    assert (said["channels"], said["format"], said["bytes_per_frame"]) == (2, "f32", 8)
    assert said["length_frames"] == expected.shape[1] == last["frames"]
    assert said["backend"]["name"] == "arranger"
    assert last["type"] == "finished"
    np.testing.assert_array_equal(np.frombuffer(data, "<f4").reshape(-1, 2).T, expected)


def test_sixteen_bits_are_the_same_audio_rounded(streaming: Daemon) -> None:
    with listen(streaming) as client:
        assert start(client, duration=2, format="f32")["bytes_per_frame"] == 8
        exact = np.frombuffer(take(client)[0], "<f4")
        assert start(client, duration=2, format="s16")["bytes_per_frame"] == 4
        rounded = np.frombuffer(take(client)[0], "<i2")
    assert np.abs(rounded / 32767 - exact).max() <= 0.5 / 32767 + 1e-6


def test_five_streams_at_once_each_get_their_own_music_whole(streaming: Daemon) -> None:
    heard: dict[str, bytes] = {}

    def go(style: str) -> None:
        with listen(streaming) as client:
            start(client, prompt=style, duration=4)
            heard[style] = take(client)[0]

    styles = ("lofi", "edm", "jazz", "rock", "synthwave")
    threads = [threading.Thread(target=go, args=(style,)) for style in styles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert set(heard) == set(styles)
    assert len(set(heard.values())) == 5
    assert all(len(data) > 2 * 24_000 * 4 for data in heard.values())


def test_one_stream_too_many_is_refused_in_words_and_the_others_go_on(streaming: Daemon) -> None:
    with ExitStack() as opened:
        clients = [opened.enter_context(listen(streaming)) for _ in range(6)]
        for client in clients[:5]:
            start(client, pace="live")
        clients[5].send(json.dumps({"type": "start", **WISH}))
        refused = json.loads(clients[5].recv(timeout=10))
        assert (refused["type"], refused["code"]) == ("error", "request.too_many")
        assert isinstance(clients[0].recv(timeout=20), bytes)


def test_a_client_that_goes_away_ends_its_stream_and_frees_its_memory(streaming: Daemon) -> None:
    streams = streaming.context.streams

    def held_bytes() -> int:
        return sum(psutil.Process(pid).memory_info().rss for pid in streams.pids())

    with listen(streaming) as client:
        start(client, duration=1)
        take(client)
    before = held_bytes()
    for _ in range(3):
        with listen(streaming) as client:
            start(client, prompt="orchestral", pace="full")
            client.recv(timeout=20)
            client.socket.shutdown(socket.SHUT_RDWR)
        assert eventually(lambda: streams.count() == 0)
    assert eventually(lambda: held_bytes() < before + 120e6)


def test_a_slow_client_is_waited_for_and_nothing_is_lost(streaming: Daemon) -> None:
    with listen(streaming, max_queue=1) as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32_768)
        start(client, duration=90, format="f32")
        first = client.recv(timeout=20)
        assert isinstance(first, bytes)
        time.sleep(1.5)  # reads nothing
        with listen(streaming) as other:  # others are not held up
            start(other, duration=2)
            assert take(other)[1]["type"] == "finished"
        rest, last = take(client)
    assert last["frames"] * 8 == len(first) + len(rest)
    assert last["seconds"] == pytest.approx(90, abs=4)


def test_what_a_slow_client_has_no_room_for_is_not_made(streaming: Daemon) -> None:
    with listen(streaming, max_queue=1) as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32_768)
        start(client, quality="high", format="f32")  # without an end
        assert isinstance(client.recv(timeout=20), bytes)

        def work_s() -> float:
            times = [psutil.Process(pid).cpu_times() for pid in streaming.context.streams.pids()]
            return sum(time_.user + time_.system for time_ in times)

        def rests() -> bool:
            before = work_s()
            time.sleep(0.5)
            return work_s() - before < 0.05

        assert eventually(rests, within_s=60)


def test_a_client_that_reads_nothing_for_long_is_let_go(
    streaming: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams_module, "STALLED_S", 0.3)
    with listen(streaming, max_queue=1) as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32_768)
        start(client, quality="high", format="f32")
        assert eventually(lambda: streaming.context.streams.count() == 0, within_s=60)


def test_a_live_stream_stays_a_few_seconds_ahead_of_its_listener(streaming: Daemon) -> None:
    with listen(streaming) as client:
        start(client, pace="live")
        began, heard = time.monotonic(), 0
        while time.monotonic() - began < 2.0:
            try:
                heard += len(client.recv(timeout=0.5))
            except TimeoutError:
                continue
        assert heard / 4 / 24_000 < 2.0 + streaming.context.settings.streams.ahead_s + 2.0


def test_stop_ends_a_stream_and_the_connection_takes_the_next(streaming: Daemon) -> None:
    with listen(streaming) as client:
        start(client)
        client.recv(timeout=20)
        client.send(json.dumps({"type": "stop"}))
        _, last = take(client)
        assert (last["type"], last["why"]) == ("finished", "stopped")
        assert eventually(lambda: streaming.context.streams.count() == 0)
        start(client, duration=1)
        assert take(client)[1]["why"] == "ended"


def test_a_start_that_comes_while_another_plays_is_the_next_one(streaming: Daemon) -> None:
    with listen(streaming) as client:
        for _ in range(2):
            client.send(json.dumps({"type": "start", **WISH, "duration": 1}))
        ends = 0
        while ends < 2:
            message = client.recv(timeout=20)
            ends += isinstance(message, str) and json.loads(message)["type"] == "finished"


def test_a_stop_that_comes_right_after_its_start_is_heard(streaming: Daemon) -> None:
    with listen(streaming) as client:
        for message in (
            {"type": "start", **WISH},
            {"type": "stop"},
            {"type": "start", **WISH, "duration": 1},
        ):
            client.send(json.dumps(message))
        ends = []
        while len(ends) < 2:
            message = client.recv(timeout=20)
            if isinstance(message, str) and json.loads(message)["type"] == "finished":
                ends.append(json.loads(message)["why"])
        assert ends == ["stopped", "ended"]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('{"type": "start", "bpm": 9000}', "request.invalid"),
        ('{"type": "start", "quality": "best"}', "request.invalid"),
        ('{"type": "start", "colour": "red"}', "request.invalid"),
        ('{"type": "start", "style": "no_such_style"}', "style.unknown"),
        ('{"type": "start", "generator": "/etc/model"}', "request.forbidden"),
        ('{"type": "dance"}', "request.malformed"),
        ("[1, 2]", "request.malformed"),
        ("not json", "request.malformed"),
    ],
)
def test_what_cannot_be_made_is_refused_in_words_and_the_connection_stays(
    streaming: Daemon, message: str, code: str
) -> None:
    with listen(streaming) as client:
        client.send(message)
        told = json.loads(client.recv(timeout=20))
        while told["type"] == "accepted":
            told = json.loads(client.recv(timeout=20))
        assert (told["type"], told["code"]) == ("error", code)
        assert told["sentence"]
        start(client, duration=1)
        assert take(client)[1]["type"] == "finished"


@pytest.mark.parametrize("how", ["header", "subprotocol"])
def test_a_wrong_token_is_refused_at_once(streaming: Daemon, how: str) -> None:
    wrong = (
        {"additional_headers": {"Authorization": "Bearer wrong"}, "subprotocols": None}
        if how == "header"
        else {"subprotocols": ["nrx", "nrx.token.wrong"]}
    )
    with pytest.raises(InvalidStatus) as refused, listen(streaming, **wrong):
        pass
    assert refused.value.response.status_code == 401


def test_a_token_may_follow_as_the_first_message_and_a_wrong_one_makes_nothing(streaming: Daemon) -> None:
    with listen(streaming, subprotocols=None) as client:
        client.send(json.dumps({"token": streaming.token}))
        start(client, duration=1)
        assert take(client)[1]["type"] == "finished"
    with listen(streaming, subprotocols=None) as client:
        client.send(json.dumps({"token": "wrong"}))
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(timeout=10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401
        assert streaming.context.streams.count() == 0


def test_foreign_origins_and_hosts_are_refused_and_allowed_ones_are_not(streaming: Daemon) -> None:
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        with pytest.raises(InvalidStatus) as refused, listen(streaming, additional_headers=headers):
            pass
        assert refused.value.response.status_code in (403, 421)
    with listen(streaming, additional_headers={"Origin": ALLOWED_ORIGIN}) as client:
        start(client, duration=1)
        take(client)


def test_a_worker_that_dies_ends_its_streams_in_words_and_the_next_one_plays(streaming: Daemon) -> None:
    with listen(streaming) as client:
        start(client, pace="live")
        for pid in streaming.context.streams.pids():
            psutil.Process(pid).kill()
        _, told = take(client)
        assert (told["type"], told["code"]) == ("error", "stream.crashed")
        start(client, duration=1)
        assert take(client)[1]["type"] == "finished"


def test_streams_end_with_the_daemon(own_home: Path) -> None:
    running = start_daemon(own_home, StandInJobs(own_home), streams=StreamsSettings(workers=1))
    with listen(running) as client:
        start(client, pace="live")
        pids = running.context.streams.pids()
        running.stop()
        with pytest.raises(ConnectionClosed):
            take(client)
    assert eventually(lambda: not any(psutil.pid_exists(pid) for pid in pids))
