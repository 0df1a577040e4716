"""The daemon: reads the settings, wires queue and doors, starts them, and stops them again.

Nothing is decided here but the order. Jobs come first, so that what an earlier daemon left is taken up before anything
new is accepted; doors stop first, so that nothing is accepted that would wait for the next start.
"""

import logging
import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from bridge.config import Settings
from bridge.daemon_file import DaemonFile, DaemonInfo
from bridge.daemon_lock import DaemonLock
from bridge.daemon_log import log_event, start_logging
from bridge.memory import bound_arenas
from bridge.models_file import write_models
from bridge.protocol import PROTOCOL_VERSION
from bridge.styles_file import write_styles
from engine import __version__

if TYPE_CHECKING:
    from bridge.jobs import Jobs
    from bridge.jobs.worker import Entry

SWITCH_S = 0.001
"""How long a thread may keep the interpreter while others wait; the doors' answers wait for it. Python's is 5 ms."""
log = logging.getLogger("nrx.daemon")


class Daemon:
    """All of `nrx serve` but its words. `start`, then `stop`, which takes a few seconds at most.

    Args:
        settings: everything that can be set.
        lan: whether listening on another address than loopback is meant.
        entry: what worker processes run; None is `bridge.jobs.worker.main`.
    """

    def __init__(self, settings: Settings, *, lan: bool = False, entry: "Entry | None" = None) -> None:
        self.settings = settings
        self._lan, self._entry = lan, entry
        self._closing = ExitStack()
        self.http_url = ""
        self.link = ""
        self.osc_port: int | None = None

    def start(self) -> None:
        """Start everything; if something cannot be started, everything is stopped again.

        Raises:
            NrxError: `daemon.running`, `daemon.address`, `store.network`, `request.invalid`, `output.not_writable`.
        """
        with ExitStack() as closing:
            lock = DaemonLock(self.settings.home)
            lock.take()
            closing.callback(lock.release)
            closing.callback(start_logging(self.settings.home))
            sys.setswitchinterval(SWITCH_S)
            bound_arenas()
            log.info("NRX Bridge %s starts with NRX_HOME %s", __version__, self.settings.home)
            self._wire(closing)
            self._closing = closing.pop_all()

    def stop(self) -> None:
        """Close the doors, give running jobs back to the queue, and end the workers."""
        log.info("The daemon ends")
        self._closing.close()

    def _wire(self, closing: ExitStack) -> None:
        from bridge.doors.folder.door import FolderDoor
        from bridge.doors.http.context import HttpContext
        from bridge.doors.http.door import HttpDoor
        from bridge.doors.osc.door import OscDoor
        from bridge.doors.spool.door import SpoolDoor
        from bridge.jobs import Jobs
        from bridge.library import Library
        from bridge.security.roots import Roots
        from bridge.security.token import Token
        from bridge.streams.streams import Streams
        from bridge.uploads import Uploads

        settings = self.settings
        token, roots = Token.load(settings.home), Roots(settings)
        jobs = Jobs(settings) if self._entry is None else Jobs(settings, self._entry)
        closing.callback(jobs.close)
        jobs.subscribe(log_event)
        jobs.start()

        streams = Streams(settings)
        closing.callback(streams.stop)
        folders = FolderDoor(settings, jobs, settings.watch)
        http = HttpDoor(
            HttpContext(
                settings=settings,
                jobs=jobs,
                roots=roots,
                token=token,
                uploads=Uploads(settings, jobs.register_input),
                library=Library(settings, lambda job_id: jobs.get(job_id).folder),
                waiting=folders.waiting,
                info=lambda: self._info(jobs),
                lan=self._lan,
                streams=streams,
            )
        )
        osc = OscDoor(settings, jobs, roots, settings.osc.port, streams)
        for door in (http, osc, SpoolDoor(settings, jobs), folders):
            closing.callback(door.stop)
            door.start()
        self.http_url, self.link, self.osc_port = http.url, http.link(), osc.port
        write_styles(settings)
        write_models(settings)

        file = DaemonFile(
            settings.home,
            DaemonInfo(
                pid=os.getpid(),
                http=http.url,
                osc_port=self.osc_port,
                token_file=str(token.file),
                version=__version__,
                protocol=PROTOCOL_VERSION,
                heartbeat=0.0,
            ),
        )
        closing.callback(file.stop)
        file.start()
        log.info("The daemon is ready at %s, OSC port %s", http.url, self.osc_port)

    def _info(self, jobs: "Jobs") -> Mapping[str, Any]:
        """What the HTTP door tells about the daemon beside what it knows itself."""
        return {
            "home": self.settings.home,
            "osc_port": self.osc_port,
            "worker_processes": jobs.workers(),
        }
