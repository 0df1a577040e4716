"""CLAP through `transformers`: sound at 48 kHz in windows of ten seconds, and words, as vectors of one space.

Source: Wu et al., "Large-scale contrastive language-audio pretraining" (2023). The model hears ten seconds; a longer
recording is heard in up to `MOST_WINDOWS` windows, spread evenly over it, and its vector is the direction of their
mean. The checkpoint's own way with longer sound is to cut out ten seconds at random: another answer each time.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio
from engine.audio.resampling import resample
from engine.errors import NrxError
from engine.progress import SILENT, Monitor

MOST_WINDOWS = 24
LEAST_SHARE = 0.5
"""Of a window: what is left over at the end and shorter than this is not heard by itself."""
LONGEST_TEXT = 64
"""Words' tokens; more are cut off."""

Vectors = NDArray[np.float32]


class Clap:
    """A CLAP model that is loaded.

    Args:
        folder: a checkpoint as `transformers` saves it, with safetensors.
        device: PyTorch's name of the device it runs on.

    Raises:
        NrxError: `model.damaged` if the folder holds no such checkpoint.
    """

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        import transformers

        quiet = transformers.utils.logging.get_verbosity()
        transformers.utils.logging.set_verbosity_error()
        try:
            self._model: Any = transformers.ClapModel.from_pretrained(
                folder, local_files_only=True, use_safetensors=True
            )
            self._ears: Any = transformers.ClapFeatureExtractor.from_pretrained(folder, local_files_only=True)
            self._words: Any = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, KeyError) as error:
            said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise NrxError(
                "model.damaged", f"{folder} is no CLAP checkpoint that can be loaded: {said}"
            ) from error
        finally:
            transformers.utils.logging.set_verbosity(quiet)
        self._model.eval().to(device)
        self.device = device

    @property
    def size(self) -> int:
        """How many numbers a vector has."""
        return int(self._model.config.projection_dim)

    def sound(self, audio: Audio, monitor: Monitor = SILENT) -> Vectors:
        """Return the vector (size,) of a recording.

        Raises:
            NrxError: `input.empty` if it has no frames.
        """
        import torch

        if audio.frames == 0:
            raise NrxError("input.empty", "The audio to embed has no frames; give a file with sound in it.")
        total = np.zeros(self.size, np.float64)
        parts = windows(audio, int(self._ears.sampling_rate), float(self._ears.max_length_s))
        for index, part in enumerate(parts):
            heard = self._ears(part, sampling_rate=self._ears.sampling_rate, return_tensors="pt")
            with torch.inference_mode():
                out = self._model.get_audio_features(
                    **{name: item.to(self.device) for name, item in heard.items()}
                )
            total += _vectors(out)[0]
            monitor.report((index + 1) / len(parts))
        return _unit(total)

    def words(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors (texts, size) of words."""
        import torch

        asked = self._words(
            list(texts), padding=True, truncation=True, max_length=LONGEST_TEXT, return_tensors="pt"
        )
        tokens = {name: asked[name].to(self.device) for name in ("input_ids", "attention_mask")}
        with torch.inference_mode():
            out = self._model.get_text_features(**tokens)
        return np.stack([_unit(vector) for vector in _vectors(out)])


def windows(audio: Audio, sample_rate: int, length_s: float) -> list[Vectors]:
    """Return a recording as mono windows of at most `length_s` at `sample_rate`, at most `MOST_WINDOWS`."""
    frames = round(length_s * audio.sample_rate)
    starts = list(range(0, audio.frames, frames))
    if len(starts) > 1 and audio.frames - starts[-1] < LEAST_SHARE * frames:
        starts.pop()
    if len(starts) > MOST_WINDOWS:
        starts = [
            starts[index] for index in np.linspace(0, len(starts) - 1, MOST_WINDOWS).round().astype(int)
        ]
    found = []
    for start in starts:
        mono = audio.samples[:, start : start + frames].mean(axis=0, dtype=np.float32)
        at_rate = resample(Audio(mono[None, :], audio.sample_rate), sample_rate).samples[0]
        found.append(np.ascontiguousarray(at_rate[: round(length_s * sample_rate)]))
    return found


def _vectors(out: Any) -> NDArray[np.float64]:
    """Return the vectors that a model's answer holds, whichever release of `transformers` gives it."""
    pooled = getattr(out, "pooler_output", out)
    return np.asarray(pooled.float().cpu().numpy(), np.float64)


def _unit(vector: NDArray[np.float64]) -> Vectors:
    return (vector / max(float(np.linalg.norm(vector)), 1e-12)).astype(np.float32)
