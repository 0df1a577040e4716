"""Random and mutated datagrams against the OSC door: nothing crashes, nothing grows, the next honest job is taken.

A million of them by `NRX_HOSTILE=1 python -m pytest tests/hostile`, a twentieth otherwise. They go through the door's
own handler without the rate limit, so that every one is read; a tenth as many more go over the socket as a flood.
"""

import gc
import os
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

from bridge.config import Settings
from bridge.doors.osc import OscClient, OscDoor
from bridge.doors.osc import door as door_module
from bridge.doors.osc.packet import LARGEST_OUT_BYTES, build
from bridge.security.roots import Roots
from engine.errors import NrxError
from tests.bridge.doors.standin_jobs import StandInJobs

WHOLE = os.environ.get("NRX_HOSTILE", "") not in ("", "0")
DATAGRAMS = 1_000_000 if WHOLE else 50_000
MOST_GROWTH_BYTES = 50e6
WORDS = [
    "/nrx/hello",
    "/nrx/submit",
    "/nrx/cancel",
    "/nrx/status",
    "/nrx/styles",
    "/nrx/wake",
    "/nrx/",
    "/",
    "#bundle",
]
TEXTS = [
    "",
    "a",
    "../../etc/passwd",
    "/etc/passwd",
    "//host/share",
    "C:\\CON",
    "x" * 3000,
    "絆",
    "a/b",
    "%s%n",
    "-1",
    "\x01",
]


@pytest.fixture
def door(own_home: Path, tmp_path: Path) -> Iterator[OscDoor]:
    settings = Settings(home=own_home, roots=(tmp_path,))
    door = OscDoor(settings, StandInJobs(), Roots(settings), 0)  # type: ignore[arg-type]  # stands in
    door.start()
    yield door
    door.stop()


def honest(rng: random.Random) -> bytes:
    """Return a message that could be honest, with values that may not be."""
    values = [
        rng.choice(
            [rng.choice(TEXTS), rng.randint(-(2**31), 2**31 - 1), rng.uniform(-1e9, 1e9), float("nan")]
        )
        for _ in range(rng.randrange(7))
    ]
    return build(rng.choice(WORDS[:-1]), values)


def bundled(rng: random.Random, part: bytes, depth: int) -> bytes:
    for _ in range(depth):
        parts = b"".join(len(part).to_bytes(4, "big") + part for _ in range(rng.randrange(1, 4)))
        part = b"#bundle\0" + rng.randbytes(8) + parts
    return part[:9000]


def mutated(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randrange(1, 5)):
        at = rng.randrange(len(changed) + 1)
        match rng.randrange(4):
            case 0:
                changed[at : at + 1] = rng.randbytes(1)
            case 1:
                del changed[at : at + rng.randrange(1, 9)]
            case 2:
                changed[at:at] = rng.randbytes(rng.randrange(1, 9))
            case _:
                changed[at : at + 4] = rng.choice(
                    [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b",sss"]
                )
    return bytes(changed)


def datagrams(seed: int, count: int) -> Iterator[bytes]:
    """Yield hostile datagrams: random bytes, damaged messages, whole ones, bundles of any depth."""
    rng = random.Random(seed)
    pool = [honest(rng) for _ in range(500)]
    for _ in range(count):
        whole = rng.choice(pool)
        match rng.randrange(6):
            case 0:
                yield rng.randbytes(rng.choice([0, 1, 3, 4, 8, 20, 64, 300, 1500]))
            case 1:
                yield bundled(rng, whole, rng.randrange(1, 8))
            case 2:
                yield whole
            case _:
                yield mutated(rng, whole)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_nothing_hostile_stops_the_door_or_makes_it_grow(
    door: OscDoor, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    escaped: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: escaped.append(args.exc_value))
    monkeypatch.setattr(door_module.log, "exception", lambda *said: escaped.append(said))
    sizes: list[int] = []
    send: Callable[..., None] = door._send_raw

    def counted(datagram: bytes, to: tuple[str, int]) -> None:
        sizes.append(len(datagram))
        assert to[0] == "127.0.0.1"
        if len(sizes) > 10_000:
            del sizes[:]

    monkeypatch.setattr(door, "_send_raw", counted)
    limits = door._limits.allows
    monkeypatch.setattr(door._limits, "allows", lambda *_: True)
    before = 0
    for number, data in enumerate(datagrams(1, DATAGRAMS)):
        door.handle(data, ("127.0.0.1", 1024 + number % 5000))
        if number == DATAGRAMS // 10:
            gc.collect()
            before = psutil.Process().memory_info().rss
    monkeypatch.setattr(door._limits, "allows", limits)
    monkeypatch.setattr(door, "_send_raw", send)
    gc.collect()
    grown = psutil.Process().memory_info().rss - before
    assert not escaped
    assert max(sizes, default=0) <= LARGEST_OUT_BYTES
    assert grown < MOST_GROWTH_BYTES
    assert not list(own_home.rglob("*.json")), "refused requests left files behind"
    next_honest_job_is_taken(door, tmp_path)


@pytest.mark.timeout(3600)
def test_flood_over_the_socket_leaves_honest_clients_their_way(door: OscDoor, tmp_path: Path) -> None:
    with OscClient(door.port) as early, OscClient(door.port) as flooder:
        early.hello("honest", "1")
        for data in list(datagrams(2, DATAGRAMS // 10)):
            flooder.send_raw(data[:9000])
        next_honest_job_is_taken(door, tmp_path, early)


def next_honest_job_is_taken(door: OscDoor, folder: Path, client: OscClient | None = None) -> None:
    song = folder / "song.wav"
    soundfile.write(song, np.zeros((4410, 2), np.float32), 44100)
    with OscClient(door.port) as fresh:
        asker = client or fresh
        for attempt in range(100):
            try:
                asker.hello("honest", "1")
                asker.send("submit_audio", "honest", str(song), "jazz")
                name, values = asker.wait_for("accepted", "error", timeout_s=2)
            except TimeoutError:
                continue
            if name == "accepted":
                return
            assert values[1] == "request.too_many", (attempt, values)
    raise NrxError("internal", "the honest job was not taken")
