"""A MusicGen checkpoint through the whole way of a stream: chosen, loaded, told of, decoded in windows."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bridge.config import Settings
from bridge.streams.making import make_stream
from bridge.streams.request import StreamRequest, parse_stream
from engine.errors import NrxError
from engine.models.warm import WARM
from engine.streaming.musicgen import MusicGenStream
from engine.streaming.speed import Speeds

pytest.importorskip("torch")
pytest.importorskip("transformers")

from engine.generation.musicgen import MusicGen, Sampling
from engine.generation.musicgen.long import codes_of
from engine.generation.prompts import Said, prompt_for
from tests.neural_fixtures import tiny_musicgen


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny") / "musicgen"
    tiny_musicgen(folder)
    return folder


@pytest.fixture(autouse=True)
def models_are_let_go() -> Iterator[None]:
    yield
    WARM.let_go()


def wish(folder: Path, **changes: object) -> StreamRequest:
    return parse_stream(
        {"prompt": "dark techno", "generator": str(folder), "quality": "high", "seed": 5, **changes}
    )


def test_a_checkpoint_streams_the_take_of_its_seed(folder: Path, own_home: Path) -> None:
    request = wish(folder, duration=3)
    stream, _ = make_stream(request, Settings(home=own_home))
    assert isinstance(stream, MusicGenStream)
    streamed = np.concatenate(list(stream), axis=1)
    model = MusicGen.load(folder, device="cpu", precision="float32")
    words = prompt_for(Said(words="dark techno"))
    codes = codes_of(model, [words], 3 * model.frame_rate, Sampling(seed=5))
    whole = model.decode(codes)[0]
    assert streamed.shape == whole.shape
    assert stream.length_frames == whole.shape[1]
    level = float(np.sqrt(np.mean(whole**2)))
    assert float(np.sqrt(np.mean((streamed - whole) ** 2))) < 1e-3 * level


def test_how_fast_a_model_is_was_measured_before_it_starts(folder: Path, own_home: Path) -> None:
    stream, _ = make_stream(wish(folder, duration=1), Settings(home=own_home))
    assert isinstance(stream, MusicGenStream)
    assert stream.times_real_time is not None
    assert stream.times_real_time > 0


def test_a_slow_model_says_so_before_it_starts(
    folder: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Speeds, "measured", lambda _self, _name: 10.0)
    stream, _ = make_stream(wish(folder, duration=30), Settings(home=own_home))
    assert any("0.20 s of music in a second" in warning for warning in stream.warnings)


def test_what_is_not_there_is_refused_by_name(own_home: Path, tmp_path: Path) -> None:
    with pytest.raises(NrxError) as refused:
        make_stream(wish(tmp_path / "nothing"), Settings(home=own_home))
    assert refused.value.code.startswith(("model.", "backend."))


def test_auto_takes_the_arranger_where_no_model_can_keep_up(own_home: Path) -> None:
    stream, why = make_stream(parse_stream({"prompt": "lofi", "duration": 1}), Settings(home=own_home))
    assert stream.source.name == "arranger"
    assert why
