"""Room, plate and delay as impulse responses, and their convolution with a stream.

Room and plate are decaying noise whose high bands die first, one for each side and the same at every run; a room has a
few early reflections before. The delay is a row of echoes that cross sides, each darker than the one before. A send is
mono (the middle of what is sent), and comes back in stereo, without the dry sound.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.audio.fourier import irfft
from engine.audio.recursive import butterworth, filtered
from engine.audio.spectra import fast_length, padded_rfft
from engine.mixing.session.strips import Send

LATE_BANDS: tuple[tuple[float, float], ...] = ((200.0, 1.15), (800.0, 1.0), (2500.0, 0.8), (7000.0, 0.5))
"""Upper edge of a band and its decay relative to the whole; above the last, a quarter."""
TOP_DECAY = 0.28
EARLY_MS: tuple[tuple[float, float, float], ...] = (
    (7.1, 0.7, 0.2), (11.3, 0.2, 0.6), (17.9, 0.5, 0.15), (23.7, 0.15, 0.45), (31.3, 0.3, 0.3),
)  # fmt: skip
"""Early reflections of a room: delay, left, right."""
SEED = {"room": 11, "plate": 23}
ROWS = 4
AUDIBLE = 10.0 ** (-60.0 / 20.0)


@lru_cache(maxsize=12)
def impulse_response(name: str, send: Send, sample_rate: int) -> NDArray[np.float32]:
    """Return the stereo response of a send, shape (2, frames), of unit energy a side for reverbs."""
    return _echoes(send, sample_rate) if name == "delay" else _tail(name, send, sample_rate)


def _tail(name: str, send: Send, rate: int) -> NDArray[np.float32]:
    frames = int(1.1 * send.decay_s * rate)
    noise = np.random.Generator(np.random.PCG64(SEED[name])).standard_normal((2, frames))
    time = np.arange(frames) / rate
    shaped = np.zeros((2, frames))
    rest = noise
    for edge, relative in LATE_BANDS:
        if edge >= 0.45 * rate:
            break
        low = filtered(butterworth(2, edge, "lowpass", rate), rest)
        shaped += low * np.exp(-6.91 * time / (send.decay_s * relative))
        rest = rest - low
    shaped += rest * np.exp(-6.91 * time / (send.decay_s * TOP_DECAY))
    if name == "room":
        late = round(0.02 * rate)
        shaped[:, :late] *= np.linspace(0.0, 1.0, late)
        scale = np.sqrt(np.square(shaped).sum(axis=1)).mean()
        for at_ms, left, right in EARLY_MS:
            at = round(at_ms * rate / 1000.0)
            if at < frames:
                shaped[:, at] += np.array((left, right)) * scale
    shaped = _coloured(shaped, send, rate)
    shaped /= np.sqrt(np.square(shaped).sum(axis=1, keepdims=True))
    return _delayed(shaped, send.pre_delay_ms, rate)


def _echoes(send: Send, rate: int) -> NDArray[np.float32]:
    step = max(1, round(send.delay_ms * rate / 1000.0))
    count = 1
    while count < 16 and send.feedback**count > AUDIBLE * 30.0:
        count += 1
    # Room for the filters' response behind the last echo.
    out = np.zeros((2, count * step + rate // 20))
    echo = np.zeros(rate // 20)
    echo[0] = 1.0
    for number in range(count):
        echo = _coloured(echo[None], send, rate)[0]
        at = (number + 1) * step
        near = number % 2
        level = send.feedback**number
        out[near, at : at + len(echo)] += level * echo[: out.shape[1] - at]
        out[1 - near, at : at + len(echo)] += 0.25 * level * echo[: out.shape[1] - at]
    return np.asarray(out, dtype=np.float32)


def _coloured(response: NDArray[np.float64], send: Send, rate: int) -> NDArray[np.float64]:
    made = filtered(butterworth(1, send.low_cut_hz, "highpass", rate), response)
    if send.high_cut_hz < 0.45 * rate:
        made = filtered(butterworth(1, send.high_cut_hz, "lowpass", rate), made)
    return np.asarray(made)


def _delayed(response: NDArray[np.float64], by_ms: float, rate: int) -> NDArray[np.float32]:
    silence = np.zeros((2, round(by_ms * rate / 1000.0)))
    return np.concatenate((silence, response), axis=1).astype(np.float32)


class Convolver:
    """Convolves a mono stream with a stereo response by overlap-add in blocks of `block_frames`.

    A block is transformed in `ROWS` rows side by side, for which the FFT can use the processor's vectors: that is
    twice as fast as one long row.
    """

    def __init__(self, response: NDArray[np.float32], block_frames: int) -> None:
        self._row_frames = -(-block_frames // ROWS)
        self._reach = response.shape[1] - 1
        self._size = fast_length(self._row_frames + self._reach)
        self._spectrum = padded_rfft(response, self._size).astype(np.complex64)[:, None]
        self._tail = np.zeros((2, self._reach), np.float32)

    def feed(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what comes back during a block (frames,): shape (2, frames)."""
        frames = len(block)
        out = np.zeros((2, frames + self._reach), np.float32)
        out[:, : self._reach] = self._tail
        if block.any():
            rows = np.zeros((ROWS, self._row_frames), np.float32)
            rows.reshape(-1)[:frames] = block
            made = irfft(padded_rfft(rows, self._size) * self._spectrum, self._size)
            for row, start in enumerate(range(0, frames, self._row_frames)):
                place = out[:, start : start + self._row_frames + self._reach]
                place += made[:, row, : place.shape[1]]
        self._tail = out[:, frames:].copy()
        return out[:, :frames]
