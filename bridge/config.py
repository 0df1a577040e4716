"""Where things are and what the limits are: `NRX_HOME`, `nrx.toml` in it, and `NRX_*` variables.

One folder holds all state, `~/.nrx` unless `NRX_HOME` is set: `nrx.toml`, `cache/`, `returns/`, `styles/` (the user's
own styles). A variable `NRX_CACHE_MAX_GB` beats `cache_max_gb` in the file, which beats the default.
"""

import os
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from engine.errors import NrxError


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set. Sizes are in gigabytes (1e9 bytes), as their names say."""

    home: Path
    cache_max_gb: float = 10.0
    memory_max_gb: float = 3.5
    input_max_gb: float = 8.0

    @property
    def cache_folder(self) -> Path:
        """Where stages keep their results."""
        return self.home / "cache"

    @property
    def returns_folder(self) -> Path:
        """Where returns go when no other folder is named."""
        return self.home / "returns"

    @property
    def styles_folder(self) -> Path:
        """Where users put styles of their own."""
        return self.home / "styles"


def home_folder() -> Path:
    """Return `NRX_HOME`, or `~/.nrx`."""
    named = os.environ.get("NRX_HOME", "").strip()
    return (Path(named).expanduser() if named else Path.home() / ".nrx").absolute()


def load_settings() -> Settings:
    """Read the settings.

    Raises:
        NrxError: `request.invalid` for a file that is not TOML, an unknown key, or a value that is no positive number.
    """
    home = home_folder()
    file = home / "nrx.toml"
    values: dict[str, object] = {}
    if file.is_file():
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise NrxError("request.invalid", f"The settings file {file} cannot be read: {error}.") from error
    known = [item.name for item in fields(Settings) if item.name != "home"]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise NrxError(
            "request.invalid", f"{file} has an unknown setting {unknown[0]!r}; there are: {', '.join(known)}."
        )
    numbers: dict[str, float] = {}
    for name in known:
        raw = os.environ.get(f"NRX_{name.upper()}", values.get(name))
        if raw is None:
            continue
        try:
            number = float(str(raw))
        except ValueError:
            number = -1.0
        if not 0 < number < 1e6:
            raise NrxError(
                "request.invalid", f"The setting {name} must be a positive number, and is {raw!r}."
            )
        numbers[name] = number
    return Settings(home, **numbers)
