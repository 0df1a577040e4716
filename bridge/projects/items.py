"""Audio items on a timeline in seconds, laid into one file: copied to the sample where nothing moves time or pitch.

An item plays `source` from `offset_s` on at `rate`; with `loops` the source starts over where it ends, else silence
follows. A rate without `keeps_pitch` moves the pitch as a tape does; everything else that moves time or pitch goes
through Rubber Band R3, in time, though not with the DAW's own sound. A pan turns the other side down.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.audio import (
    Audio,
    AudioInfo,
    Limits,
    best_subtype,
    probe,
    read_audio,
    resample,
    to_stereo,
    write_wav,
)
from engine.errors import NrxError

Samples = NDArray[np.float32]
Channels = Literal["as_they_are", "swapped", "mono", "left", "right"]
CHANNEL_MODES: tuple[Channels, ...] = ("as_they_are", "swapped", "mono", "left", "right")
RIM_S = 0.25
"""Audio beyond a piece's ends that the stretching hears as well."""
SAME = 1e-9
MOST_PASSES = 100_000


@dataclass(frozen=True, slots=True)
class SourcePart:
    """A file, or the part of it from `start_s` on that is `length_s` long; played backwards if `is_reversed`."""

    file: Path
    start_s: float = 0.0
    length_s: float | None = None
    is_reversed: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """An item; see the module. `gain` is linear, negative if the polarity is turned; fades are in seconds."""

    source: SourcePart
    start_s: float
    length_s: float
    offset_s: float = 0.0
    rate: float = 1.0
    keeps_pitch: bool = True
    semitones: float = 0.0
    loops: bool = False
    channels: Channels = "as_they_are"
    gain: float = 1.0
    pans: tuple[float, ...] = ()
    fade_in_s: float = 0.0
    fade_out_s: float = 0.0
    fade_in_shape: int = 0
    fade_out_shape: int = 0

    @property
    def end_s(self) -> float:
        """Where it ends."""
        return self.start_s + self.length_s

    @property
    def is_plain(self) -> bool:
        """Whether its samples are those of its file."""
        return self.gain == 1 and not any(self.pans) and self.rate == 1 and self.semitones == 0


def write_items(items: Sequence[Item], target: Path, limits: Limits) -> float:
    """Write what items play as a WAV from the first one's start to the last one's end; return that start in seconds.

    It lies on a whole frame of the rate of the first item's file, and is in the file as its time reference (BWF).

    Raises:
        NrxError: any `input.*`, `output.*`.
    """
    infos = {file: _probed(file) for file in dict.fromkeys(item.source.file for item in items)}
    for info in infos.values():
        limits.check(info)
    lead = infos[items[0].source.file]
    rate = lead.sample_rate
    first = round(max(0.0, min(item.start_s for item in items)) * rate)
    frames = round(max(item.end_s for item in items) * rate) - first
    if frames <= 0:
        raise NrxError("input.empty", "The track's items lie before the start of the project; move them.")
    if frames > limits.max_frames(rate, 2):
        raise NrxError("input.too_long", f"The track is {frames / rate / 60:.0f} minutes long; send a part.")
    channels = 1 if _are_mono(items, infos) else 2
    mix = np.zeros((channels, frames), np.float32)
    for file in infos:
        audio = read_audio(file, limits=limits)
        audio = audio if audio.sample_rate == rate else resample(audio, rate)
        for item in items:
            if item.source.file == file:
                _lay(mix, first, item, audio)
    plain = len(items) == 1 and items[0].is_plain
    write_wav(target, Audio(mix, rate), best_subtype(lead) if plain else "FLOAT", time_reference_frames=first)
    return first / rate


def _probed(file: Path) -> AudioInfo:
    try:
        return probe(file)
    except NrxError as error:
        if error.code != "input.not_found":
            raise
        raise NrxError(
            error.code,
            f'The track plays "{file}", which is not on this computer; have the project collect its files into its '
            "folder (in Live: Collect All and Save), and save it again.",
        ) from None


def _are_mono(items: Sequence[Item], infos: dict[Path, AudioInfo]) -> bool:
    return all(infos[item.source.file].channels == 1 and not any(item.pans) for item in items)


def _lay(mix: Samples, first: int, item: Item, audio: Audio) -> None:
    """Add an item to the mix; `first` is the frame of the project at which the mix starts."""
    rate = audio.sample_rate
    start, end = (round(at * rate) - first for at in (item.start_s, item.end_s))
    source = _part(_chosen(audio, item.channels, mix.shape[0]), item.source, rate)
    sound = np.zeros((mix.shape[0], max(0, end - start)), np.float32)
    for at, until, content_s in _passes(item, source.shape[1] / rate):
        left, right = round(at * rate), min(sound.shape[1], round(until * rate))
        if left < right:
            sound[:, left:right] = _played(source, rate, item, content_s, right - left)
    for pan in item.pans:
        if pan and mix.shape[0] == 2:
            sound[0] *= np.float32(min(1.0, 1.0 - pan))
            sound[1] *= np.float32(min(1.0, 1.0 + pan))
    sound *= np.float32(item.gain)
    _fade(sound, round(item.fade_in_s * rate), item.fade_in_shape)
    _fade(sound[:, ::-1], round(item.fade_out_s * rate), item.fade_out_shape)
    left, right = max(0, start), min(mix.shape[1], end)
    if left < right:
        mix[:, left:right] += sound[:, left - start : right - start]


def _chosen(audio: Audio, channels: Channels, count: int) -> Samples:
    """Return the channels that an item plays, `count` of them."""
    samples = (audio if count == 1 else to_stereo(audio)).samples
    if count == 1 or channels == "as_they_are":
        return samples
    if channels == "swapped":
        return samples[::-1]
    one = samples.mean(axis=0) if channels == "mono" else samples[0 if channels == "left" else 1]
    return np.stack([one, one]).astype(np.float32)


def _part(samples: Samples, source: SourcePart, rate: int) -> Samples:
    start = round(source.start_s * rate)
    stop = samples.shape[1] if source.length_s is None else start + round(source.length_s * rate)
    part = _copied(samples, start, max(0, stop - start))
    return part[:, ::-1] if source.is_reversed else part


def _passes(item: Item, source_s: float) -> Iterator[tuple[float, float, float]]:
    """Yield (start in the item, its end, place in the source) of each uninterrupted run, in seconds."""
    if not item.loops or source_s <= 0:
        yield 0.0, item.length_s, item.offset_s
        return
    at, content = 0.0, item.offset_s % source_s
    for _ in range(MOST_PASSES):
        until = min(item.length_s, at + (source_s - content) / item.rate)
        yield at, until, content
        if until >= item.length_s - SAME:
            return
        at, content = until, 0.0


def _played(source: Samples, rate: int, item: Item, content_s: float, frames: int) -> Samples:
    """Return `frames` frames of a source from `content_s` on, as an item plays them."""
    start = content_s * rate
    moves_pitch = 0.0 if item.keeps_pitch else 12.0 * np.log2(item.rate)
    if item.rate == 1.0 and item.semitones == 0:
        return _copied(source, round(start), frames)
    if not item.keeps_pitch and item.semitones == 0:
        return _resampled(source, start, item.rate, frames)
    return _stretched(source, rate, start, item.rate, item.semitones + moves_pitch, frames)


def _copied(samples: Samples, begin: int, frames: int) -> Samples:
    """Return `frames` frames from `begin` on, with silence around the file."""
    out = np.zeros((samples.shape[0], frames), np.float32)
    left, right = max(0, begin), min(samples.shape[1], begin + frames)
    if left < right:
        out[:, left - begin : right - begin] = samples[:, left:right]
    return out


def _resampled(samples: Samples, start: float, speed: float, frames: int) -> Samples:
    """Return `frames` frames that run through the samples at `speed`, band-limited (soxr)."""
    import soxr

    rim = 64 / speed if speed < 1 else 64
    begin = int(np.floor(start - rim * speed))
    needed = _copied(samples, begin, int(np.ceil((frames + 2 * rim) * speed)) + 2)
    # soxr takes rates: `speed` frames of the source become one.
    played = soxr.resample(needed.T.astype(np.float64), speed, 1.0, quality="VHQ").T
    at = (start - begin) / speed
    whole = int(np.floor(at))
    x = np.float32(at - whole)
    a, b, c, d = (_copied(played.astype(np.float32), whole + k, frames) for k in (-1, 0, 1, 2))
    cubic = b + 0.5 * x * (c - a + x * (2 * a - 5 * b + 4 * c - d + x * (3 * (b - c) + d - a)))
    return cubic.astype(np.float32)


def _stretched(
    samples: Samples, rate: int, start: float, speed: float, semitones: float, frames: int
) -> Samples:
    from engine.sync.rubber_band import stretched

    rim = round(RIM_S * rate)
    low = max(0, int(start) - rim)
    high = min(samples.shape[1], int(np.ceil(start + speed * frames)) + rim)
    out = np.zeros((samples.shape[0], frames), np.float32)
    if high - low < 64:
        return out
    targets = (np.arange(low, high, dtype=np.float64) - start) / speed
    piece = np.ascontiguousarray(samples[:, low:high])
    played, at = stretched(piece, rate, targets, pitch_semitones=semitones, preserve_formants=False)
    left, right = max(0, at), min(frames, at + played.shape[1])
    if left < right:
        out[:, left:right] = played[:, left - at : right - at]
    return out


def _fade(sound: Samples, frames: int, shape: int) -> None:
    """Fade in over so many frames, in place. Shapes as REAPER numbers them: straight, fast or slow start, S-curves."""
    count = min(sound.shape[1], frames)
    if count <= 0:
        return
    x = (np.arange(count, dtype=np.float64) + 0.5) / count
    curves = (
        x,
        1 - (1 - x) ** 2,
        x**2,
        1 - (1 - x) ** 4,
        x**4,
        x * x * (3 - 2 * x),
        x**3 * (10 - 15 * x + 6 * x * x),
    )
    sound[:, :count] *= curves[shape if 0 <= shape < len(curves) else 0].astype(np.float32)


def written(items: Sequence[Item], name: str, folder: Path, limits: Limits) -> tuple[Path, float]:
    """Write items into a folder of kept inputs (`bridge.inputs.Snapshots`); return the file and its start in seconds.

    Raises:
        NrxError: as `write_items`.
    """
    from bridge.inputs import Snapshots

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".track-") as scratch:
        file = Path(scratch) / "track.wav"
        start_s = write_items(items, file, limits)
        return Snapshots(folder).take(file, f"{name}.wav").path, start_s
