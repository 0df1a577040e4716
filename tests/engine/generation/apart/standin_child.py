"""A child without audiocraft: serves the same protocol by the same code, plays tones, and misbehaves as it is told to.

Started as a script, like the real one. A prompt says what happens: "crash", "hang", "fail", "memory", "garbage",
"short", "slow", "wrong"; anything else is a tone whose pitch is the seed's.
"""

import importlib.util
import os
import struct
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

CHILD = Path(__file__).parents[4] / "engine" / "generation" / "apart" / "child.py"
RATE = 32000

spec = importlib.util.spec_from_file_location("nrx_child", CHILD)
assert spec is not None
assert spec.loader is not None
child = importlib.util.module_from_spec(spec)
spec.loader.exec_module(child)

inbound, outbound = child.own_channels()


class Tones:
    """Plays tones."""

    def about(self) -> dict[str, Any]:
        """Tell versions; "NRX_TEST_PROTOCOL" has another one spoken."""
        if "NRX_TEST_PROTOCOL" in os.environ:
            return {"protocol": int(os.environ["NRX_TEST_PROTOCOL"])}
        return {"audiocraft": "1.3.0", "python": sys.version.split()[0]}

    def load(self, order: dict[str, Any]) -> dict[str, Any]:
        """Load nothing; tell in the log what was asked, and by which process."""
        print("loading", order["model"], order.get("folder"), os.environ.get("HF_HUB_OFFLINE"), flush=True)
        secrets = [name for name in os.environ if "SECRET" in name or "TOKEN" in name]
        print("secrets", secrets, file=sys.stderr, flush=True)
        return {"sample_rate": RATE, "follows_melody": "melody" in order["model"], "device": "cpu"}

    def play(self, order: dict[str, Any], melody: bytes, tell: Any) -> tuple[dict[str, Any], bytes]:
        """Play a tone, or do as the prompt says."""
        said = order["prompt"]
        tell(0.2)
        if said == "crash":
            print("the sky falls", file=sys.stderr, flush=True)
            os._exit(7)
        if said == "fail":
            raise ValueError("no such prompt\nwith a second line")
        if said == "memory":
            raise MemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        if said == "garbage":
            outbound.write(struct.pack(">I", 5) + b"hello")
            outbound.flush()
        if said == "hang":
            time.sleep(60)
        for step in range(600 if said == "slow" else 2):
            time.sleep(0.05 if said == "slow" else 0.0)
            tell(0.2 + 0.001 * step)
        seconds = order["duration_s"] * (0.5 if said == "short" else 1.0)
        pitch_hz = 200.0 + order["seed"] + (1000.0 if melody else 0.0)
        wave = np.sin(2 * np.pi * pitch_hz * np.arange(round(seconds * RATE)) / RATE).astype("<f4")
        channels = 3 if said == "wrong" else 1
        return {"channels": channels, "sample_rate": RATE, "pid": os.getpid()}, wave.tobytes()

    def fetch(self, order: dict[str, Any]) -> dict[str, Any]:
        """Fetch nothing."""
        return {"revision": "0" * 40 if os.environ.get("HF_HUB_OFFLINE") is None else "offline"}


child.serve(Tones(), inbound, outbound)
