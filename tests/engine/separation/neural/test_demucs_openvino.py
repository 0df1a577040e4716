"""Demucs through OpenVINO: the same stems, converted once, kept whole or not at all, and made anew when it must be."""

import json
import os
import time
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest
from demucs_kit import difference_db, files_of, sound, stock

pytest.importorskip("torch", reason="torch (extra `neural`) is not installed")
pytest.importorskip("demucs", reason="demucs (extra `neural`) is not installed")
pytest.importorskip("openvino", reason="openvino (extra `neural`) is not installed")

import torch

from engine.errors import Cancelled
from engine.progress import Monitor
from engine.separation.neural import DemucsSeparator, openvino_core
from tests import neural_fixtures as kit

SAME_DB = -90.0


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> tuple[Any, Path, Path]:
    """A model, its folder, and a cache in which it has been converted."""
    folder, cache = tmp_path_factory.mktemp("demucs"), tmp_path_factory.mktemp("cache")
    model = kit.tiny_htdemucs(segment=1, t_layers=2)
    kit.save_demucs(model, folder, "one")
    separate(folder, cache, sound(0.5))
    return model, folder, cache


def separate(folder: Path, cache: Path | None, audio: Any, **options: Any) -> Any:
    one = DemucsSeparator(folder, "one", device="cpu", shifts=0, residual=False, cache=cache, **options)
    stems = one.separate(audio)
    assert one.info.steps == ()
    return stems


@pytest.fixture
def never_converted(monkeypatch) -> None:
    def refuse(*_given: Any) -> None:
        raise AssertionError("converted again")

    monkeypatch.setattr(openvino_core, "_convert", refuse)


@pytest.fixture
def conversions(kept, monkeypatch) -> list[tuple[Any, ...]]:
    """The conversions of the test, each of which gives what was once converted."""
    import openvino

    done: list[tuple[Any, ...]] = []
    network = next(kept[2].rglob("core.xml"))

    def counted(*given: Any) -> Any:
        done.append(given)
        return openvino.Core().read_model(network)

    monkeypatch.setattr(openvino_core, "_convert", counted)
    return done


@pytest.mark.usefixtures("never_converted")
def test_stems_are_demucs_own_and_nothing_is_converted_twice(kept, monkeypatch):
    model, folder, cache = kept
    audio = sound(2.6)
    assert difference_db(separate(folder, cache, audio), stock([model], audio, monkeypatch)) < SAME_DB


@pytest.mark.usefixtures("never_converted")
def test_tones_far_above_the_noise_are_exact_too(kept, monkeypatch):
    model, folder, cache = kept
    at_s = np.arange(44100) / 44100
    audio = sound(1.0)
    audio.samples[:] = np.sin(2 * np.pi * 440 * at_s)
    assert difference_db(separate(folder, cache, audio), stock([model], audio, monkeypatch)) < SAME_DB


def test_a_folder_is_published_whole(kept):
    _, _, cache = kept
    (entry,) = cache.glob("demucs-*")
    assert files_of(entry) == ["core.bin", "core.json", "core.xml"]
    assert all(files_of(folder) == ["core.blob", "core.json"] for folder in cache.glob("compiled-*"))
    for folder in cache.iterdir():
        sizes = json.loads((folder / "core.json").read_text())
        assert sizes == {
            file: (folder / file).stat().st_size for file in files_of(folder) if file != "core.json"
        }


def test_other_weights_are_converted_anew(kept, tmp_path, monkeypatch):
    model = kit.tiny_htdemucs(segment=1, t_layers=1, dconv_mode=0)
    kit.save_demucs(model, tmp_path, "one")
    cache = copytree(kept[2], tmp_path / "cache")
    audio = sound(0.4)
    assert difference_db(separate(tmp_path, cache, audio), stock([model], audio, monkeypatch)) < SAME_DB
    assert len(list(cache.glob("demucs-*"))) == 2


def _truncated(cache: Path) -> None:
    file = next(cache.rglob("core.bin"))
    file.write_bytes(file.read_bytes()[:-1])


def _half_gone(cache: Path) -> None:
    next(cache.rglob("core.json")).unlink()


@pytest.mark.parametrize("spoil", [_truncated, _half_gone])
def test_a_damaged_cache_is_made_anew(spoil, kept, tmp_path, conversions, monkeypatch):
    model, folder, good = kept
    cache = tmp_path / "cache"
    (entry,) = good.glob("demucs-*")
    copytree(entry, cache / entry.name)
    spoil(cache)
    audio = sound(0.4)
    for _ in range(2):
        assert difference_db(separate(folder, cache, audio), stock([model], audio, monkeypatch)) < SAME_DB
    assert len(conversions) == 1
    assert files_of(cache / entry.name) == files_of(entry)


@pytest.fixture
def compilations(monkeypatch) -> list[None]:
    """The networks that are compiled, and not taken from the cache as they were once."""
    import openvino

    done: list[None] = []
    compile_model = openvino.Core.compile_model

    def counted(*given: Any, **named: Any) -> Any:
        done.append(None)
        return compile_model(*given, **named)

    monkeypatch.setattr(openvino.Core, "compile_model", counted)
    return done


@pytest.mark.usefixtures("never_converted")
@pytest.mark.parametrize("damage", [b"", None], ids=["shorter", "other bytes"])
def test_what_was_compiled_once_is_loaded_and_compiled_anew_only_when_damaged(
    damage, kept, tmp_path, compilations, monkeypatch
):
    model, folder, good = kept
    cache = copytree(good, tmp_path / "cache")
    audio = sound(0.4)
    theirs = stock([model], audio, monkeypatch)
    separate(folder, cache, audio)
    del compilations[:]
    assert difference_db(separate(folder, cache, audio), theirs) < SAME_DB
    assert compilations == []
    for blob in cache.rglob("core.blob"):
        blob.write_bytes(bytes(blob.stat().st_size) if damage is None else damage)
    assert difference_db(separate(folder, cache, audio), theirs) < SAME_DB
    assert len(compilations) == 1


@pytest.mark.usefixtures("conversions")
def test_what_nobody_has_used_for_long_makes_room(kept, tmp_path):
    long_ago = time.time() - 61 * 86400
    for name, is_old in (
        ("demucs-old", True),
        ("demucs-new", False),
        (".building-1-a", True),
        ("others", True),
    ):
        (tmp_path / name).mkdir()
        if is_old:
            os.utime(tmp_path / name, (long_ago, long_ago))
    separate(kept[1], tmp_path, sound(0.4))
    left = {folder.name for folder in tmp_path.iterdir()}
    assert {"demucs-new", "others"} < left
    assert not {"demucs-old", ".building-1-a"} & left


def test_without_a_cache_nothing_is_written(kept, conversions):
    _, folder, _ = kept
    before = files_of(folder)
    separate(folder, None, sound(0.4))
    assert files_of(folder) == before
    assert len(conversions) == 1


@pytest.mark.usefixtures("conversions")
def test_a_cache_that_cannot_be_written_stops_nobody(tmp_path, kept):
    file = tmp_path / "no folder"
    file.write_text("in the way")
    separate(kept[1], file, sound(0.4))


def test_what_openvino_cannot_take_runs_in_pytorch_and_that_is_told(kept, monkeypatch):
    model, folder, cache = kept

    def refuse(*_given: Any, **_named: Any) -> None:
        raise RuntimeError("no such operation\nand more")

    monkeypatch.setattr("engine.separation.neural.making.openvino_core", refuse)
    one = DemucsSeparator(folder, "one", device="cpu", shifts=0, residual=False, cache=cache)
    audio = sound(1.5)
    assert difference_db(one.separate(audio), stock([model], audio, monkeypatch)) < -110
    assert len(one.info.steps) == 1
    assert "no such operation" in one.info.steps[0]
    assert "slower" in one.info.steps[0]


@pytest.mark.usefixtures("never_converted")
def test_a_cancel_is_heard_while_the_network_runs(kept, monkeypatch):
    _, folder, cache = kept
    monkeypatch.setattr(openvino_core, "_POLL_MS", 0)
    looks: list[None] = []

    def is_cancelled() -> bool:
        looks.append(None)
        return len(looks) > 2  # the start, and one look at the running network

    one = DemucsSeparator(folder, "one", device="cpu", shifts=0, cache=cache)
    with pytest.raises(Cancelled):
        one.separate(sound(1.0), Monitor(is_cancelled=is_cancelled))
    assert len(looks) == 3


@pytest.mark.usefixtures("never_converted")
def test_the_same_song_gives_the_same_bits(kept):
    _, folder, cache = kept
    audio = sound(1.4)
    first, again = (separate(folder, cache, audio)["drums"].samples for _ in range(2))
    assert np.array_equal(first, again)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hdemucs", "hdemucs with the old padding"])
def test_demucs_v3_goes_through_it_too(name, tmp_path, monkeypatch):
    model = kit.tiny_hdemucs(segment=1, hybrid_old=name != "hdemucs")
    kit.save_demucs(model, tmp_path, "one")
    audio = sound(2.0)
    one = DemucsSeparator(tmp_path, "one", device="cpu", shifts=0, residual=False)
    stems = one.separate(audio)
    assert one.info.steps == ()
    assert difference_db(stems, stock([model], audio, monkeypatch)) < SAME_DB


def test_the_rearranged_network_is_the_same_network():
    from engine.separation.neural.core import RealCore, levels_of
    from engine.separation.neural.rearranged import FoldedResidual, WovenPhases, rearrange
    from engine.separation.neural.spectrum import Spectrum

    for make in (kit.tiny_htdemucs, kit.tiny_hdemucs):
        model, changed = make(segment=1), make(segment=1)
        rearrange(changed)
        kinds = {type(module) for module in changed.modules()}
        assert {FoldedResidual, WovenPhases} <= kinds or make is kit.tiny_hdemucs
        audio = torch.from_numpy(sound(1.0).samples)
        spectra = Spectrum(44100, 4096).analyse(audio)
        with torch.inference_mode():
            given = (spectra, audio[None], levels_of(spectra, audio))
            for before, after in zip(RealCore(model)(*given), RealCore(changed)(*given), strict=True):
                assert (after - before).abs().max() < 1e-4 * before.abs().max()
