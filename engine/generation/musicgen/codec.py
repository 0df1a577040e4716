"""EnCodec: audio to codes and back, as MusicGen was trained with it.

Weight normalisation is folded into the weights when the codec is loaded, since it would be worked out again at each
call. In stereo models each channel is coded on its own and their codebooks are neighbours (L0 R0 L1 R1 ...).
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import NrxError
from engine.generation.musicgen.checkpoint import Checkpoint
from engine.generation.musicgen.layout import Layout
from engine.generation.musicgen.modules import fill


class Codec:
    """The codec of a checkpoint, in float32."""

    def __init__(self, folder: Path, checkpoint: Checkpoint, layout: Layout, device: str) -> None:
        """Load from a checkpoint's folder.

        Raises:
            NrxError: `model.damaged` when weights are missing or don't fit.
        """
        from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations
        from transformers import AutoConfig, EncodecModel
        from transformers.initialization import no_init_weights

        from engine.generation.musicgen.short_decoder import prepare

        config = AutoConfig.from_pretrained(folder, local_files_only=True).audio_encoder
        with no_init_weights():  # not on `meta`: its convolutions keep constants that no file holds
            model = EncodecModel(config)
        model = fill(model, checkpoint.part("audio_encoder."), folder)
        for module in model.modules():
            if is_parametrized(module, "weight"):
                remove_parametrizations(module, "weight")
        self._model = model.requires_grad_(False).to(device)
        if device == "cpu":
            prepare(self._model.decoder)
        self._layout, self._device = layout, device

    def decode(self, codes: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return audio (B, channels, T * samples a frame) of codes (B, K, T).

        Raises:
            NrxError: `request.invalid` for codes of another shape or out of range.
        """
        import torch

        layout = self._layout
        if codes.ndim != 3 or codes.shape[1] != layout.codebooks or codes.shape[2] == 0:
            raise NrxError(
                "request.invalid",
                f"Codes have the shape {codes.shape}; (takes, {layout.codebooks}, frames) is needed.",
            )
        if codes.min() < 0 or codes.max() >= layout.codes:
            raise NrxError(
                "request.invalid",
                f"Codes go from {codes.min()} to {codes.max()}; 0 to {layout.codes - 1} exist.",
            )
        rows, channels = len(codes), layout.channels
        tensor = torch.from_numpy(np.ascontiguousarray(codes, dtype=np.int64)).to(self._device)
        split = tensor.reshape(rows, -1, channels, tensor.shape[-1]).transpose(1, 2).flatten(0, 1)
        with torch.inference_mode():
            audio = self._model.decode(split[None], [None])[0]
        return np.asarray(audio.reshape(rows, channels, -1).float().cpu().numpy())

    def encode(self, audio: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return codes (B, K, T) of audio (B, channels, samples) at the model's rate.

        A mono recording goes into a stereo model twice; a stereo one into a mono model as its mean.

        Raises:
            NrxError: `request.invalid` for another number of dimensions; `input.too_short` for no samples.
        """
        import torch

        if audio.ndim != 3 or audio.shape[1] not in (1, 2):
            raise NrxError(
                "request.invalid",
                f"Audio has the shape {audio.shape}; (takes, 1 or 2 channels, samples) is needed.",
            )
        if audio.shape[2] == 0:
            raise NrxError("input.too_short", "There is no audio to continue from; give at least one frame.")
        rows, channels = len(audio), self._layout.channels
        if audio.shape[1] != channels:
            audio = audio.mean(1, keepdims=True).repeat(channels, 1)
        tensor = torch.from_numpy(np.ascontiguousarray(audio, dtype=np.float32)).to(self._device)
        with torch.inference_mode():
            codes = self._model.encode(tensor.flatten(0, 1)[:, None]).audio_codes[0]
        together = codes.reshape(rows, channels, -1, codes.shape[-1]).transpose(1, 2).flatten(1, 2)
        return np.asarray(together.cpu().numpy(), dtype=np.int64)
