"""Demucs' checkpoints on disk: which files make a model, what they say of it, and loading them.

A model is a folder with `<name>.yaml`, which names its members and their weights (a bag), and the members as
`.safetensors` or `.th`; or one such file. What a model is can be read from the headers of `.safetensors` without
loading anything. `.th` files are pickles: they are opened by PyTorch's reader of mere weights, which may make Demucs'
own classes and nothing else. Sources: `demucs.repo`, `demucs.hf` and `demucs.states` of demucs 4.1 (MIT), whose loaders
make the models here.
"""

import inspect
import json
import struct
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from engine.errors import NrxError
from engine.hashing import file_hash

SUFFIXES = (".safetensors", ".th")
CLASSES = ("demucs.htdemucs.HTDemucs", "demucs.hdemucs.HDemucs", "demucs.demucs.Demucs")
"""The models that there are."""
_LONGEST_HEADER = 100_000_000


@dataclass(frozen=True, slots=True)
class Bag:
    """What a model is made of.

    `files` are its members, `weights` a row a member with a number a source, `segment_s` the length of segments that
    the bag asks for where its members can take it.
    """

    files: tuple[Path, ...]
    weights: tuple[tuple[float, ...], ...]
    segment_s: float | None
    sources: tuple[str, ...]
    sample_rate: int
    channels: int


def read_bag(folder: Path, name: str) -> Bag:
    """Return what the model `name` in `folder` is; `folder` may be the checkpoint itself.

    Raises:
        NrxError: `model.missing` if a file is not there, `model.damaged` if one can't be read.
    """
    files, weights, segment_s = _members(folder, name)
    facts = [_facts(file, *_stamp(file)) for file in files]
    if any(fact != facts[0] for fact in facts[1:]):
        raise NrxError("model.damaged", f"The members of {name} in {folder} do not give the same stems.")
    sources = facts[0].sources
    if weights is None:
        weights = [[1.0] * len(sources)] * len(files)
    if len(weights) != len(files) or any(len(row) != len(sources) for row in weights):
        raise NrxError(
            "model.damaged", f"{name}.yaml in {folder} has no weight for each member and stem ({weights})."
        )
    if not all(sum(column) > 0 for column in zip(*weights, strict=True)):
        raise NrxError("model.damaged", f"{name}.yaml in {folder} leaves a stem without any member.")
    rows = tuple(tuple(float(weight) for weight in row) for row in weights)
    return Bag(tuple(files), rows, segment_s, *facts[0].table)


@dataclass(frozen=True, slots=True)
class _Facts:
    sources: tuple[str, ...]
    sample_rate: int
    channels: int

    @property
    def table(self) -> tuple[tuple[str, ...], int, int]:
        return self.sources, self.sample_rate, self.channels


def _members(folder: Path, name: str) -> tuple[list[Path], list[list[float]] | None, float | None]:
    import yaml

    if folder.is_file():
        return [folder], None, None
    bag_file = folder / f"{name}.yaml"
    if not bag_file.is_file():
        return [_member(folder, name)], None, None
    try:
        said = yaml.safe_load(bag_file.read_text(encoding="utf-8"))
        signatures, weights, segment = said["models"], said.get("weights"), said.get("segment")
        files = [_member(folder, str(signature)) for signature in signatures]
        segment_s = None if segment is None else float(segment)
    except (
        OSError,
        UnicodeDecodeError,
        yaml.YAMLError,
        KeyError,
        TypeError,
        AttributeError,
        ValueError,
    ) as error:
        raise NrxError(
            "model.damaged", f"{bag_file} does not name the members of a model: {error}."
        ) from error
    if not files:
        raise NrxError("model.damaged", f"{bag_file} names no members.")
    return files, weights, segment_s


def _member(folder: Path, signature: str) -> Path:
    """Return the file of a member: `<signature>.safetensors`, or `<signature>[-<hash>].th`."""
    found = [folder / f"{signature}{suffix}" for suffix in SUFFIXES]
    if folder.is_dir():
        found += sorted(file for file in folder.glob("*.th") if file.stem.rpartition("-")[0] == signature)
    for file in found:
        if file.is_file():
            return file
    raise NrxError(
        "model.missing",
        f"{folder} has no {signature}.safetensors and no {signature}.th; fetch the model again.",
    )


def _stamp(file: Path) -> tuple[int, int]:
    said = file.stat()
    return said.st_size, said.st_mtime_ns


@lru_cache(maxsize=64)
def _facts(file: Path, _size: int, _mtime_ns: int) -> _Facts:
    _, given, named = _made_by(file)
    sources = named.get("sources", given[0] if given else ())
    channels = named.get("audio_channels", given[1] if len(given) > 1 else 2)
    if not sources or not all(isinstance(source, str) for source in sources):
        raise _damaged(file, "it does not say which stems it gives")
    return _Facts(tuple(sources), int(named.get("samplerate", 44100)), int(channels))


def _made_by(file: Path) -> tuple[str, Sequence[Any], Mapping[str, Any]]:
    """Return the class of the model in a file, and the arguments that it is made with.

    A safetensors file names its class, which Demucs' loader calls whatever it is: only Demucs' own are let through.
    """
    if file.suffix == ".safetensors":
        metadata = _header(file)
        try:
            klass, given, named = (
                metadata["klass"],
                json.loads(metadata["args"]),
                json.loads(metadata["kwargs"]),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise _damaged(file, "it does not say which model it holds") from error
    else:
        package = _package(file)
        klass = f"{package['klass'].__module__}.{package['klass'].__qualname__}"
        given, named = package["args"], package["kwargs"]
    if klass not in CLASSES:
        raise NrxError(
            "model.untrusted", f"{file} asks for {klass}, which is no model of Demucs, and is not opened."
        )
    return klass, given, named


def read_outline(file: Path, segment_s: float | None) -> Any:
    """Return what the model in a file is, as an object with the attributes that the model has from its arguments.

    Weights are neither made nor loaded, which takes as long as separating some seconds of song. `klass` is the class.

    Args:
        file: `.safetensors` or `.th`.
        segment_s: the bag's length of segments; a transformer keeps its own where that is shorter.
    """
    from demucs.hf import _decode_json
    from demucs.htdemucs import HTDemucs

    name, given, named = _made_by(file)
    module, _, attribute = name.rpartition(".")
    klass = getattr(import_module(module), attribute)
    signature = inspect.signature(klass)
    known = {key: value for key, value in _decode_json(dict(named)).items() if key in signature.parameters}
    try:
        bound = signature.bind(*_decode_json(list(given)), **known)
    except TypeError as error:
        raise _damaged(file, str(error)) from error
    bound.apply_defaults()
    outline = SimpleNamespace(**bound.arguments, klass=klass)
    if segment_s is not None and (not issubclass(klass, HTDemucs) or segment_s <= outline.segment):
        outline.segment = segment_s
    return outline


def _header(file: Path) -> Mapping[str, str]:
    """Return the metadata of a safetensors file: eight bytes of length, then JSON."""
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > _LONGEST_HEADER:
                raise ValueError(f"a header of {length} bytes")
            return cast(Mapping[str, str], json.loads(stream.read(length))["__metadata__"])
    except (OSError, struct.error, ValueError, KeyError, TypeError) as error:
        raise _damaged(file, str(error)) from error


def load_member(file: Path, segment_s: float | None) -> Any:
    """Return the model in a file, in float32 on the processor, ready to run.

    Args:
        file: `.safetensors` or `.th`.
        segment_s: the bag's length of segments; a transformer keeps its own where that is shorter.

    Raises:
        NrxError: `model.damaged`, `model.untrusted`.
    """
    from demucs.apply import BagOfModels
    from demucs.hf import load_safetensors_model
    from demucs.states import load_model

    _made_by(file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # arguments that this version of demucs no longer has
            is_safe = file.suffix == ".safetensors"
            model = load_safetensors_model(file) if is_safe else load_model(dict(_package(file)))
    except NrxError:
        raise
    except Exception as error:
        raise _damaged(file, str(error).splitlines()[0] if str(error) else type(error).__name__) from error
    BagOfModels([model], None, segment_s)  # which sets the segment where the model can take it
    return model.float().eval()


def checkpoint_hash(file: Path) -> str:
    """Return the SHA-256 of a checkpoint."""
    return _hash(file, *_stamp(file))


@lru_cache(maxsize=64)
def _hash(file: Path, _size: int, _mtime_ns: int) -> str:
    return file_hash(file)


def _package(file: Path) -> Mapping[str, Any]:
    """Return what a `.th` file holds: the class of the model, its arguments and its weights."""
    import pickle
    from fractions import Fraction

    import torch
    from demucs.demucs import Demucs
    from demucs.hdemucs import HDemucs
    from demucs.htdemucs import HTDemucs

    wanted = file.stem.rpartition("-")[2] if "-" in file.stem else ""
    if wanted and not checkpoint_hash(file).startswith(wanted):
        raise _damaged(file, f"its bytes are not those that its name tells of ({wanted})")
    try:
        with torch.serialization.safe_globals([Demucs, HDemucs, HTDemucs, Fraction]):
            package = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise NrxError(
            "model.untrusted",
            f"{file} holds more than weights and is not opened, since a pickle can run code; "
            f"if you trust where it comes from, `nrx models fetch {file} --trust` converts it.",
        ) from error
    except Exception as error:
        raise _damaged(file, str(error).splitlines()[0] if str(error) else type(error).__name__) from error
    if not isinstance(package, Mapping) or not {"klass", "args", "kwargs", "state"} <= package.keys():
        raise _damaged(file, "it is no checkpoint of Demucs")
    if "__quantized" in package["state"]:
        raise _damaged(file, "it is quantised with diffq, which is not read here")
    return package


def _damaged(file: Path, why: str) -> NrxError:
    return NrxError("model.damaged", f"{file} cannot be read as a model of Demucs: {why}.")
