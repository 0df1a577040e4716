"""One job, from a `Request` to a published return: open the inputs, run the action, write, publish by one rename.

This is the way of a job within one process; the command line calls it directly, and worker processes do the same.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

from bridge.config import Settings
from bridge.memory import memory_for_a_job
from bridge.protocol import Manifest, Request, StageInfo
from bridge.returns.folder import Staging
from engine import __version__
from engine.devices import is_out_of_memory
from engine.models.warm import WARM
from engine.stages import StageCache, Stages

if TYPE_CHECKING:
    from bridge.projects.rebuild import TrackToBuild
    from engine.actions.model import SourceFile

Progress = Callable[[str, float], None]

PUBLISH_SHARE = 0.08
"""How much of a job's time goes into writing the return, beside its stages; for progress."""


class Lease(Protocol):
    """The right to run a job, where somebody else may take it away. Both calls raise if it has been."""

    def stage_in(self, staging: Path) -> None:
        """Record the folder in which the return will be built, before it is made."""

    def publish_at(self, target: Path) -> None:
        """Record the place that the return is about to be renamed to."""


class NoLease:
    """The lease of a job that nobody can take away."""

    def stage_in(self, staging: Path) -> None:
        """Record nothing."""

    def publish_at(self, target: Path) -> None:
        """Record nothing."""


class Job:
    """A request that runs in this process. `run` it once; `abandon` removes what it has half-made.

    Args:
        request: what is asked.
        settings: folders and limits.
        out: the folder in which the return's folder is made; default `settings.returns_folder`.
        job_id: default a new one.
        opened: the inputs, where they are not to be read from the request's paths.
        lease: asked before anything is made or published.
        notes: what the manifest tells beside the action's own notes.
        on_progress: called with (stage, fraction of the whole job).
        is_cancelled: asked often; once True, `run` raises `Cancelled`.
    """

    def __init__(
        self,
        request: Request,
        settings: Settings,
        out: Path | None = None,
        *,
        job_id: str | None = None,
        opened: "tuple[SourceFile, ...] | None" = None,
        lease: Lease | None = None,
        notes: tuple[str, ...] = (),
        on_progress: Progress = lambda _stage, _fraction: None,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self.request = request
        self.settings = settings
        self.parent = (out.expanduser() if out is not None else settings.returns_folder).absolute()
        self.id = job_id or uuid4().hex[:12]
        self.opened = opened
        self.lease: Lease = lease or NoLease()
        self.notes = notes
        self.on_progress = on_progress
        self.is_cancelled = is_cancelled
        self._staging: Staging | None = None
        self._cache = StageCache(settings.cache_folder, int(settings.cache_max_gb * 1e9))

    def run(self) -> Manifest:
        """Do the work and publish the return.

        Raises:
            NrxError: with any code; nothing is left behind then.
        """
        with memory_for_a_job():
            try:
                return self._run()
            except RuntimeError as error:
                if is_out_of_memory(error):  # as PyTorch and OpenVINO say it
                    raise MemoryError(str(error)) from error
                raise
            finally:
                WARM.let_go(self.settings.models.keep_warm_s)

    def _run(self) -> Manifest:
        from bridge.recipes import prepare
        from bridge.returns.projects import write_projects
        from bridge.returns.write import TrackWriter, write_files, write_manifest

        started = time.perf_counter()
        track = self._track()
        if track is None:
            recipe = prepare(self.request, self.settings, self.opened)
        else:
            recipe = prepare(*track.promised(self.request, self.settings))
        staging = self._staging = Staging(self.parent, self.lease.stage_in)
        with ExitStack() as closing:
            closing.callback(staging.discard)
            staging.require_space(recipe.disk_bytes)
            whole = sum(share for _, share in recipe.plan)
            stages = Stages(
                self._cache,
                (
                    *(() if track is None else track.stages(whole)),
                    *recipe.plan,
                    ("publish", PUBLISH_SHARE * whole),
                ),
                self.on_progress,
                self.is_cancelled,
                backends=recipe.backends,
            )
            if track is not None:
                recipe = prepare(*track.built(self.request, self.settings, stages))
            tracks = TrackWriter(staging.path, recipe.subtype, recipe.start_frame)
            closing.callback(tracks.close)
            outcome = recipe.run(stages, tracks.submit)
            with stages.stage("publish") as monitor:
                written = write_files(staging.path, outcome, recipe, tracks, monitor)
                seconds = time.perf_counter() - started
                manifest = Manifest(
                    nrx_version=__version__,
                    action=self.request.action,
                    id=self.id,
                    folder="",
                    created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
                    request=self.request.model_dump(mode="json"),
                    stages=tuple(
                        StageInfo(stage=run.stage, seconds=round(run.seconds, 3), cached=run.cached)
                        for run in stages.times
                    ),
                    seconds=round(seconds, 3),
                    times_real_time=round(outcome.duration_s / seconds, 2),
                    device=stages.backends.devices,
                    **written,
                )
                manifest = manifest.model_copy(
                    update={
                        "notes": (*self.notes, *(() if track is None else track.notes), *manifest.notes),
                        "files": {**manifest.files, **write_projects(staging.path, manifest, recipe.name)},
                    }
                )
                monitor.check()
                staging.sync()
                published = None
                while published is None:
                    target = staging.free_name(recipe.name)
                    self.lease.publish_at(target)
                    manifest = manifest.model_copy(update={"folder": str(target)})
                    write_manifest(staging.path, manifest)
                    published = staging.publish(target)
            return manifest

    def _track(self) -> "TrackToBuild | None":
        """Return the project's track that is to be built before anything else, if the request has one."""
        if self.request.project is None:
            return None
        from bridge.projects.rebuild import TrackToBuild

        return TrackToBuild.of(self.request, self.settings, self.opened)

    def abandon(self) -> None:
        """Remove what is half-made, from another thread, when the process is about to end."""
        if self._staging is not None:
            self._staging.discard()
        self._cache.discard_unfinished()
