"""Fitting audio to another timeline: beats of the recording go to new beats, pitch and formants stay.

The way: the sound between silences is cut into phrases; each is stretched along the time map by Rubber Band
R3 in one pass (`engine.sync.rubber_band`) with context on both sides, side by side on the processor's cores;
the pieces are joined on the new timeline (`engine.sync.joining`); and what came out is measured
(`engine.sync.residual`).

Channels that are one signal at different levels (a mono voice, also panned) are stretched once. Others are
stretched together with their phases locked.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio
from engine.errors import NrxError
from engine.progress import SILENT, Monitor
from engine.sync.joining import Timeline
from engine.sync.phrases import Phrase, phrases
from engine.sync.residual import residual
from engine.sync.rubber_band import stretched
from engine.sync.time_map import TimeMap

IDENTITY = 1e-3
IDENTITY_DRIFT_S = 2e-3
CONTEXT_S = 0.3
POLL_S = 0.1
MOST_WORKERS = 4
ONE_SIGNAL_DB = -60.0
MOST_SEMITONES = 12.0
LOWEST_RATE = 32000
"""R3's hops do not shrink with the rate: below this, audio is stretched at a multiple of its rate."""

Stretched = tuple[NDArray[np.float32], int]
"""A stretched piece, and the frame of the new timeline that its first frame lies on."""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What fitting did.

    `stretch_*` are new lengths over old ones (1.25 is a quarter longer), the mean over the whole recording.
    `residual_*_ms` say how far onsets in the output lie from where they should, measured on the output; None
    where nothing was stretched or no clear onset was found. `engine` names what stretched, "none" where
    nothing did.
    """

    engine: str
    stretch_min: float
    stretch_mean: float
    stretch_max: float
    pitch_semitones: float
    residual_median_ms: float | None
    residual_worst_ms: float | None
    onsets_measured: int


def conform(
    audio: Audio,
    source_beats_s: Sequence[float] | NDArray[Any],
    target_beats_s: Sequence[float] | NDArray[Any],
    *,
    pitch_semitones: float = 0.0,
    length_frames: int | None = None,
    preserve_formants: bool = True,
    monitor: Monitor = SILENT,
) -> tuple[Audio, SyncReport]:
    """Return `audio` with what sounds at `source_beats_s` moved to `target_beats_s` (seconds, rising).

    The output has `length_frames` frames, by default as many as the whole input takes on the new timeline.
    Where the map moves nothing (within 0.1 %, and 2 ms over all) and pitch stays, the samples are handed
    back as they are, if need be later or earlier by whole frames. A pitch change keeps formants if
    `preserve_formants`.

    Raises:
        NrxError: `request.invalid` for impossible beats or pitch.
        Cancelled: soon after the job was cancelled.
    """
    if not abs(pitch_semitones) <= MOST_SEMITONES:
        raise NrxError(
            "request.invalid",
            f"pitch_semitones is {pitch_semitones!r}; it lies between -{MOST_SEMITONES:g} and "
            f"{MOST_SEMITONES:g}.",
        )
    time_map = TimeMap.of(source_beats_s, target_beats_s)
    end_s = max(audio.duration_s, 1.0 / audio.sample_rate)
    new_end_s = float(time_map.target(np.array(end_s)))
    length = max(round(new_end_s * audio.sample_rate), 0) if length_frames is None else length_frames
    monitor.report(0.0)
    shift_s = time_map.shift_s(0.0, end_s, slope=IDENTITY, seconds=IDENTITY_DRIFT_S)
    if shift_s is not None and pitch_semitones == 0.0:
        if length_frames is None and abs(shift_s) <= IDENTITY_DRIFT_S:
            length = audio.frames
        return _moved(audio, shift_s, length), SyncReport("none", 1.0, 1.0, 1.0, 0.0, None, None, 0)
    core, spread = _one_signal(audio.samples)
    fine = max(1, -(-LOWEST_RATE // audio.sample_rate))
    fitted = _resampled(
        _stretched_phrases(
            _resampled(core, audio.sample_rate, fine * audio.sample_rate),
            fine * audio.sample_rate,
            time_map,
            fine * length,
            pitch_semitones,
            preserve_formants,
            monitor.part(0.0, 0.95),
        ),
        fine * audio.sample_rate,
        audio.sample_rate,
    )
    measured = residual(core, fitted, audio.sample_rate, time_map)
    slopes = time_map.slopes(0.0, end_s)
    output = fitted if spread is None else spread[:, None] * fitted
    monitor.report(1.0)
    return audio.with_samples(output), SyncReport(
        engine="Rubber Band R3 (pedalboard)",
        stretch_min=float(slopes.min()),
        stretch_mean=(new_end_s - float(time_map.target(np.array(0.0)))) / end_s,
        stretch_max=float(slopes.max()),
        pitch_semitones=pitch_semitones,
        residual_median_ms=measured.median_ms,
        residual_worst_ms=measured.worst_ms,
        onsets_measured=measured.onsets,
    )


def _moved(audio: Audio, shift_s: float, length: int) -> Audio:
    """`audio` later by `shift_s`, rounded to whole frames (none if within the identity's drift)."""
    shift = 0 if abs(shift_s) <= IDENTITY_DRIFT_S else round(shift_s * audio.sample_rate)
    if shift == 0 and length == audio.frames:
        return audio
    output = np.zeros((audio.channels, length), dtype=np.float32)
    first, last = max(shift, 0), min(shift + audio.frames, length)
    if last > first:
        output[:, first:last] = audio.samples[:, first - shift : last - shift]
    return audio.with_samples(output)


def _one_signal(samples: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Return the one signal (1, frames) that all channels are made of and its levels, or all channels and None.

    The test is on principal components: what the first leaves out must lie 60 dB below it.
    """
    if samples.shape[0] == 1 or samples.shape[1] == 0:
        return samples, None
    covariance = np.zeros((samples.shape[0], samples.shape[0]))
    for first in range(0, samples.shape[1], 1 << 18):
        block = samples[:, first : first + (1 << 18)].astype(np.float64)
        covariance += block @ block.T
    values, vectors = np.linalg.eigh(covariance)
    if values[:-1].sum() > values[-1] * 10.0 ** (ONE_SIGNAL_DB / 10.0):
        return samples, None
    level = vectors[:, -1].astype(np.float32)
    level *= np.sign(level[np.argmax(np.abs(level))])
    # Scaled so that the signal is as loud as its loudest channel: silence is told by level.
    level /= np.abs(level).max()
    one: NDArray[np.float32] = (level @ samples / np.float32(level @ level))[None, :]
    return one, level


def _stretched_phrases(
    samples: NDArray[np.float32],
    sample_rate: int,
    time_map: TimeMap,
    length: int,
    pitch_semitones: float,
    preserve_formants: bool,
    monitor: Monitor,
) -> NDArray[np.float32]:
    pieces = phrases(samples, sample_rate)
    timeline = Timeline(samples.shape[0], length, sample_rate)
    context = round(CONTEXT_S * sample_rate)

    def stretch(piece: Phrase) -> Stretched:
        first, last = piece.start - context, piece.end + context
        with_context = _with_zeros(samples, first, last)
        target_frames = time_map.target(np.arange(first, last) / sample_rate) * sample_rate
        return stretched(
            with_context,
            sample_rate,
            target_frames,
            pitch_semitones=pitch_semitones,
            preserve_formants=preserve_formants,
        )

    total = sum(piece.end - piece.start for piece in pieces)
    done, previous_end = 0, 0
    for piece, (output, output_from) in _in_order(pieces, stretch, monitor):
        start, end = (
            round(float(at) * sample_rate)
            for at in time_map.target(np.array([piece.start, piece.end]) / sample_rate)
        )
        if not piece.joins_before:
            timeline.finish_phrase(previous_end)
        timeline.lay(output, output_from, start, end, joins_before=piece.joins_before)
        previous_end = end
        done += piece.end - piece.start
        monitor.report(done / total)
    timeline.finish_phrase(previous_end)
    return timeline.samples


def _in_order(
    pieces: Sequence[Phrase],
    work: Callable[[Phrase], Stretched],
    monitor: Monitor,
) -> Iterator[tuple[Phrase, Stretched]]:
    """Do `work` on all pieces on a few threads, and hand over the results in order; hears a cancel while it waits."""
    workers = min(MOST_WORKERS, os.cpu_count() or 1)
    pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="stretch")
    waiting: deque[tuple[Phrase, Future[Stretched]]] = deque()
    coming = iter(pieces)
    try:
        while True:
            while len(waiting) < 2 * workers and (piece := next(coming, None)) is not None:
                waiting.append((piece, pool.submit(work, piece)))
            if not waiting:
                return
            piece, future = waiting.popleft()
            yield piece, _result(future, monitor)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _result(future: Future[Stretched], monitor: Monitor) -> Stretched:
    while True:
        try:
            return future.result(timeout=POLL_S)
        except NotYet:
            monitor.check()


def _resampled(samples: NDArray[np.float32], rate: int, new_rate: int) -> NDArray[np.float32]:
    if new_rate == rate:
        return samples
    import soxr

    resampled: NDArray[np.float32] = np.ascontiguousarray(
        soxr.resample(samples.T, rate, new_rate, quality="VHQ").T
    )
    return resampled


def _with_zeros(samples: NDArray[np.float32], first: int, last: int) -> NDArray[np.float32]:
    """Frames `first` to `last` of `samples`, zero beyond its ends."""
    inside = samples[:, max(first, 0) : min(last, samples.shape[1])]
    before, after = max(-first, 0), max(last - max(samples.shape[1], first), 0)
    padded: NDArray[np.float32] = np.pad(inside, ((0, 0), (before, after)))
    return padded
