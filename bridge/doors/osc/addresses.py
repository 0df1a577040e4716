"""The one table of OSC messages, and how values are fitted to it.

Types are `i` (int32), `f` (float32) and `s` (UTF-8 string) only: Max sends and understands no others. Max also turns a
symbol of digits into an int and drops a float's fraction of zero, so numbers are fitted to the kind that the table
names. Arguments with a default may be left out at the end.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from engine.errors import NrxError

Value = int | float | str
Kind = Literal["i", "f", "s"]
KIND_NAMES: dict[Kind, str] = {"i": "int", "f": "float", "s": "string"}


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument. `cut`: a text for people, shortened where a datagram would become too long."""

    name: str
    kind: Kind
    meaning: str
    default: Value | None = None
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One form of a message; two forms of one address differ in their number of arguments."""

    name: str
    address: str
    meaning: str
    arguments: tuple[Argument, ...] = ()

    @property
    def fewest(self) -> int:
        """How many arguments there must be."""
        return sum(argument.default is None for argument in self.arguments)

    def form(self) -> str:
        """Return how it is written: `/nrx/submit id audio style [energy] [brightness]`."""
        names = [a.name if a.default is None else f"[{a.name}]" for a in self.arguments]
        return " ".join([self.address, *names])


_ID = Argument("id", "s", "the job's id: 1 to 64 of `A-Z a-z 0-9 _ -`")

TO_NRX: tuple[Message, ...] = (
    Message(
        "hello",
        "/nrx/hello",
        "Makes the sender a client: from now on it is told about its jobs. Answered by `/nrx/welcome`. Say it again "
        "whenever no answer came within a second, and after NRX Bridge was started anew.",
        (
            Argument("client", "s", "who is there, such as `live`"),
            Argument("version", "s", "the client's version"),
            Argument(
                "reply_port", "i", "port on this machine to which answers go; 0: the port this came from", 0
            ),
            Argument(
                "instance", "s", "anything; comes back in the welcome, to tell several clients apart", ""
            ),
        ),
    ),
    Message(
        "submit_file",
        "/nrx/submit",
        "Submits a request file (see the page on the spool); its name without `.json` is the job's id. It must be "
        "closed, and need not have been renamed. Answered by `/nrx/received`, then `/nrx/accepted` or `/nrx/error`.",
        (Argument("path", "s", "absolute path of the request file, below an allowed folder"),),
    ),
    Message(
        "submit_audio",
        "/nrx/submit",
        "Submits a remix of one audio file. Answered in the same way.",
        (
            _ID,
            Argument("audio", "s", "absolute path of the audio, below an allowed folder"),
            Argument("style", "s", "a style's id"),
            Argument("energy", "f", "0.5 to 2", 1.0),
            Argument("brightness", "f", "0.5 to 2", 1.0),
        ),
    ),
    Message(
        "cancel",
        "/nrx/cancel",
        "Cancels a job that came over OSC or as a request file. It ends with `/nrx/error`, code `cancelled`.",
        (_ID,),
    ),
    Message(
        "status",
        "/nrx/status",
        "Asks how a job is, and follows it from now on. Answered by `/nrx/progress`, `/nrx/done` or `/nrx/error`.",
        (_ID,),
    ),
    Message(
        "stream",
        "/nrx/stream",
        "Makes music and writes it to a WAV file that can be played while it grows. Answered by `/nrx/stream/started`, "
        "then `/nrx/stream/progress`, and `/nrx/done` or `/nrx/error`; say `/nrx/hello` first.",
        (
            Argument("id", "s", "the stream's id: 1 to 64 of `A-Z a-z 0-9 _ -`"),
            Argument("words", "s", "what to play, such as `dark techno, 128 bpm`"),
            Argument("duration_s", "f", "length in seconds; 0 goes on until it is stopped", 0.0),
            Argument("style", "s", "a style's id; empty: the nearest to the words", ""),
            Argument("quality", "s", "`fast`, `balanced` or `high`", "balanced"),
        ),
    ),
    Message(
        "stream_stop",
        "/nrx/stream/stop",
        "Ends a stream; what there is of it becomes a return.",
        (Argument("id", "s", "the stream's id"),),
    ),
    Message("styles", "/nrx/styles", "Asks for the styles. Answered by one `/nrx/style` each."),
    Message(
        "wake",
        "/nrx/wake",
        "Names a message that is sent whenever one of the client's jobs ends, to start a script that cannot listen: "
        "REAPER's `/action/_RS…`, or Ardour's `/access_action` with `LuaAction/script-1`. An empty address ends it.",
        (
            Argument("port", "i", "port on this machine, 1024 to 65535"),
            Argument("address", "s", "the message's address"),
            Argument("argument", "s", "its one argument; empty: none", ""),
        ),
    ),
)

TO_CLIENT: tuple[Message, ...] = (
    Message(
        "welcome",
        "/nrx/welcome",
        "The answer to hello.",
        (
            Argument("version", "s", "NRX Bridge's version"),
            Argument("protocol", "i", "the protocol of request files, 1"),
            Argument("http", "s", "URL of the HTTP interface and the console; empty if there is none"),
            Argument("spool", "s", "folder of the spool, with `new`, `cancel` and `status`"),
            Argument("instance", "s", "as it came in hello", cut=True),
        ),
    ),
    Message("received", "/nrx/received", "The request has arrived and is being checked; at once.", (_ID,)),
    Message("accepted", "/nrx/accepted", "The job is queued and will survive a crash or power cut.", (_ID,)),
    Message(
        "progress",
        "/nrx/progress",
        "How far a job is; at most about ten a second.",
        (
            _ID,
            Argument("state", "s", "`queued` or `running`"),
            Argument("stage", "s", "`separate`, `analyze`, …; empty before the first"),
            Argument("fraction", "f", "0 to 1, never back"),
            Argument("left_s", "f", "seconds left; -1 if not known"),
        ),
    ),
    Message(
        "stream_started",
        "/nrx/stream/started",
        "The file is there and grows. It can be opened at any time; its header tells what is in it so far.",
        (
            Argument("id", "s", "the stream's id"),
            Argument("file", "s", "absolute path of the WAV file; empty if too long for a datagram"),
            Argument("rate", "i", "sample rate in Hz"),
            Argument("channels", "i", "number of channels"),
            Argument("warning", "s", "what to know before playing it; empty if nothing", cut=True),
        ),
    ),
    Message(
        "stream_progress",
        "/nrx/stream/progress",
        "How much is in the file; about twice a second.",
        (Argument("id", "s", "the stream's id"), Argument("seconds", "f", "of audio, so far")),
    ),
    Message(
        "done",
        "/nrx/done",
        "The return is there. All its tracks are in the manifest.",
        (
            _ID,
            Argument("manifest", "s", "absolute path of `manifest.json`; empty if too long for a datagram"),
        ),
    ),
    Message(
        "error",
        "/nrx/error",
        "A job has failed or was cancelled, or a message was refused.",
        (
            Argument("id", "s", "the job's id; empty if none was named"),
            Argument("code", "s", "the error's code, the same at every door"),
            Argument("sentence", "s", "what was wrong and what to do", cut=True),
        ),
    ),
    Message(
        "style",
        "/nrx/style",
        "One style of the list.",
        (
            Argument("index", "i", "from 0"),
            Argument("count", "i", "how many there are"),
            Argument("id", "s", "what `/nrx/submit` takes"),
            Argument("name", "s", "for people", cut=True),
            Argument("description", "s", "for people", cut=True),
        ),
    ),
)

BY_NAME: dict[str, Message] = {message.name: message for message in (*TO_NRX, *TO_CLIENT)}


def match(
    table: tuple[Message, ...], address: str, values: Sequence[Value]
) -> tuple[Message, tuple[Value, ...]]:
    """Return the form that a message has, and its values fitted to it, with defaults filled in.

    Raises:
        NrxError: `request.invalid` for an unknown address, or arguments that do not fit.
    """
    forms = [message for message in table if message.address == address]
    if not forms:
        known = ", ".join(dict.fromkeys(message.address for message in table))
        raise NrxError("request.invalid", f"There is no address {address[:60]!r}; there are: {known}.")
    for message in forms:
        if message.fewest <= len(values) <= len(message.arguments):
            return message, fit(message, values)
    written = " or ".join(message.form() for message in forms)
    raise NrxError("request.invalid", f"{len(values)} arguments do not fit; send {written}.")


def fit(message: Message, values: Sequence[Value]) -> tuple[Value, ...]:
    """Return values of the kinds that a message has.

    Raises:
        NrxError: `request.invalid`, naming the argument.
    """
    given = [
        _fit_one(message, argument, value) for argument, value in zip(message.arguments, values, strict=False)
    ]
    left_out = [each.default for each in message.arguments[len(values) :] if each.default is not None]
    return (*given, *left_out)


def _fit_one(message: Message, argument: Argument, value: Value) -> Value:
    is_number = isinstance(value, int | float) and math.isfinite(value)
    if argument.kind == "s" and isinstance(value, str | int):
        return str(value)
    if argument.kind == "f" and is_number:
        return float(value)
    if argument.kind == "i" and is_number and float(value).is_integer() and abs(float(value)) < 2**31:
        return int(value)
    raise NrxError(
        "request.invalid",
        f"{argument.name} of {message.address} is {str(value)[:40]!r}, and must be a {KIND_NAMES[argument.kind]}.",
    )
