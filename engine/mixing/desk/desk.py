"""The desk: all strips block by block, their buses, the sends, and the mix.

Buses change level only by gain over time, and their equalisers are part of their strips' filters; so what each strip
gives to the mix can be told apart exactly, and the tracks that come out, with the sends' returns, add up to the mix.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from engine.audio import Audio
from engine.mixing.desk.buses import BusLine
from engine.mixing.desk.dynamics import linear
from engine.mixing.desk.line import Line, Meters, Output
from engine.mixing.desk.returns import Convolver, impulse_response
from engine.mixing.desk.riding import ride_curve
from engine.mixing.ducking import presence_of
from engine.mixing.listening.features import StemFeatures
from engine.mixing.session.strips import BUSES, BusName, ChannelStrip, MixSession
from engine.mixing.stems import Block, Stem
from engine.progress import SILENT, Monitor
from engine.thrift import at_a_time

THREADS = 2
ONE = np.ones(1, np.float32)

Keep = Callable[[str, Block], None]
"""Takes a track's next stereo block, at its place in the mix, and may change it; blocks of a track come in order."""


@dataclass(frozen=True, slots=True, eq=False)
class DeskResult:
    """The mix before it is brought to its level, and what the meters saw on strips, buses and sends."""

    mix: Audio
    strips: Mapping[str, Meters]
    buses: Mapping[str, Meters]
    returns: tuple[str, ...]


def session_frames(stems: Sequence[Stem]) -> int:
    """Return the length of the session: where its last stem ends."""
    return max(stem.end_frame for stem in stems)


def run_desk(
    session: MixSession,
    stems: Sequence[Stem],
    heard: Mapping[str, StemFeatures],
    keep: Keep | None = None,
    monitor: Monitor = SILENT,
    sends_only: Collection[str] = (),
) -> DeskResult:
    """Mix `stems`, each by the strip of its name; stems without a strip, and muted ones, are left out.

    Args:
        session: settings as they are to be applied: `engine.mixing.session.applied` has scaled them.
        stems: at the session's rate.
        heard: features by stem, for riding, ducking, and what is mono.
        keep: takes each track, and each send's return, as it stands in the mix; None if only the mix is wanted.
        monitor: is told of every block.
        sends_only: stems that reach their sends, but not their bus, which has been rendered already.
    """
    playing = [stem for stem in stems if not _strip_of(session, stem).mute]
    frames = session_frames(stems)
    rate = session.sample_rate
    lines = [make_line(session, stem, playing, heard) for stem in playing]
    block_frames = lines[0].block_frames if lines else frames
    buses: dict[BusName, BusLine] = {name: BusLine(name, session.bus(name), rate) for name in BUSES}
    on_mix = BusLine("mix", session.bus("mix"), rate)
    sends: dict[str, Convolver] = {
        name: Convolver(impulse_response(name, send, rate), block_frames)
        for name, send in session.sends.items()
        if any(name in line.strip.sends for line in lines)
    }
    return_gains = {
        str(name): np.float32(linear(send.return_db)) for name, send in session.sends.items() if name in sends
    }
    mix = np.zeros((2, frames), np.float32)
    with ThreadPoolExecutor(at_a_time(THREADS), thread_name_prefix="nrx-desk") as pool:
        coming = [pool.submit(line.next) for line in lines]
        giving: list[Future[None]] = []
        for start in range(0, frames, block_frames):
            monitor.report(start / frames)
            length = min(block_frames, frames - start)
            outputs = [(line, future.result()) for line, future in zip(lines, coming, strict=True)]
            returning = {
                name: pool.submit(_returned, outputs, length, name, convolver, return_gains[name])
                for name, convolver in sends.items()
            }
            played = [(line, output) for line, output in outputs if line.stem.name not in sends_only]
            summing = {name: pool.submit(_bus_sum, played, length, bus) for name, bus in buses.items()}
            if start + block_frames < frames:  # the next block is begun while this one is summed
                coming = [pool.submit(line.next) for line in lines]
            total = mix[:, start : start + length]
            summed = {name: future.result() for name, future in summing.items()}
            for one, _ in summed.values():
                if one is not None:
                    total += one
            returned = {name: future.result() for name, future in returning.items()}
            for wet in returned.values():
                total += wet
            last = on_mix.gain(total)
            total *= last
            _finish(giving)  # tracks get their blocks in order
            if keep is None:
                continue
            giving = [
                pool.submit(_give, keep, line.stem.name, output, summed[line.strip.bus][1] * last, length)
                for line, output in played
            ]
            giving += [
                pool.submit(_give_back, keep, f"send:{name}", wet, last) for name, wet in returned.items()
            ]
        _finish(giving)
    monitor.report(1.0)
    return DeskResult(
        Audio(mix, rate),
        {line.stem.name: line.meters for line in lines},
        {**{name: bus.meters for name, bus in buses.items()}, "mix": on_mix.meters},
        tuple(sends),
    )


def _strip_of(session: MixSession, stem: Stem) -> ChannelStrip:
    return session.strip_of(stem.name)


Played = Sequence[tuple[Line, Output | None]]


def _returned(outputs: Played, frames: int, name: str, send: Convolver, level: np.float32) -> Block:
    """Return what comes back from a send while the strips' blocks go into it."""
    heard = np.zeros(frames, np.float32)
    for line, output in outputs:
        if output is not None and name in line.strip.sends:
            middle = output.middle()[:frames]
            middle *= np.float32(linear(line.strip.sends[name]))
            heard[: len(middle)] += middle
    wet = send.feed(heard)
    wet *= level
    return wet


def _bus_sum(played: Played, frames: int, bus: BusLine) -> tuple[Block | None, NDArray[np.float32]]:
    """Return what a bus makes of its strips' blocks (None where there is nothing), and its gain."""
    total: Block | None = None
    for line, output in played:
        if line.strip.bus == bus.name and output is not None:
            if total is None:
                total = output.stereo(ONE, frames)
            else:
                output.add_to(total)
    gain = bus.gain(np.zeros((2, frames), np.float32) if total is None else total)
    if total is not None and (len(gain) > 1 or gain[0] != 1.0):
        total *= gain
    return total, gain


def _give(keep: Keep, name: str, output: Output | None, gain: NDArray[np.float32], frames: int) -> None:
    keep(name, np.zeros((2, frames), np.float32) if output is None else output.stereo(gain, frames))


def _give_back(keep: Keep, name: str, wet: Block, gain: NDArray[np.float32]) -> None:
    keep(name, wet * gain)


def _finish(tasks: Sequence[Future[None]]) -> None:
    for task in tasks:
        task.result()


def make_line(
    session: MixSession, stem: Stem, playing: Sequence[Stem], heard: Mapping[str, StemFeatures]
) -> Line:
    """Return the strip of `stem` at work among the stems that are `playing`."""
    strip, features = session.strip_of(stem.name), heard[stem.name]
    ride_db = None
    if strip.ride is not None:
        ride_db = _on_session(
            ride_curve(
                features.hop_energies, features.loudness_lufs, strip.ride.range_db, features.sample_rate
            ),
            features,
        )
    presence = None
    if strip.duck is not None:
        presence = presence_on_session(
            [
                heard[other.name]
                for other in playing
                if session.strip_of(other.name).role == strip.duck.under and other is not stem
            ]
        )
    bus = session.bus(strip.bus)
    bus_eq = () if bus.bypass else (*bus.eq, *(() if session.bus("mix").bypass else session.bus("mix").eq))
    return Line(stem, strip, mono=features.mono, bus_eq=bus_eq, ride_db=ride_db, presence=presence)


def _on_session(hops: NDArray[np.float64], features: StemFeatures) -> NDArray[np.float64]:
    """Return a stem's hops of 10 ms with those before its start."""
    before = round(features.start_frame * 100 / features.sample_rate)
    return np.concatenate((np.zeros(before), hops))


def presence_on_session(voices: Sequence[StemFeatures]) -> NDArray[np.float64] | None:
    """Return how much any of the voices is there in every 10 ms of the session; None if there is no voice."""
    made: NDArray[np.float64] | None = None
    for voice in voices:
        if voice.silent or not isfinite(voice.loudness_lufs):
            continue
        one = _on_session(presence_of(voice.hop_energies, voice.loudness_lufs, voice.sample_rate), voice)
        if made is None:
            made = one
            continue
        longer, shorter = (made, one) if len(made) >= len(one) else (one, made)
        made = longer.copy()
        np.maximum(made[: len(shorter)], shorter, out=made[: len(shorter)])
    return made
