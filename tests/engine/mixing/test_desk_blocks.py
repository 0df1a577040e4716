"""The desk in blocks: the same on any number of threads; sends come back as one long convolution gives them."""

import numpy as np
import pytest
from mix_stems import RATE, song, stem, tone, voice
from numpy.typing import NDArray

from engine.mixing.automix import listen_all, make_session
from engine.mixing.deciding import Given
from engine.mixing.desk.returns import Convolver
from engine.mixing.presets import load_mix_preset
from engine.mixing.rendering import render
from engine.mixing.session import session_text
from engine.mixing.stems import Stem
from engine.thrift import sparing_memory

Tracks = dict[str, NDArray[np.float32]]


def mixed(stems: list[Stem]) -> tuple[str, NDArray[np.float32], Tracks]:
    """Listen, decide and render; return the session's text, the mix and its tracks."""
    heard = listen_all(stems)
    given = Given(files={item.name: item.name for item in stems}, sample_rate=RATE)
    session = make_session(heard, load_mix_preset("pop"), given).session
    parts: dict[str, list[NDArray[np.float32]]] = {}
    made = render(
        session, stems, heard, keep=lambda name, block: parts.setdefault(name, []).append(block.copy())
    )
    tracks = {name: np.concatenate(blocks, axis=1) for name, blocks in parts.items()}
    return session_text(session), made.mix.samples, tracks


def test_one_thread_makes_the_same_bytes_as_two() -> None:
    stems = [*song(), stem("Late", tone(440.0, 3), start_frame=3 * RATE), stem("Choir", voice())]
    text, mix, tracks = mixed(stems)
    with sparing_memory(1):
        alone = mixed(stems)
    assert alone[0] == text
    assert alone[1].tobytes() == mix.tobytes()
    assert {name: track.tobytes() for name, track in alone[2].items()} == {
        name: track.tobytes() for name, track in tracks.items()
    }


@pytest.mark.parametrize(("reach", "block"), [(1, 64), (50, 64), (700, 64), (701, 66), (30, 1)])
def test_a_send_comes_back_as_one_long_convolution(reach: int, block: int) -> None:
    random = np.random.default_rng(5)
    response = random.normal(size=(2, reach)).astype(np.float32)
    sent = random.normal(size=1000).astype(np.float32)
    sent[200:500] = 0.0
    send = Convolver(response, block)
    came = np.concatenate([send.feed(sent[at : at + block]) for at in range(0, len(sent), block)], axis=1)
    wanted = [np.convolve(sent.astype(np.float64), side)[: len(sent)] for side in response]
    assert np.abs(came - wanted).max() < 1e-4 * np.abs(wanted).max()
