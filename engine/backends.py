"""Which backend does a stage, and why: the choice between what is built in and what needs weights.

`auto` takes the neural backend when its packages and a model's weights are on the machine and its licence may be used,
else the one that is built in; the choice says why. Whoever asks for a model by name gets it or a refusal, before any
work is done. What runs in an interpreter of its own, or at a cloud service, is only ever taken by name. Nothing heavy
is imported here, and nothing is loaded: a `Choice` names an installed model, and the stage that uses it loads it.

`Stages` carries a `Backends`, so that actions ask `stages.backends.separator()`, `.generator()` and `.embedder()`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import NrxError
from engine.models import InstalledModel, ModelCard, ModelStore, Task, cards_for, what_is_missing
from engine.models.cloud import SERVICES, CloudAccess, CloudModel, cloud_model, is_cloud
from engine.models.interpreter import AUDIOCRAFT, is_apart, model_apart
from engine.models.own import looks_like_path

AUTO = "auto"
BUILT_IN: dict[Task, str | None] = {"separate": "spectral", "generate": "arranger", "embed": None}
"""Task -> the backend that needs no weights; None: there is none."""
NEURAL: dict[Task, str] = {"separate": "demucs", "generate": "musicgen", "embed": "clap"}
"""Task -> the family of models; asked for by this name, the first that is on the machine is taken."""


@dataclass(frozen=True, slots=True)
class SeparationOptions:
    """How a neural separator works; None leaves it to the model.

    `shifts`: times that the song is separated at another offset and averaged; `overlap`: of segments, 0 to 0.95;
    `segment_s`: their length; `residual`: hand what the stems leave back to them, so that they sum to the mix.
    """

    shifts: int = 1
    overlap: float = 0.25
    segment_s: float | None = None
    precision: str = "float32"
    residual: bool = True

    @property
    def key(self) -> list[object]:
        """What results depend on, to be hashed."""
        return [self.shifts, self.overlap, self.segment_s, self.precision, self.residual]


@dataclass(frozen=True, slots=True)
class Choice:
    """The backend that does a task: a name, the model that it loads or asks if it needs one, and why it was taken."""

    task: Task
    backend: str
    why: str
    model: InstalledModel | None = None
    cloud: CloudModel | None = None

    @property
    def is_neural(self) -> bool:
        """Whether it needs weights, here or elsewhere."""
        return self.model is not None or self.cloud is not None

    @property
    def name(self) -> str:
        """The name that people ask for it by: the model's, or the built-in backend's."""
        if self.cloud is not None:
            return self.cloud.card.name
        return self.model.name if self.model is not None else self.backend

    @property
    def key(self) -> list[object]:
        """What results depend on beside the backend's version, to be hashed."""
        if self.cloud is not None:
            return [self.backend, self.cloud.model, self.cloud.revision, self.cloud.url]
        return [self.backend, *(self.model.key if self.model is not None else ())]


@dataclass(slots=True)
class Backends:
    """The choices of one job.

    Args:
        models: the store of weights.
        separate, generate, embed: `auto`, a built-in backend, a family, a model's name, or the path of a user's own.
        device: `auto`, `cpu`, `cuda`, `mps`.
        preferred: task -> the model that `auto` looks for first.
        separation: options of neural separators.
        cloud: what may be sent to cloud services.
        cache: where backends keep what they derive from weights (compiled networks); None: nowhere.
        used_device: where the generator ran, once it has; `separated_on`: where the separator did.
    """

    models: ModelStore
    separate: str = AUTO
    generate: str = AUTO
    embed: str = AUTO
    device: str = AUTO
    preferred: Mapping[Task, str] = field(default_factory=dict)
    separation: SeparationOptions = field(default_factory=SeparationOptions)
    cloud: CloudAccess = field(default_factory=CloudAccess)
    cache: Path | None = None
    used_device: str | None = None
    separated_on: str | None = None
    _made: dict[Any, Choice] = field(default_factory=dict)

    @property
    def devices(self) -> str:
        """Where stages ran, as "cpu" or "cuda:0, cpu"."""
        ran = [device for device in (self.separated_on, self.used_device) if device is not None]
        return ", ".join(dict.fromkeys(ran)) or "cpu"

    def separator(self) -> Choice:
        """Return what separates.

        Raises:
            NrxError: `backend.missing` and any `model.*`, for what was asked for by name.
        """
        return self._choice("separate", self.separate)

    def generator(self, *, melody: bool = False) -> Choice:
        """Return what generates; `melody` looks for a model that can follow one first.

        Raises:
            NrxError: as `separator`; and any `cloud.*` for a cloud service.
        """
        return self._choice("generate", self.generate, melody=melody)

    def embedder(self) -> Choice:
        """Return what embeds sound and words.

        Raises:
            NrxError: as `separator`; and `model.missing` where no model is on the machine, since none is built in.
        """
        return self._choice("embed", self.embed)

    def _choice(self, task: Task, wanted: str, *, melody: bool = False) -> Choice:
        key = (task, wanted, melody)
        if key not in self._made:
            self._made[key] = self._choose(task, wanted, melody)
        return self._made[key]

    def _choose(self, task: Task, wanted: str, melody: bool) -> Choice:
        built_in = BUILT_IN[task]
        if wanted == built_in:
            return Choice(task, wanted, "asked for by name")
        if task == "generate" and is_cloud(wanted):
            asked = cloud_model(self.cloud, self.models, wanted)
            return Choice(task, asked.service.name, "asked for by name, in the cloud", cloud=asked)
        if task == "generate" and is_apart(wanted):
            apart = model_apart(self.models, wanted, melody=melody)
            return Choice(task, AUDIOCRAFT, "asked for by name, in its own interpreter", apart)
        if wanted not in (AUTO, NEURAL[task]):
            return self._named(task, wanted)
        found, why_not = self._first_usable(task, melody)
        if found is not None:
            return Choice(task, found.card.family, f"its weights are on this machine ({found.name})", found)
        if wanted != AUTO:
            raise NrxError("model.missing", f"{NEURAL[task]} was asked for and cannot be used: {why_not}.")
        if built_in is None:
            raise NrxError("model.missing", f"Embeddings need a model, and none can be used: {why_not}.")
        return Choice(task, built_in, why_not)

    def _named(self, task: Task, wanted: str) -> Choice:
        names = ", ".join(self.names(task))
        try:
            card = self.models.card(wanted)
        except NrxError as error:
            if error.code != "model.unknown" or looks_like_path(wanted):
                raise
            raise NrxError(
                "backend.missing", f"There is no {wanted!r} to {task} with; choose one of: {names}."
            ) from None
        if card.task != task:
            raise NrxError(
                "backend.missing",
                f"The model {card.name} is made to {card.task}, not to {task}; choose one of: {names}.",
            )
        model = self.models.require(wanted)
        return Choice(task, card.family, "asked for by name", model)

    def _first_usable(self, task: Task, melody: bool) -> tuple[InstalledModel | None, str]:
        """Return the first model of a task that is there and may be used, or why there is none."""
        missing = what_is_missing(cards_for(task)[0].family)
        if missing is not None:
            return None, missing
        reasons: list[str] = []
        for name in self._order(task, melody):
            try:
                card = self.models.card(name)
                found = self.models.find(name)
            except NrxError as error:
                reasons.append(error.sentence.rstrip("."))
                continue
            if found is None:
                continue
            refusal = self.models.licence_refusal(card) or _does_not_fit(card)
            if refusal is None:
                return found, ""
            reasons.append(refusal.rstrip("."))
        if reasons:
            return None, reasons[0]
        first = next(iter(self._order(task, melody)))
        return None, f"no model's weights are on this machine; `nrx models fetch {first}` downloads some"

    def _order(self, task: Task, melody: bool) -> list[str]:
        """Return the names of a task's models in the order in which `auto` looks for them."""
        names = [card.name for card in sorted(cards_for(task), key=lambda card: melody and not card.melody)]
        if not melody:
            names.sort(key=lambda name: self.models.card(name).melody)
        preferred = self.preferred.get(task)
        return [preferred, *names] if preferred else names

    def names(self, task: Task) -> list[str]:
        """Return the names that can be asked for."""
        built_in = BUILT_IN[task]
        elsewhere = [AUDIOCRAFT, *SERVICES] if task == "generate" else []
        return [AUTO, *([built_in] if built_in else []), *(card.name for card in cards_for(task)), *elsewhere]


def _does_not_fit(card: ModelCard) -> str | None:
    """Return why a model is not taken of itself on a machine with little memory, or None."""
    import psutil

    total = int(psutil.virtual_memory().total)
    if card.needs_bytes <= total:
        return None
    return (
        f"{card.name} needs about {card.needs_bytes / 1e9:.1f} GB of memory, "
        f"and this machine has {total / 1e9:.1f} GB"
    )


def built_in_only() -> Backends:
    """Return backends that use no weights: for work outside a job."""
    return Backends(ModelStore(Path("/nonexistent")), separate="spectral", generate="arranger")
