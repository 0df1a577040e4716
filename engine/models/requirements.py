"""Which packages each family of models needs, and whether they are there: looked up without importing them."""

import re
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from engine.errors import NrxError
from engine.models.card import Family

INSTALL = "pip install 'nrx-bridge[neural]'"
OLDEST_TORCH = (2, 10)
"""Before it, `weights_only` could be made to run code (CVE-2025-32434, CVE-2026-24747)."""

PACKAGES: dict[Family, tuple[str, ...]] = {
    "demucs": ("torch", "demucs", "safetensors"),
    "musicgen": ("torch", "transformers", "safetensors", "tokenizers"),
    "clap": ("torch", "transformers", "safetensors", "tokenizers"),
}
"""Family -> importable packages; a family that is not here needs none in this interpreter."""


def what_is_missing(family: Family) -> str | None:
    """Return one clause that says which package of a family is missing or too old; None if all are there."""
    packages = PACKAGES.get(family)
    if packages is None:
        return None
    for package in packages:
        if find_spec(package) is None:
            return f"the package {package} is not installed; `{INSTALL}` installs it"
    installed = torch_version()
    if installed < OLDEST_TORCH:
        wanted = ".".join(map(str, OLDEST_TORCH))
        return (
            f"PyTorch {'.'.join(map(str, installed))} is too old to load checkpoints safely; "
            f"`pip install 'torch>={wanted}'` brings it up to date"
        )
    return None


def torch_version() -> tuple[int, ...]:
    """Return PyTorch's version as two numbers; (0, 0) if there is none."""
    try:
        numbers = re.findall(r"\d+", version("torch"))
    except PackageNotFoundError:
        return (0, 0)
    return tuple(int(number) for number in numbers[:2])


def require_packages(family: Family, name: str) -> None:
    """Refuse a model whose packages are not there.

    Raises:
        NrxError: `model.extra_missing`.
    """
    missing = what_is_missing(family)
    if missing is not None:
        raise NrxError("model.extra_missing", f"The model {name} cannot be used: {missing}.")
