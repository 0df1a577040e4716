"""`StreamRequest`: what is asked of a stream, the same at every door."""

import secrets
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator

from bridge.protocol import LARGEST_TEMPO_BPM, SMALLEST_TEMPO_BPM, Scale, Seed, Strict
from engine.errors import NrxError
from engine.streaming.quality import DEFAULT_QUALITY, quality_of

LONGEST_S = 7200.0
AUTO, ARRANGER = "auto", "arranger"
ALIASES = {"duration": "duration_s", "text": "prompt"}
"""Names that other systems use -> ours."""
Format = Literal["s16", "f32"]
SAMPLE_BYTES: dict[Format, int] = {"s16": 2, "f32": 4}


class StreamRequest(Strict):
    """Music that is wanted while it is made. What is None is left to words, style and seed.

    `duration_s` None goes on until it is stopped, two hours at most. `generator` is `arranger`, `musicgen`, a model's
    name, or `auto`. `format` is of the samples: 16-bit integers or 32-bit floats, little-endian, interleaved. `pace`
    `live` sends as fast as one listens, some seconds ahead; `full` as fast as it is made and taken.
    """

    prompt: str = Field(default="", max_length=1000)
    style: str | None = Field(default=None, max_length=100)
    key: str | None = Field(default=None, max_length=20)
    bpm: float | None = Field(default=None, ge=SMALLEST_TEMPO_BPM, le=LARGEST_TEMPO_BPM)
    stem: str | None = Field(default=None, max_length=40)
    energy: Scale = 1.0
    brightness: Scale = 1.0
    seed: Seed = Field(default_factory=lambda: secrets.randbelow(2**31))
    duration_s: float | None = Field(default=None, ge=0.5, le=LONGEST_S, allow_inf_nan=False)
    quality: str = DEFAULT_QUALITY
    generator: str = Field(default=AUTO, max_length=400)
    temperature: float = Field(default=1.0, ge=0, le=10, allow_inf_nan=False)
    guidance: float = Field(default=3.0, ge=0, le=30, allow_inf_nan=False)
    format: Format = "s16"
    pace: Literal["live", "full"] = "live"

    @field_validator("quality")
    @classmethod
    def _quality_exists(cls, name: str) -> str:
        try:
            return quality_of(name).name
        except NrxError as error:
            raise ValueError(error.sentence.rstrip(".")) from None

    @property
    def may_be_neural(self) -> bool:
        """Whether a model was asked for by name, which takes time to load."""
        return self.generator not in (AUTO, ARRANGER)


def parse_stream(fields: dict[str, Any]) -> StreamRequest:
    """Check what was asked for.

    Raises:
        NrxError: `request.invalid`, with one sentence that names the first field that is wrong.
    """
    fields = {ALIASES.get(name, name): value for name, value in fields.items()}
    try:
        return StreamRequest.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(step) for step in first["loc"])
        if first["type"] == "extra_forbidden":
            known = ", ".join(StreamRequest.model_fields)
            raise NrxError(
                "request.invalid", f"A stream has no field {field[:40]!r}; it has {known}."
            ) from None
        message = str(first["msg"]).removeprefix("Value error, ").replace("Input should be", "must be")
        raise NrxError("request.invalid", f"{field} of the stream is refused: {message}.") from None
