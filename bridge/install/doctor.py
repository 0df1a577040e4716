"""Is everything there that nrx needs? A table of checks; each says that it is well, or what to do.

`ok` needs nothing, `hint` works but could be better, `bad` will fail. A check that fails itself is `bad`.
"""

import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from bridge.config import Settings, load_settings
from bridge.daemon_file import read_daemon
from engine.errors import NrxError
from engine.models.requirements import INSTALL

Verdict = Literal["ok", "hint", "bad"]
LOW_DISK_GB, LITTLE_DISK_GB = 1.0, 5.0
LITTLE_MEMORY_GB = 4.0
FEWEST_WATCHES = 8192
LIBRARIES = (
    "numpy",
    "scipy",
    "soundfile",
    "av",
    "pedalboard",
    "pydantic",
    "sqlalchemy",
    "fastapi",
    "uvicorn",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, in words, and what to do about it."""

    topic: str
    verdict: Verdict
    says: str
    todo: str = ""


def examine() -> Iterator[Finding]:
    """Yield the findings of every check, in order."""
    try:
        settings = load_settings()
    except NrxError as error:
        yield Finding("settings", "bad", error.sentence, "Mend the file; the other checks need it.")
        return
    yield Finding("settings", "ok", f"NRX_HOME is {settings.home}")
    for topic, check in CHECKS.items():
        try:
            yield from check(settings)
        except Exception as error:  # noqa: BLE001 - a check that fails is a finding, whatever it stumbled over
            yield Finding(topic, "bad", f"could not be checked: {error}")


def _python(_settings: Settings) -> Iterator[Finding]:
    bits = 64 if sys.maxsize > 2**32 else 32
    fine = sys.version_info >= (3, 11) and bits == 64
    yield Finding(
        "python",
        "ok" if fine else "bad",
        f"{platform.python_version()}, {bits} bit, {sys.executable}",
        "" if fine else "Install a 64-bit Python 3.11 or later.",
    )


def _libraries(_settings: Settings) -> Iterator[Finding]:
    missing, found = [], []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    yield Finding(
        "libraries",
        "bad" if missing else "ok",
        f"missing: {', '.join(missing)}" if missing else ", ".join(found),
        "Install nrx-bridge again with pip." if missing else "",
    )


def _rubber_band(_settings: Settings) -> Iterator[Finding]:
    import numpy as np
    from pedalboard import time_stretch

    stretched = time_stretch(np.zeros((1, 4410), np.float32), 44100.0, stretch_factor=1.25)
    fine = 0 < stretched.shape[1] < 4410
    yield Finding(
        "rubber band", "ok" if fine else "bad", "stretches" if fine else "gives back the wrong length"
    )


def _devices(_settings: Settings) -> Iterator[Finding]:
    from bridge.install.devices import find_devices

    for device in find_devices():
        little = device.memory_gb < LITTLE_MEMORY_GB
        yield Finding(
            f"device {device.id}",
            "hint" if little else "ok",
            f"{device.name}, {device.memory_gb:.1f} GB",
            "Long songs may be refused; close other programs." if little else "",
        )


def _models(settings: Settings) -> Iterator[Finding]:
    """Say of each stage what would do it, and of each model that is here whether it is intact."""
    from bridge.backends import backends_of, store_of
    from engine.models import torch_version, what_is_missing

    missing = what_is_missing("demucs") or what_is_missing("musicgen")
    if missing is None:
        yield Finding(
            "neural", "ok", f"PyTorch {'.'.join(map(str, torch_version()))} and its packages are installed"
        )
    elif torch_version() == (0, 0):
        yield Finding(
            "neural",
            "ok",
            "not installed, and not needed: separator and arranger are built in",
            f"To have it: {INSTALL}.",
        )
    else:
        yield Finding("neural", "hint", missing, "Neural models are left alone until then.")
    for _, found in store_of(settings).installed():
        if isinstance(found, NrxError):
            yield Finding("model", "bad", found.sentence, "`nrx models verify` tells more.")
        else:
            yield Finding("model", "ok", f"{found.name}, revision {found.revision[:10]}, in {found.folder}")
    backends = backends_of(settings)
    for task, choose in (("separate", backends.separator), ("generate", backends.generator)):
        try:
            choice = choose()
        except NrxError as error:
            yield Finding(task, "bad", error.sentence, "Mend [models] in nrx.toml.")
        else:
            yield Finding(task, "ok", f"{choice.name}: {choice.why}")


def _elsewhere(settings: Settings) -> Iterator[Finding]:
    """Say what else can play when a request names it: audiocraft in its own interpreter, services in the cloud."""
    from bridge.backends import cloud_of, store_of
    from engine.models.cloud import SERVICES
    from engine.models.interpreter import find_interpreter, weights_here

    apart = find_interpreter(store_of(settings).root)
    if apart is not None:
        weights = ", ".join(weights_here(apart)) or "no weights yet"
        yield Finding("audiocraft", "ok", f"{apart.version} in {apart.folder}: {weights}")
    if not settings.cloud.allowed:
        return
    keys = cloud_of(settings).keys
    for name, service in SERVICES.items():
        if name in keys:
            yield Finding(
                "cloud", "ok", f"requests that name {name} may send {service.title} {service.sends}"
            )
        else:
            yield Finding("cloud", "hint", f"{name} has no key", f"Set {service.variable} to use it.")


def _ports(settings: Settings) -> Iterator[Finding]:
    daemon = read_daemon(settings.home)
    if daemon is not None:
        yield Finding(
            "daemon",
            "ok",
            f"runs as process {daemon.pid}, console at {daemon.http}, OSC port {daemon.osc_port}",
        )
        return
    yield Finding(
        "daemon",
        "hint",
        "does not run",
        "Start it with `nrx serve`, or with your session: `nrx service install`.",
    )
    for name, port, kind in (
        ("http port", settings.http.port, socket.SOCK_STREAM),
        ("osc port", settings.osc.port, socket.SOCK_DGRAM),
    ):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                told = (
                    "Another is taken by itself."
                    if kind == socket.SOCK_DGRAM
                    else "Set another: `[http] port` in nrx.toml."
                )
                yield Finding(name, "hint", f"{port} is taken by another program", told)
            else:
                yield Finding(name, "ok", f"{port} is free")


def _folders(settings: Settings) -> Iterator[Finding]:
    for folder in (settings.home, settings.returns_folder):
        yield _writable("folder", folder)
    for watch in settings.watch:
        path = watch.path.expanduser()
        if path.is_dir():
            yield Finding("watched folder", "ok", str(path))
        else:
            yield Finding(
                "watched folder", "bad", f"{path} is not there", "Make it, or take it out of nrx.toml."
            )


def _writable(topic: str, folder: Path) -> Finding:
    trial = folder / f".nrx-doctor-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial.write_bytes(b"nrx")
        trial.unlink()
    except OSError as error:
        return Finding(
            topic, "bad", f"{folder} cannot be written ({error.strerror})", "Set NRX_HOME to another folder."
        )
    return Finding(topic, "ok", f"{folder} can be written")


def _watching(settings: Settings) -> Iterator[Finding]:
    limit = Path("/proc/sys/fs/inotify/max_user_watches")
    if settings.watch and limit.is_file():
        count = int(limit.read_text(encoding="ascii"))
        few = count < FEWEST_WATCHES
        todo = "Raise fs.inotify.max_user_watches, or set `polling = true` for the folder." if few else ""
        yield Finding(
            "watching", "hint" if few else "ok", f"the system lets {count} folders be watched", todo
        )


def _disk(settings: Settings) -> Iterator[Finding]:
    free_gb = shutil.disk_usage(settings.home if settings.home.exists() else settings.home.parent).free / 1e9
    verdict: Verdict = "bad" if free_gb < LOW_DISK_GB else "hint" if free_gb < LITTLE_DISK_GB else "ok"
    yield Finding(
        "disk",
        verdict,
        f"{free_gb:.1f} GB free, the cache may take {settings.cache_max_gb:g} GB",
        "" if verdict == "ok" else "`nrx clean` shows what takes disk.",
    )


CHECKS: dict[str, Callable[[Settings], Iterator[Finding]]] = {
    "python": _python,
    "libraries": _libraries,
    "rubber band": _rubber_band,
    "devices": _devices,
    "models": _models,
    "other generators": _elsewhere,
    "daemon": _ports,
    "folders": _folders,
    "watching": _watching,
    "disk": _disk,
}
