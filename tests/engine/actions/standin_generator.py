"""A generator without weights: plays a small band at a tempo of its own choosing, for each seed another."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from engine.audio import Audio
from engine.backends import Backends, Choice
from engine.generation.musicgen.sampling import Sampling
from engine.generation.protocol import GeneratorInfo, Wish
from engine.models import InstalledModel, ModelCard, ModelStore
from engine.progress import SILENT, Monitor
from tests.songs import song_stems

RATE = 32000


def band(bpm: float, seconds: float, *, stereo: bool = False) -> Audio:
    """Return `seconds` of drums, bass and chords at a tempo, starting with bar 1."""
    bars = int(np.ceil(seconds * bpm / 240)) + 1
    stems = song_stems(bpm=bpm, bars=bars, rate=RATE)
    mix = np.asarray(sum(stems[role] for role in ("drums", "bass", "other")))
    mix = mix if stereo else mix.mean(axis=0, keepdims=True)
    return Audio(np.ascontiguousarray(mix[:, : round(seconds * RATE)], dtype=np.float32), RATE)


def noise(seconds: float, seed: int) -> Audio:
    """Return `seconds` of noise."""
    made = np.random.default_rng(seed).normal(size=(1, round(seconds * RATE))) * 0.1
    return Audio(made.astype(np.float32), RATE)


@dataclass
class StandIn:
    """Follows `Generator`. `tempo_of` tells the tempo that a seed plays; None is noise."""

    tempo_of: Callable[[int], float | None]
    follows_melody: bool = True
    device: str = ""
    batches: list[list[int]] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)

    @property
    def info(self) -> GeneratorInfo:
        """What it is."""
        return GeneratorInfo(
            name="stand-in",
            version="1",
            description="a small band",
            model="band",
            revision="r1",
            licence="CC0-1.0",
            commercial_use=True,
            follows_melody=self.follows_melody,
        )

    def takes(self, wishes: Sequence[Wish], sampling: Sampling, monitor: Monitor = SILENT) -> list[Audio]:
        """Play each wish at its seed's tempo."""
        self.device = "cpu (by hand)"
        self.batches.append([sampling.seed + row for row in range(len(wishes))])
        self.wishes += wishes
        made = []
        for row, wish in enumerate(wishes):
            monitor.report(row / len(wishes))
            tempo = self.tempo_of(sampling.seed + row)
            made.append(
                noise(wish.duration_s, sampling.seed + row) if tempo is None else band(tempo, wish.duration_s)
            )
        return made


class StandInBackends(Backends):
    """Backends that always choose the stand-in to generate."""

    def __init__(self) -> None:
        super().__init__(ModelStore(Path("nowhere")), separate="spectral")

    def generator(self, *, melody: bool = False) -> Choice:
        """Return the stand-in."""
        card = ModelCard(
            name="band",
            task="generate",
            family="musicgen",
            repo="",
            files=(),
            licence="CC0-1.0",
            commercial=True,
            size_bytes=0,
            needs_bytes=0,
            description="a small band",
            melody=True,
        )
        return Choice("generate", "musicgen", "a test", InstalledModel(card, Path("nowhere"), "r1", {}))
