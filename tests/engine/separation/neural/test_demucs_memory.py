"""Where memory runs out, separation goes on with less, tells each step, and gives memory back at the end."""

import gc
import weakref
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from demucs_kit import difference_db, sound

pytest.importorskip("torch", reason="torch (extra `neural`) is not installed")
pytest.importorskip("demucs", reason="demucs (extra `neural`) is not installed")

import torch

from engine import thrift
from engine.audio.buffer import Samples
from engine.devices import CPU, Device
from engine.errors import Cancelled, NrxError
from engine.progress import SILENT, Monitor
from engine.separation.neural import DemucsSeparator, backend, making
from engine.separation.neural.ladder import Climbing, Ladder, Rung, rungs_for
from engine.separation.neural.making import Maker, lanes_for
from tests import neural_fixtures as kit

GPU = Device("cuda:0", "test card")


class Halving:
    """A network that has room for so many frames on the card, and so many on the processor."""

    def __init__(self, rung: Rung, frames: int, room: dict[str, int], error: BaseException) -> None:
        self.rung, self.frames, self.room, self.error = rung, frames, room, error

    def run(self, mix: Samples, _monitor: Monitor = SILENT) -> Samples:
        assert mix.shape[-1] == self.frames
        if self.frames > self.room[self.rung.device.kind]:
            raise self.error
        return np.stack([0.5 * mix, 0.25 * mix])


def climbing(room: dict[str, int], device: Device, error: BaseException) -> tuple[Climbing, list[str]]:
    notes: list[str] = []
    ladder = Ladder(rungs_for(device), notes.append, lambda: None)
    return Climbing(lambda rung, frames: Halving(rung, frames, room, error), ladder), notes


@pytest.mark.parametrize(("room", "device", "notes"), [
    ({"cuda": 4000, "cpu": 0}, GPU, []),
    ({"cuda": 2000, "cpu": 0}, GPU, ["1/2"]),
    ({"cuda": 1000, "cpu": 0}, GPU, ["1/2", "1/4"]),
    ({"cuda": 0, "cpu": 4000}, GPU, ["1/2", "1/4", "processor"]),
    ({"cuda": 0, "cpu": 1000}, GPU, ["1/2", "1/4", "processor", "1/2", "1/4"]),
    ({"cpu": 2000}, CPU, ["1/2"]),
], ids=str)  # fmt: skip
@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError("full")], ids=repr)
def test_windows_get_shorter_then_the_processor_takes_over(room, device, notes, error):
    network, said = climbing(room, device, error)
    mix = np.random.default_rng(0).standard_normal((2, 4000)).astype(np.float32)
    for _ in range(2):  # the second stretch starts where the first one ended up
        stems = network.run(mix.copy())
        assert np.abs(stems - np.stack([0.5 * mix, 0.25 * mix])).max() < 1e-6
    assert len(said) == len(notes)
    assert all(word in sentence for word, sentence in zip(notes, said, strict=True))


def test_without_any_memory_there_is_a_sentence():
    network, said = climbing({"cuda": 0, "cpu": 0}, GPU, MemoryError())
    with pytest.raises(NrxError) as refused:
        network.run(np.zeros((2, 4000), np.float32))
    assert refused.value.code == "model.memory"
    assert len(said) == 5


def test_other_errors_are_not_taken_for_memory():
    network, said = climbing({"cuda": 0, "cpu": 0}, GPU, RuntimeError("shapes differ"))
    with pytest.raises(RuntimeError, match="shapes differ"):
        network.run(np.zeros((2, 4000), np.float32))
    assert said == []


def test_what_a_failed_network_held_is_free_before_the_next_one_is_made():
    held: list[weakref.ref[Halving]] = []

    def make(rung: Rung, frames: int) -> Halving:
        gc.collect()
        assert all(network() is None for network in held)
        network = Halving(rung, frames, {"cpu": 1000}, MemoryError())
        held.append(weakref.ref(network))
        return network

    notes: list[str] = []
    Climbing(make, Ladder(rungs_for(CPU), notes.append, lambda: None)).run(np.zeros((2, 4000), np.float32))
    assert len(held) == 3


class Looking(Halving):
    """A network that begins with up to three stretches before the first one is waited for, and tells what it does."""

    depth = 3

    def __init__(self, rung: Rung, frames: int, room: dict[str, int], told: list[str]) -> None:
        super().__init__(rung, frames, room, MemoryError())
        self.told = told

    def begin(self, mix: Samples) -> "Begun":
        assert mix.shape[-1] == self.frames
        self.told.append(f"begun {mix[0, 0]:g}")
        return Begun(self, mix)


class Begun:
    def __init__(self, network: Looking, mix: Samples) -> None:
        self.network, self.mix = network, mix

    def stems(self, monitor: Monitor) -> Samples:
        monitor.check()
        self.network.told.append(f"done {self.mix[0, 0]:g}")
        return self.network.run(self.mix)

    def drop(self) -> None:
        self.network.told.append(f"dropped {self.mix[0, 0]:g}")


def looking(room: int = 4000) -> tuple[Climbing, list[str]]:
    told: list[str] = []
    ladder = Ladder(rungs_for(CPU), told.append, lambda: None)
    return Climbing(lambda rung, frames: Looking(rung, frames, {"cpu": room}, told), ladder), told


def stretches(*frames: int) -> list[Samples]:
    return [np.full((2, count), number, np.float32) for number, count in enumerate(frames)]


def test_stretches_are_begun_before_they_are_needed_and_come_in_order():
    network, told = looking()
    stems = [one[0, 0, 0] for one in network.stream(stretches(8, 8, 8, 8))]
    assert stems == [0.0, 0.5, 1.0, 1.5]
    assert told == ["begun 0", "begun 1", "begun 2", "done 0", "begun 3", "done 1", "done 2", "done 3"]


def test_a_stretch_of_another_length_waits_for_the_network_of_its_own():
    network, told = looking()
    assert [one.shape[-1] for one in network.stream(stretches(8, 8, 4))] == [8, 8, 4]
    assert told == ["begun 0", "begun 1", "done 0", "done 1", "begun 2", "done 2"]


def test_what_was_begun_when_memory_ran_out_is_not_lost():
    network, told = looking(room=2000)
    mixes = stretches(4000, 4000, 4000)
    for stems, mix in zip(network.stream(mixes), mixes, strict=True):
        assert np.abs(stems - np.stack([0.5 * mix, 0.25 * mix])).max() < 1e-6
    assert told[:3] == ["begun 0", "begun 1", "begun 2"]
    assert told[4:7] == ["dropped 0", "dropped 1", "dropped 2"]
    assert "1/2" in told[-1]


def test_whoever_leaves_early_leaves_nothing_running():
    network, told = looking()
    stream = network.stream(stretches(8, 8, 8, 8))
    next(stream)
    stream.close()
    assert told[-2:] == ["dropped 1", "dropped 2"]
    del told[:]
    with pytest.raises(Cancelled):
        next(network.stream(stretches(8, 8), Monitor(is_cancelled=lambda: True)))
    assert told[-2:] == ["dropped 0", "dropped 1"]


@pytest.mark.parametrize(
    ("count", "threads", "lanes"),
    [(1, 2, 1), (2, 2, 2), (3, 2, 1), (6, 2, 2), (5, 16, 1), (7, 2, 2), (40, 1, 1), (0, 2, 1)],
)
def test_there_are_two_lanes_where_two_are_filled(count, threads, lanes):
    assert lanes_for(count, threads) == lanes


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("demucs")
    kit.save_demucs(kit.tiny_htdemucs(segment=1), place, "one")
    return place


@pytest.fixture(autouse=True)
def in_pytorch(monkeypatch):
    monkeypatch.setattr(making.Maker, "_in_openvino", lambda *_: None)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def failing(monkeypatch: pytest.MonkeyPatch, fails: Callable[[Rung], bool]) -> None:
    """Let networks run out of memory where `fails` says so."""
    make = Maker.make

    class Full:
        def run(self, _mix: Samples, _monitor: Monitor = SILENT) -> Samples:
            raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(
        Maker, "make", lambda maker, rung, frames: Full() if fails(rung) else make(maker, rung, frames)
    )


def test_a_song_is_finished_on_the_processor_and_the_steps_are_told(folder, monkeypatch):
    audio = sound(1.8)
    one = DemucsSeparator(folder, "one", device="cpu", shifts=0, residual=False)
    usual = {role: stem.samples for role, stem in one.separate(audio).items()}
    assert one.info.steps == ()
    monkeypatch.setattr(backend, "choose_device", lambda _wanted: GPU)
    failing(monkeypatch, lambda rung: rung.device == GPU)
    assert difference_db(one.separate(audio), usual) < -110
    assert one.info.device == "cuda:0"
    assert len(one.info.steps) == 3
    assert "processor" in one.info.steps[-1]


def test_shorter_windows_give_stems_that_still_sum_to_the_mix(folder, monkeypatch):
    audio = sound(1.8)
    failing(monkeypatch, lambda rung: rung.share < 2)
    one = DemucsSeparator(folder, "one", device="cpu", shifts=0)
    stems = one.separate(audio)
    assert np.abs(np.sum([stem.samples for stem in stems.values()], axis=0) - audio.samples).max() < 2e-6
    assert len(one.info.steps) == 1


def test_a_job_that_died_of_memory_starts_with_short_windows(folder, monkeypatch):
    seen: list[Rung] = []
    failing(monkeypatch, lambda rung: bool(seen.append(rung)))
    with thrift.sparing_memory(2):
        DemucsSeparator(folder, "one", device="cpu", shifts=0).separate(sound(0.5))
    assert {rung.share for rung in seen} == {4}


@pytest.mark.parametrize("is_cut_off", [False, True])
def test_nothing_of_the_network_is_left_afterwards(is_cut_off, folder, monkeypatch):
    made: list[weakref.ref[object]] = []
    load = making.load_member

    def noted(*given: object) -> object:
        model = load(*given)
        made.append(weakref.ref(model))
        return model

    monkeypatch.setattr(making, "load_member", noted)
    one = DemucsSeparator(folder, "one", device="cpu", shifts=0)
    done: list[float] = []
    monitor = Monitor(on_progress=done.append, is_cancelled=lambda: is_cut_off and len(done) > 1)
    with pytest.raises(Cancelled) if is_cut_off else nullcontext():
        one.separate(sound(1.2), monitor)
    gc.collect()
    assert made
    assert all(model() is None for model in made)


def test_a_stream_that_nobody_reads_on_lets_go(folder):
    one = DemucsSeparator(folder, "one", device="cpu", shifts=0)
    blocks = one.stream(sound(3.0))
    next(blocks)
    blocks.close()
    assert next(one.stream(sound(1.0)))["vocals"].shape[0] == 2
