"""Streams measured: time to first audio, five sessions at once, whether they keep up, and equality with the whole.

    python benchmarks/streaming.py [--sessions 5] [--seconds 20] [--musicgen] [--json]

A listener is simulated: it begins to play with the first chunk and plays at the stream's rate; an underrun is a chunk
that comes after it should have been heard. Sessions are live, so they are throttled as for real listeners.
`--musicgen` adds how long after its last token step the first chunk of a model is out, from a warm worker's model: a
checkpoint with EnCodec in full size, random weights, and a language model so small that it costs nothing.
"""

import argparse
import json
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from bridge.config import Settings, StreamsSettings
from bridge.streams.making import make_stream
from bridge.streams.messages import Chunk, Ended, Failed, FromSession, Started
from bridge.streams.request import parse_stream
from bridge.streams.samples import encoded
from bridge.streams.streams import Session, Streams
from engine.presets import load_style
from engine.streaming.arranger import ArrangerStream
from engine.streaming.movements import Manner
from engine.streaming.musicgen import MusicGenStream

STYLES = ("lofi_chill", "edm", "orchestral", "jazz", "rock", "synthwave", "acoustic", "neo_soul")
WARM_WITHIN_S = 60.0


@dataclass
class Listener:
    """Hears one session and notes when what came."""

    style: str
    asked_at: float = field(default_factory=time.perf_counter)
    session: Session | None = None
    rate: int = 1
    frames: int = 0
    first_s: float | None = None
    underruns: int = 0
    error: str = ""
    ended: threading.Event = field(default_factory=threading.Event)

    def hear(self, message: FromSession) -> None:
        """Take a message."""
        now = time.perf_counter() - self.asked_at
        match message:
            case Started(sample_rate=rate):
                self.rate = rate
            case Chunk(frames=frames):
                if self.first_s is None:
                    self.first_s = now
                elif now - self.first_s > self.frames / self.rate:
                    self.underruns += 1
                self.frames += frames
                threading.Thread(target=self._play_on, args=(self.frames,), daemon=True).start()
            case Failed(error=error):
                self.error = error.sentence
                self.ended.set()
            case Ended():
                self.ended.set()

    def _play_on(self, frames: int) -> None:
        """Say that this was taken, a few seconds before it is heard, as the door does."""
        heard_at = self.asked_at + (self.first_s or 0.0) + frames / self.rate - 8.0
        time.sleep(max(0.0, heard_at - time.perf_counter()))
        if self.session is not None:
            self.session.consumed(frames)


def listen(streams: Streams, style: str, seconds: float, seed: int) -> Listener:
    """Begin a session."""
    listener = Listener(style)
    request = parse_stream(
        {"style": style, "duration_s": seconds, "seed": seed, "generator": "arranger", "pace": "live"}
    )
    listener.session = streams.open(request, listener.hear)
    return listener


def work_s(streams: Streams) -> float:
    """Return the processor time of all workers."""
    times = [psutil.Process(pid).cpu_times() for pid in streams.pids()]
    return float(sum(each.user + each.system for each in times))


def measured(sessions: int, seconds: float) -> dict[str, Any]:
    """Measure on workers that are warm."""
    with tempfile.TemporaryDirectory() as home:
        streams = Streams(Settings(home=Path(home), streams=StreamsSettings(sessions=max(8, sessions))))
        try:
            began = time.perf_counter()
            streams.warm_up()
            until = began + WARM_WITHIN_S
            while not streams.is_warm() and time.perf_counter() < until:
                time.sleep(0.02)
            warm_s = time.perf_counter() - began
            single = []
            for style in STYLES:
                one = listen(streams, style, 6.0, seed=1)
                one.ended.wait(60)
                single.append(one.first_s or float("inf"))
            used = work_s(streams)
            together = [
                listen(streams, STYLES[i % len(STYLES)], seconds, seed=2 + i) for i in range(sessions)
            ]
            for one in together:
                one.ended.wait(60 + 4 * seconds)
            used = work_s(streams) - used
            memory = sum(psutil.Process(pid).memory_info().rss for pid in streams.pids())
            made_s = sum(one.frames / one.rate for one in together)
            return {
                "warm_up_s": round(warm_s, 2),
                "first_audio_ms": {
                    "median": round(1000 * float(np.median(single))),
                    "worst": round(1000 * max(single)),
                },
                "sessions": sessions,
                "first_audio_together_ms": sorted(round(1000 * (one.first_s or 0.0)) for one in together),
                "underruns": sum(one.underruns for one in together),
                "errors": [one.error for one in together if one.error],
                "seconds_of_music": round(made_s, 1),
                "processor_seconds_per_second_of_music": round(used / made_s, 4),
                "idle_memory_mb": round(memory / 1e6),
            }
        finally:
            streams.stop()


def after_last_step(runs: int = 7) -> dict[str, float]:
    """Return how long the first chunk takes after the token step that completes it."""
    from musicgen import SIZES, checkpoint

    SIZES["tiny"] = (64, 2, 2, 128, False)
    wall, busy = [], []
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "tiny"
        checkpoint(folder, "tiny")
        for seed in range(runs):
            request = parse_stream(
                {"prompt": "lofi", "generator": str(folder), "duration_s": 5, "seed": seed}
            )
            stream, _ = make_stream(request, Settings(home=Path(home)))
            assert isinstance(stream, MusicGenStream)
            used = 0.0
            for chunk in stream:
                if chunk.shape[1]:
                    encoded(chunk, request.format)
                    wall.append(time.perf_counter() - stream.last_step_at)
                    busy.append(time.process_time() - used)
                    break
                used = time.process_time()
    return {
        "median_ms": round(1000 * float(np.median(wall)), 1),
        "worst_ms": round(1000 * max(wall), 1),
        "processor_ms": round(1000 * float(np.median(busy)), 1),
    }


def equality_db(style: str, seconds: float) -> float:
    """Return how far a stream in small blocks is from the same in one block, in dB below it."""
    made = [
        np.concatenate(
            list(ArrangerStream(Manner(load_style(style), seed=1), duration_s=seconds, block_frames=frames)),
            axis=1,
        )
        for frames in (4096, 262_144)
    ]
    return float(10 * np.log10(np.mean((made[0] - made[1]) ** 2) / np.mean(made[1] ** 2) + 1e-20))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--musicgen", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measured(asked.sessions, asked.seconds)
    found["equality_db"] = {style: round(equality_db(style, 12.0), 1) for style in ("edm", "orchestral")}
    if asked.musicgen:
        found["musicgen_first_chunk_after_its_last_step"] = after_last_step()
    found["load_average"] = psutil.getloadavg()[0]
    if asked.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:40s} {value}")


if __name__ == "__main__":
    main()
