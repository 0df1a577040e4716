"""The hostile suite of the HTTP door: a real daemon, attacked in every way that we know, and still working at the end.

    python tests/hostile/http_hostile.py                 the full run
    python tests/hostile/http_hostile.py --share 0.1     a tenth of it, as in continuous integration

Three parts: schemathesis over the OpenAPI document; the Host/Origin/traversal matrix on every route; and random bytes
instead of HTTP. It ends with an error for any crash, any 5xx answer that is not a documented refusal, a growth of the
daemon's memory above 50 MB, or if the next honest job does not succeed. The last line is a summary as JSON.
"""

import argparse
import contextlib
import itertools
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

MOST_GROWTH_BYTES = 50_000_000
REFUSALS_5XX = {501: "backend.missing", 503: "daemon.absent", 507: "output.disk_full"}
EXAMPLES, RAW_REQUESTS = 200, 20_000
STARTING_S, JOB_S = 60.0, 120.0
SLOW_PATHS = ("/generate", "/generate_stem", "/v2/events")
"""Calls that wait for a job, or never end: they are attacked by hand, not by thousands of examples."""

HOSTS = (
    "",
    " ",
    "evil.example",
    "127.0.0.1.evil.example",
    "localhost@evil.example",
    "[::1",
    "a" * 5000,
    "\xff\xfe",
)
ORIGINS = (
    "null",
    "http://evil.example",
    "http://127.0.0.1.evil.example",
    "file://",
    "http://localhost:1",
    "\xff",
)
TRAVERSALS = (
    "..", "../..", "%2e%2e", "..%2f..%2ftoken", "..%5c..%5ctoken", "..\\token", "%252e%252e%252f", "/etc/passwd",
    "%2fetc%2fpasswd", "//host/share", "%5c%5chost%5cshare", "C:%5cx", "a:b", "a::$DATA", "CON", "nul.wav", "%00",
    "a%00.wav", "%c0%ae%c0%ae", "..;", "~root", "file:%2f%2f%2fetc%2fpasswd", "%ff", "%", "%zz", "a" * 8000,
)  # fmt: skip


_HEAD = " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
_JSON = (
    "POST /v2/jobs" + _HEAD + "Content-Type: application/json\r\nContent-Length: 47\r\n\r\n"
    '{{"action": "master", "inputs": [{{"path": "/x"}}]}}'
)
_FORM = (
    "POST /v1/jobs" + _HEAD + "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 86\r\n\r\n"
    '--b\r\nContent-Disposition: form-data; name="k.wav"; filename="k.wav"\r\n\r\nRIFF\r\n--b--\r\n'
)
_RANGE = "GET /v2/returns/x/files/mix.wav" + _HEAD + "Range: bytes=0-99\r\n\r\n"
_UPGRADE = (
    "GET /v2/events" + _HEAD + "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\xff"
)
SEEDS = (_JSON, _FORM, _RANGE, _UPGRADE)
"""Requests that mutations begin with."""
CHECKS = (
    "not_a_server_error", "response_schema_conformance", "content_type_conformance", "ignored_auth",
    "unsupported_method", "status_code_conformance",
)  # fmt: skip


@dataclass
class Tally:
    """What happened."""

    calls: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def count(self, status: int, what: str, body: bytes = b"") -> None:
        self.calls += 1
        self.statuses[status] = self.statuses.get(status, 0) + 1
        expected = REFUSALS_5XX.get(status)
        if status >= 500 and (expected is None or expected.encode() not in body):
            self.faults.append(f"{status} for {what}: {body[:200]!r}")


@dataclass
class Target:
    """A daemon that was started to be attacked."""

    process: subprocess.Popen[bytes]
    home: Path
    url: str
    port: int
    token: str

    def resident_bytes(self) -> int:
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def client(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.url, headers={"authorization": f"Bearer {self.token}"}, timeout=60, trust_env=False
        )


@contextlib.contextmanager
def target() -> Any:
    """Start a daemon of its own; end it afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        environment = {**os.environ, "NRX_HOME": str(home), "NRX_HTTP_PORT": "0", "NRX_OSC_PORT": "0"}
        process = subprocess.Popen(
            [sys.executable, "-c", "from bridge.doors.cli import main; main()", "serve"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            told = wait_for_daemon(home, process)
            token = Path(told["token_file"]).read_text(encoding="ascii").strip()
            yield Target(process, home, told["http"], int(told["http"].rpartition(":")[2]), token)
        finally:
            process.terminate()
            process.wait(20)


def wait_for_daemon(home: Path, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Return what `daemon.json` says, once it says it."""
    until = time.monotonic() + STARTING_S
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError, ValueError):
            return dict(json.loads((home / "daemon.json").read_text(encoding="utf-8")))
        time.sleep(0.05)
    raise SystemExit("the daemon did not start")


def honest_job(at: Target) -> str:
    """Run a short job and return its state; what the attack has queued is cancelled first."""
    body = {"action": "generate", "prompt": "drums", "stem": "drums", "duration_s": 2, "seed": time.time_ns()}
    with at.client() as client:
        client.post("/v2/queue/resume")
        for state in ("queued", "running"):
            while found := client.get("/v2/jobs", params={"state": state, "limit": 500}).json()["jobs"]:
                for job in found:
                    client.post(f"/v2/jobs/{job['id']}/cancel")
                time.sleep(0.2)
        job = client.post("/v2/jobs", json=body).json()
        until = time.monotonic() + JOB_S
        while job.get("state") in ("queued", "running") and time.monotonic() < until:
            time.sleep(0.1)
            job = client.get(f"/v2/jobs/{job['id']}").json()
    return str(job.get("state"))


def exchange(port: int, request: bytes, *, end: bool = False) -> tuple[int, bytes]:
    """Send bytes, and with `end` say that no more come; return the status (0 for none) and what was answered."""
    answered = b""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(request)
        if end:
            connection.shutdown(socket.SHUT_WR)
        while chunk := connection.recv(65536):
            answered += chunk
    line = answered.split(b"\r\n", 1)[0].split(b" ")
    return (int(line[1]) if len(line) > 1 and line[1].isdigit() else 0), answered


def attack_headers(at: Target, tally: Tally, share: float) -> None:
    """Try every wrong Host and Origin on every route, with the token; none may get through."""
    with at.client() as client:
        paths = client.get("/openapi.json").json()["paths"]
    calls = [(method.upper(), path) for path, item in paths.items() for method in item]
    pairs = [("Host", value) for value in HOSTS] + [("Origin", value) for value in ORIGINS]
    every = list(itertools.product(calls, pairs))
    for (method, path), (name, value) in random.Random(1).sample(every, max(1, int(len(every) * share))):
        host = "" if name == "Host" else f"Host: localhost:{at.port}\r\n"
        head = (
            f"{method} {path} HTTP/1.1\r\n{host}{name}: {value}\r\n"
            f"Authorization: Bearer {at.token}\r\nConnection: close\r\n\r\n"
        )
        status, body = exchange(at.port, head.encode("latin-1"))
        tally.count(status, f"{method} {path} with {name} {value[:40]!r}", body)
        if status not in (0, 400, 403, 421, 431):
            tally.faults.append(f"{name} {value[:40]!r} got {status} from {method} {path}")


def attack_paths(at: Target, tally: Tally, share: float) -> None:
    """Try to leave every address that takes a name, and every body that takes a path."""
    secret = at.token.encode()
    with at.client() as client:
        paths = [path for path in client.get("/openapi.json").json()["paths"] if "{" in path]
        every = [(path, evil) for path in paths for evil in TRAVERSALS]
        for path, evil in random.Random(2).sample(every, max(1, int(len(every) * share))):
            filled = "/".join(evil if part.startswith("{") else part for part in path.split("/"))
            head = (
                f"GET {filled} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {at.token}\r\n"
                "Connection: close\r\n\r\n"
            )
            status, body = exchange(at.port, head.encode("latin-1", "replace"))
            tally.count(status, f"GET {filled[:80]}", body)
            if secret in body or b"root:" in body:
                tally.faults.append(f"a file leaked through {filled[:80]}")
        for evil in TRAVERSALS:
            answer = client.post("/v2/jobs", json={"action": "separate", "inputs": [{"path": evil}]})
            tally.count(answer.status_code, f"a job on {evil[:40]!r}", answer.content)
            if answer.status_code not in (403, 422):
                tally.faults.append(f"the path {evil[:40]!r} got {answer.status_code}")


def attack_bytes(at: Target, tally: Tally, count: int) -> None:
    """Send mutated requests: bytes flipped, cut, doubled, put in."""
    chance = random.Random(3)
    seeds = [seed.format(token=at.token) for seed in SEEDS]
    for _ in range(count):
        request = bytearray(chance.choice(seeds).encode("latin-1"))
        for _ in range(chance.randint(1, 8)):
            at_byte = chance.randrange(len(request))
            how = chance.randrange(4)
            if how == 0:
                request[at_byte] = chance.randrange(256)
            elif how == 1:
                del request[at_byte : at_byte + chance.randint(1, 40)]
            elif how == 2:
                request[at_byte:at_byte] = request[at_byte : at_byte + chance.randint(1, 200)]
            else:
                request[at_byte:at_byte] = chance.randbytes(chance.randint(1, 20))
            if not request:
                request = bytearray(b"\r\n")
        status, body = exchange(at.port, bytes(request), end=True)
        tally.count(status, repr(bytes(request[:120])), body)


def attack_by_schema(at: Target, examples: int) -> tuple[int, str]:
    """Run schemathesis over the document; return its exit status and what it said at the end."""
    program = Path(sys.executable).with_name("schemathesis")
    command = [
        str(program), "run", f"{at.url}/openapi.json", "-H", f"Authorization: Bearer {at.token}",
        "--checks", ",".join(CHECKS),
        "--max-examples", str(examples), "--phases", "examples,coverage,fuzzing", "--continue-on-failure",
        "--request-timeout", "60", "--seed", "1", "--suppress-health-check", "all", "--no-color",
    ]  # fmt: skip
    for path in SLOW_PATHS:
        command += ["--exclude-path", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=at.home)
    return done.returncode, "\n".join(done.stdout.splitlines()[-60:])


def run(share: float) -> dict[str, Any]:
    """Attack a daemon; return the summary."""
    with target() as at:
        first = honest_job(at)
        attack_bytes(at, Tally(), 200)  # what is loaded and pooled on first use is no growth
        before = at.resident_bytes()
        tally = Tally()
        attack_headers(at, tally, share)
        attack_paths(at, tally, share)
        attack_bytes(at, tally, int(RAW_REQUESTS * share))
        status, said = attack_by_schema(at, max(1, int(EXAMPLES * share)))
        if status:
            tally.faults.append(f"schemathesis: {said}")
        alive = at.process.poll() is None
        last = honest_job(at) if alive else "dead"
        growth = at.resident_bytes() - before if alive else 0
        if growth > MOST_GROWTH_BYTES:
            tally.faults.append(f"the daemon's memory grew by {growth / 1e6:.0f} MB")
        if (first, last) != ("succeeded", "succeeded"):
            tally.faults.append(f"the honest jobs ended as {first} and {last}")
        return {
            "calls": tally.calls,
            "statuses": dict(sorted(tally.statuses.items())),
            "schemathesis": said.splitlines()[-1] if said else "",
            "memory_growth_mb": round(growth / 1e6, 1),
            "honest_job": last,
            "faults": tally.faults,
        }


def main() -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="how much of the full run (default 1)")
    summary = run(parser.parse_args().share)
    for fault in summary["faults"]:
        print("FAULT", fault)
    print(json.dumps({**summary, "faults": len(summary["faults"])}))
    return 1 if summary["faults"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
