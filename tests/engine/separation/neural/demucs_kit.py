"""What the tests of separation by Demucs share: sounds, Demucs' own answer, and small ways to ask for ours."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.audio.buffer import Audio

RATE = 44100


def sound(seconds: float, rate: int = RATE, channels: int = 2, seed: int = 0) -> Audio:
    """Return tones and noise with a little offset, each channel its own."""
    rng = np.random.default_rng(seed)
    at_s = np.arange(int(seconds * rate)) / rate
    rows = [
        0.2 * np.sin(2 * np.pi * (220 + 60 * channel) * at_s) + 0.05 * rng.standard_normal(at_s.size) + 0.01
        for channel in range(channels)
    ]
    return Audio(np.array(rows, np.float32), rate)


def stock(
    models: Sequence[Any],
    audio: Audio,
    monkeypatch: pytest.MonkeyPatch,
    *,
    weights: list[list[float]] | None = None,
    origins: Sequence[int] = (),
    **options: Any,
) -> dict[str, NDArray[np.float32]]:
    """Return what the `demucs` package gives, with the shifts that `origins` (frames, at most 0) stand for."""
    import torch
    from demucs.apply import BagOfModels, apply_model

    drawn = iter([origin + RATE // 2 for origin in origins])
    monkeypatch.setattr(random, "randint", lambda _low, _high: next(drawn))
    wave = torch.from_numpy(audio.samples)
    mono = wave.mean(0)
    mean, deviation = mono.mean(), mono.std() + 1e-8
    shifts = len(origins) // len(models)
    out = apply_model(
        BagOfModels(list(models), weights), ((wave - mean) / deviation)[None], shifts=shifts, **options
    )
    return {
        source: stem.numpy()
        for source, stem in zip(models[0].sources, out[0] * deviation + mean, strict=True)
    }


def difference_db(ours: dict[str, Audio], theirs: dict[str, NDArray[np.float32]]) -> float:
    """Return the worst rms(ours - theirs) / rms(theirs) of all stems."""
    return max(
        float(
            10
            * np.log10(
                (((ours[role].samples.astype(np.float64) - stem) ** 2).sum() + 1e-30)
                / (stem.astype(np.float64) ** 2).sum()
            )
        )
        for role, stem in theirs.items()
    )


def files_of(folder: Path) -> list[str]:
    """Return the names of all files below a folder, sorted."""
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())
