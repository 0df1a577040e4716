"""Where things are and what the limits are: `NRX_HOME`, `nrx.toml` in it, and `NRX_*` variables.

One folder holds all state, `~/.nrx` unless `NRX_HOME` is set: `nrx.toml`, `cache/`, `returns/`, `styles/` (the user's
own styles), and what the daemon keeps. A variable `NRX_CACHE_MAX_GB` beats `cache_max_gb` in the file, which beats the
default; for the tables, `NRX_HTTP_PORT` beats `port` in `[http]`. Two variables of the systems that this one takes over
are honoured too: `DEVICE` is the device of neural models, `MUSICGEN_MODEL` the generator that `auto` looks for first.
So are its keys of cloud services, `HUGGINGFACE_API_KEY` and `REPLICATE_API_TOKEN`, and the hub's own `HF_ENDPOINT` and
`HF_HUB_OFFLINE`.

    cache_max_gb = 20
    roots = ["~/Music/Projects"]          # below these, OSC and HTTP may name files

    [http]
    port = 39180
    origins = ["http://localhost:3000"]   # other web pages that may call, with the token

    [osc]
    port = 39100

    [jobs]
    workers = 1

    [models]
    separator = "htdemucs_ft"             # "auto" takes the first that is on the machine
    device = "cuda"
    commercial_only = true

    [cloud]
    allowed = true                        # requests that name a cloud service may send it words and melodies

    [[watch]]
    path = "~/Music/Renders"
    style = "lofi_chill"
"""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from engine.errors import NrxError
from engine.models.cloud import is_cloud

HTTP_PORT, OSC_PORT = 39180, 39100
Port = Annotated[int, Field(ge=0, le=65535)]
Size = Annotated[float, Field(gt=0, lt=1e6)]


class Table(BaseModel):
    """A table of the settings file; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class HttpSettings(Table):
    """`[http]`: port 0 picks a free one; `host` other than loopback needs `nrx serve --lan`."""

    host: str = "127.0.0.1"
    port: Port = HTTP_PORT
    origins: tuple[str, ...] = ()
    upload_max_gb: Size = 2.0


class OscSettings(Table):
    """`[osc]`: if the port is taken, the next of ten is used; 0 picks a free one."""

    port: Port = OSC_PORT


class JobsSettings(Table):
    """`[jobs]`: worker processes, how long a silent worker keeps its job, and how often a job is tried."""

    workers: Annotated[int, Field(ge=1, le=16)] = 1
    lease_s: Annotated[float, Field(ge=1, le=600)] = 15.0
    attempts: Annotated[int, Field(ge=1, le=10)] = 3


class ModelsSettings(Table):
    """`[models]`: which backends do a stage, where weights are kept, and what may be done with them.

    `separator`, `generator`, `embedder`: `auto`, a built-in backend, a model's name, or the path of your own.
    `prefer_generator` is what `auto` looks for first. `commercial_only` refuses models whose licence does not clearly
    allow commercial use, except those in `cleared`. `trust_pickle` opens your own pickled files without asking.
    A worker keeps models loaded for `keep_warm_s` seconds after their last use.
    """

    folder: Path | None = None
    separator: str = "auto"
    generator: str = "auto"
    embedder: str = "auto"
    prefer_generator: str | None = None
    device: str = "auto"
    offline: bool = False
    commercial_only: bool = False
    cleared: tuple[str, ...] = ()
    trust_pickle: bool = False
    hub: str = "https://huggingface.co"
    keep_warm_s: Annotated[float, Field(ge=0, le=86400)] = 0.0

    @field_validator("generator", "prefer_generator")
    @classmethod
    def _is_not_in_the_cloud(cls, name: str | None) -> str | None:
        if name is not None and is_cloud(name):
            raise ValueError(
                "must not be a cloud service: each request that is to be sent there names it itself"
            )
        return name


class CloudSettings(Table):
    """`[cloud]`: whether anything may be sent to a cloud service, with which keys, and how long a take may take.

    Keys are never shown; better than in the file they lie in `HUGGINGFACE_API_KEY` and `REPLICATE_API_TOKEN`. The
    addresses are for services that speak the same; `{model}` in Hugging Face's stands for the model's name.
    """

    allowed: bool = False
    huggingface_key: SecretStr | None = None
    replicate_key: SecretStr | None = None
    huggingface_url: str | None = None
    replicate_url: str | None = None
    patience_s: Annotated[float, Field(ge=5, le=86400)] = 600.0


class StreamsSettings(Table):
    """`[streams]`: processes that make streamed audio, sessions at a time, and how long idle processes stay warm.

    A live stream is made up to `ahead_s` seconds before it is heard.
    """

    workers: Annotated[int, Field(ge=1, le=16)] = 2
    sessions: Annotated[int, Field(ge=1, le=64)] = 8
    warm_s: Annotated[float, Field(ge=0, le=86400)] = 600.0
    ahead_s: Annotated[float, Field(ge=0.5, le=60)] = 8.0


class WatchSettings(Table):
    """`[[watch]]`: a folder whose renders become jobs. `returns` is where they go back; default `NRX_HOME/returns`."""

    path: Path
    action: Literal["remix", "separate", "analyze", "generate", "sync", "mix", "master"] = "remix"
    style: str | None = None
    returns: Path | None = None
    polling: bool = False
    settle_s: Annotated[float, Field(ge=0.05, le=600)] = 2.0
    parameters: dict[str, Any] = Field(default_factory=dict)


class Settings(Table):
    """Everything that can be set. Sizes are in gigabytes (1e9 bytes), as their names say."""

    home: Path
    cache_max_gb: Size = 10.0
    memory_max_gb: Size = 3.5
    input_max_gb: Size = 8.0
    roots: tuple[Path, ...] = ()
    http: HttpSettings = HttpSettings()
    osc: OscSettings = OscSettings()
    jobs: JobsSettings = JobsSettings()
    models: ModelsSettings = ModelsSettings()
    cloud: CloudSettings = CloudSettings()
    streams: StreamsSettings = StreamsSettings()
    watch: tuple[WatchSettings, ...] = ()

    @property
    def cache_folder(self) -> Path:
        """Where stages keep their results."""
        return self.home / "cache"

    @property
    def returns_folder(self) -> Path:
        """Where returns go when no other folder is named."""
        return self.home / "returns"

    @property
    def models_folder(self) -> Path:
        """Where the weights of models are kept."""
        return (self.models.folder or self.home / "models").expanduser()

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
        NrxError: `request.invalid` for a file that is not TOML, an unknown key, or a value that is not allowed.
    """
    home = home_folder()
    file = home / "nrx.toml"
    values: dict[str, Any] = {}
    if file.is_file():
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise NrxError("request.invalid", f"The settings file {file} cannot be read: {error}.") from error
    _apply_variables(values)
    try:
        return Settings.model_validate({**values, "home": home})
    except ValidationError as error:
        raise NrxError("request.invalid", _said(error, file)) from None


LISTS = ("origins", "cleared")
"""Settings that no variable can hold."""
ALSO = {
    "DEVICE": ("models", "device"),
    "MUSICGEN_MODEL": ("models", "prefer_generator"),
    "HF_ENDPOINT": ("models", "hub"),
    "HF_HUB_OFFLINE": ("models", "offline"),
    "HUGGINGFACE_API_KEY": ("cloud", "huggingface_key"),
    "REPLICATE_API_TOKEN": ("cloud", "replicate_key"),
}
"""Variables by other names -> the setting that they are; NRX_ variables beat them, and they beat the file."""


def _apply_variables(values: dict[str, Any]) -> None:
    """Let `NRX_<SETTING>` and `NRX_<TABLE>_<SETTING>` beat the file, for settings that are one number or word."""
    for variable, (table_name, setting) in ALSO.items():
        given = os.environ.get(variable, "").strip()
        if given and isinstance(values.get(table_name, {}), dict):
            values[table_name] = {**values.get(table_name, {}), setting: given}
    for name, field in Settings.model_fields.items():
        if name in ("home", "roots", "watch"):
            continue
        table = field.annotation
        if isinstance(table, type) and issubclass(table, Table):
            for inner in table.model_fields:
                if inner not in LISTS and (raw := os.environ.get(f"NRX_{name}_{inner}".upper())) is not None:
                    values[name] = {**values.get(name, {}), inner: raw}
        elif (raw := os.environ.get(f"NRX_{name.upper()}")) is not None:
            values[name] = raw


def _said(error: ValidationError, file: Path) -> str:
    """Put the first thing that is wrong into one sentence."""
    first = error.errors()[0]
    name = ".".join(str(step) for step in first["loc"])
    if first["type"] == "extra_forbidden":
        known = ", ".join(key for key in Settings.model_fields if key != "home")
        return f"{file} has an unknown setting {name!r}; there are: {known}."
    what = first["msg"].replace("Value error, ", "").replace("Input should be", "must be")
    told = f"{what[:1].lower()}{what[1:]}"
    given = "not shown" if name.endswith("_key") else repr(first["input"])
    return f"The setting {name} is {given}, and {told} (in {file}, or an NRX_ variable)."
