"""Embeddings for doors: computed in a process that ends afterwards, kept by content, so that a daemon stays small.

`embed` asks for the vectors of recordings and words. What is in the cache is not computed again; the rest is computed
by `python -m bridge.embedding`, which reads what is wanted as JSON from standard input and writes JSON to standard
output. Before it is started, the model is looked for: an absent one is refused at once with what to do.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.backends import backends_of
from bridge.config import Settings
from engine.errors import NrxError
from engine.hashing import file_hash
from engine.stages import StageCache, content_key

STAGE, FILE = "embed", "vector.json"
VERSION = 1
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors of length 1, one for each thing that was asked for, and which model made them."""

    vectors: tuple[tuple[float, ...], ...]
    about: Mapping[str, str]

    @property
    def size(self) -> int:
        """How many numbers a vector has."""
        return len(self.vectors[0]) if self.vectors else 0


def embed(settings: Settings, items: Sequence[Path | str]) -> Embedded:
    """Return the vectors of recordings (paths) and words (text).

    Raises:
        NrxError: any `model.*` where no model can be used; any `input.*` for a file that cannot be read.
    """
    from engine.embedding import about_embedder

    for item in items:
        if isinstance(item, Path) and not item.is_file():
            raise NrxError("input.not_found", f'There is no file "{item}"; check the name.')
    backends = backends_of(settings)
    choice = backends.embedder()
    cache = StageCache(settings.cache_folder, int(settings.cache_max_gb * 1e9))
    keys = [_key(item, choice.key) for item in items]
    found = {key: _known(cache, key) for key in keys}
    missing = {key: item for key, item in zip(keys, items, strict=True) if found[key] is None}
    if missing:
        with _one_at_a_time:
            for key, vector in zip(missing, _computed(settings, list(missing.values())), strict=True):
                found[key] = vector
                _keep(cache, key, vector)
    return Embedded(tuple(tuple(found[key] or ()) for key in keys), about_embedder(backends))


def _key(item: Path | str, model: list[object]) -> str:
    if isinstance(item, Path):
        return content_key({"sound": file_hash(item), "model": model, "version": VERSION})
    return content_key({"words": item, "model": model, "version": VERSION})


def _known(cache: StageCache, key: str) -> list[float] | None:
    folder = cache.find(STAGE, key)
    return json.loads((folder / FILE).read_bytes()) if folder is not None else None


def _keep(cache: StageCache, key: str, vector: list[float]) -> None:
    cache.build(STAGE, key, lambda folder: _write(folder / FILE, vector))


def _write(file: Path, vector: list[float]) -> None:
    file.write_text(json.dumps(vector), encoding="ascii")


def _computed(settings: Settings, items: Sequence[Path | str]) -> list[list[float]]:
    """Compute vectors in a process of their own."""
    asked = {
        "settings": settings.model_dump(mode="json"),
        "items": [
            {"path": str(item.absolute())} if isinstance(item, Path) else {"words": item} for item in items
        ],
    }
    done = subprocess.run(
        [sys.executable, "-m", __name__], input=json.dumps(asked).encode(), capture_output=True, check=False
    )
    try:
        said: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        last = done.stderr.decode(errors="replace").strip().splitlines()
        raise NrxError(
            "internal",
            f"The process that embeds ended with {done.returncode}: {last[-1] if last else 'no word'}.",
        ) from None
    if "code" in said:
        raise NrxError(said["code"], said["sentence"])
    vectors: list[list[float]] = said["vectors"]
    return vectors


def _main() -> None:
    from engine.audio import read_audio
    from engine.embedding import embedder_of

    asked = json.load(sys.stdin)
    vectors: list[list[float]] = []
    try:
        embedder = embedder_of(backends_of(Settings.model_validate(asked["settings"])))
        for item in asked["items"]:
            if "words" in item:
                vector = embedder.words([item["words"]])[0]
            else:
                vector = embedder.sound(read_audio(Path(item["path"])))
            vectors.append([round(float(number), 7) for number in vector])
        answer: dict[str, Any] = {"vectors": vectors}
    except NrxError as error:
        answer = {"code": error.code, "sentence": error.sentence}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    _main()
