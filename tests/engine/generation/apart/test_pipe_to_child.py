"""A generator in an interpreter of its own: the protocol, its faults, and a child that never outlives its parent."""

import io
import json
import logging
import os
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from engine.backends import Backends
from engine.errors import Cancelled, NrxError
from engine.generation.apart import child, pipe
from engine.generation.apart.backend import ApartGenerator, variables
from engine.generation.apart.pipe import Pipe
from engine.generation.melody import Melody
from engine.generation.musicgen.sampling import Sampling
from engine.generation.protocol import Wish
from engine.generation.registry import generator_of
from engine.models import ModelStore
from engine.models.card import InstalledModel
from engine.models.interpreter import RECORD, card_apart, model_apart, python_in, remove_interpreter
from engine.models.warm import WARM
from engine.progress import Monitor

STAND_IN = [sys.executable, str(Path(__file__).parent / "standin_child.py")]
RATE = 32000


@pytest.fixture(autouse=True)
def _cold() -> Any:
    yield
    WARM.let_go()


def player(tmp_path: Path, name: str = "debug") -> ApartGenerator:
    model = InstalledModel(card_apart(name), tmp_path / "audiocraft", "1.3.0", {})
    return ApartGenerator(model, ModelStore(tmp_path), command=STAND_IN)


def pitch_hz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples))
    return float(spectrum.argmax() * RATE / samples.size)


def children() -> list[psutil.Process]:
    return [item for item in psutil.Process().children() if "standin_child" in " ".join(item.cmdline())]


def test_takes_come_back_in_order_each_from_its_seed_as_long_as_its_wish(tmp_path: Path) -> None:
    heard: list[float] = []
    generator = player(tmp_path)
    takes = generator.takes([Wish("a", 1.0)] * 3, Sampling(seed=40), Monitor(heard.append))
    assert [pitch_hz(take.samples[0]) for take in takes] == [240.0, 241.0, 242.0]
    assert [(take.frames, take.sample_rate) for take in takes] == [(RATE, RATE)] * 3
    assert heard == sorted(heard)
    assert heard[-1] == pytest.approx(1.0)
    assert generator.device == "cpu (audiocraft)"


def test_the_model_stays_loaded_between_takes_and_goes_with_the_jobs_models(tmp_path: Path) -> None:
    generator = player(tmp_path)
    generator.takes([Wish("a", 0.1)], Sampling())
    first = children()
    generator.takes([Wish("a", 0.1)], Sampling())
    assert [item.pid for item in children()] == [item.pid for item in first]
    assert len(first) == 1
    WARM.let_go()
    assert children() == []


def test_a_melody_goes_along_as_sound_to_models_that_follow_one(tmp_path: Path) -> None:
    melody = Melody(np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE).astype(np.float32))
    wish = Wish("a", 0.5, melody)
    (led,) = player(tmp_path, "facebook/musicgen-melody").takes([wish], Sampling())
    (alone,) = player(tmp_path, "facebook/musicgen-small").takes([wish], Sampling())
    assert (pitch_hz(led.samples[0]), pitch_hz(alone.samples[0])) == (1200.0, 200.0)


@pytest.mark.parametrize(
    ("prompt", "code", "words"),
    [
        ("crash", "model.interpreter", "ended with 7: the sky falls"),
        ("fail", "model.failed", "ValueError: no such prompt"),
        ("memory", "model.memory", "out of memory"),
        ("garbage", "model.interpreter", "cannot be understood"),
        ("short", "model.failed", "0.25 s of sound where 0.50 s"),
        ("wrong", "model.failed", "3 channels"),
    ],
)
def test_what_goes_wrong_is_told_and_the_next_take_is_played(
    tmp_path: Path, prompt: str, code: str, words: str
) -> None:
    generator = player(tmp_path)
    with pytest.raises(NrxError, match=words) as caught:
        generator.takes([Wish(prompt, 0.5)], Sampling())
    assert caught.value.code == code
    assert len(generator.takes([Wish("a", 0.1)], Sampling())) == 1


def test_a_cancelled_take_leaves_the_model_loaded(tmp_path: Path) -> None:
    generator = player(tmp_path)
    generator.takes([Wish("a", 0.1)], Sampling())
    (before,) = children()
    heard: list[float] = []
    with pytest.raises(Cancelled):
        generator.takes(
            [Wish("slow", 1.0)],
            Sampling(),
            Monitor(heard.append, is_cancelled=lambda: max(heard, default=0) > 0.3),
        )
    assert [item.pid for item in children()] == [before.pid]
    (take,) = generator.takes([Wish("a", 0.5)], Sampling(seed=100))
    assert pitch_hz(take.samples[0]) == 300.0


def test_a_child_that_does_not_heed_a_cancel_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipe, "PATIENCE_S", 0.3)
    heard: list[float] = []
    with pytest.raises(Cancelled):
        player(tmp_path).takes(
            [Wish("hang", 1.0)],
            Sampling(),
            Monitor(heard.append, is_cancelled=lambda: max(heard, default=0) > 0.2),
        )
    assert children() == []


def test_a_child_that_says_nothing_is_ended() -> None:
    silent = Pipe([sys.executable, "-c", "import time; time.sleep(60)"], os.environ, "it", silence_s=2.0)
    with pytest.raises(NrxError, match="has said nothing for 2 s"):
        silent.greet()
    assert not silent.is_alive


def test_another_protocol_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NRX_TEST_PROTOCOL", "2")
    asked = Pipe(STAND_IN, os.environ, "audiocraft")
    with pytest.raises(NrxError, match="speaks protocol 2 and nrx speaks 1") as caught:
        asked.greet()
    assert caught.value.code == "model.interpreter"
    assert not asked.is_alive


def test_an_interpreter_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NrxError, match="does not start"):
        Pipe([str(tmp_path / "no-python")], {}, "audiocraft")


def test_a_child_ends_with_its_parent(tmp_path: Path) -> None:
    script = (
        "import os, sys\n"
        "from engine.generation.apart.pipe import Pipe\n"
        f"asked = Pipe({STAND_IN!r}, os.environ, 'it')\n"
        "asked.greet()\n"
        "print(asked.pid, flush=True)\n"
        "os._exit(9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 9, done.stderr
    number = int(done.stdout)
    until = time.monotonic() + 20.0
    while psutil.pid_exists(number) and psutil.Process(number).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_what_the_child_prints_goes_to_the_log_and_disturbs_no_frame(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPLICATE_API_TOKEN", "x")
    monkeypatch.setenv("MY_SECRET", "x")
    caplog.set_level(logging.INFO)
    player(tmp_path).takes([Wish("a", 0.1)], Sampling())
    assert "loading debug None 1" in caplog.text  # offline
    assert "secrets []" in caplog.text


def test_only_the_fetching_child_may_use_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    assert "HF_HUB_OFFLINE" not in variables(tmp_path, "https://hub.example", offline=False)
    assert variables(tmp_path, "https://hub.example")["HF_HUB_OFFLINE"] == "1"
    assert variables(tmp_path, "https://hub.example")["HF_HUB_CACHE"] == str(tmp_path)


def test_beams_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NrxError, match="no beam search"):
        player(tmp_path).takes([Wish("a", 0.1)], Sampling(beams=2))


def frame(header: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(header)) + header + body


def test_a_frame_comes_out_as_it_went_in() -> None:
    stream = io.BytesIO()
    child.write_frame(stream, {"type": "take", "note": "ü"}, b"\x00\x01")
    child.write_frame(stream, {"type": "done"})
    stream.seek(0)
    assert child.read_frame(stream) == ({"type": "take", "note": "ü", "bytes": 2}, b"\x00\x01")
    assert child.read_frame(stream) == ({"type": "done", "bytes": 0}, b"")
    assert child.read_frame(stream) is None


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00",
        struct.pack(">I", 1 << 31),
        struct.pack(">I", 0),
        frame(b"{}")[:-1],
        frame(b"hello"),
        frame(b"[1]"),
        frame(b'{"bytes": 1}', b"a"),
        frame(b'{"type": "a"}'),
        frame(b'{"type": "a", "bytes": -1}'),
        frame(b'{"type": "a", "bytes": 4}', b"abc"),
        frame(json.dumps({"type": "a", "bytes": 1 << 40}).encode()),
        frame(b'{"type": "\xff", "bytes": 0}'),
    ],
)
def test_what_is_no_frame_is_refused(sent: bytes) -> None:
    with pytest.raises(child.BrokenFrameError):
        child.read_frame(io.BytesIO(sent))


def put_interpreter(root: Path, *weights: str) -> None:
    """Lay out what `find_interpreter` looks for."""
    folder = root / "audiocraft"
    python = python_in(folder / "venv")
    python.parent.mkdir(parents=True)
    python.write_text("")
    packages = {"audiocraft": "1.3.0", "torch": "2.13.0"}
    (folder / RECORD).write_text(json.dumps({"version": "1.3.0", "made": "by hand", "packages": packages}))
    for name in weights:
        kept = folder / "hub" / f"models--{name.replace('/', '--')}"
        (kept / "refs").mkdir(parents=True)
        (kept / "refs" / "main").write_text("c0ffee")
        (kept / "snapshots" / "c0ffee").mkdir(parents=True)
        (kept / "snapshots" / "c0ffee" / "state_dict.bin").write_bytes(b"weights")


def test_without_the_interpreter_the_sentence_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(NrxError, match="nrx models install audiocraft") as caught:
        Backends(ModelStore(tmp_path), generate="audiocraft").generator()
    assert caught.value.code == "model.missing"


def test_without_weights_the_sentence_says_how_to_get_some(tmp_path: Path) -> None:
    put_interpreter(tmp_path, "facebook/musicgen-small")
    with pytest.raises(NrxError, match="--weights facebook/musicgen-large") as caught:
        model_apart(ModelStore(tmp_path), "audiocraft:facebook/musicgen-large")
    assert caught.value.code == "model.missing"


def test_a_model_that_follows_a_melody_is_preferred_where_there_is_one_to_follow(tmp_path: Path) -> None:
    put_interpreter(tmp_path, "facebook/musicgen-small", "facebook/musicgen-melody")
    backends = Backends(ModelStore(tmp_path), generate="audiocraft")
    assert backends.generator().name == "audiocraft:facebook/musicgen-small"
    choice = backends.generator(melody=True)
    assert choice.name == "audiocraft:facebook/musicgen-melody"
    info = generator_of(choice, backends).info
    assert (info.name, info.revision, info.licence, info.follows_melody) == (
        "audiocraft", "c0ffee", "CC BY-NC 4.0", True,
    )  # fmt: skip
    assert "1.3.0" in info.description


def test_auto_does_not_take_it(tmp_path: Path) -> None:
    put_interpreter(tmp_path, "facebook/musicgen-small")
    assert Backends(ModelStore(tmp_path)).generator().backend == "arranger"


def test_commercial_only_refuses_its_weights_but_not_random_ones(tmp_path: Path) -> None:
    put_interpreter(tmp_path, "facebook/musicgen-small")
    store = ModelStore(tmp_path, commercial_only=True)
    with pytest.raises(NrxError, match="commercial_only"):
        model_apart(store, "audiocraft")
    assert model_apart(store, "audiocraft:debug").revision == "1.3.0"


def test_a_folder_of_ones_own_needs_both_files(tmp_path: Path) -> None:
    put_interpreter(tmp_path)
    own = tmp_path / "own"
    own.mkdir()
    (own / "state_dict.bin").write_bytes(b"weights")
    with pytest.raises(NrxError, match=r"no compression_state_dict\.bin"):
        model_apart(ModelStore(tmp_path), f"audiocraft:{own}")
    (own / "compression_state_dict.bin").write_bytes(b"codec")
    first = model_apart(ModelStore(tmp_path), f"audiocraft:{own}")
    (own / "state_dict.bin").write_bytes(b"other weights")
    assert model_apart(ModelStore(tmp_path), f"audiocraft:{own}").key != first.key


def test_removing_it_takes_its_weights_too(tmp_path: Path) -> None:
    put_interpreter(tmp_path, "facebook/musicgen-small")
    assert remove_interpreter(tmp_path) > 0
    assert not (tmp_path / "audiocraft").exists()
    with pytest.raises(NrxError, match="nothing was removed"):
        remove_interpreter(tmp_path)
