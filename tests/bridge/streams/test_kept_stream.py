"""A stream that is kept: its file grows in sight, and becomes a return; what broke off is kept and says so."""

import json
import queue
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bridge.config import Settings, StreamsSettings
from bridge.protocol import Manifest
from bridge.streams.keeping import Growing, Grown, Kept, KeptStream, Lost, News
from bridge.streams.messages import Chunk, Ended, Failed, Started
from bridge.streams.request import StreamRequest, parse_stream
from bridge.streams.streams import Sink, Streams
from engine.errors import NrxError
from engine.streaming.source import Source

RATE = 24_000
SOURCE = Source("scripted", "1", "a test", "none")


class Scripted:
    """Streams whose audio the test hands out; also the session."""

    id = "s"

    def __init__(self) -> None:
        self.sink: Sink | None = None
        self.taken, self.frames, self.stopped = 0, 0, False

    def open(self, _request: StreamRequest, sink: Sink) -> "Scripted":
        self.sink = sink
        return self

    def consumed(self, frames: int) -> None:
        self.taken = frames

    def stop(self) -> None:
        if not self.stopped:
            self.stopped = True
            self.say(Ended("s", self.frames))

    def say(self, message: Started | Chunk | Ended | Failed) -> None:
        assert self.sink is not None
        self.sink(message)

    def begin(self, warnings: tuple[str, ...] = ()) -> None:
        self.say(Started("s", RATE, 2, None, SOURCE, "", None, warnings))

    def play(self, frames: int) -> None:
        data = np.full((frames, 2), 1000, "<i2").tobytes()
        self.say(Chunk("s", self.frames, frames, data))
        self.frames += frames


@pytest.fixture
def scripted() -> Scripted:
    return Scripted()


@pytest.fixture
def settings(own_home: Path) -> Settings:
    return Settings(home=own_home, streams=StreamsSettings(ahead_s=60))


def keep(scripted: Scripted, settings: Settings) -> tuple[KeptStream, "queue.Queue[News]"]:
    news: queue.Queue[News] = queue.Queue()
    request = parse_stream({"prompt": "slow waltz", "seed": 3})
    kept = KeptStream(scripted, settings, request, "take-1", news.put)  # type: ignore[arg-type]  # stands in
    return kept, news


def last_of(news: "queue.Queue[News]") -> News:
    while not isinstance(found := news.get(timeout=60), Kept | Lost):
        pass
    return found


def test_the_file_grows_in_sight_and_becomes_a_return(scripted: Scripted, settings: Settings) -> None:
    kept, news = keep(scripted, settings)
    scripted.begin()
    growing = news.get(timeout=60)
    assert isinstance(growing, Growing)
    scripted.play(RATE)
    grown = news.get(timeout=60)
    assert isinstance(grown, Grown)
    assert soundfile.info(growing.file).frames == RATE
    scripted.play(RATE // 2)
    kept.stop()
    ended = last_of(news)
    assert isinstance(ended, Kept)
    manifest = Manifest.model_validate(json.loads(ended.manifest.read_bytes()))
    assert manifest.folder == str(ended.manifest.parent)
    assert ended.manifest.parent.parent == settings.returns_folder
    (track,) = manifest.tracks
    assert soundfile.info(ended.manifest.parent / track.file).frames == track.frames == 3 * RATE // 2
    assert (manifest.id, manifest.action, manifest.backends[0].name) == ("take-1", "generate", "scripted")
    assert scripted.taken == 3 * RATE // 2
    assert [path.name for path in settings.returns_folder.iterdir()] == [ended.manifest.parent.name]


def test_what_broke_off_is_kept_and_says_so(scripted: Scripted, settings: Settings) -> None:
    _, news = keep(scripted, settings)
    scripted.begin()
    scripted.play(100)
    scripted.say(Failed("s", NrxError("stream.crashed", "The process has ended.")))
    ended = last_of(news)
    assert isinstance(ended, Kept)
    notes = json.loads(ended.manifest.read_bytes())["notes"]
    assert any("broke off: The process has ended" in note for note in notes)


@pytest.mark.parametrize("begun", [False, True])
def test_a_stream_that_fails_before_any_sound_leaves_nothing(
    scripted: Scripted, settings: Settings, begun: bool
) -> None:
    _, news = keep(scripted, settings)
    if begun:
        scripted.begin()
    scripted.say(Failed("s", NrxError("style.unknown", "There is no such style.")))
    ended = last_of(news)
    assert isinstance(ended, Lost)
    assert ended.error.code == "style.unknown"
    assert not settings.returns_folder.exists() or not list(settings.returns_folder.iterdir())


def test_a_stream_that_is_stopped_before_any_sound_leaves_nothing(
    scripted: Scripted, settings: Settings
) -> None:
    kept, news = keep(scripted, settings)
    kept.stop()
    ended = last_of(news)
    assert isinstance(ended, Lost)
    assert ended.error.code == "cancelled"


def test_a_real_stream_is_kept_as_it_was_made(settings: Settings) -> None:
    streams, news = Streams(settings), queue.Queue[News]()
    try:
        request = parse_stream({"prompt": "jazz", "duration": 3, "generator": "arranger", "pace": "full"})
        KeptStream(streams, settings, request, "take-2", news.put).wait(60)
        ended = last_of(news)
    finally:
        streams.stop()
    assert isinstance(ended, Kept)
    sound, rate = soundfile.read(ended.manifest.parent / "master.wav")
    assert rate == 44_100
    assert len(sound) > 2 * rate
    assert np.abs(sound).max() > 0.05
