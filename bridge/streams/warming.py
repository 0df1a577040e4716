"""What a worker does while nobody listens: it makes the beginning of each style once, unheard.

That leaves what is the same for all songs (the answers of rooms, loops of noise, tables and filters) in the caches of
the engine, so that the first sound of a session waits for its own notes only. It is done in steps, between which
sessions are served.
"""

from collections.abc import Iterator

from bridge.config import Settings
from bridge.streams.making import make_stream
from bridge.streams.request import ARRANGER, StreamRequest
from engine.presets import list_styles

REHEARSED_S = 60.0
"""Long enough for all parts of a style to play."""


def beginnings(settings: Settings, quality: str) -> Iterator[None]:
    """Make the first block of each style, a step at a time."""
    for style in list_styles((settings.styles_folder,)):
        request = StreamRequest(
            style=style, generator=ARRANGER, quality=quality, seed=1, duration_s=REHEARSED_S
        )
        for chunk in make_stream(request, settings)[0]:
            yield
            if chunk.shape[1]:
                break
