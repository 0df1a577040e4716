"""Decoding codes while they are written, window by window, with what a decoder hears to the left and right.

A neural decoder such as EnCodec's hears a little to the right (its convolutions reach over a few frames) and a while to
the left (its recurrent layers remember). So each window is decoded together with frames before it, whose audio is
thrown away, and waits for a few frames after it. Neighbours are cross-faded over a few milliseconds before their seam,
where both have heard enough on either side. Outside the fades the audio is that of decoding everything at once, as
exactly as the decoder forgets over the left context; A. Défossez et al., "High fidelity neural audio compression"
(2022), describes the decoder.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Samples

Codes = NDArray[np.int64]
Decode = Callable[[Codes], NDArray[np.float32]]
"""Codes (1, K, T) to audio (1, channels, T * samples a frame)."""
AHEAD_FRAMES = 4
"""How far the decoder's convolutions reach to the right, 3 frames, and less at higher rates."""


@dataclass(frozen=True, slots=True)
class Windows:
    """How a stream of codes is cut: frames that are new in a window, frames of left context, samples of cross-fade.

    The first window has `first` new frames, so that something is heard soon; each has twice as many as the one before
    it, up to `new`.
    """

    first: int
    new: int
    context: int
    fade_samples: int
    ahead: int = AHEAD_FRAMES


def decoded(
    frames: Iterable[Codes], decode: Decode, frame_samples: int, channels: int, cut: Windows
) -> Iterator[Samples]:
    """Yield audio (channels, samples) of code frames (K,) as they come; an empty chunk for each that gives none yet.

    Args:
        frames: Code frames in time order.
        decode: Decodes a batch of one.
        frame_samples: Samples of one frame.
        channels: Channels of the audio.
        cut: The windows. The fade must not be longer than a frame; there must be a frame of context.
    """
    seam = _Seam(cut.fade_samples)
    heard: list[Codes] = []
    dropped = done = 0
    wanted = cut.first
    nothing: Samples = np.zeros((channels, 0), dtype=np.float32)

    def window(upto: int) -> Samples:
        nonlocal dropped
        keep_from = max(0, done - cut.context)
        del heard[: keep_from - dropped]
        dropped = keep_from
        audio = decode(np.stack(heard, axis=-1)[None])[0]
        return seam.joined(audio, (done - dropped) * frame_samples, (upto - dropped) * frame_samples)

    for frame in frames:
        heard.append(frame)
        if dropped + len(heard) >= done + wanted + cut.ahead:
            chunk = window(done + wanted)
            done, wanted = done + wanted, min(2 * wanted, cut.new)
            yield chunk
        else:
            yield nothing
    end = dropped + len(heard)
    if end > done:
        yield window(end)
    if end:
        yield seam.rest()


class _Seam:
    """Holds back the end of each window, and fades it into the next one's version of the same moment."""

    def __init__(self, fade_samples: int) -> None:
        rise = np.sin(0.5 * np.pi * (np.arange(fade_samples) + 0.5) / max(1, fade_samples)) ** 2
        self._rise = rise.astype(np.float32)
        self._held: Samples = np.zeros((0, 0), dtype=np.float32)
        self._is_first = True

    def joined(self, audio: Samples, start: int, end: int) -> Samples:
        """Return what is final of `audio` from `start` to `end` (samples), led into from the window before."""
        fade = len(self._rise)
        if self._is_first:
            self._is_first, lead = False, audio[:, :0]
        else:
            again = audio[:, start - fade : start]
            lead = self._held + (again - self._held) * self._rise
        self._held = audio[:, end - fade : end]
        return np.concatenate([lead, audio[:, start : end - fade]], axis=1)

    def rest(self) -> Samples:
        """Return what is still held back."""
        return self._held
