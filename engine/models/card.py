"""What a model is, before and after it is on the machine: a `ModelCard` and an `InstalledModel`. Plain data."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Task = Literal["separate", "generate", "embed"]
Family = Literal["demucs", "musicgen", "clap", "audiocraft", "huggingface", "replicate"]


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model that can be asked for by name.

    Args:
        name: what people call it: `htdemucs`, `musicgen-small`.
        task: the stage that it does.
        family: which code runs it.
        repo: its repository on the hub; "" for a user's own files.
        revision: the branch or commit that is fetched; what was really fetched is recorded with the files.
        files: patterns of the files that are needed; every pattern must match one file at least.
        licence: the licence of the weights, in words.
        commercial: whether the licence clearly lets its output be sold.
        size_bytes: what is downloaded, about; the hub's own figure counts.
        needs_bytes: memory that it takes while it works, about.
        description: one clause for people.
        mirrors: addresses of files in an older format, tried where the hub has not got the repository.
        melody: it can follow a melody (generators).
        channels: of what it makes (generators).
        runs_in: "here", the name of the interpreter of its own that it runs in, or "cloud".
    """

    name: str
    task: Task
    family: Family
    repo: str
    files: tuple[str, ...]
    licence: str
    commercial: bool
    size_bytes: int
    needs_bytes: int
    description: str
    revision: str = "main"
    mirrors: tuple[str, ...] = ()
    melody: bool = False
    channels: int = 1
    runs_in: str = "here"


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model that is on the machine, and whose files are those that were verified.

    `folder` holds them; `revision` is the commit they come from ("own" for a user's files); `sha256` gives the hash of
    each file that the model is loaded from. `name` is what Demucs' own loader knows it by inside `folder`.
    """

    card: ModelCard
    folder: Path
    revision: str
    sha256: Mapping[str, str]

    @property
    def name(self) -> str:
        """The model's name."""
        return self.card.name

    @property
    def key(self) -> list[object]:
        """All that a result depends on, to be hashed: the name, the revision, and the bytes of every file."""
        return [self.card.name, self.revision, sorted(self.sha256.items())]
