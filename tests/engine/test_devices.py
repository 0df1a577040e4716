"""The device is the one asked for, or a refusal; running out of memory is told from other errors."""

import pytest

from engine.devices import (
    CPU,
    available_devices,
    choose_device,
    give_memory_back,
    is_out_of_memory,
    thread_count,
)
from engine.errors import NrxError


class OutOfMemoryError(RuntimeError):
    """As PyTorch calls its own."""


def test_the_processor_is_always_there_and_needs_no_pytorch(monkeypatch):
    monkeypatch.setattr("engine.devices.available_devices", None)
    assert choose_device("cpu") == CPU
    assert CPU.kind == "cpu"


def test_auto_takes_the_first_device_that_is_there(monkeypatch):
    pytest.importorskip("torch", reason="torch (extra `neural`) is not installed")
    monkeypatch.delenv("DEVICE", raising=False)
    assert choose_device("auto") == next(iter(available_devices().values()))


def test_the_variable_stands_in_for_auto_and_only_for_auto(monkeypatch):
    monkeypatch.setenv("DEVICE", " CPU ")
    assert choose_device("auto") == CPU
    monkeypatch.setenv("DEVICE", "cuda:99")
    assert choose_device("cpu") == CPU


@pytest.mark.parametrize("wanted", ["cuda:99", "tpu", "cuda:"])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(wanted):
    pytest.importorskip("torch", reason="torch (extra `neural`) is not installed")
    with pytest.raises(NrxError, match="this machine has cpu") as refused:
        choose_device(wanted)
    assert wanted in refused.value.sentence
    assert refused.value.code == "request.invalid"


@pytest.mark.parametrize("error", [
    MemoryError(), OutOfMemoryError("anything"), RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    RuntimeError("MPS backend out of memory"), RuntimeError("Exception from src/core: std::bad_alloc"),
], ids=str)  # fmt: skip
def test_every_runtimes_word_for_it_counts_as_out_of_memory(error):
    assert is_out_of_memory(error)


@pytest.mark.parametrize("error", [ValueError("out of memory"), RuntimeError("shapes differ"), KeyError("x")])
def test_other_errors_do_not_count_as_out_of_memory(error):
    assert not is_out_of_memory(error)


def test_memory_is_given_back_without_any_device():
    give_memory_back()
    assert thread_count() >= 1
