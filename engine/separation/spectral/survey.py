"""The first look at the whole song: its spectrum on the bands, in bytes, in and off the centre, and its onsets."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio
from engine.progress import Monitor
from engine.separation.spectral.bands import Bands
from engine.separation.spectral.image import Image
from engine.separation.spectral.levels import BytePlane, encode
from engine.separation.spectral.onsets import Flux
from engine.separation.spectral.stft import Framing, analyse


@dataclass(frozen=True, slots=True)
class Survey:
    """What the first look found. Planes are (frames, bands); onsets are positions in frames, not rounded."""

    framing: Framing
    bands: Bands
    image: Image
    centre: BytePlane
    side: BytePlane
    onsets: NDArray[np.float64]


def survey(audio: Audio, monitor: Monitor) -> Survey:
    """Look at the whole song once."""
    framing = Framing.of(audio.sample_rate, audio.frames)
    bands = Bands(framing)
    image = Image.of(audio.samples)
    peak = max(1e-9, float(audio.samples.max()), -float(audio.samples.min()))
    flux = Flux(audio.sample_rate, audio.frames, peak)
    centre = np.zeros((framing.count, bands.count), dtype=np.uint8)
    side = np.zeros_like(centre)
    novelty = np.zeros(flux.framing.count, dtype=np.float32)
    reference = np.float32((2 / (peak * framing.window_length)) ** 2)
    looking = monitor.part(0.0, 0.8)
    step = framing.block(audio.channels)
    for start in range(0, framing.count, step):
        stop = min(framing.count, start + step)
        powers = image.powers(analyse(audio.samples, framing, start, stop))
        for plane, power in zip((centre, side), powers, strict=True):
            plane[start:stop] = encode(np.sqrt(bands.gather(power) * reference))
        looking.report(stop / framing.count)
    listening = monitor.part(0.8, 1.0)
    step = flux.framing.block(audio.channels)
    for start in range(0, len(novelty), step):
        stop = min(len(novelty), start + step)
        novelty[start:stop] = flux.between(audio.samples, start, stop)
        listening.report(stop / len(novelty))
    onsets = flux.onsets_s(novelty) * framing.frame_rate + 1
    return Survey(framing, bands, image, centre, side, onsets)
