"""Stages of a job: cached on disk by content, timed, reporting progress, and cancellable.

`StageCache` keeps one folder an entry, named by the hash of everything that its content depends on (input audio,
parameters, backend, version). An entry is built under a temporary name and renamed into place, so that two processes
never see half of one; whoever comes second throws its own away. The cache is bounded in bytes: the entries longest
unused go first, but none that was used within the last hour, since another process may be reading it.

`Stages` is one job's walk through its stages: each has a share of the whole, so progress never goes backwards.
"""

import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from engine.backends import Backends, built_in_only
from engine.errors import NrxError
from engine.hashing import file_hash as file_hash
from engine.progress import Monitor

IN_USE_S = 3600.0
ABANDONED_S = 24 * 3600.0
_TEMPORARY = ".building-"


def content_key(parts: Mapping[str, Any]) -> str:
    """Return the hash of a JSON-able mapping; equal content gives equal keys whatever its order."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def _size_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _folders(parent: Path) -> list[Path]:
    """Return the folders in `parent`; none if it has just gone."""
    try:
        return [Path(entry.path) for entry in os.scandir(parent) if entry.is_dir()]
    except OSError:
        return []


@dataclass(frozen=True, slots=True)
class StageCache:
    """Folders under `root`, one an entry, together at most about `max_bytes`."""

    root: Path
    max_bytes: int

    def find(self, stage: str, key: str) -> Path | None:
        """Return the folder of an entry and mark it as used, or None."""
        folder = self.root / stage / key
        try:
            os.utime(folder)
        except OSError:
            return None
        return folder

    def build(self, stage: str, key: str, fill: Callable[[Path], None]) -> Path:
        """Make an entry by calling `fill` with an empty folder; return the finished folder.

        Raises:
            NrxError: `output.not_writable` or `output.disk_full`, from making the folder; and whatever `fill` raises.
        """
        final = self.root / stage / key
        building = self.root / f"{_TEMPORARY}{os.getpid()}-{uuid.uuid4().hex}"
        try:
            building.mkdir(parents=True)
            final.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NrxError(
                "output.not_writable",
                f"The cache folder {self.root} cannot be written ({error.strerror}); set NRX_HOME to one that can.",
            ) from error
        try:
            fill(building)
            try:
                building.rename(final)
            except OSError:
                if not final.is_dir():
                    raise
        finally:
            shutil.rmtree(building, ignore_errors=True)
        self.trim(keep=final)
        return final

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """Give an empty folder on the cache's disk, for files on their way to a return; an error removes it.

        What is still there later goes with the next trimming after a day.
        """
        folder = self.root / f"{_TEMPORARY}{os.getpid()}-{uuid.uuid4().hex}"
        try:
            folder.mkdir(parents=True)
            yield folder
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise NrxError(
                "output.not_writable",
                f"The cache folder {self.root} cannot be written ({error.strerror}); set NRX_HOME to one that can.",
            ) from error
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def discard_unfinished(self, pid: int | None = None) -> None:
        """Remove what a process has half-built that is about to end (this one), or has just ended."""
        for folder in self.root.glob(f"{_TEMPORARY}{pid or os.getpid()}-*"):
            shutil.rmtree(folder, ignore_errors=True)

    def entries(self) -> list[tuple[float, int, Path]]:
        """Return (last use in Unix seconds, bytes, folder) of every entry, longest unused first."""
        found = []
        for stage in _folders(self.root):
            if stage.name.startswith(_TEMPORARY):
                continue
            for folder in _folders(stage):
                try:
                    found.append((folder.stat().st_mtime, _size_bytes(folder), folder))
                except OSError:
                    continue  # another process has just removed it
        return sorted(found, key=lambda entry: entry[0])

    def trim(self, keep: Path | None = None) -> int:
        """Remove the entries longest unused until the cache fits; return the bytes that were freed."""
        now, freed = time.time(), 0
        for folder in self.root.glob(f"{_TEMPORARY}*"):
            try:
                abandoned = now - folder.stat().st_mtime > ABANDONED_S
            except OSError:
                continue
            if abandoned:
                shutil.rmtree(folder, ignore_errors=True)
        entries = self.entries()
        total = sum(size for _, size, _ in entries)
        for used, size, folder in entries:
            if total <= self.max_bytes:
                break
            if folder == keep or now - used < IN_USE_S:
                continue
            doomed = self.root / f"{_TEMPORARY}{uuid.uuid4().hex}"
            try:
                folder.rename(doomed)  # one rename takes the entry away whole
            except OSError:
                continue
            shutil.rmtree(doomed, ignore_errors=True)
            total -= size
            freed += size
        return freed


@dataclass(frozen=True, slots=True)
class StageTime:
    """How long a stage took, and whether its result was already there."""

    stage: str
    seconds: float
    cached: bool


@dataclass(slots=True)
class Stages:
    """One job's way through its stages.

    Args:
        cache: where results are kept.
        plan: (stage, share of the whole work) in order; shares need not sum to one.
        on_progress: called with (stage, fraction of the whole job), never going backwards.
        is_cancelled: asked often; once True, the running stage raises `Cancelled`.
        backends: what does the stages that can be done in several ways.
    """

    cache: StageCache
    plan: Sequence[tuple[str, float]]
    on_progress: Callable[[str, float], None] = lambda _stage, _fraction: None
    is_cancelled: Callable[[], bool] = lambda: False
    times: list[StageTime] = field(default_factory=list)
    backends: Backends = field(default_factory=built_in_only)
    _fraction: float = 0.0
    _was_cached: bool = False
    _lock: Lock = field(default_factory=Lock)

    def _tell(self, stage: str, fraction: float) -> None:
        with self._lock:  # a stage may report from several threads
            self._fraction = max(self._fraction, fraction)
            self.on_progress(stage, self._fraction)

    @contextmanager
    def stage(self, name: str) -> Iterator[Monitor]:
        """Run the body as the stage `name` of the plan; gives the monitor to report to."""
        total = sum(share for _, share in self.plan)
        position = [stage for stage, _ in self.plan].index(name)
        before = sum(share for _, share in self.plan[:position]) / total
        after = before + self.plan[position][1] / total
        monitor = Monitor(
            lambda fraction: self._tell(name, before + (after - before) * fraction), self.is_cancelled
        )
        monitor.report(0.0)
        started, self._was_cached = time.perf_counter(), False
        yield monitor
        self._tell(name, after)  # what is done is done: a cancel that comes now is heard by the next stage
        self.times.append(StageTime(name, time.perf_counter() - started, self._was_cached))

    def find(self, stage: str, depends_on: Mapping[str, Any]) -> Path | None:
        """Return the folder that was made for this content before, or None."""
        return self.cache.find(stage, content_key(depends_on))

    def cached(self, stage: str, depends_on: Mapping[str, Any], fill: Callable[[Path], None]) -> Path:
        """Return the folder that `fill` made for this content, now or at any time before, for the running stage."""
        folder, self._was_cached = self.kept(stage, depends_on, fill)
        return folder

    def kept(
        self, stage: str, depends_on: Mapping[str, Any], fill: Callable[[Path], None]
    ) -> tuple[Path, bool]:
        """Do as `cached` does for work beside the running stage; say also whether the folder was there before."""
        key = content_key(depends_on)
        found = self.cache.find(stage, key)
        return (found, True) if found is not None else (self.cache.build(stage, key, fill), False)

    def was_cached(self) -> None:
        """Note that the running stage had nothing to do: all that it gives was there before."""
        self._was_cached = True
