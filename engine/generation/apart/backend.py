"""audiocraft as a generation backend: wishes in, takes out, played by a child process in its own interpreter.

The child loads the model with the first take and is ended with the job's models. Takes are played one after the other,
each from its own seed, since audiocraft draws a whole batch from one: so a take is the same alone and among others.
Melodies go as sketches (`engine.generation.sketch`). Nothing is downloaded: the child is told to stay offline.
"""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.audio.buffer import Audio
from engine.errors import NrxError
from engine.generation.apart import child
from engine.generation.apart.pipe import Pipe
from engine.generation.musicgen.sampling import Sampling
from engine.generation.protocol import GeneratorInfo, Wish
from engine.generation.sketch import sketch
from engine.models import InstalledModel, ModelStore
from engine.models.interpreter import (
    DEBUG,
    Interpreter,
    find_interpreter,
    require_interpreter,
)
from engine.models.own import looks_like_path
from engine.models.warm import WARM
from engine.progress import SILENT, Monitor

BACKEND_VERSION = "1"
"""Raised whenever the same wish would be played otherwise."""
LOADED = 0.1
SECRETS = ("KEY", "TOKEN", "SECRET", "PASSWORD")
"""Variables with these words in their names are not handed to the child."""


@dataclass(slots=True)
class _Loaded:
    """A child with a model in it, as long as both are there."""

    pipe: Pipe | None = None
    device: str = ""
    follows_melody: bool = False


class ApartGenerator:
    """A model of audiocraft that plays wishes; follows `engine.generation.protocol.Generator`.

    Args:
        model: what plays.
        store: where the interpreter is.
        device: "auto", "cpu" or "cuda".
        command: what starts the child; None runs `child` in the interpreter.
    """

    def __init__(
        self,
        model: InstalledModel,
        store: ModelStore,
        *,
        device: str = "auto",
        command: Sequence[str] | None = None,
    ) -> None:
        self._installed, self._store, self._wanted, self._command = model, store, device, command
        self._device = ""

    @property
    def info(self) -> GeneratorInfo:
        """What plays."""
        card = self._installed.card
        found = find_interpreter(self._store.root)
        return GeneratorInfo(
            name="audiocraft",
            version=BACKEND_VERSION,
            description=f"audiocraft {found.version if found else ''} in an interpreter of its own: {card.description}",
            model=card.name,
            revision=self._installed.revision,
            licence=card.licence,
            commercial_use=card.commercial or card.name in self._store.cleared,
            follows_melody=card.melody,
            depends_on={
                "model": self._installed.key,
                "version": BACKEND_VERSION,
                "device": self._wanted,
                "packages": dict(found.packages) if found else {},
            },
        )

    @property
    def device(self) -> str:
        """How the last takes were played."""
        return self._device

    def takes(self, wishes: Sequence[Wish], sampling: Sampling, monitor: Monitor = SILENT) -> list[Audio]:
        """Play all wishes; see the protocol.

        Raises:
            NrxError: `request.invalid` for beams, which audiocraft has not; `model.interpreter`, `model.failed`,
                `model.memory`; `Cancelled`.
        """
        if sampling.beams > 1:
            raise NrxError(
                "request.invalid", "audiocraft draws its takes and has no beam search; leave beams at 1."
            )
        monitor.report(0.0)
        loaded = WARM.use(("audiocraft", self._wanted, repr(self._installed.key)), _Loaded)
        pipe = self._started(loaded, monitor.part(0.0, LOADED))
        self._device = f"{loaded.device} (audiocraft)"
        made: list[Audio] = []
        for index, wish in enumerate(wishes):
            share = monitor.part(*(LOADED + (1 - LOADED) * at / len(wishes) for at in (index, index + 1)))
            made.append(_played(pipe, wish, sampling, index, share, melody=loaded.follows_melody))
            share.report(1.0)
        return made

    def _started(self, loaded: _Loaded, monitor: Monitor) -> Pipe:
        """Return a child with the model in it: the one that is there, or a new one."""
        if loaded.pipe is not None and loaded.pipe.is_alive:
            return loaded.pipe
        name = self._installed.card.name.partition(":")[2]
        if self._command is None:
            pipe = open_pipe(require_interpreter(self._store.root), self._store.hub)
        else:
            pipe = Pipe(self._command, variables(None, self._store.hub), "audiocraft")
        try:
            pipe.greet(monitor.part(0.0, 0.4))
            order = {"type": "load", "model": name, "device": self._wanted, "folder": self._folder(name)}
            said, _ = pipe.ask(order, "loaded", monitor.part(0.4, 1.0))
            loaded.device, loaded.follows_melody = str(said["device"]), bool(said["follows_melody"])
        except BaseException:
            pipe.close()
            raise
        loaded.pipe = pipe
        return pipe

    def _folder(self, name: str) -> str | None:
        """Return the folder that the child loads the model from; None for what has none."""
        if name == DEBUG:
            return None
        if looks_like_path(name):
            return str(self._installed.folder)
        kept = self._installed.folder / "hub" / f"models--{name.replace('/', '--')}"
        return str(kept / "snapshots" / self._installed.revision)


def open_pipe(interpreter: Interpreter, hub: str, *, offline: bool = True) -> Pipe:
    """Start the child of an interpreter; `hub` is where it may download from, if it is not `offline`.

    Raises:
        NrxError: `model.interpreter`.
    """
    command = [str(interpreter.python), "-I", child.__file__]
    return Pipe(command, variables(interpreter.hub, hub, offline=offline), "audiocraft")


def variables(cache: Path | None, hub: str, *, offline: bool = True) -> Mapping[str, str]:
    """Return the environment of a child: ours without secrets, with its own cache of weights."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not any(word in name.upper() for word in SECRETS) and not name.startswith("PYTHON")
    }
    kept |= {"HF_ENDPOINT": hub, "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    if cache is not None:
        kept |= {"HF_HOME": str(cache), "HF_HUB_CACHE": str(cache)}
    if offline:
        kept |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    return kept


def _played(
    pipe: Pipe, wish: Wish, sampling: Sampling, index: int, monitor: Monitor, *, melody: bool
) -> Audio:
    order = {
        "type": "play",
        "prompt": wish.prompt,
        "seed": sampling.seed + index,
        "duration_s": wish.duration_s,
        "sampling": {
            "temperature": sampling.temperature,
            "top_k": sampling.top_k,
            "top_p": sampling.top_p,
            "guidance": sampling.guidance,
        },
    }
    body = b""
    if melody and wish.melody is not None:
        heard = sketch(wish.melody, wish.duration_s)
        order["melody_rate"] = heard.sample_rate
        body = heard.samples.astype("<f4").tobytes()
    said, sound = pipe.ask(order, "take", monitor, body)
    return _audio(said, sound, wish.duration_s)


def _audio(said: child.Header, sound: bytes, duration_s: float) -> Audio:
    """Return the sound of a take, as long as it was wished for.

    Raises:
        NrxError: `model.failed` for what is no sound.
    """
    channels, rate = int(said.get("channels", 0)), int(said.get("sample_rate", 0))
    if not (1 <= channels <= 2 and 8000 <= rate <= 192_000) or len(sound) % (4 * max(1, channels)):
        raise NrxError(
            "model.failed",
            f"audiocraft gave {len(sound)} bytes for {channels} channels at {rate} Hz: no take.",
        )
    samples = np.frombuffer(sound, "<f4").reshape(channels, -1).astype(np.float32)
    wanted = round(duration_s * rate)
    missing = wanted - samples.shape[1]
    if missing > math.ceil(0.1 * rate) or not np.isfinite(samples).all():
        raise NrxError(
            "model.failed",
            f"audiocraft gave {samples.shape[1] / rate:.2f} s of sound where {duration_s:.2f} s were asked for, or "
            f"samples that are no numbers.",
        )
    return Audio(np.pad(samples, ((0, 0), (0, max(0, missing))))[:, :wanted], rate)
