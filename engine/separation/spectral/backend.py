"""Backend `spectral`: masks on the short-time spectrum; nothing learned, nothing downloaded."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio, Samples
from engine.progress import SILENT, Monitor
from engine.separation.collect import collect
from engine.separation.protocol import SeparatorInfo, StemBlock
from engine.separation.spectral.masks import Planner
from engine.separation.spectral.stft import Spectrum, Synthesis, analyse
from engine.separation.spectral.survey import survey

MASKED = ("vocals", "drums", "bass")
"""The stems that are made by masks; `other` is the remainder."""

INFO = SeparatorInfo(
    name="spectral",
    version="3",
    description="Masks on the short-time spectrum: drum templates, place in the stereo image, sung and bass pitch.",
    grade="karaoke-grade",
    licence="GPL-3.0-or-later",
)


class SpectralSeparator:
    """Separation into vocals, drums, bass and other by masks that sum to one. `karaoke-grade`."""

    info = INFO

    def stream(self, audio: Audio, monitor: Monitor = SILENT) -> Iterator[StemBlock]:
        """Yield consecutive blocks of the four stems, which sum to the mix within float32 rounding."""
        found = survey(audio, monitor.part(0.0, 0.2))
        framing = found.framing
        planner = Planner(found, monitor.part(0.2, 0.5))
        synthesis = {role: Synthesis(framing, audio.channels) for role in MASKED}
        masking = monitor.part(0.5, 1.0)
        position = 0
        step = framing.block(audio.channels)
        for start in range(0, framing.count, step):
            stop = min(framing.count, start + step)
            masks = planner.masks(start, stop)
            masking.report((start + stop) / 2 / framing.count)
            spectrum = analyse(audio.samples, framing, start, stop)
            stems = {
                role: synthesis[role].add(_masked(spectrum, found.bands.spread(masks[role])))
                for role in MASKED
            }
            masking.report(stop / framing.count)
            length = stems[MASKED[0]].shape[1]
            if length:
                stems["other"] = _remainder(audio.samples[:, position : position + length], stems)
                position += length
                yield stems

    def separate(self, audio: Audio, monitor: Monitor = SILENT) -> dict[str, Audio]:
        """Return the four stems at full length."""
        return collect(self.stream(audio, monitor), audio, self.info.stems)


def _masked(spectrum: Spectrum, mask: NDArray[np.float32]) -> Spectrum:
    product: Spectrum = spectrum * mask
    return product


def _remainder(mix: Samples, stems: StemBlock) -> Samples:
    rest = mix.astype(np.float64)
    for stem in stems.values():
        rest -= stem
    return rest.astype(np.float32)
