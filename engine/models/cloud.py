"""Cloud services that generate: which there are, and the consent, key and licence without which nothing is sent.

Nothing leaves this machine unless `allowed` is set under `[cloud]` and the request itself names the service:
`huggingface`, `replicate`, or a model there as `huggingface:owner/model` and `replicate:owner/model:version`. `auto`
never takes one. Keys are kept out of every text that is shown or stored.

Sources: Hugging Face, Inference Providers, "hf-inference" and "text-to-audio"; Replicate, HTTP API reference. The
licence of MusicGen's weights holds wherever they run.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from engine.errors import NrxError
from engine.models.card import Family, ModelCard
from engine.models.hub import refuse_unsafe
from engine.models.store import ModelStore

_NC = "CC BY-NC 4.0"
_UNKNOWN = "not known to nrx; its page says it"


@dataclass(frozen=True, slots=True)
class Service:
    """A cloud service.

    Args:
        name: what people ask for it by.
        title: what it is called.
        url: its address; `{model}` stands for the model's name.
        variable: the environment variable with its key.
        model: what it plays where no model is named.
        revision: of that model; "" where the service takes none.
        follows_melody: whether it is sent a melody.
        longest_s: the longest take that it makes.
        takes_seed: whether the same seed gives the same take there.
        sends: what leaves this machine, in words.
    """

    name: Family
    title: str
    url: str
    variable: str
    model: str
    revision: str
    follows_melody: bool
    longest_s: float
    takes_seed: bool
    sends: str


SERVICES: dict[str, Service] = {
    "huggingface": Service(
        name="huggingface",
        title="Hugging Face",
        url="https://router.huggingface.co/hf-inference/models/{model}",
        variable="HUGGINGFACE_API_KEY",
        model="facebook/musicgen-small",
        revision="",
        follows_melody=False,
        longest_s=30.0,
        takes_seed=False,
        sends="the words of the prompt",
    ),
    "replicate": Service(
        name="replicate",
        title="Replicate",
        url="https://api.replicate.com/v1",
        variable="REPLICATE_API_TOKEN",
        model="meta/musicgen",
        revision="671ac645ce5e552cc63a54a2bbff63fcf798043055d2dac5fc9e36a837eedcfb",
        follows_melody=True,
        longest_s=300.0,
        takes_seed=True,
        sends="the words of the prompt and, of a song, its melody as sound (a sketch in sine tones)",
    ),
}
"""Name -> service."""

LICENCES: Mapping[str, str] = {"meta/musicgen": _NC}
"""Model -> licence of its weights; those in repositories of `facebook` are all the same."""
SERVED = "as the service has it"
"""The revision of a model where the service does not let one choose it."""


@dataclass(frozen=True, slots=True)
class CloudAccess:
    """What may be sent, and with which keys.

    Args:
        allowed: prompts and melodies may leave this machine, for requests that name a service.
        keys: service -> key.
        urls: service -> another address than its own.
        patience_s: how long a take may take, with all waiting.
    """

    allowed: bool = False
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    urls: Mapping[str, str] = field(default_factory=dict)
    patience_s: float = 600.0


@dataclass(frozen=True, slots=True)
class CloudModel:
    """A model at a service, that may be asked."""

    service: Service
    card: ModelCard
    model: str
    revision: str
    url: str
    patience_s: float
    key: str = field(repr=False)

    @property
    def host(self) -> str:
        """The machine that is sent to."""
        return urlsplit(self.url).hostname or ""

    @property
    def consent(self) -> str:
        """The sentence that says what leaves this machine."""
        return (
            f"This was played in the cloud: {self.service.sends} went to {self.service.title} ({self.host})."
        )


def is_cloud(name: str) -> bool:
    """Return whether a name asks for a cloud service."""
    return name.partition(":")[0] in SERVICES


def leaving(name: str) -> str:
    """Return the sentence that says beforehand what leaves this machine with a service."""
    service = SERVICES[name.partition(":")[0]]
    return f"{service.title} plays in the cloud: {service.sends} will leave this machine."


def cloud_model(access: CloudAccess, store: ModelStore, wanted: str) -> CloudModel:
    """Return the model at a service that a name asks for, if it may be asked.

    Raises:
        NrxError: `model.offline`, `cloud.not_allowed`, `model.not_commercial`, `cloud.key`; `request.invalid` for a
            name that is none, or an address that is not https.
    """
    asked, _, rest = wanted.partition(":")
    service = SERVICES[asked]
    if store.offline:
        raise NrxError(
            "model.offline",
            f"{service.title} plays in the cloud, and nrx is set to stay offline; set `offline = false` under "
            f"[models], or choose another generator.",
        )
    if not access.allowed:
        raise NrxError(
            "cloud.not_allowed",
            f"{service.title} plays in the cloud: {service.sends} would leave this machine; if that is what you want, "
            f"set `allowed = true` under [cloud] in nrx.toml.",
        )
    model, revision = _named(service, rest)
    card = _card(service, model)
    refusal = store.licence_refusal(card)
    if refusal is not None:
        raise NrxError("model.not_commercial", refusal)
    key = access.keys.get(service.name, "").strip()
    if not key or not key.isascii() or not key.isprintable():
        what = "has no key" if not key else "has a key with letters that no key has"
        raise NrxError(
            "cloud.key",
            f"{service.title} {what}; set {service.variable}, or `{service.name}_key` under [cloud] in nrx.toml.",
        )
    url = (access.urls.get(service.name) or service.url).rstrip("/")
    refuse_unsafe(url)
    return CloudModel(service, card, model, revision, url, access.patience_s, key)


def _named(service: Service, rest: str) -> tuple[str, str]:
    """Return the model and version that a name gives after the service's."""
    if not rest:
        return service.model, service.revision or SERVED
    model, _, revision = rest.partition(":")
    parts = model.split("/")
    if (
        len(parts) != 2
        or not all(_is_plain(part) for part in parts)
        or (revision and not _is_plain(revision))
    ):
        raise NrxError(
            "request.invalid",
            f"{rest!r} is no model at {service.title}; it must be owner/model"
            f"{':version' if service.revision else ''}.",
        )
    if not service.revision:
        if revision:
            raise NrxError("request.invalid", f"{service.title} takes no version; ask for {model} alone.")
        return model, SERVED
    if model == service.model:
        return model, revision or service.revision
    if not revision:
        raise NrxError(
            "request.invalid",
            f"{model} at {service.title} needs its version too, as {service.name}:{model}:VERSION, so that the same "
            f"request is played by the same model.",
        )
    return model, revision


def _is_plain(text: str) -> bool:
    return (
        bool(text)
        and text[0] != "."
        and all(letter.isalnum() or letter in "._-" for letter in text)
        and text.isascii()
    )


def _card(service: Service, model: str) -> ModelCard:
    licence = LICENCES.get(model, _NC if model.startswith("facebook/") else _UNKNOWN)
    return ModelCard(
        name=f"{service.name}:{model}",
        task="generate",
        family=service.name,
        repo=model,
        files=(),
        licence=licence,
        commercial=False,
        size_bytes=0,
        needs_bytes=0,
        description=f"{model}, played in the cloud by {service.title}",
        melody=service.follows_melody,
        runs_in="cloud",
    )
