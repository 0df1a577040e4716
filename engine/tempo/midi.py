"""Tempo maps from and to Standard MIDI Files (SMF 1.0, RP-001): the tempo and time-signature meta events.

A MIDI tempo is a whole number of microseconds per quarter note, holds until the next one, and starts
on a tick:

- ramps become steps, short enough that no time inside one is off by more than a quarter of a millisecond;
- rounding costs up to half a microsecond a beat; it is carried forward and made good by the next events, and
  a long constant tempo gets a correcting event (one microsecond: 0.0002 BPM at 120) every thousand beats.

Together no beat is off by more than 1 ms; `midi_drift_ms` measures it. Files start at tick 0: a map whose
beat 0 lies later than time 0 is written through `engine.tempo.lead_in.with_lead_in`.
"""

import math
from pathlib import Path
from typing import Any

import mido
import numpy as np

from engine.errors import NrxError
from engine.tempo.segments import Floats, TempoSegment
from engine.tempo.signatures import TimeSignature, signature_of
from engine.tempo.tempo_map import PPQ, TempoMap

MAX_US = 0xFFFFFF
DEFAULT_US = 500_000
CARRY_LIMIT_S = 0.5e-3
RAMP_ERROR_S = 0.25e-3
MAX_EVENTS = 1_000_000


def tempo_track(tempo_map: TempoMap, *, ppq: int = PPQ, last_s: float | None = None) -> mido.MidiTrack:
    """Return a conductor track: tempo and time-signature events of `tempo_map`, whose tick 0 is its beat 0.

    Beats before 0 are not written; use `with_lead_in` first where they matter. `last_s` is the end of the
    piece: up to there (by default, ten minutes past the last segment's start) rounding never adds up to 1 ms.

    Raises:
        NrxError: `input.tempo_map` if a tempo is slower than MIDI can say (3.58 BPM).
    """
    end_beat = tempo_map.beats(max(tempo_map.segments[-1].start_s, 0.0) + 600.0 if last_s is None else last_s)
    end_tick = max(math.ceil(end_beat * ppq), 1)
    ticks = _ticks_of_change(tempo_map, end_tick, ppq)
    tempi = _tempi_us(tempo_map, ticks, ppq)
    events: list[tuple[int, int, Any]] = []
    for tick, us, before in zip(
        ticks[:-1].astype(int).tolist(), tempi.tolist(), [None, *tempi[:-1].tolist()], strict=True
    ):
        if us != before:
            events.append((tick, 1, mido.MetaMessage("set_tempo", tempo=us)))
    for tick, signature in _signature_ticks(tempo_map, ppq):
        message = mido.MetaMessage(
            "time_signature", numerator=signature.numerator, denominator=signature.denominator
        )
        events.append((tick, 0, message))
    track = mido.MidiTrack()
    now = 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=0))
    return track


def to_midi(tempo_map: TempoMap, *, ppq: int = PPQ, last_s: float | None = None) -> mido.MidiFile:
    """Return a type-1 MIDI file with only the conductor track of `tempo_map`; see `tempo_track`."""
    midi = mido.MidiFile(type=1, ticks_per_beat=ppq)
    midi.tracks.append(tempo_track(tempo_map, ppq=ppq, last_s=last_s))
    return midi


def from_midi(midi: mido.MidiFile) -> TempoMap:
    """Return the tempo map of a MIDI file: tick 0 is beat 0 and second 0.

    Where the file says nothing it is 120 BPM and 4/4. A bar that a new time signature cuts short becomes a
    bar of its own length.

    Raises:
        NrxError: `input.tempo_map` if the file counts in SMPTE frames or holds independent sequences (type
        2).
    """
    if midi.type == 2:
        raise NrxError(
            "input.tempo_map", "The MIDI file is of type 2 (independent sequences); save it as type 0 or 1."
        )
    ppq = midi.ticks_per_beat
    if not 0 < ppq < 0x8000:
        raise NrxError(
            "input.tempo_map", "The MIDI file counts in SMPTE frames, not in beats; save it with a PPQ."
        )
    tempi: dict[int, int] = {0: DEFAULT_US}
    signatures: dict[int, tuple[int, int]] = {0: (4, 4)}
    for track in midi.tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type == "set_tempo":
                tempi[tick] = max(int(message.tempo), 1)
            elif message.type == "time_signature":
                signatures[tick] = (int(message.numerator), int(message.denominator))
    segments = tuple(
        TempoSegment(tick / ppq, 0.0 if tick == 0 else math.nan, 6e7 / tempi[tick], 6e7 / tempi[tick])
        for tick in sorted(tempi)
    )
    return TempoMap(segments, tuple(_read_signatures(signatures, ppq)))


def load_midi(path: Path) -> TempoMap:
    """Return the tempo map of the MIDI file at `path`; raises `NrxError` input.tempo_map if it is not one."""
    try:
        return from_midi(mido.MidiFile(path))
    except (OSError, EOFError, ValueError, LookupError, TypeError) as error:
        raise NrxError("input.tempo_map", f"{path.name} cannot be read as a MIDI file: {error}.") from None


def midi_drift_ms(tempo_map: TempoMap, midi: mido.MidiFile, last_s: float) -> float:
    """Return the largest difference (ms) between `tempo_map` and `midi`, from beat 0 to `last_s`."""
    count = max(math.ceil(tempo_map.beats(last_s) * 16), 1)
    beats = np.arange(count + 1) / 16.0
    written = from_midi(midi).seconds(beats) + tempo_map.seconds(0.0)
    return float(1000.0 * np.max(np.abs(written - tempo_map.seconds(beats))))


def _ticks_of_change(tempo_map: TempoMap, end_tick: int, ppq: int) -> Floats:
    """Ticks, from 0 to at least `end_tick`, between which one MIDI tempo is near enough to the map."""
    ticks: list[Floats] = [np.array([0.0, float(end_tick)])]
    last = tempo_map.segments[-1]
    for segment, following in zip(tempo_map.segments, (*tempo_map.segments[1:], None), strict=True):
        start = segment.start_beat * ppq
        end = following.start_beat * ppq if following is not None else float(end_tick)
        # A change between two ticks has both as its neighbours, so that all whole ticks stay exact.
        ticks.append(np.array([math.floor(start + 1e-6), math.ceil(start - 1e-6)], dtype=np.float64))
        if end <= 0 or start >= end_tick:
            continue
        whole_beats = (end - start) / ppq
        longest = CARRY_LIMIT_S / 0.5e-6 if segment.law == "constant" else _step_beats(segment, whole_beats)
        length_beats = (min(end, end_tick) - max(start, 0.0)) / ppq
        steps = min(max(math.ceil(length_beats / longest), 1), MAX_EVENTS)
        ticks.append(np.rint(np.linspace(max(start, 0.0), min(end, end_tick), steps + 1)[1:-1]))
    every = np.unique(np.concatenate(ticks))
    kept: Floats = every[(every >= 0) & (every <= max(end_tick, math.ceil(last.start_beat * ppq) + 1))]
    return kept


def _step_beats(segment: TempoSegment, length_beats: float) -> float:
    """Longest step h (beats) whose chord is within `RAMP_ERROR_S` of the ramp: h^2 / 8 |d2t/db2| <= error.

    |d2t/db2| = 60 |dT/db| / T^2 is largest at the slowest tempo T, where |dT/db| is |T1 - T0| / L (linear in
    beats) or (T0 + T1) |T1 - T0| / (2 L T) (linear in time).
    """
    slowest, change = min(segment.bpm, segment.end_bpm), abs(segment.end_bpm - segment.bpm)
    rise = change / length_beats
    if segment.law == "linear_in_time":
        rise *= (segment.bpm + segment.end_bpm) / (2.0 * slowest)
    return slowest * math.sqrt(8.0 * RAMP_ERROR_S / (60.0 * max(rise, 1e-12)))


def _tempi_us(tempo_map: TempoMap, ticks: Floats, ppq: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Microseconds per quarter note between ticks; rounding errors are made good by later ones."""
    wanted_us = tempo_map.seconds(ticks / ppq) * 1e6
    lengths = np.diff(ticks) / ppq
    exact = np.diff(wanted_us) / lengths
    if exact.max() > MAX_US:
        raise NrxError(
            "input.tempo_map",
            f"The tempo map falls to {6e7 / exact.max():.2f} BPM; a MIDI file cannot say less than 3.58.",
        )
    tempi = np.empty(lengths.size, dtype=np.int64)
    carry_us = 0.0
    for i, (beats, own) in enumerate(zip(lengths.tolist(), exact.tolist(), strict=True)):
        # Steps shorter than a beat would have to jump to make good what they did not cause.
        aim = own - carry_us / beats if beats >= 1.0 else own - min(max(carry_us, -1.0), 1.0)
        tempi[i] = min(max(round(aim), 1), MAX_US)
        carry_us += (tempi[i] - own) * beats
    return tempi


def _signature_ticks(tempo_map: TempoMap, ppq: int) -> list[tuple[int, TimeSignature]]:
    """Tick of each time signature from beat 0 on; the one that holds at beat 0 stands at tick 0."""
    later = [s for s in tempo_map.signatures if s.start_bar > 0]
    placed = [(round(tempo_map.beat_of_bar(float(s.start_bar)) * ppq), s) for s in later]
    return [(0, tempo_map.signature_at(0)), *placed]


def _read_signatures(at_tick: dict[int, tuple[int, int]], ppq: int) -> list[TimeSignature]:
    read: list[TimeSignature] = []
    bar, bar_tick = 0, 0
    ticks = sorted(at_tick)
    for tick, until in zip(ticks, [*ticks[1:], None], strict=True):
        numerator, denominator = at_tick[tick]
        if (
            tick < bar_tick
        ):  # inside a short bar that could not be written as one: it starts with the next bar
            tick = bar_tick
        signature = TimeSignature(bar, numerator, denominator)
        read.append(signature)
        if until is None:
            break
        bars, rest = divmod((until - tick) / ppq, signature.bar_beats)
        bar += int(bars)
        bar_tick = tick + round(bars * signature.bar_beats * ppq)
        if rest > 1e-6:
            short = signature_of(rest)
            if short is not None:
                if bar == signature.start_bar:
                    read.pop()
                read.append(TimeSignature(bar, *short))
                bar_tick = until
            else:
                bar_tick += round(signature.bar_beats * ppq)
            bar += 1
    return read
