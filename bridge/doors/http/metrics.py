"""Counters in Prometheus' text format (version 0.0.4), written by hand: a handful of families needs no library.

Names follow Prometheus' rules: base units (seconds, bytes), `_total` for counters, histograms with cumulative buckets.
"""

import json
import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bridge.protocol import JobStatus

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
HTTP_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
JOB_BUCKETS_S = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)

Labels = tuple[tuple[str, str], ...]
Sample = tuple[Mapping[str, str], float]


class Histogram:
    """Counts of observations below bounds, by labels. Thread-safe."""

    def __init__(self, name: str, meaning: str, bounds: Sequence[float]) -> None:
        self.name, self.meaning, self.bounds = name, meaning, tuple(bounds)
        self._counts: dict[Labels, list[int]] = defaultdict(lambda: [0] * (len(self.bounds) + 1))
        self._sums: dict[Labels, float] = defaultdict(float)
        self._lock = threading.Lock()

    def observe(self, value: float, **labels: str) -> None:
        """Count a value."""
        key = tuple(sorted(labels.items()))
        with self._lock:
            self._counts[key][bisect_left(self.bounds, value)] += 1
            self._sums[key] += value

    def lines(self) -> Iterable[str]:
        """Return the family's text."""
        yield from _head(self.name, "histogram", self.meaning)
        with self._lock:
            taken = [(key, list(counts), self._sums[key]) for key, counts in sorted(self._counts.items())]
        for key, counts, total in taken:
            reached = 0
            for bound, count in zip((*(f"{bound:g}" for bound in self.bounds), "+Inf"), counts, strict=True):
                reached += count
                yield f"{self.name}_bucket{_labels({**dict(key), 'le': bound})} {reached}"
            yield f"{self.name}_sum{_labels(dict(key))} {total:.6g}"
            yield f"{self.name}_count{_labels(dict(key))} {reached}"


class Metrics:
    """What the HTTP door counts while it runs."""

    def __init__(self) -> None:
        self.http = Histogram(
            "nrx_http_request_duration_seconds", "Time to answer HTTP requests.", HTTP_BUCKETS_S
        )
        self.jobs = Histogram("nrx_job_duration_seconds", "Time jobs ran, by action and end.", JOB_BUCKETS_S)
        self.stages = Histogram(
            "nrx_stage_duration_seconds", "Time stages of finished jobs took.", JOB_BUCKETS_S
        )

    def note_end(self, job: JobStatus) -> None:
        """Count a job that has ended; reads the return's manifest."""
        if job.started_at is not None and job.finished_at is not None:
            self.jobs.observe(job.finished_at - job.started_at, action=job.action, state=job.state)
        if job.state == "succeeded" and job.manifest is not None:
            for stage, seconds in _stage_times(Path(job.manifest)):
                self.stages.observe(seconds, stage=stage)


def _stage_times(manifest: Path) -> list[tuple[str, float]]:
    """Return the stages of a return and the seconds they took; nothing where the manifest cannot be read."""
    try:
        stages = json.loads(manifest.read_text(encoding="utf-8"))["stages"]
        return [(str(item["stage"]), float(item["seconds"])) for item in stages]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def family(name: str, kind: str, meaning: str, samples: Iterable[Sample]) -> Iterable[str]:
    """Return the text of a family of gauges or counters."""
    yield from _head(name, kind, meaning)
    for labels, value in samples:
        yield f"{name}{_labels(labels)} {value:.17g}"


def _head(name: str, kind: str, meaning: str) -> Iterable[str]:
    yield f"# HELP {name} {meaning}"
    yield f"# TYPE {name} {kind}"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    told = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{told}}}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
