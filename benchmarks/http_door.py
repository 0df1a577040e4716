"""How fast the HTTP door is: a real daemon with a job running, calls, accepts, and fifty clients that listen.

    python benchmarks/http_door.py [--json]

| figure | what | goal |
| --- | --- | --- |
| `calls` | p50 and p99 of mixed calls one after the other, with a job running | p99 under 100 ms |
| `accepts_per_s` | jobs accepted (durably) a second, by 20 clients that name one registered file | 500 |
| `events` | p50 and p99 from an event to each of 50 WebSocket clients, with a job running | p99 under 50 ms |
| `listing` | p99 of a page of 100 among all the jobs that were accepted | |
| `upload_mb_per_s` | of one file of 100 MB, checked and registered | |

Times are wall times; where other work shares the processors, the processor time of the daemon for one accept
(`accept_cpu_ms`) says more.
"""

import argparse
import asyncio
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import soundfile
from websockets.asyncio.client import connect

CALLS, ACCEPTS, CLIENTS, LISTENERS = 1000, 3000, 20, 50
LISTEN_S = 8.0
CALLED = ("/health", "/v2/jobs?limit=20", "/v2/queue", "/v2/styles", "/metrics", "/api/styles", "/v2/returns")


@contextlib.contextmanager
def daemon() -> Iterator[tuple[str, str, psutil.Process]]:
    """Start a daemon of its own; give its address, token and process."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        environment = {**os.environ, "NRX_HOME": folder, "NRX_HTTP_PORT": "0", "NRX_OSC_PORT": "0"}
        process = subprocess.Popen(
            [sys.executable, "-c", "from bridge.doors.cli import main; main()", "serve"],
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        try:
            while not (home / "daemon.json").is_file():
                time.sleep(0.05)
            told = json.loads((home / "daemon.json").read_text())
            yield told["http"], Path(told["token_file"]).read_text().strip(), psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(20)


def sound(seconds: float) -> bytes:
    """Return a WAV file of noise."""
    stream = io.BytesIO()
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, (int(seconds * 44100), 2))
    soundfile.write(stream, noise, 44100, format="WAV", subtype="PCM_24")
    return stream.getvalue()


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Return p50 and p99 in milliseconds."""
    return {f"p{p}_ms": round(float(np.percentile(seconds, p)) * 1000, 2) for p in (50, 99)}


def start_job(client: httpx.Client, seed: int) -> str:
    """Start a job that runs for a good while, and wait until it runs."""
    body = {"action": "generate", "prompt": "orchestral", "duration_s": 600, "seed": seed, "priority": 100}
    job_id = str(client.post("/v2/jobs", json=body).json()["id"])
    while client.get(f"/v2/jobs/{job_id}").json()["state"] == "queued":
        time.sleep(0.05)
    return job_id


def timed_calls(client: httpx.Client, paths: tuple[str, ...], count: int) -> list[float]:
    """Return how long each of `count` calls took."""
    took = []
    for number in range(count):
        began = time.perf_counter()
        client.get(paths[number % len(paths)]).raise_for_status()
        took.append(time.perf_counter() - began)
    return took


async def accept_many(url: str, token: str, upload_id: str) -> float:
    """Have 20 clients submit jobs that differ in their seed; return jobs a second."""
    host, _, port = url.removeprefix("http://").partition(":")
    numbers = iter(range(ACCEPTS))

    async def client() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        for number in numbers:
            inputs = [{"upload": upload_id}]
            body = json.dumps({"action": "remix", "style": "jazz", "seed": number, "inputs": inputs}).encode()
            writer.write(
                f"POST /v2/jobs HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 202 " not in head.split(b"\r\n")[0]:
                raise SystemExit(head.decode())
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            await reader.readexactly(int(length.partition(b":")[2]))
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return ACCEPTS / (time.perf_counter() - began)


async def listen(url: str, token: str) -> tuple[list[float], list[int]]:
    """Have 50 clients listen for a while; return the delays of all events, and how many each client saw."""
    delays: list[float] = []
    seen: list[int] = []

    async def client() -> None:
        ids = []
        async with connect(
            url.replace("http", "ws", 1) + "/v2/events",
            subprotocols=["nrx", f"nrx.token.{token}"],  # type: ignore[list-item]
        ) as socket:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LISTEN_S):
                    async for text in socket:
                        arrived = time.time()
                        event = json.loads(text)
                        delays.append(arrived - event["at"])
                        ids.append(event["id"])
        seen.append(len(set(ids)))

    await asyncio.gather(*(client() for _ in range(LISTENERS)))
    return delays, seen


def measure() -> dict[str, Any]:
    """Return all figures."""
    with daemon() as (url, token, process), httpx.Client(base_url=url, timeout=120) as client:
        client.headers["authorization"] = f"Bearer {token}"
        figures: dict[str, Any] = {}
        running = start_job(client, 0)
        timed_calls(client, CALLED, 50)
        figures["calls"] = percentiles(timed_calls(client, CALLED, CALLS))
        delays, seen = asyncio.run(listen(url, token))
        figures["events"] = {**percentiles(delays), "clients": LISTENERS, "each_saw": [min(seen), max(seen)]}
        client.post(f"/v2/jobs/{running}/cancel")

        client.post("/v2/queue/pause")
        upload = client.post("/v2/uploads", params={"name": "a.wav"}, content=sound(2)).json()["id"]
        cpu = sum(process.cpu_times()[:2])
        figures["accepts_per_s"] = round(asyncio.run(accept_many(url, token, upload)), 1)
        figures["accept_cpu_ms"] = round((sum(process.cpu_times()[:2]) - cpu) / ACCEPTS * 1000, 2)
        figures["jobs"] = client.get("/v2/jobs?limit=1").json()["total"]
        figures["listing"] = percentiles(timed_calls(client, ("/v2/jobs?limit=100",), 100))

        large = sound(100e6 / 44100 / 6)
        began = time.perf_counter()
        client.post("/v2/uploads", params={"name": "large.wav"}, content=large).raise_for_status()
        figures["upload_mb_per_s"] = round(len(large) / 1e6 / (time.perf_counter() - began), 1)
        if hasattr(os, "getloadavg"):
            figures["load"] = f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
        figures["daemon_rss_mb"] = round(process.memory_info().rss / 1e6, 1)
        return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print JSON only")
    as_json = parser.parse_args().json
    figures = measure()
    if as_json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:18} {value}")


if __name__ == "__main__":
    main()
