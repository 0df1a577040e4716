"""The backends of a request: what it asks for, else what the settings say."""

from bridge.config import Settings
from bridge.protocol import Request
from engine.backends import Backends, SeparationOptions
from engine.models import ModelStore
from engine.models.cloud import CloudAccess
from engine.models.interpreter import is_apart
from engine.models.own import looks_like_path


def store_of(settings: Settings) -> ModelStore:
    """Return the machine's store of models."""
    models = settings.models
    return ModelStore(
        settings.models_folder,
        offline=models.offline,
        commercial_only=models.commercial_only,
        trust_pickle=models.trust_pickle,
        hub=models.hub,
        cleared=frozenset(models.cleared),
    )


def cloud_of(settings: Settings) -> CloudAccess:
    """Return what may be sent to cloud services."""
    cloud = settings.cloud
    keys = {"huggingface": cloud.huggingface_key, "replicate": cloud.replicate_key}
    urls = {"huggingface": cloud.huggingface_url, "replicate": cloud.replicate_url}
    return CloudAccess(
        cloud.allowed,
        {name: key.get_secret_value() for name, key in keys.items() if key is not None},
        {name: url for name, url in urls.items() if url},
        cloud.patience_s,
    )


def backends_of(settings: Settings, request: Request | None = None) -> Backends:
    """Return the backends for a request, or for work outside a job."""
    models = settings.models
    asked = request.separation if request is not None else None
    return Backends(
        store_of(settings),
        separate=(request.separator if request is not None else None) or models.separator,
        generate=(request.generator if request is not None else None) or models.generator,
        embed=models.embedder,
        device=(request.device if request is not None else None) or models.device,
        preferred={"generate": models.prefer_generator} if models.prefer_generator else {},
        separation=SeparationOptions(**asked.model_dump()) if asked is not None else SeparationOptions(),
        cloud=cloud_of(settings),
        cache=settings.models_folder / ".compiled",
    )


def names_a_path(request: Request) -> str | None:
    """Return the model of a request that is a path on this machine, if one is."""
    asked = (request.separator, request.generator)
    return next((name for name in asked if name is not None and looks_like_path(_without_family(name))), None)


def _without_family(name: str) -> str:
    """Return the name of a model without the interpreter that it is asked for in."""
    return name.partition(":")[2] if is_apart(name) else name
