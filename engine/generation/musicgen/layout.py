"""What a MusicGen checkpoint is: its sizes and kinds, read from the `config.json` that `transformers` writes.

Two kinds exist. `musicgen` (small, medium, large, and their stereo forms) looks at the text through cross-attention.
`musicgen_melody` has none: 235 frames of chroma and the text stand before the codes in the same sequence.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import NrxError

KINDS = ("musicgen", "musicgen_melody")


@dataclass(frozen=True, slots=True)
class Layout:
    """The sizes of a checkpoint's language model, and what surrounds it.

    `channels` is 1 or 2 (stereo); `codebooks` counts both channels. `special` is the code where no frame is.
    `end` is the code that ends a take, which no published checkpoint has. `chroma_frames` is 0 without melody.
    """

    kind: str
    hidden: int
    layers: int
    heads: int
    inner: int
    codebooks: int
    codes: int
    channels: int
    special: int
    end: int | None
    activation: str
    text_hidden: int
    chroma_bins: int
    chroma_frames: int
    sample_rate: int
    frame_rate: int
    max_frames: int

    @property
    def head_size(self) -> int:
        """The dimensions of one attention head."""
        return self.hidden // self.heads

    @property
    def has_melody(self) -> bool:
        """Whether chroma may condition it."""
        return self.kind == "musicgen_melody"


def read_config(folder: Path) -> dict[str, Any]:
    """Return `config.json` of a checkpoint's folder.

    Raises:
        NrxError: `model.damaged` when it is missing or no JSON; `request.invalid` when it is no MusicGen's.
    """
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        kind = config["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NrxError(
            "model.damaged",
            f"{path} is not a model's configuration ({type(error).__name__}); fetch the model again.",
        ) from error
    if kind not in KINDS:
        raise NrxError(
            "request.invalid", f"{folder} holds a {kind} model; a MusicGen ({', '.join(KINDS)}) is needed."
        )
    return dict(config)


def read_layout(folder: Path) -> Layout:
    """Return the layout of the checkpoint in `folder`.

    Raises:
        NrxError: as `read_config`, and `model.damaged` when the configuration contradicts itself.
    """
    from transformers import AutoConfig

    read_config(folder)
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        decoder, audio, text = config.decoder, config.audio_encoder, config.text_encoder
        frame_rate = math.ceil(audio.sampling_rate / math.prod(audio.upsampling_ratios))
        layout = Layout(
            kind=config.model_type,
            hidden=decoder.hidden_size,
            layers=decoder.num_hidden_layers,
            heads=decoder.num_attention_heads,
            inner=decoder.ffn_dim,
            codebooks=decoder.num_codebooks,
            codes=decoder.vocab_size,
            channels=decoder.audio_channels,
            special=decoder.pad_token_id if decoder.pad_token_id is not None else decoder.vocab_size,
            end=decoder.eos_token_id if isinstance(decoder.eos_token_id, int) else None,
            activation=decoder.activation_function,
            text_hidden=text.hidden_size,
            chroma_bins=getattr(config, "num_chroma", 0),
            chroma_frames=getattr(config, "chroma_length", 0),
            sample_rate=audio.sampling_rate,
            frame_rate=frame_rate,
            max_frames=30 * frame_rate,
        )
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise NrxError(
            "model.damaged", f"The configuration in {folder} is damaged ({error}); fetch the model again."
        ) from error
    if layout.hidden % layout.heads or layout.codebooks % layout.channels or layout.channels not in (1, 2):
        raise NrxError(
            "model.damaged",
            f"The configuration in {folder} has {layout.heads} heads, {layout.codebooks} codebooks and "
            f"{layout.channels} channels, which don't fit each other; fetch the model again.",
        )
    return layout
