"""A worker that has made the beginnings of the styles makes no room a second time, and does it in small steps."""

from pathlib import Path

from bridge.config import Settings
from bridge.streams.making import make_stream
from bridge.streams.request import parse_stream
from bridge.streams.warming import beginnings
from engine.generation.arranger.effects import reverbs
from engine.presets import list_styles


def test_what_sessions_share_is_made_before_them(own_home: Path) -> None:
    settings = Settings(home=own_home)
    steps = sum(1 for _ in beginnings(settings, "fast"))
    assert steps > 3 * len(list_styles())
    made = reverbs._response.cache_info().misses
    for style in list_styles():
        request = {"style": style, "seed": 77, "generator": "arranger", "duration_s": 30.0, "quality": "fast"}
        stream, _ = make_stream(parse_stream(request), settings)
        next(chunk for chunk in stream if chunk.shape[1])
    assert reverbs._response.cache_info().misses == made
