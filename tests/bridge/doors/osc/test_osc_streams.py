"""Streams over OSC: a file that grows, told of as it does, and a return at the end."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from bridge.config import Settings
from bridge.doors.osc import OscClient, OscDoor
from bridge.doors.osc.packet import Value
from bridge.security.roots import Roots
from bridge.streams.streams import Streams
from tests.bridge.doors.standin_jobs import StandInJobs


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OscDoor]:
    settings = Settings(home=tmp_path_factory.mktemp("osc-streams"))
    streams = Streams(settings)
    door = OscDoor(settings, StandInJobs(), Roots(settings), 0, streams)  # type: ignore[arg-type]  # stands in
    door.start()
    yield door
    door.stop()
    streams.stop()


@pytest.fixture
def client(door: OscDoor) -> Iterator[OscClient]:
    client = OscClient(door.port)
    client.hello("test", "1.0")
    yield client
    client.close()


def until(client: OscClient, *names: str) -> tuple[str, tuple[Value, ...]]:
    """Return the next message of one of these names."""
    while True:
        name, values = client.receive(20)
        if name in names:
            return name, tuple(values)


def test_a_stream_grows_in_a_file_and_ends_as_a_return(client: OscClient) -> None:
    client.send("stream", "take-1", "lofi", 4.0, "", "fast")
    _, (stream_id, file, rate, channels, warning) = until(client, "stream_started")
    assert (stream_id, rate, channels, warning) == ("take-1", 24_000, 2, "")
    assert soundfile.info(str(file)).samplerate == 24_000
    name, values = until(client, "done", "error")
    assert name == "done", values
    manifest = Path(str(values[1]))
    assert manifest.is_file()
    assert soundfile.info(manifest.parent / "master.wav").frames >= 3 * 24_000


def test_a_stream_without_an_end_is_stopped_and_kept(client: OscClient) -> None:
    client.send("stream", "take-2", "synthwave")
    until(client, "stream_started")
    _, (_, seconds) = until(client, "stream_progress")
    assert float(seconds) > 0
    client.send("stream_stop", "take-2")
    name, values = until(client, "done", "error")
    assert name == "done", values
    assert soundfile.info(Path(str(values[1])).parent / "master.wav").frames > 0


def test_the_same_id_is_refused_while_it_plays(client: OscClient) -> None:
    client.send("stream", "take-3", "edm")
    until(client, "stream_started")
    client.send("stream", "take-3", "edm")
    assert until(client, "error")[1][:2] == ("take-3", "request.conflict")
    until(client, "stream_progress")
    client.send("stream_stop", "take-3")
    until(client, "done")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (("stream", "bad id!", "lofi"), "request.invalid"),
        (("stream", "take-4", "lofi", 4.0, "no_such_style"), "style.unknown"),
        (("stream", "take-4", "lofi", 4.0, "", "best"), "request.invalid"),
        (("stream", "take-4", "lofi", -3.0), "request.invalid"),
        (("stream_stop", "nobody"), "stream.unknown"),
    ],
)
def test_what_cannot_be_streamed_is_answered_in_words(
    client: OscClient, message: tuple[Value, ...], code: str
) -> None:
    client.send(*message)  # type: ignore[arg-type]  # the first is its name
    assert until(client, "error")[1][1] == code


def test_a_stranger_makes_no_stream(door: OscDoor) -> None:
    stranger = OscClient(door.port)
    try:
        stranger.send(
            "stream", "take-5", "lofi, a long enough question for an answer in words to fit into it"
        )
        name, values = stranger.receive(5)
        assert (name, values[1]) == ("error", "request.invalid")
    finally:
        stranger.close()
