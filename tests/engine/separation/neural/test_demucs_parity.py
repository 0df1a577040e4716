"""With the same shifts, stems are those of the `demucs` package: every model, bag, format and way of cutting."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from demucs_kit import RATE, difference_db, sound, stock

pytest.importorskip("torch", reason="torch (extra `neural`) is not installed")
pytest.importorskip("demucs", reason="demucs (extra `neural`) is not installed")

import torch

from engine.errors import NrxError
from engine.separation import separate
from engine.separation.collect import collect
from engine.separation.neural import DemucsSeparator, making
from engine.separation.neural.passes import draw_origins
from tests import neural_fixtures as kit

EXACT_DB = -110.0
SHORT = Fraction(1)


@pytest.fixture(autouse=True)
def in_pytorch(monkeypatch):
    """One thread, and PyTorch, so that nothing is converted."""
    monkeypatch.setattr(making.Maker, "_in_openvino", lambda *_: None)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


MODELS: dict[str, Any] = {
    "htdemucs": lambda: kit.tiny_htdemucs(segment=SHORT),
    "htdemucs of six stems": lambda: kit.tiny_htdemucs((*kit.FOUR, "guitar", "piano"), segment=SHORT),
    "htdemucs without bottleneck": lambda: kit.tiny_htdemucs(segment=SHORT, bottom_channels=0, t_layers=1),
    "htdemucs for mono": lambda: kit.tiny_htdemucs(segment=SHORT, audio_channels=1),
    "hdemucs": lambda: kit.tiny_hdemucs(segment=1),
    "hdemucs with the old padding": lambda: kit.tiny_hdemucs(segment=1, hybrid_old=True),
    "hdemucs without a time branch": lambda: kit.tiny_hdemucs(segment=1, hybrid=False),
    "hdemucs with masks": lambda: kit.tiny_hdemucs(segment=1, cac=False, wiener_iters=0, end_iters=0),
    "demucs in time": lambda: kit.tiny_time_demucs(),
}


@pytest.mark.parametrize("name", MODELS)
def test_every_kind_of_model_gives_demucs_own_stems(name, tmp_path, monkeypatch):
    model = MODELS[name]()
    kit.save_demucs(model, tmp_path, "one")
    audio = sound(2.3, channels=model.audio_channels)
    ours = DemucsSeparator(tmp_path, "one", device="cpu", shifts=0, residual=False).separate(audio)
    assert difference_db(ours, stock([model], audio, monkeypatch)) < EXACT_DB


@pytest.mark.parametrize("options", [
    {"shifts": 2}, {"shifts": 0, "overlap": 0.0}, {"shifts": 1, "overlap": 0.5}, {"shifts": 1, "segment_s": 1.0},
], ids=str)  # fmt: skip
def test_shifts_overlap_and_segments_are_demucs_own(options, tmp_path, monkeypatch):
    model = MODELS["htdemucs"]()
    kit.save_demucs(model, tmp_path, "one")
    audio = sound(2.6)
    ours = DemucsSeparator(tmp_path, "one", device="cpu", residual=False, seed=3, **options).separate(audio)
    origins = draw_origins(1, options["shifts"], RATE, 3)[0] if options["shifts"] else []
    theirs = stock(
        [model], audio, monkeypatch, origins=origins, overlap=options.get("overlap", 0.25),
        segment=options.get("segment_s"),
    )  # fmt: skip
    assert difference_db(ours, theirs) < EXACT_DB


@pytest.mark.parametrize("seconds", [0.01, 0.7, 1.0, 1.5 + 1 / RATE])
def test_every_length_gives_demucs_own_stems(seconds, tmp_path, monkeypatch):
    model = MODELS["htdemucs"]()
    kit.save_demucs(model, tmp_path, "one")
    audio = sound(seconds)
    ours = DemucsSeparator(tmp_path, "one", device="cpu", shifts=0, residual=False).separate(audio)
    assert difference_db(ours, stock([model], audio, monkeypatch)) < EXACT_DB


def test_a_bag_is_weighted_per_stem_and_each_member_has_its_own_shift(tmp_path, monkeypatch):
    models = [kit.tiny_htdemucs(segment=SHORT, seed=1), kit.tiny_hdemucs(segment=1, seed=2)]
    weights = [[1.0, 0.0, 1.0, 0.5], [0.0, 1.0, 1.0, 1.5]]
    for signature, model in zip(("first", "second"), models, strict=True):
        kit.save_demucs(model, tmp_path, signature)
    (tmp_path / "bag.yaml").write_text(f"models: [first, second]\nweights: {weights}\n", encoding="utf-8")
    audio = sound(2.0)
    separator = DemucsSeparator(tmp_path, "bag", device="cpu", shifts=1, residual=False, seed=1)
    origins = [start for starts in draw_origins(2, 1, RATE, 1) for start in starts]
    theirs = stock(models, audio, monkeypatch, weights=weights, origins=origins)
    assert len(set(origins)) == 2
    assert difference_db(separator.separate(audio), theirs) < EXACT_DB


def test_a_long_bag_is_brought_forward_in_rounds(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.separation.neural.passes.STRIDES_A_ROUND", 2)
    models = [kit.tiny_htdemucs(segment=SHORT, seed=seed) for seed in (1, 2)]
    for signature, model in zip(("first", "second"), models, strict=True):
        kit.save_demucs(model, tmp_path, signature)
    (tmp_path / "bag.yaml").write_text("models: [first, second]\n", encoding="utf-8")
    audio = sound(3.4)
    separator = DemucsSeparator(tmp_path, "bag", device="cpu", shifts=0, residual=False)
    blocks = list(separator.stream(audio))
    assert len(blocks) == 3
    ours = collect(iter(blocks), audio, separator.info.stems)
    assert difference_db(ours, stock(models, audio, monkeypatch)) < EXACT_DB


def test_the_segment_of_a_bag_counts_for_members_that_can_take_it(tmp_path):
    kit.save_demucs(kit.tiny_hdemucs(segment=1), tmp_path, "old")
    kit.save_demucs(MODELS["htdemucs"](), tmp_path, "new")
    (tmp_path / "bag.yaml").write_text("models: [old, new]\nsegment: 44\n", encoding="utf-8")
    segments = [
        making.Maker(tmp_path / f"{name}.safetensors", 44.0, "float32", None, print)
        .grid(100, None, 0.25)
        .segment
        for name in ("old", "new")
    ]
    assert segments == [44 * RATE, RATE]


def test_pickled_and_safe_checkpoints_give_the_same(tmp_path):
    model = MODELS["htdemucs"]()
    for weights in model.parameters():
        weights.data = weights.data.half().float()  # pickles hold half precision
    audio = sound(1.6)
    stems = []
    for suffix in (".th", ".safetensors"):
        kit.save_demucs(model, tmp_path / suffix, "abc", suffix)
        separator = DemucsSeparator(tmp_path / suffix, "abc", device="cpu", shifts=0)
        assert separator.info.stems == ("vocals", "drums", "bass", "other")
        stems.append(separator.separate(audio))
    for role in stems[0]:
        assert np.array_equal(stems[0][role].samples, stems[1][role].samples)


def test_a_seed_gives_the_same_stems_again_and_another_seed_others(tmp_path):
    kit.save_demucs(MODELS["htdemucs"](), tmp_path, "one")
    audio = sound(1.6)
    first, again, other = (
        DemucsSeparator(tmp_path, "one", device="cpu", shifts=1, seed=seed).separate(audio)["vocals"].samples
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_two_stems_are_the_role_and_the_rest(tmp_path):
    kit.save_demucs(MODELS["htdemucs"](), tmp_path, "one")
    separator = DemucsSeparator(tmp_path, "one", device="cpu", shifts=0)
    audio = sound(1.6)
    two = separate(audio, backend=separator, two_stems="vocals")
    assert set(two) == {"vocals", "instrumental"}
    assert np.array_equal(two["vocals"].samples, separator.separate(audio)["vocals"].samples)
    assert np.abs(two["vocals"].samples + two["instrumental"].samples - audio.samples).max() < 1e-6


def test_six_stems_are_listed_with_the_usual_four_first(tmp_path):
    kit.save_demucs(MODELS["htdemucs of six stems"](), tmp_path, "six")
    stems = DemucsSeparator(tmp_path, "six").info.stems
    assert stems == ("vocals", "drums", "bass", "other", "guitar", "piano")


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_lower_precision_is_near_and_says_what_it_costs(precision, tmp_path, monkeypatch):
    model = MODELS["htdemucs"]()
    kit.save_demucs(model, tmp_path, "one")
    audio = sound(1.5)
    separator = DemucsSeparator(tmp_path, "one", device="cpu", shifts=0, residual=False, precision=precision)
    apart = difference_db(separator.separate(audio), stock([model], audio, monkeypatch))
    assert EXACT_DB < apart < -20
    assert precision in separator.info.description
    assert "dB" in separator.info.description


def test_what_overflows_in_half_precision_is_done_again_in_float32(tmp_path, monkeypatch):
    model = MODELS["htdemucs"]()
    with torch.no_grad():
        model.decoder[-1].conv_tr.weight *= 1e6
    kit.save_demucs(model, tmp_path, "loud")
    audio = sound(1.0)
    separator = DemucsSeparator(tmp_path, "loud", device="cpu", shifts=0, residual=False, precision="float16")
    assert difference_db(separator.separate(audio), stock([model], audio, monkeypatch)) < EXACT_DB


@pytest.mark.parametrize(("options", "word"), [
    ({"shifts": -1}, "shifts"), ({"overlap": 1.0}, "overlap"), ({"segment_s": -2.0}, "segment_s"),
    ({"precision": "int3"}, "precision"),
], ids=str)  # fmt: skip
def test_options_out_of_range_are_refused_by_name(options, word, tmp_path):
    kit.save_demucs(MODELS["htdemucs"](), tmp_path, "one")
    with pytest.raises(NrxError, match=word) as refused:
        DemucsSeparator(tmp_path, "one", **options)
    assert refused.value.code == "request.invalid"


@pytest.mark.parametrize("segment_s", [0.2, 3.0])
def test_a_transformer_refuses_segments_it_was_not_trained_for(segment_s, tmp_path):
    kit.save_demucs(MODELS["htdemucs"](), tmp_path, "one")
    separator = DemucsSeparator(tmp_path, "one", device="cpu", segment_s=segment_s)
    with pytest.raises(NrxError, match="segment_s") as refused:
        separator.separate(sound(1.0))
    assert refused.value.code == "request.invalid"


def _truncated(folder: Path) -> None:
    file = folder / "one.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def _beheaded(folder: Path) -> None:
    (folder / "one.safetensors").write_bytes(b"\x10")


def _renamed(folder: Path) -> None:
    file = kit.save_demucs(MODELS["htdemucs"](), folder, "one", ".th")
    (folder / "one.safetensors").unlink()
    file.rename(folder / "one-00000000.th")


@pytest.mark.parametrize("spoil", [_truncated, _beheaded, _renamed])
def test_a_damaged_checkpoint_is_named(spoil, tmp_path):
    kit.save_demucs(MODELS["htdemucs"](), tmp_path, "one")
    spoil(tmp_path)
    with pytest.raises(NrxError, match="one") as refused:
        DemucsSeparator(tmp_path, "one", device="cpu").separate(sound(1.0))
    assert refused.value.code == "model.damaged"


@pytest.mark.parametrize(("bag", "code"), [
    ("models: [absent]\n", "model.missing"), ("models: []\n", "model.damaged"), ("- 1\n", "model.damaged"),
    ("models: [one]\nweights: [[1, 1]]\n", "model.damaged"),
    ("models: [one]\nweights: [[0, 1, 1, 1]]\n", "model.damaged"), ("models: [\n", "model.damaged"),
])  # fmt: skip
def test_a_bag_that_makes_no_sense_is_refused(bag, code, tmp_path):
    kit.save_demucs(MODELS["htdemucs"](), tmp_path, "one")
    (tmp_path / "bag.yaml").write_text(bag, encoding="utf-8")
    with pytest.raises(NrxError) as refused:
        DemucsSeparator(tmp_path, "bag")
    assert refused.value.code == code


def test_a_pickle_that_would_run_code_is_not_opened(tmp_path):
    ran = tmp_path / "ran"

    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (ran,))

    torch.save({"klass": Bomb(), "args": (), "kwargs": {}, "state": {}}, tmp_path / "one.th")
    with pytest.raises(NrxError) as refused:
        DemucsSeparator(tmp_path, "one")
    assert refused.value.code == "model.untrusted"
    assert not ran.exists()


def test_safetensors_that_name_another_class_run_nothing(tmp_path):
    from safetensors.torch import save_file

    ran = tmp_path / "ran"
    metadata = {"args": f'["{ran.as_posix()}"]', "kwargs": "{}"}
    for klass in ("os.mkdir", "demucs.utils.temp_filenames"):
        save_file({"weight": torch.zeros(1)}, tmp_path / "one.safetensors", {**metadata, "klass": klass})
        with pytest.raises(NrxError, match=klass) as refused:
            DemucsSeparator(tmp_path, "one")
        assert refused.value.code == "model.untrusted"
    assert not ran.exists()
