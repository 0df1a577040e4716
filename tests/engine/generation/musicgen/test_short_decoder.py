"""The short way through EnCodec's decoder gives what torch gives, for few frames and for many."""

import copy

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
import transformers

from engine.generation.musicgen.short_decoder import (
    MOST_ROWS,
    SHORT_FRAMES,
    ShortLSTM,
    ShortTransposed,
    prepare,
)


@pytest.mark.parametrize("rows", [1, MOST_ROWS, MOST_ROWS + 1])
@pytest.mark.parametrize("frames", [1, 9, SHORT_FRAMES, SHORT_FRAMES + 1])
def test_few_frames_and_many_are_decoded_as_torch_decodes_them(rows: int, frames: int) -> None:
    torch.manual_seed(0)
    config = transformers.EncodecConfig(
        audio_channels=1, sampling_rate=32_000, target_bandwidths=[1.2], upsampling_ratios=[8, 5, 4, 4],
        num_filters=4, codebook_size=64, codebook_dim=16, hidden_size=16, use_causal_conv=False,
        norm_type="time_group_norm", num_lstm_layers=2, use_conv_shortcut=False,
    )  # fmt: skip
    stock = transformers.EncodecModel(config).eval().requires_grad_(False).decoder
    short = copy.deepcopy(stock)
    prepare(short)
    kinds = [type(module) for module in short.modules()]
    assert kinds.count(ShortLSTM) == 1
    assert kinds.count(ShortTransposed) == len(config.upsampling_ratios)
    heard = torch.randn(rows, 16, frames)
    np.testing.assert_allclose(short(heard).numpy(), stock(heard).numpy(), rtol=1e-4, atol=1e-5)


def test_a_transposed_convolution_of_another_kind_stays_as_it_is() -> None:
    odd = torch.nn.Sequential(
        torch.nn.ConvTranspose1d(4, 4, 5, 2), torch.nn.ConvTranspose1d(4, 4, 4, 2, padding=1)
    )
    prepare(odd)
    assert not any(isinstance(module, ShortTransposed) for module in odd.modules())
