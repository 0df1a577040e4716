"""Errors that a person can act on: one sentence and a stable code, the same at every door.

`CODES` is the one table of codes. Code that raises picks a code from it; doors derive exit codes from it. The sentence
says what was wrong, with which value, and what to do.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """What an error code means (for documentation) and the process's exit status for it."""

    exit_status: int
    meaning: str


INPUT, WRITE, MISSING, CANCELLED, INTERNAL = 3, 4, 5, 130, 1

CODES: dict[str, Code] = {
    "input.not_found": Code(INPUT, "the input file does not exist"),
    "input.is_folder": Code(INPUT, "a file was expected and a folder was given"),
    "input.unreadable": Code(INPUT, "the file may not be read"),
    "input.empty": Code(INPUT, "the file has no bytes, or no audio frames"),
    "input.not_audio": Code(INPUT, "the file is not audio in a format that can be read"),
    "input.truncated": Code(
        INPUT, "the file ends before its header says it does, or its header lies about its length"
    ),
    "input.corrupt": Code(INPUT, "the audio data cannot be decoded"),
    "input.too_short": Code(INPUT, "the audio is too short for the action"),
    "input.too_long": Code(INPUT, "the audio is longer than can be worked on in the memory allowed"),
    "input.too_large": Code(INPUT, "the file is larger than the limit"),
    "input.sample_rate": Code(INPUT, "the sample rate is outside the range that is supported"),
    "input.channels": Code(INPUT, "the number of channels is not supported"),
    "input.silent": Code(INPUT, "there is no sound in the input"),
    "input.not_finite": Code(INPUT, "the audio holds NaN or infinite samples"),
    "input.not_music": Code(INPUT, "the input has nothing musical to work from"),
    "input.tempo_map": Code(INPUT, "the tempo map cannot be understood"),
    "input.changing": Code(INPUT, "the file is still being written"),
    "request.invalid": Code(2, "a parameter is missing, unknown or out of range"),
    "style.unknown": Code(2, "there is no style of that name"),
    "preset.invalid": Code(2, "a style or preset file does not follow the schema"),
    "output.not_writable": Code(WRITE, "the output folder cannot be written"),
    "output.disk_full": Code(WRITE, "the disk is full"),
    "output.exists": Code(WRITE, "the output is already there and is never overwritten"),
    "backend.missing": Code(MISSING, "a backend, model or plug-in that was asked for is not installed"),
    "model.unknown": Code(2, "there is no model of that name"),
    "model.missing": Code(MISSING, "the weights of a model that was asked for are not on this machine"),
    "model.extra_missing": Code(MISSING, "a package that the model needs is not installed, or is too old"),
    "model.not_commercial": Code(2, "only models for commercial use are allowed, and this is none"),
    "model.damaged": Code(INPUT, "a model's file is not what was verified when it was fetched"),
    "model.untrusted": Code(
        2, "a model's file is a pickle, which can run code, and was not said to be trusted"
    ),
    "model.download": Code(MISSING, "a model could not be downloaded"),
    "model.offline": Code(MISSING, "a model would have to be downloaded, and nrx is set to stay offline"),
    "model.memory": Code(INTERNAL, "a model does not fit into the memory of any device"),
    "model.interpreter": Code(
        INTERNAL, "a model's own interpreter cannot be made or started, or has ended while it worked"
    ),
    "model.failed": Code(INTERNAL, "a model that runs in its own interpreter said that it failed"),
    "cloud.not_allowed": Code(2, "a cloud service was asked for, and nothing may leave this machine"),
    "cloud.key": Code(MISSING, "the key of a cloud service is missing, or the service refuses it"),
    "cloud.failed": Code(MISSING, "a cloud service cannot be reached, refuses, fails or takes too long"),
    "plugin.failed": Code(
        INTERNAL, "a plug-in crashed, hung or gave no usable sound; the job's own process is unharmed"
    ),
    "request.conflict": Code(2, "the idempotency key has already been used for another request"),
    "request.forbidden": Code(2, "the path, address or token is not allowed at this door"),
    "request.malformed": Code(2, "the body, or a part of it, cannot be parsed"),
    "request.unauthorized": Code(2, "the token, code or ticket is missing or wrong"),
    "request.too_large": Code(2, "the body is larger than is allowed at that address"),
    "request.media_type": Code(2, "the body is not of the type that this address takes"),
    "request.unknown": Code(2, "there is nothing at that address"),
    "request.method": Code(2, "the address does not take that method"),
    "request.too_many": Code(2, "too many of these are open at once"),
    "upload.unknown": Code(2, "there is no upload of that id"),
    "return.unknown": Code(2, "there is no return of that job"),
    "file.unknown": Code(2, "the return has no file of that name"),
    "job.unknown": Code(2, "there is no job of that id"),
    "job.state": Code(2, "the job is in a state in which this cannot be done"),
    "job.crashed": Code(INTERNAL, "the job ended its worker process twice and is not tried again"),
    "job.attempts": Code(INTERNAL, "the job was tried as often as allowed and did not finish"),
    "job.memory": Code(INTERNAL, "the job needs more memory than the machine has"),
    "stream.unknown": Code(2, "there is no stream of that id"),
    "stream.crashed": Code(INTERNAL, "the process that made the stream has ended"),
    "daemon.absent": Code(MISSING, "the daemon does not run"),
    "daemon.running": Code(2, "a daemon already runs with this NRX_HOME"),
    "daemon.address": Code(2, "the address or port cannot be listened on"),
    "store.network": Code(2, "the job store may not lie on a network share"),
    "cancelled": Code(CANCELLED, "the job was cancelled"),
    "internal": Code(INTERNAL, "an error in NRX Bridge itself"),
}


class NrxError(Exception):
    """An error for the person who must act: `code` from `CODES`, and one sentence.

    Raises:
        KeyError: if `code` is not in `CODES` (a programming error).
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.exit_status = CODES[code].exit_status
        self.code = code
        self.sentence = sentence

    def __reduce__(self) -> tuple[type["NrxError"], tuple[str, str]]:
        return (NrxError, (self.code, self.sentence))


class Cancelled(NrxError):  # noqa: N818 - cancelling is no error of anybody's
    """The job was cancelled while a stage ran."""

    def __init__(self) -> None:
        super().__init__("cancelled", "The job was cancelled.")

    def __reduce__(self) -> tuple[type["Cancelled"], tuple[()]]:  # type: ignore[override]
        return (Cancelled, ())
