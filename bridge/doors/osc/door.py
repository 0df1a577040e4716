"""`OscDoor`: receives, answers at once, and does what takes time elsewhere.

Three threads: one receives and acknowledges and never waits for a disk; one submits (hashing takes time); one does the
short questions (cancel, status, styles). Their queues are bounded, and a full one is answered with `request.too_many`.

The socket is bound to 127.0.0.1. Answers go only to the address that asked, or the port of the same address that it
named in hello. Before hello, an answer is never longer than what asked for it, and there is one at most for each step.
Jobs can be cancelled and followed only if they came over OSC or as request files.
"""

import json
import logging
import queue
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING

from bridge.config import Settings
from bridge.doors.osc.addresses import BY_NAME, TO_NRX, Value, match
from bridge.doors.osc.clients import Address, Client, Clients
from bridge.doors.osc.limits import RateLimits
from bridge.doors.osc.packet import (
    LARGEST_IN_BYTES,
    LARGEST_OUT_BYTES,
    MalformedPacketError,
    build,
    decode,
    encode,
)
from bridge.doors.osc.streaming import OscStreams
from bridge.doors.spool.intake import Intake, spool_folder
from bridge.doors.spool.request_file import COMMAND_LINE, ID, SpoolRequest, no_id
from bridge.protocol import ENDED, PROTOCOL_VERSION, JobEvent, JobStatus, parse_request
from engine import __version__
from engine.errors import NrxError

if TYPE_CHECKING:
    from bridge.jobs import Jobs
    from bridge.security.roots import Roots
    from bridge.streams.streams import Streams

HOST = "127.0.0.1"
PORTS_TRIED = 10
MOST_WAITING = 64
DOORS = ("osc", "spool", COMMAND_LINE)
"""Jobs of these doors can be cancelled and followed."""
_RECEIVE_BUFFER_BYTES = 1 << 20
_TICK_S = 0.5
_REPORT_EVERY_S = 60.0
_WAKE_ADDRESS = re.compile(r"/[A-Za-z0-9_/-]{1,120}")
_WAKE_ARGUMENT = re.compile(r"[A-Za-z0-9_./ -]{0,120}")

log = logging.getLogger("nrx.osc")


class Asker:
    """Who sent a datagram, how long it was, and the client that it belongs to, if it is one's."""

    __slots__ = ("client", "length", "source")

    def __init__(self, source: Address, length: int, client: Client | None) -> None:
        self.source, self.length, self.client = source, length, client


class OscDoor:
    """The door for OSC. `start`, then `stop`; both may be called twice. `port` is the one that is listened on."""

    def __init__(
        self, settings: Settings, jobs: "Jobs", roots: "Roots", port: int, streams: "Streams | None" = None
    ) -> None:
        self._settings = settings
        self._jobs = jobs
        self._roots = roots
        self._wanted_port = port
        self.port = port
        self._intake = Intake(settings, jobs, "osc")
        self._spool = spool_folder(settings)
        self._streams = OscStreams(settings, streams)
        self._clients = Clients()
        self._limits = RateLimits(time.monotonic())
        self._socket: socket.socket | None = None
        self._threads: list[threading.Thread] = []
        self._submits: queue.Queue[Callable[[], object] | None] = queue.Queue(MOST_WAITING)
        self._questions: queue.Queue[Callable[[], object] | None] = queue.Queue(MOST_WAITING)
        self._in_hand: Counter[str] = Counter()
        """Ids that are being submitted: nothing is told of them before `accepted`."""
        self._to_cancel: set[str] = set()
        """Those of them that are cancelled as soon as they are accepted."""
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._unsubscribe: Callable[[], None] = lambda: None
        self._url = ("", float("-inf"))
        self.malformed, self.dropped = 0, 0
        self._next_report = 0.0
        self._handlers: dict[str, Callable[[Asker, tuple[Value, ...]], None]] = {
            "hello": self._hello,
            "submit_file": self._submit_file,
            "submit_audio": self._submit_audio,
            "cancel": self._cancel,
            "status": self._status,
            "styles": self._styles,
            "stream": self._stream,
            "stream_stop": self._stream_stop,
            "wake": self._wake,
        }

    # Life

    def start(self) -> None:
        """Bind the port and begin to listen.

        Raises:
            NrxError: `daemon.address` if the port and the nine after it are taken.
        """
        if self._threads:
            return
        self._socket = self._bind()
        self.port = self._socket.getsockname()[1]
        self._stopping.clear()
        self._unsubscribe = self._jobs.subscribe(self._on_event)
        work = (
            ("nrx-osc", lambda: self._receive(self._socket)),
            ("nrx-osc-submit", lambda: self._work(self._submits)),
            ("nrx-osc-questions", lambda: self._work(self._questions)),
        )
        for name, run in work:
            thread = threading.Thread(target=run, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End within 2 seconds; what was received and not yet accepted is dropped, as its sender was told no more."""
        if not self._threads:
            return
        self._stopping.set()
        self._unsubscribe()
        self._streams.stop_all()
        for waiting in (self._submits, self._questions):
            try:
                waiting.put_nowait(None)
            except queue.Full:
                log.debug("Stopping with messages in hand")
        self._send_raw(b"", (HOST, self.port))  # the receiving thread looks up at once
        for thread in self._threads:
            thread.join(0.6)
        self._threads.clear()
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._in_hand.clear()
        self._to_cancel.clear()

    def _bind(self) -> socket.socket:
        wanted = self._wanted_port
        ports = (
            [0] if wanted == 0 else [port for port in range(wanted, wanted + PORTS_TRIED) if port <= 65535]
        )
        problem: OSError | None = None
        for port in ports:
            opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows lets two programs share a port otherwise
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
            try:
                opened.bind((HOST, port))
            except OSError as error:
                opened.close()
                problem = error
                continue
            opened.settimeout(_TICK_S)
            return opened
        raise NrxError(
            "daemon.address",
            f"The OSC ports {ports[0]} to {ports[-1]} are all taken ({problem}); choose another with --osc-port.",
        )

    # Receiving

    def _receive(self, opened: socket.socket | None) -> None:
        assert opened is not None
        while not self._stopping.is_set():
            try:
                data, source = opened.recvfrom(LARGEST_IN_BYTES + 1)
            except TimeoutError:
                continue
            except OSError as error:  # Windows tells here of a client that has gone
                log.debug("Receiving: %s", error)
                self._stopping.wait(0.01)
                continue
            try:
                self.handle(data, source)
            except Exception:
                log.exception("A datagram from %s could not be handled", source)

    def handle(self, data: bytes, source: Address) -> None:
        """Handle one datagram; quick, and only refuses by answering."""
        now = time.monotonic()
        client = self._clients.of(source)
        if not source[0].startswith("127.") or not self._limits.allows(source, client is not None, now):
            self.dropped += 1
            self._report(now)
            return
        try:
            messages = decode(data)
        except MalformedPacketError:
            self.malformed += 1
            self._report(now)
            return
        asker = Asker(source, len(data), client)
        for address, values in messages:
            self._dispatch(asker, address, values)

    def _dispatch(self, asker: Asker, address: str, values: list[Value]) -> None:
        if not address.startswith("/nrx/"):
            return
        try:
            message, fitted = match(TO_NRX, address, values)
            self._handlers[message.name](asker, fitted)
        except NrxError as error:
            self._answer(asker, "error", "", error.code, error.sentence)

    def _report(self, now: float) -> None:
        """Tell the log now and then how much was refused, and never once for each datagram."""
        if now >= self._next_report:
            self._next_report = now + _REPORT_EVERY_S
            log.info("OSC so far: %d malformed datagrams, %d above the rate", self.malformed, self.dropped)

    # Messages, on the receiving thread

    def _hello(self, asker: Asker, values: tuple[Value, ...]) -> None:
        name, _version, reply_port, instance = str(values[0]), values[1], int(values[2]), str(values[3])
        if reply_port != 0 and not 1024 <= reply_port <= 65535:
            raise NrxError(
                "request.invalid", f"reply_port {reply_port} is refused: it must be 0, or 1024 to 65535."
            )
        host, source_port = asker.source
        client = self._clients.hello(name[:100], asker.source, (host, reply_port or source_port))
        if client is None:
            raise NrxError(
                "request.too_many", "There are too many OSC clients; close some and say hello again."
            )
        asker.client = client
        self._answer(
            asker,
            "welcome",
            __version__,
            PROTOCOL_VERSION,
            self._http_url(),
            str(self._spool),
            instance[:100],
        )

    def _submit_file(self, asker: Asker, values: tuple[Value, ...]) -> None:
        text = str(values[0])
        name = PurePath(text.replace("\\", "/")).name
        job_id = name.removesuffix(".json")
        if not name.endswith(".json") or not ID.fullmatch(job_id):
            raise no_id(name)
        self._take_in_hand(asker, job_id, lambda: self._take_file(job_id, text))

    def _submit_audio(self, asker: Asker, values: tuple[Value, ...]) -> None:
        job_id, audio, style, energy, brightness = values
        if not ID.fullmatch(str(job_id)):
            raise NrxError(
                "request.invalid",
                f"The id {str(job_id)[:80]!r} is refused: it must be 1 to 64 of A-Z a-z 0-9 _ -.",
            )
        fields = {
            "action": "remix",
            "style": style,
            "energy": _rounded(energy),
            "brightness": _rounded(brightness),
        }
        self._take_in_hand(asker, str(job_id), lambda: self._take_audio(str(job_id), str(audio), fields))

    def _take_in_hand(self, asker: Asker, job_id: str, work: Callable[[], JobStatus]) -> None:
        """Acknowledge a request and have it submitted."""
        self._answer(asker, "received", job_id)
        with self._lock:
            self._in_hand[job_id] += 1
        try:
            self._submits.put_nowait(lambda: self._submit(asker, job_id, work))
        except queue.Full:
            self._put_down(job_id)
            sentence = "Too many requests are waiting to be accepted; send it again in a few seconds."
            self._answer(asker, "error", job_id, "request.too_many", sentence)

    def _put_down(self, job_id: str) -> bool:
        """Note that a request is not being submitted any more; True if it is to be cancelled now."""
        with self._lock:
            self._in_hand[job_id] -= 1
            if self._in_hand[job_id] > 0:
                return False
            del self._in_hand[job_id]
            cancel = job_id in self._to_cancel
            self._to_cancel.discard(job_id)
            return cancel

    def _cancel(self, asker: Asker, values: tuple[Value, ...]) -> None:
        job_id = str(values[0])
        with self._lock:
            if job_id in self._in_hand:
                self._to_cancel.add(job_id)
                return
        self._ask(asker, job_id, lambda: self._cancel_now(job_id))

    def _status(self, asker: Asker, values: tuple[Value, ...]) -> None:
        job_id = str(values[0])
        self._ask(asker, job_id, lambda: self._show(asker, job_id))

    def _styles(self, asker: Asker, _values: tuple[Value, ...]) -> None:
        self._ask(asker, "", lambda: self._list_styles(asker))

    def _stream(self, asker: Asker, values: tuple[Value, ...]) -> None:
        if asker.client is None:
            raise NrxError("request.invalid", "Say /nrx/hello before /nrx/stream.")
        self._ask(asker, str(values[0]), lambda: self._streams.start(values, partial(self._answer, asker)))

    def _stream_stop(self, asker: Asker, values: tuple[Value, ...]) -> None:
        self._ask(asker, str(values[0]), lambda: self._streams.stop(str(values[0])))

    def _wake(self, asker: Asker, values: tuple[Value, ...]) -> None:
        port, address, argument = int(values[0]), str(values[1]), str(values[2])
        if asker.client is None:
            raise NrxError("request.invalid", "Say /nrx/hello before /nrx/wake.")
        if not address:
            asker.client.wake = None
            return
        fits = (
            1024 <= port <= 65535 and _WAKE_ADDRESS.fullmatch(address) and _WAKE_ARGUMENT.fullmatch(argument)
        )
        if not fits:
            raise NrxError(
                "request.invalid",
                "That wake message is refused: a port from 1024 to 65535, an address and an argument of letters, "
                "digits, _ / - and at most 120 each.",
            )
        asker.client.wake = (port, address, argument)

    def _ask(self, asker: Asker, job_id: str, work: Callable[[], None]) -> None:
        try:
            self._questions.put_nowait(partial(self._answer_errors, asker, job_id, work))
        except queue.Full:
            raise NrxError("request.too_many", "Too much is asked at once; ask again in a moment.") from None

    # Work, on the two other threads

    def _work(self, waiting: "queue.Queue[Callable[[], object] | None]") -> None:
        while (work := waiting.get()) is not None and not self._stopping.is_set():
            try:
                work()
            except Exception:
                log.exception("A message could not be answered")

    def _answer_errors(self, asker: Asker, job_id: str, work: Callable[[], None]) -> bool:
        """Do something, and answer what goes wrong; False if something did."""
        try:
            work()
        except NrxError as error:
            self._answer(asker, "error", job_id, error.code, error.sentence)
        except Exception as error:
            log.exception("The message about %r failed", job_id)
            self._answer(
                asker, "error", job_id, "internal", f"NRX Bridge failed on it: {type(error).__name__}."
            )
        else:
            return True
        return False

    def _submit(self, asker: Asker, job_id: str, work: Callable[[], JobStatus]) -> None:
        """Submit, and say `accepted` before anything else is told of the job."""
        self._answer_errors(asker, job_id, lambda: self._accept(asker, job_id, work))
        is_to_cancel, job = self._put_down(job_id), self._intake.known(job_id)
        if job is None:
            return
        if is_to_cancel:  # also where this was the second copy of a request, and came too late for its file
            self._answer_errors(asker, job_id, lambda: self._cancel_now(job_id))
        else:
            self._tell(job)

    def _accept(self, asker: Asker, job_id: str, work: Callable[[], JobStatus]) -> None:
        work()
        if asker.client is not None:
            self._clients.follow(asker.client, job_id)
        self._answer(asker, "accepted", job_id)

    def _take_file(self, job_id: str, text: str) -> JobStatus:
        path = self._roots.allows(text)
        is_own = path.parent == (self._spool / "new").resolve()
        if is_own:
            path = self._spool / "new" / path.name
            self._intake.announce(path)
        return self._intake.take(
            path, finished=True, check=(lambda asked: asked) if is_own else self._within_roots
        )

    def _within_roots(self, asked: SpoolRequest) -> SpoolRequest:
        """Return a request that lay outside the spool with its inputs resolved below the allowed folders."""
        inputs = tuple(
            item.model_copy(update={"path": str(self._roots.allows(item.path))})
            for item in asked.request.inputs
        )
        return asked.model_copy(update={"request": asked.request.model_copy(update={"inputs": inputs})})

    def _take_audio(self, job_id: str, audio: str, fields: dict[str, Value]) -> JobStatus:
        path = self._roots.allows(audio)
        request = parse_request({**fields, "inputs": [{"path": str(path)}]})
        return self._jobs.submit(request, door="osc", job_id=job_id)

    def _cancel_now(self, job_id: str) -> None:
        self._own_job(job_id)
        self._jobs.cancel(job_id)

    def _own_job(self, job_id: str) -> JobStatus:
        """Return a job that this door may speak of.

        Raises:
            NrxError: `job.unknown`.
        """
        job = self._jobs.get(job_id) if ID.fullmatch(job_id) else None
        if job is None or job.door not in DOORS:
            raise NrxError(
                "job.unknown", f"There is no job {job_id[:64]!r} that came over OSC or as a request file."
            )
        return job

    def _list_styles(self, asker: Asker) -> None:
        from engine.presets import list_styles, load_style

        folders = (self._settings.styles_folder,)
        styles = list_styles(folders)
        for index, style_id in enumerate(styles):
            try:
                style = load_style(style_id, folders)
                name, description = style.name, style.description
            except NrxError as error:
                name, description = style_id, error.sentence
            self._answer(asker, "style", index, len(styles), style_id, name, description)

    # Telling

    def _show(self, asker: Asker, job_id: str) -> None:
        """Answer how a job is, and have its further way told."""
        job = self._own_job(job_id)
        if asker.client is not None and job.state not in ENDED:
            self._clients.follow(asker.client, job_id)
            job = self._own_job(job_id)  # again: its end may have been told just before
            if job.state in ENDED:
                self._clients.unfollow(asker.client, job_id)
        self._answer(asker, *_news(job))

    def _on_event(self, event: JobEvent) -> None:
        if event.type != "accepted" and event.job.id not in self._in_hand:
            self._tell(event.job)

    def _tell(self, job: JobStatus) -> None:
        """Tell those who follow a job how it is; its end once, and with it their wake message."""
        ended = job.state in ENDED
        followers = self._clients.followers(job.id, ended=ended)
        for client in followers:
            name, *values = _news(job)
            self._send(name, values, client.reply_to)
            if ended and client.wake is not None:
                port, address, argument = client.wake
                self._send_raw(build(address, [argument] if argument else []), (client.reply_to[0], port))

    def _answer(self, asker: Asker, name: str, *values: Value) -> None:
        if asker.client is not None:
            self._send(name, values, asker.client.reply_to)
        else:
            self._send(name, values, asker.source, min(asker.length, LARGEST_OUT_BYTES))

    def _send(
        self,
        name: str,
        values: tuple[Value, ...] | list[Value],
        to: Address,
        largest: int = LARGEST_OUT_BYTES,
    ) -> None:
        message = BY_NAME[name]
        datagram = encode(message, values, largest)
        if datagram is None and name in ("done", "stream_started"):  # the path is too long
            datagram = encode(message, [values[0], "", *values[2:]], largest)
        if datagram is not None:
            self._send_raw(datagram, to)

    def _send_raw(self, datagram: bytes, to: Address) -> None:
        opened = self._socket
        if opened is None:
            return
        try:
            opened.sendto(datagram, to)
        except OSError as error:
            log.debug("Sending to %s: %s", to, error)

    def _http_url(self) -> str:
        """Return the URL in `daemon.json`, read at most once a second."""
        url, read_at = self._url
        now = time.monotonic()
        if now - read_at > 1.0:
            try:
                said = json.loads((self._settings.home / "daemon.json").read_bytes())
                url = str(said.get("http") or "")
            except (OSError, ValueError, AttributeError):
                url = ""
            self._url = (url, now)
        return url


def _news(job: JobStatus) -> tuple[str, *tuple[Value, ...]]:
    """Return the message that says how a job is, and its values."""
    if job.state == "succeeded":
        return ("done", job.id, job.manifest or "")
    if job.state == "cancelled":
        return ("error", job.id, "cancelled", "The job was cancelled.")
    if job.state == "failed":
        error = job.error
        return (
            "error",
            job.id,
            error.code if error else "internal",
            error.sentence if error else "The job failed.",
        )
    left_s = -1.0 if job.left_s is None else job.left_s
    return ("progress", job.id, job.state, job.stage or "", job.fraction, left_s)


def _rounded(value: Value) -> float:
    """Return a float32 as the number that was typed: 1.2 and not 1.2000000476837158."""
    return round(float(value), 6)
