"""What the words mean to the language model: T5's encoder and the projection to the model's width.

`TextEncoder.encode` gives the hidden states of a batch of texts, padded on the right to the longest, zero where padded.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import NrxError
from engine.generation.musicgen.checkpoint import Checkpoint
from engine.generation.musicgen.modules import fill

MAX_TOKENS = 512


class TextEncoder:
    """T5 with its tokenizer, and the projection if the widths differ."""

    def __init__(self, folder: Path, checkpoint: Checkpoint, device: str) -> None:
        """Load from a checkpoint's folder.

        Raises:
            NrxError: `model.damaged` when the tokenizer or weights are missing or don't fit.
        """
        import torch
        from transformers import AutoConfig, AutoTokenizer, T5EncoderModel

        try:
            self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except Exception as error:  # its readers raise whatever they stumble over
            raise NrxError(
                "model.damaged", f"The tokenizer in {folder} cannot be loaded; fetch the model again."
            ) from error
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        weights = checkpoint.part("text_encoder.")
        shared = weights.get("shared.weight", weights.get("encoder.embed_tokens.weight"))
        if shared is not None:  # one table under two names, of which files have one or both
            weights["shared.weight"] = weights["encoder.embed_tokens.weight"] = shared
        with torch.device("meta"):
            model = T5EncoderModel(config.text_encoder)
        self._model = fill(model, weights, folder).to(device)
        self._device = device
        self._weight: Any = None
        self._bias: Any = None
        if "enc_to_dec_proj.weight" in checkpoint:
            self._weight = checkpoint.tensor("enc_to_dec_proj.weight").float().to(device)
            self._bias = checkpoint.tensor("enc_to_dec_proj.bias").float().to(device)

    def encode(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return hidden states (B, L, hidden) and the number of tokens of each text (B,)."""
        import torch

        tokens = self._tokenizer(
            list(texts),
            return_tensors="pt",
            padding=True,
            truncation=True,
            max_length=MAX_TOKENS,
            padding_side="right",
        )
        mask = tokens["attention_mask"].to(self._device)
        with torch.inference_mode():
            states = self._model(input_ids=tokens["input_ids"].to(self._device), attention_mask=mask)[0]
            if self._weight is not None:
                states = torch.nn.functional.linear(states, self._weight, self._bias)
            states = states * mask[..., None]
        return states.float().cpu().numpy(), mask.sum(-1).cpu().numpy().astype(np.int64)
