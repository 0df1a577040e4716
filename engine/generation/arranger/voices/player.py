"""Plays notes on a built-in voice: each distinct note is rendered once, then placed wherever it is needed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Samples
from engine.generation.arranger.voices.dsp import without_dc
from engine.generation.arranger.voices.model import Setup, Stroke, level
from engine.generation.arranger.voices.table import VoiceSpec, voice_spec
from engine.progress import SILENT, Monitor

_CHOKE_S = 0.03
_LONGEST_ONE_SHOT_S = 8.0
_HAND_OVER_S = 0.012
_TOUCH_S = 0.045
_WIDEST_GLIDE = 12


@dataclass(frozen=True, slots=True)
class TimedNote:
    """A note in seconds on the timeline."""

    start_s: float
    end_s: float
    pitch: int
    velocity: int


@dataclass(slots=True)
class _Event:
    start: int
    held: int
    pitch: int
    velocity: int
    layer: int
    release: int
    variant: int = 0
    glide: int = 0

    @property
    def until(self) -> int:
        """The frame at which it has died away at the latest."""
        return self.start + self.held + self.release

    def sound(self) -> tuple[int, int, int, int]:
        """Return what two events must share to share a rendering."""
        return (self.pitch, self.layer, self.variant, self.glide)


_Key = tuple[int, int, int, int, int]
"""What notes share that share a rendering, and their length where it depends on it."""


@lru_cache(maxsize=64)
def release_curve(frames: int) -> Samples:
    """Return a fall of 60 dB over `frames` that begins without a kink and ends at zero."""
    place = np.arange(frames, dtype=np.float32) / max(frames, 1)
    gentle = place * place / (place + 0.03)
    return np.asarray(np.exp(-6.2 * gentle) * (0.5 + 0.5 * np.cos(np.pi * place)), dtype=np.float32)


class Playing:
    """Notes on a built-in voice, to be sounded block by block; each distinct sound is rendered when it is first needed.

    Blocks of any size add up to the same samples, bit for bit.

    Args:
        voice: A built-in voice.
        notes: In seconds on the timeline.
        setup: What is fixed for the part.
        length_frames: Where everything ends.
        keep_bytes: How much of what does not sound at the moment is kept for its next use; 0 keeps nothing at all.

    Raises:
        NrxError: "preset.invalid" for an unknown voice.
    """

    def __init__(
        self,
        voice: str,
        notes: Sequence[TimedNote],
        setup: Setup,
        length_frames: int,
        keep_bytes: int = 0,
    ) -> None:
        self._spec = voice_spec(voice)
        self._sounding = self._spec.make()(setup)
        self._setup = setup
        self._gain = 10 ** (self._spec.gain_db / 20)
        self._keep_bytes = keep_bytes
        self._kept: dict[_Key, Samples] = {}
        groups: dict[_Key, list[_Event]] = {}
        for event in _events(notes, self._spec, setup, length_frames):
            key = (*event.sound(), event.held if self._spec.fits_note else 0)
            groups.setdefault(key, []).append(event)
        self._groups = {key: groups[key] for key in sorted(groups)}
        self.first_frame = min(
            (event.start for same in groups.values() for event in same), default=length_frames
        )
        self.end_frame = max((event.until for same in groups.values() for event in same), default=0)
        """Where the last note has died away at the latest."""

    def add_to(self, out: Samples, start_frame: int, monitor: Monitor = SILENT) -> None:
        """Add what sounds from `start_frame` on to `out`, shape (2, frames)."""
        end = start_frame + out.shape[1]
        needed = [
            (key, [event for event in same if event.start < end and event.until > start_frame])
            for key, same in self._groups.items()
        ]
        needed = [(key, now) for key, now in needed if now]
        for done, (key, now) in enumerate(needed):
            monitor.report(done / len(needed))
            sound = self._sound(key, end)
            for event in now:
                _place(out, sound, event, self._gain * level(event.velocity), start_frame)
        monitor.report(1.0)

    def forget(self, before_frame: int) -> None:
        """Let go of what has died away by `before_frame`, and of what waits longest for its next use."""
        for key, same in list(self._groups.items()):
            if all(event.until <= before_frame for event in same):
                del self._groups[key]
                self._kept.pop(key, None)
        self._let_go(before_frame)

    def _sound(self, key: _Key, needed_to: int) -> Samples:
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        same = self._groups[key]
        frames = max(event.held + event.release for event in same)
        strength = (key[1] + 0.5) / self._spec.layers
        stroke = Stroke(key[0], strength, frames, key[2], float(key[3]), self._setup.tuning_cents)
        sound = without_dc(self._sounding(stroke), self._setup.sample_rate)
        if self._keep_bytes and any(event.until > needed_to for event in same):
            self._kept[key] = sound
        return sound

    def _let_go(self, before_frame: int) -> None:
        """Keep what sounds on, and of the rest what is needed next, as far as there is room for it."""
        waits = {key: self._waits(key, before_frame) for key in self._kept}
        room = self._keep_bytes
        for key in sorted(waits, key=waits.__getitem__):
            room -= self._kept[key].nbytes if waits[key] else 0
            if room < 0:
                del self._kept[key]

    def _waits(self, key: _Key, now: int) -> int:
        """Return how many frames from `now` on a sound is needed again; 0 if it sounds."""
        return min(max(0, event.start - now) for event in self._groups[key] if event.until > now)


def play(
    voice: str, notes: Sequence[TimedNote], setup: Setup, length_frames: int, monitor: Monitor = SILENT
) -> Samples:
    """Return `notes` played by a built-in voice, shape (2, length_frames), without the voice's effects.

    A note that begins before 0 and lasts beyond it starts at 0; one that has ended by then is left out, as is
    one that starts at or after the end. Equal notes, setup and length give equal samples.

    Raises:
        NrxError: "preset.invalid" for an unknown voice.
    """
    out = np.zeros((2, length_frames), dtype=np.float32)
    Playing(voice, notes, setup, length_frames).add_to(out, 0, monitor)
    return out


def _place(out: Samples, sound: Samples, event: _Event, gain: float, out_starts: int) -> None:
    """Add what of an event falls into `out`, which starts at the frame `out_starts`."""
    held = min(event.held, sound.shape[1])
    released = min(event.held + event.release, sound.shape[1])
    out_ends = out_starts + out.shape[1]
    for first, last in ((0, held), (held, released)):
        start, stop = max(event.start + first, out_starts), min(event.start + last, out_ends)
        if stop <= start:
            continue
        piece = sound[:, start - event.start : stop - event.start] * np.float32(gain)
        if first == held and event.release:
            falls_from = event.start + held
            piece *= release_curve(event.release)[start - falls_from : stop - falls_from]
        out[:, start - out_starts : stop - out_starts] += piece


def _events(notes: Sequence[TimedNote], spec: VoiceSpec, setup: Setup, length_frames: int) -> list[_Event]:
    rate = setup.sample_rate
    release = int(spec.release_s * rate)
    events = []
    for note in sorted(notes, key=lambda each: (each.start_s, each.pitch, each.velocity, each.end_s)):
        start, end = round((note.start_s - spec.early_s) * rate), round(note.end_s * rate)
        if start >= length_frames or end <= 0:
            continue
        start = max(0, start)
        held = min(max(end - start, rate // 200), length_frames - start)
        if spec.one_shot:
            held = min(int(_LONGEST_ONE_SHOT_S * rate), length_frames - start)
        velocity = min(127, max(1, note.velocity))
        layer = min(spec.layers - 1, int(velocity / 127.001 * spec.layers))
        events.append(_Event(start, held, note.pitch, velocity, layer, release))
    _hand_over(events, spec, rate)
    _deal_variants(events, spec, setup)
    return events


def _hand_over(events: list[_Event], spec: VoiceSpec, rate: int) -> None:
    """Shorten notes that a later one takes over from: same pitch again, same choke group, next note of a mono voice."""
    if spec.fits_note:
        return
    for earlier, later in _followers(events, spec):
        gap = later.start - (earlier.start + earlier.held)
        if spec.mono:
            if gap < _TOUCH_S * rate and later.start > earlier.start:
                later.glide = int(np.clip(earlier.pitch - later.pitch, -_WIDEST_GLIDE, _WIDEST_GLIDE))
                earlier.release = min(earlier.release, int(_HAND_OVER_S * rate))
            earlier.held = min(earlier.held, later.start - earlier.start)
        elif gap < 0 and (not spec.one_shot or spec.choke):
            earlier.held = later.start - earlier.start
            earlier.release = min(earlier.release, int(_CHOKE_S * rate)) if spec.one_shot else earlier.release


def _followers(events: list[_Event], spec: VoiceSpec) -> Iterator[tuple[_Event, _Event]]:
    last: dict[int, _Event] = {}
    for event in events:
        if spec.mono:
            lane = 0
        elif spec.one_shot:
            if spec.choke is None or event.pitch not in spec.choke:
                continue
            lane = -spec.choke[event.pitch]
        else:
            lane = event.pitch
        if lane in last:
            yield last[lane], event
        last[lane] = event


def _deal_variants(events: list[_Event], spec: VoiceSpec, setup: Setup) -> None:
    """Number the renderings round robin for each pitch, so that no hit equals the one before it."""
    if spec.variants < 2:
        return
    count: dict[int, int] = {}
    for event in events:
        if event.pitch not in count:
            count[event.pitch] = int(setup.rng(900, event.pitch).integers(spec.variants))
        turn = count[event.pitch]
        event.variant = turn % spec.variants
        count[event.pitch] = turn + 1


def render_note(
    voice: str, pitch: int, velocity: int, duration_s: float, setup: Setup, length_s: float | None = None
) -> NDArray[np.float32]:
    """Return one note with its release, (2, frames): as long as it sounds, or `length_s`.

    Raises:
        NrxError: "preset.invalid" for an unknown voice.
    """
    spec = voice_spec(voice)
    total_s = length_s or duration_s + spec.release_s + (_LONGEST_ONE_SHOT_S if spec.one_shot else 0.0)
    frames = int(np.ceil(total_s * setup.sample_rate))
    return play(voice, [TimedNote(0.0, duration_s, pitch, velocity)], setup, frames)
