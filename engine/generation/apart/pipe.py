"""This end of the pipe: a child process that is asked one thing at a time, and cannot outlive or hang this one.

The child's standard error goes to the log, line by line. While an answer is awaited the job's monitor is asked four
times a second; a cancel is passed on, and a child that does not heed it within `PATIENCE_S` is ended. A child that says
nothing for `silence_s` is ended as well.
"""

import contextlib
import logging
import queue
import subprocess
import threading
import time
import weakref
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from engine.errors import Cancelled, NrxError
from engine.generation.apart.child import PROTOCOL, BrokenFrameError, Header, read_frame, write_frame
from engine.progress import SILENT, Monitor

SILENCE_S = 900.0
"""Loading a large model from a slow disk says nothing for minutes."""
PATIENCE_S = 3.0
ASKED_EVERY_S = 0.25
KEPT_LINES = 12

log = logging.getLogger(__name__)
Frame = tuple[Header, bytes]


class Pipe:
    """A child process that speaks the protocol of `child`.

    Args:
        command: what starts it.
        environment: all of its variables.
        name: what people know it as.
        silence_s: how long it may say nothing while it is asked.

    Raises:
        NrxError: `model.interpreter` if it does not start.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        name: str,
        *,
        silence_s: float = SILENCE_S,
    ) -> None:
        self._name, self._silence_s = name, silence_s
        self._frames: queue.Queue[Frame | None] = queue.Queue()
        self._said: deque[str] = deque(maxlen=KEPT_LINES)
        self._broken: list[str] = []
        try:
            self._process = subprocess.Popen(
                list(command),
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            raise NrxError(
                "model.interpreter", f"{name} does not start: {command[0]} cannot be run ({error.strerror})."
            ) from error
        self._end = weakref.finalize(self, _end, self._process)
        # Neither thread may hold on to this object: a child that nobody holds any more is ended.
        self._threads = [
            threading.Thread(
                target=_hear, args=(self._process.stdout, self._frames, self._broken), daemon=True
            ),
            threading.Thread(target=_log, args=(self._process.stderr, self._said, name), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The child's number."""
        return self._process.pid

    def close(self) -> None:
        """End the child."""
        self._end()
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def greet(self, monitor: Monitor = SILENT) -> Header:
        """Exchange versions; return what the child says of itself.

        Raises:
            NrxError: `model.interpreter` if it speaks another protocol.
        """
        said, _ = self.ask({"type": "hello", "protocol": PROTOCOL}, "hello", monitor)
        if said.get("protocol") != PROTOCOL:
            self.close()
            raise NrxError(
                "model.interpreter",
                f"{self._name} speaks protocol {said.get('protocol')} and nrx speaks {PROTOCOL}; install it again.",
            )
        return said

    def ask(self, order: Header, wanted: str, monitor: Monitor = SILENT, body: bytes = b"") -> Frame:
        """Send an order and return its answer, a frame of the type `wanted`.

        Raises:
            NrxError: `model.interpreter` if the child ends, hangs or says something else; `model.memory` and
                `model.failed` as it says; `Cancelled`.
        """
        try:
            write_frame(self._stdin, order, body)
        except (OSError, ValueError) as error:
            raise self._gone() from error
        heard_s = time.monotonic()
        while True:
            try:
                monitor.check()
                try:
                    frame = self._frames.get(timeout=ASKED_EVERY_S)
                except queue.Empty:
                    if time.monotonic() - heard_s > self._silence_s:
                        self.close()
                        raise NrxError(
                            "model.interpreter",
                            f"{self._name} has said nothing for {self._silence_s:.0f} s and was ended; try again.",
                        ) from None
                    continue
                heard_s = time.monotonic()
                if frame is None:
                    raise self._gone()
                if frame[0]["type"] == "progress":
                    monitor.report(_fraction(frame[0]))
                    continue
            except Cancelled:
                self._cancel()
                raise
            return self._checked(frame, wanted)

    @property
    def _stdin(self) -> BinaryIO:
        assert self._process.stdin is not None  # it was opened as a pipe
        return self._process.stdin  # type: ignore[return-value]  # typeshed: IO[bytes]

    def _checked(self, frame: Frame, wanted: str) -> Frame:
        header, _ = frame
        if header["type"] == wanted:
            return frame
        if header["type"] == "error":
            code = "model.memory" if header.get("kind") == "memory" else "model.failed"
            raise NrxError(code, f"{self._name} failed: {str(header.get('message', 'no word')).rstrip('.')}.")
        self.close()
        raise NrxError(
            "model.interpreter", f"{self._name} answers {header['type']!r} where {wanted!r} was to come."
        )

    def _cancel(self) -> None:
        """Have the running order cancelled; end a child that does not heed it."""
        until = time.monotonic() + PATIENCE_S
        try:
            write_frame(self._stdin, {"type": "cancel"})
            while (left_s := until - time.monotonic()) > 0:
                frame = self._frames.get(timeout=left_s)
                if frame is None or frame[0]["type"] != "progress":
                    return
        except (OSError, ValueError, queue.Empty):
            pass
        self.close()

    def _gone(self) -> NrxError:
        """Return the error that says how the child ended, with the last that it said."""
        self.close()
        last = next((line for line in reversed(self._said) if line.strip()), "without a word")
        how = self._broken[0] if self._broken else f"ended with {self._process.returncode}"
        return NrxError("model.interpreter", f"{self._name} {how}: {last.rstrip('.')}.")


def _hear(stream: BinaryIO, frames: queue.Queue[Frame | None], broken: list[str]) -> None:
    """Read frames until the stream ends."""
    try:
        with stream:
            while (frame := read_frame(stream)) is not None:
                frames.put(frame)
    except (BrokenFrameError, OSError) as error:
        broken.append(f"was ended, since what it said cannot be understood ({error})")
    frames.put(None)


def _log(stream: BinaryIO, said: deque[str], name: str) -> None:
    """Put what the child prints into the log."""
    with stream:
        for line in stream:
            text = line.decode(errors="replace").rstrip()
            said.append(text)
            log.info("%s: %s", name, text)


def _fraction(header: Header) -> float:
    value: Any = header.get("fraction")
    return float(value) if isinstance(value, int | float) else 0.0


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a child, and take it off the system's table."""
    process.kill()
    process.wait()
    if process.stdin is not None:
        with contextlib.suppress(OSError):  # what was still to be written to it
            process.stdin.close()
