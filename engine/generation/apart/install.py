"""Making the interpreter that audiocraft runs in: a virtual environment, its packages, and a take to prove it.

audiocraft 1.3.0 names exact versions (PyTorch 2.1.0, PyAV 11, xformers below 0.0.23). They are tried first. Where they
do not install, as where PyAV 11 has no wheel and FFmpeg's headers are missing, it is installed without its list: with
the current versions of what it imports, which were tried together; torchaudio without its compiled part, which is made
for another PyTorch and which nothing here calls; and two small stand-ins for xformers and spaCy (see `child`). Which
way it went is told and recorded.

An interpreter counts only once its child has played a take with audiocraft's own small model. It is built beside its
place and put there by one rename; what fails leaves nothing behind.
"""

import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import NrxError
from engine.generation.apart import child
from engine.generation.apart.backend import open_pipe, variables
from engine.generation.apart.pipe import Pipe
from engine.models.interpreter import (
    AUDIOCRAFT,
    DEBUG,
    HUB,
    RECORD,
    VENV,
    Interpreter,
    card_apart,
    find_interpreter,
    python_in,
    require_interpreter,
)
from engine.models.lock import only_one
from engine.models.store import ModelStore, size_text
from engine.progress import SILENT, Monitor

VERSION = "1.3.0"
NEEDS_BYTES = 7_000_000_000
LONGEST_S = 3600.0
"""For one run of pip."""
TRIED_S, NEARLY_S = 0.5, 0.1
"""Length of the take that proves an interpreter, and how near it must come: the model counts whole frames."""

OWN_PINS = (f"audiocraft=={VERSION}",)
BESIDE_OWN_PINS = ("numpy<2", "transformers>=4.31,<4.46")
"""What PyTorch 2.1 works with; audiocraft's own list leaves it open."""
WITHOUT_LIST = (
    "torch==2.13.0", "numpy>=2,<3", "transformers>=5,<6", "huggingface_hub>=1,<3", "demucs>=4.1,<5", "encodec==0.1.1",
    "einops", "julius", "flashy>=0.0.2", "hydra-core>=1.3,<2", "hydra_colorlog", "omegaconf>=2.3,<3", "num2words",
    "sentencepiece", "protobuf", "av", "torchmetrics", "dora-search", "librosa>=0.11,<2", "soundfile", "tqdm",
)  # fmt: skip
"""What audiocraft imports, in versions that were tried together with it."""
BARE = (f"audiocraft=={VERSION}", "torchaudio==2.11.0")
"""Installed without what they name."""
COMPILED = ("_torchaudio.*", "libtorchaudio.*", "torchaudio_prefixctc.*")

TELLING = ("no space left", "could not find", "no matching", "requires a different python", "error:")
"""What is in the line of pip's that tells most, the most telling first."""

Say = Callable[[str], None]
"""Is told what is being done, in words."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way to install: its name for the record, and runs of pip, each its arguments."""

    made: str
    runs: tuple[tuple[str, ...], ...]
    strips_torchaudio: bool = False


WAYS = (
    Way("with the versions that it names itself", ((*OWN_PINS, *BESIDE_OWN_PINS),)),
    Way(
        "without the versions that it names itself, which do not install here: with current ones",
        (WITHOUT_LIST, ("--no-deps", *BARE)),
        strips_torchaudio=True,
    ),
)
"""Tried in this order."""


def install(
    store: ModelStore,
    *,
    python: Path | None = None,
    anew: bool = False,
    ways: Sequence[Way] = WAYS,
    command: Sequence[str] | None = None,
    say: Say = lambda _words: None,
    monitor: Monitor = SILENT,
) -> Interpreter:
    """Make audiocraft's interpreter, or return the one that is there.

    Args:
        store: where it goes.
        python: the Python that it is made from; None takes the one that runs this.
        anew: make it even if it is there; its weights stay.
        ways: tried in order.
        command: what starts the child that proves it; None runs `child` in the interpreter.
        say: told of each step.
        monitor: asked whether to stop.

    Raises:
        NrxError: `model.offline`, `output.disk_full`, `output.not_writable`, `request.conflict`; `model.interpreter`
            if no way leads there, with what went wrong; `Cancelled`.
    """
    there = find_interpreter(store.root)
    if there is not None and not anew:
        return there
    if store.offline:
        raise NrxError(
            "model.offline",
            f"{AUDIOCRAFT} is to be downloaded, and nrx is set to stay offline; set `offline = false` under [models].",
        )
    folder = _folder(store)
    with only_one(folder / ".lock", f"{AUDIOCRAFT} is being installed by another nrx; wait for it to end."):
        building = folder / f".building-{uuid.uuid4().hex[:8]}"
        try:
            return _first_way(store, folder, building, python or _own_python(), ways, command, say, monitor)
        finally:
            shutil.rmtree(building, ignore_errors=True)


def fetch_weights(store: ModelStore, name: str, monitor: Monitor = SILENT) -> str:
    """Download a model for the interpreter, as audiocraft loads it; return the commit.

    Raises:
        NrxError: `model.offline`, `model.missing` without the interpreter, `model.not_commercial`, `model.download`.
    """
    interpreter = require_interpreter(store.root)
    refusal = store.licence_refusal(card_apart(name))
    if refusal is not None:
        raise NrxError("model.not_commercial", refusal)
    if store.offline:
        raise NrxError(
            "model.offline",
            f"{name} is to be downloaded, and nrx is set to stay offline; set `offline = false` under [models].",
        )
    pipe = open_pipe(interpreter, store.hub, offline=False)
    try:
        pipe.greet(monitor)
        said, _ = pipe.ask({"type": "fetch", "model": name}, "fetched", monitor)
        return str(said.get("revision", ""))
    except NrxError as error:
        if error.code != "model.failed":
            raise
        raise NrxError(
            "model.download", f"{name} could not be fetched for {AUDIOCRAFT}: {error.sentence}"
        ) from error
    finally:
        pipe.close()


def _folder(store: ModelStore) -> Path:
    folder = store.root / AUDIOCRAFT
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NrxError(
            "output.not_writable", f"The folder for models {store.root} cannot be written ({error.strerror})."
        ) from error
    free = shutil.disk_usage(folder).free
    if free < NEEDS_BYTES:
        raise NrxError(
            "output.disk_full",
            f"{AUDIOCRAFT} needs up to {size_text(NEEDS_BYTES)} and {folder} has {size_text(free)} free; free some "
            f"space, or set another `folder` under [models].",
        )
    return folder


def _own_python() -> Path:
    """Return the Python that runs this, outside any virtual environment if it is in one."""
    return Path(getattr(sys, "_base_executable", "") or sys.executable)


def _first_way(
    store: ModelStore,
    folder: Path,
    building: Path,
    python: Path,
    ways: Sequence[Way],
    command: Sequence[str] | None,
    say: Say,
    monitor: Monitor,
) -> Interpreter:
    told = ""
    for way in ways:
        shutil.rmtree(building, ignore_errors=True)
        say(f"making an interpreter of its own, {way.made}")
        try:
            _fill(python, building, way, monitor)
            say("playing a short take to prove it …")
            packages = _proved(building, command, store.hub, monitor)
        except NrxError as error:
            if error.code not in ("model.interpreter", "model.failed", "model.memory"):
                raise
            told = error.sentence
            say(f"that does not work: {told}")
            continue
        return _published(folder, building, way, packages)
    raise NrxError("model.interpreter", f"{AUDIOCRAFT} {VERSION} could not be installed: {told}")


def _fill(python: Path, venv: Path, way: Way, monitor: Monitor) -> None:
    """Make a virtual environment and install into it."""
    _run([str(python), "-m", "venv", str(venv)], monitor)
    for arguments in way.runs:
        pip = [str(python_in(venv)), "-I", "-m", "pip", "install", "--no-input", "--progress-bar", "off"]
        _run([*pip, *arguments], monitor)
    if way.strips_torchaudio:
        for pattern in COMPILED:
            for file in venv.glob(f"**/torchaudio/lib/{pattern}"):
                file.unlink()


def _run(command: list[str], monitor: Monitor) -> None:
    """Run a program to its end; a cancel ends it.

    Raises:
        NrxError: `model.interpreter` with the last that it said; `Cancelled`.
    """
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    try:
        process = subprocess.Popen(
            command,
            env=kept,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise NrxError("model.interpreter", f"{command[0]} cannot be run ({error.strerror}).") from error
    waited_s, step_s = 0.0, 0.25
    try:
        while True:
            try:
                said, _ = process.communicate(timeout=step_s)
                break
            except subprocess.TimeoutExpired:
                monitor.check()
                waited_s += step_s
                if waited_s > LONGEST_S:
                    raise NrxError(
                        "model.interpreter",
                        f"{command[0]} has not ended within {LONGEST_S / 60:.0f} minutes.",
                    ) from None
    finally:
        process.kill()
        process.wait()
    if process.returncode != 0:
        raise NrxError("model.interpreter", f"{_why(said)}.")


def _why(said: str) -> str:
    """Return the line of pip's words that says best what was wrong."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    for words in TELLING:
        found = next((line for line in lines if words in line.lower()), None)
        if found is not None:
            return found.removeprefix("ERROR: ").rstrip(".")[:400]
    return lines[-1].rstrip(".")[:400] if lines else "it ended without a word"


def _proved(venv: Path, command: Sequence[str] | None, hub: str, monitor: Monitor) -> dict[str, str]:
    """Play a short take with the child; return the versions that it told."""
    started = list(command) if command else [str(python_in(venv)), "-I", child.__file__]
    pipe = Pipe(started, variables(None, hub), AUDIOCRAFT)
    try:
        packages = pipe.greet(monitor)
        pipe.ask({"type": "load", "model": DEBUG, "device": "cpu"}, "loaded", monitor)
        sampling = {"temperature": 1.0, "top_k": 250, "top_p": 1.0, "guidance": 3.0}
        order = {"type": "play", "prompt": "music", "seed": 1, "duration_s": TRIED_S, "sampling": sampling}
        told, sound = pipe.ask(order, "take", monitor)
    finally:
        pipe.close()
    played_s = len(sound) / (4 * int(told["channels"]) * int(told["sample_rate"]))
    if abs(played_s - TRIED_S) > NEARLY_S:
        raise NrxError(
            "model.interpreter", f"{AUDIOCRAFT} plays {played_s:.2f} s where {TRIED_S:.2f} s were asked for."
        )
    return {name: str(value) for name, value in packages.items() if name not in ("type", "protocol", "bytes")}


def _published(folder: Path, building: Path, way: Way, packages: dict[str, str]) -> Interpreter:
    """Put a proved interpreter into its place, and then its record."""
    final, old = folder / VENV, folder / f".gone-{uuid.uuid4().hex[:8]}"
    (folder / RECORD).unlink(missing_ok=True)
    if final.exists():
        final.rename(old)
    building.rename(final)
    shutil.rmtree(old, ignore_errors=True)
    (folder / HUB).mkdir(exist_ok=True)
    version = packages.get(AUDIOCRAFT, VERSION)
    record = {"version": version, "made": way.made, "packages": packages}
    draft = folder / f".{RECORD}"
    draft.write_text(json.dumps(record, indent=1), encoding="utf-8")
    draft.replace(folder / RECORD)
    return Interpreter(folder, version, way.made, packages)
