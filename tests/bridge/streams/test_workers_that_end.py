"""A worker that ends by itself: what was not heard yet begins again elsewhere; what was heard ends in words."""

import queue
from pathlib import Path

import psutil
import pytest

from bridge.config import Settings, StreamsSettings
from bridge.streams.messages import Chunk, Ended, Failed, FromSession, Started
from bridge.streams.request import parse_stream
from bridge.streams.streams import MOST_HOSTS, Streams
from tests import faulty_stream_worker

pytestmark = pytest.mark.slow
WISH = {"style": "jazz", "seed": 3, "generator": "arranger", "quality": "fast", "duration": 1}


def streams(home: Path, ends: int) -> Streams:
    (home / faulty_stream_worker.ENDS).write_text(str(ends))
    settings = Settings(home=home, streams=StreamsSettings(workers=1))
    return Streams(settings, faulty_stream_worker.main)


def last(news: "queue.Queue[FromSession]") -> FromSession:
    while not isinstance(message := news.get(timeout=120), Ended | Failed):
        assert isinstance(message, Started | Chunk)
    return message


def test_a_session_that_nobody_has_heard_begins_again_with_another_worker(own_home: Path) -> None:
    made, news = streams(own_home, 1), queue.Queue[FromSession]()
    try:
        session = made.open(parse_stream(WISH), news.put)
        assert isinstance(news.get(timeout=120), Started)
        end = last(news)
        assert isinstance(end, Ended)
        assert (end.session, made.count()) == (session.id, 0)
    finally:
        made.stop()


def test_workers_that_end_again_and_again_end_the_session_in_words(own_home: Path) -> None:
    made, news = streams(own_home, 99), queue.Queue[FromSession]()
    try:
        made.open(parse_stream(WISH), news.put)
        end = last(news)
        assert isinstance(end, Failed)
        assert (end.error.code, made.count()) == ("stream.crashed", 0)
        assert (own_home / faulty_stream_worker.ENDS).read_text() == str(99 - MOST_HOSTS)
    finally:
        made.stop()


def test_no_session_is_given_to_a_worker_that_has_just_died(own_home: Path) -> None:
    made, news = streams(own_home, 0), queue.Queue[FromSession]()
    try:
        made.warm_up()
        for pid in made.pids():
            psutil.Process(pid).kill()
            psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [])
        made.open(parse_stream(WISH), news.put)
        assert isinstance(last(news), Ended)
    finally:
        made.stop()
