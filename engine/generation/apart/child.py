"""What runs in an interpreter of its own: audiocraft, asked over standard input, answering over standard output.

This file is started as a script by another Python than ours (`python -I child.py`). It imports nothing but the standard
library, and numpy, torch and audiocraft inside the functions that need them. The parent imports it for the frames.

A frame is four bytes with the length of a header (big-endian), the header (JSON in UTF-8), and a body of as many bytes
as the header's `bytes` says: float32, little-endian, channel after channel. Nothing is pickled on either side.

    parent: hello {protocol} · load {model, device, folder} · fetch {model} · play {prompt, seed, duration_s,
            sampling, melody_rate; body: the melody} · cancel
    child:  hello {protocol, versions} · loaded {sample_rate, follows_melody, device} · fetched {revision} · progress
            {fraction} · take {channels, sample_rate; body: the sound} · cancelled · error {kind, message}

Every order but `cancel` is answered by one frame, after any number of `progress`; `cancel` ends the running one, which
then answers `cancelled`. What libraries print goes to standard error, the parent's log. When standard input ends, so
does this process: it does not outlive its parent.
"""

from __future__ import annotations  # other Pythons than ours read this too

import json
import os
import queue
import struct
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

PROTOCOL = 1
MOST_HEADER_BYTES = 1 << 20
MOST_BODY_BYTES = 1 << 31
TOLD_STEPS = 5
"""How many steps of the model go between two reports."""
T5 = ("config.json", "tokenizer_config.json", "tokenizer.json", "spiece.model", "model.safetensors")
WEIGHTS = ("state_dict.bin", "compression_state_dict.bin")

Header = dict[str, Any]
Tell = Callable[[float], None]
"""Is told how far it is, from 0 to 1; raises `Cancel` when the parent asked for that."""


class Cancel(Exception):  # noqa: N818 - cancelling is no error of anybody's
    """The parent has cancelled the running order."""


class BrokenFrameError(ValueError):
    """What came is no frame of this protocol."""


def write_frame(stream: BinaryIO, header: Header, body: bytes = b"") -> None:
    """Write one frame, whole."""
    said = json.dumps({**header, "bytes": len(body)}).encode()
    stream.write(struct.pack(">I", len(said)) + said)
    stream.write(body)
    stream.flush()


def read_frame(stream: BinaryIO) -> tuple[Header, bytes] | None:
    """Return the next header and body; None where the stream ends between two frames.

    Raises:
        BrokenFrameError: if it ends within a frame, or what comes is none.
    """
    start = _exactly(stream, 4, may_end=True)
    if start is None:
        return None
    (length,) = struct.unpack(">I", start)
    if not 2 <= length <= MOST_HEADER_BYTES:
        raise BrokenFrameError(f"a header of {length} bytes was announced")
    try:
        header = json.loads(_exactly(stream, length) or b"")
    except ValueError as error:
        raise BrokenFrameError(f"a header is no JSON: {error}") from error
    count = header.get("bytes") if isinstance(header, dict) else None
    if (
        not isinstance(count, int)
        or not 0 <= count <= MOST_BODY_BYTES
        or not isinstance(header.get("type"), str)
    ):
        raise BrokenFrameError("a header lacks its type or the length of its body")
    return header, _exactly(stream, count) or b""


def _exactly(stream: BinaryIO, count: int, may_end: bool = False) -> bytes | None:
    parts, missing = [], count
    while missing:
        part = stream.read(min(missing, 1 << 20))
        if not part:
            if may_end and missing == count:
                return None
            raise BrokenFrameError("the stream ends within a frame")
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


class Audiocraft:
    """MusicGen as audiocraft has it."""

    def __init__(self) -> None:
        """Hold no model yet."""
        self._model: Any = None

    def about(self) -> Header:
        """Return what is installed here."""
        from importlib.metadata import version

        import numpy

        _stand_in_for_what_is_missing()
        import audiocraft
        import torch

        return {
            "audiocraft": version("audiocraft") or audiocraft.__version__,
            "torch": str(torch.__version__),
            "numpy": str(numpy.__version__),
            "python": sys.version.split()[0],
        }

    def load(self, order: Header) -> Header:
        """Load a model by its name, or from a folder; never from the network."""
        import torch
        from audiocraft.models import MusicGen
        from audiocraft.modules.transformer import set_efficient_attention_backend

        set_efficient_attention_backend("torch")
        device = order.get("device", "auto")
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        _load_weights_only(torch)
        _hear_sketches()
        self._model = MusicGen.get_pretrained(order.get("folder") or order["model"], device=device)
        return {
            "sample_rate": int(self._model.sample_rate),
            "follows_melody": self._follows_melody(),
            "device": str(self._model.device),
        }

    def _follows_melody(self) -> bool:
        return "self_wav" in self._model.lm.condition_provider.conditioners

    def play(self, order: Header, melody: bytes, tell: Tell) -> tuple[Header, bytes]:
        """Play one take from its seed."""
        import numpy as np
        import torch

        said = order["sampling"]
        self._model.set_generation_params(
            use_sampling=said["temperature"] > 0,
            temperature=said["temperature"] or 1.0,
            top_k=said["top_k"],
            top_p=said["top_p"] if said["top_p"] < 1 else 0.0,
            cfg_coef=said["guidance"],
            duration=order["duration_s"],
        )
        steps = max(1, int(order["duration_s"] * self._model.frame_rate))
        told = [0]

        def stepped(step: int, _of: int) -> None:
            if step - told[0] >= TOLD_STEPS or step < told[0]:
                told[0] = step
                tell(min(1.0, step / steps))

        self._model.set_custom_progress_callback(stepped)
        torch.manual_seed(order["seed"])
        with torch.inference_mode():
            if melody and self._follows_melody():
                wave = torch.from_numpy(np.frombuffer(melody, "<f4").copy())[None, None]
                made = self._model.generate_with_chroma(
                    [order["prompt"]], wave, int(order["melody_rate"]), progress=True
                )
            else:
                made = self._model.generate([order["prompt"]], progress=True)
        sound = np.ascontiguousarray(made[0].float().cpu().numpy(), dtype="<f4")
        return {"channels": int(sound.shape[0]), "sample_rate": int(self._model.sample_rate)}, sound.tobytes()

    def fetch(self, order: Header) -> Header:
        """Download a model and its text encoder into the hub's cache; the only order that uses the network."""
        from huggingface_hub import snapshot_download

        folder = Path(snapshot_download(order["model"], allow_patterns=list(WEIGHTS)))
        for name in WEIGHTS:
            if not (folder / name).is_file():
                raise ValueError(f"{order['model']} has no {name}, as audiocraft loads it")
        snapshot_download("t5-base", allow_patterns=list(T5))
        return {"revision": folder.name}


def _stand_in_for_what_is_missing() -> None:
    """Put small modules where audiocraft imports large ones that it needs for little, if they are not installed.

    Of xformers it takes one function that PyTorch has too; spaCy splits text into words for models without T5.
    """
    import importlib.util
    import types

    def missing(name: str) -> bool:
        return name not in sys.modules and importlib.util.find_spec(name) is None

    if missing("xformers"):
        import torch

        xformers, ops = types.ModuleType("xformers"), types.ModuleType("xformers.ops")
        ops.unbind = torch.unbind  # type: ignore[attr-defined]  # a module made by hand
        xformers.ops = ops  # type: ignore[attr-defined]  # a module made by hand
        sys.modules.update({"xformers": xformers, "xformers.ops": ops})
    if missing("spacy"):
        spacy = types.ModuleType("spacy")
        spacy.load = lambda _language: _words  # type: ignore[attr-defined]  # a module made by hand
        sys.modules["spacy"] = spacy


class Word:
    """A word as spaCy gives it: as far as audiocraft asks."""

    def __init__(self, text: str) -> None:
        """Keep the word; its base form is itself."""
        self.text = self.lemma_ = text
        self.is_stop = False


def _words(text: str) -> list[Word]:
    import re

    return [Word(word) for word in re.findall(r"\w+|[^\w\s]", text)]


def _load_weights_only(torch: Any) -> None:
    """Have checkpoints opened as weights: a pickle that asks for more is refused."""
    if getattr(torch.load, "is_careful", False):
        return
    load = torch.load

    def careful(*arguments: Any, **named: Any) -> Any:
        return load(*arguments, **{**named, "weights_only": True})

    careful.is_careful = True  # type: ignore[attr-defined]  # marks it as done
    torch.load = careful


def _hear_sketches() -> None:
    """Let melody models take the melody as it is sent, a sine tone: Demucs is not loaded to take drums out of it."""
    from audiocraft.modules import conditioners
    from demucs import pretrained

    class NoDemucs:
        sources = ("drums", "bass", "other", "vocals")

        def to(self, _device: Any) -> NoDemucs:
            return self

    def as_sent(self: Any, wave: Any, sample_rate: int) -> Any:
        return conditioners.convert_audio(wave, sample_rate, self.sample_rate, 1)[:, 0]

    pretrained.get_model = lambda _name: NoDemucs()
    conditioners.ChromaStemConditioner._get_stemmed_wav = as_sent


def serve(player: Any, inbound: BinaryIO, outbound: BinaryIO) -> None:
    """Answer orders until `inbound` ends; then end the process."""
    orders: queue.Queue[tuple[Header, bytes]] = queue.Queue()
    cancelled = threading.Event()

    def listen() -> None:
        try:
            while True:
                frame = read_frame(inbound)
                if frame is None:
                    break
                if frame[0]["type"] == "cancel":
                    cancelled.set()
                else:
                    cancelled.clear()
                    orders.put(frame)
        finally:
            os._exit(0)

    def tell(fraction: float) -> None:
        if cancelled.is_set():
            raise Cancel
        write_frame(outbound, {"type": "progress", "fraction": fraction})

    threading.Thread(target=listen, daemon=True).start()
    while True:
        header, body = orders.get()
        try:
            answer, sound = _answer(player, header, body, tell)
        except Cancel:
            answer, sound = {"type": "cancelled"}, b""
        except Exception as error:  # noqa: BLE001 - whatever goes wrong is the parent's to tell
            answer, sound = {"type": "error", "kind": _kind(error), "message": _message(error)}, b""
            _log(error)
        write_frame(outbound, answer, sound)


def _answer(player: Any, header: Header, body: bytes, tell: Tell) -> tuple[Header, bytes]:
    kind = header["type"]
    if kind == "hello":
        if header.get("protocol") != PROTOCOL:
            raise ValueError(f"the parent speaks protocol {header.get('protocol')}, and this is {PROTOCOL}")
        return {"type": "hello", "protocol": PROTOCOL, **player.about()}, b""
    if kind == "load":
        return {"type": "loaded", **player.load(header)}, b""
    if kind == "fetch":
        return {"type": "fetched", **player.fetch(header)}, b""
    if kind == "play":
        told, sound = player.play(header, body, tell)
        return {"type": "take", **told}, sound
    raise ValueError(f"there is no order {kind!r}")


def _kind(error: BaseException) -> str:
    words = str(error).lower()
    return "memory" if isinstance(error, MemoryError) or "out of memory" in words else "failed"


def _message(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:500]}" if lines else type(error).__name__


def _log(error: BaseException) -> None:
    import traceback

    traceback.print_exception(type(error), error, error.__traceback__)


def own_channels() -> tuple[BinaryIO, BinaryIO]:
    """Return standard input and output for frames; what is printed from now on goes to standard error."""
    outbound = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    if sys.platform == "win32":
        import msvcrt

        for descriptor in (sys.stdin.fileno(), outbound.fileno()):
            msvcrt.setmode(descriptor, os.O_BINARY)
    return sys.stdin.buffer, outbound


if __name__ == "__main__":
    serve(Audiocraft(), *own_channels())
