"""What an effect's parameters may be: numbers in a range, or one of a few words. No sound is made here.

Units are in the parameter's name (`_hz`, `_db`, `_ms`, `_s`, `_beats`, `_cents`); a bare name is a share from
0 to 1 unless its range says otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import NrxError


@dataclass(frozen=True, slots=True)
class Number:
    """A real number from `low` to `high`, both allowed."""

    default: float
    low: float
    high: float

    @property
    def allowed(self) -> str:
        """The range in words, for messages and documentation."""
        return f"a number from {self.low:g} to {self.high:g}"

    def accepts(self, value: object) -> bool:
        """Say whether `value` is a number inside the range (NaN and truth values are not)."""
        return (
            isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high
        )


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few values."""

    default: str | int
    values: tuple[str | int, ...]

    @property
    def allowed(self) -> str:
        """The choices in words, for messages and documentation."""
        return "one of " + ", ".join(str(value) for value in self.values)

    def accepts(self, value: object) -> bool:
        """Say whether `value` is one of the choices."""
        return not isinstance(value, bool) and value in self.values


Parameter = Number | OneOf


@dataclass(frozen=True, slots=True)
class EffectSpec:
    """One row of the effect table.

    `maker` is "module:function" inside this package; the function takes a `Context` and the parameters as
    keywords and returns a `Process`. `tail_s` is how long it may go on sounding after its input has ended.
    """

    summary: str
    maker: str
    parameters: Mapping[str, Parameter]
    tail_s: float = 0.0

    def complete(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return all parameters, with defaults where `given` has none.

        Raises:
            NrxError: "preset.invalid" for an unknown parameter or a value that is not allowed.
        """
        for key, value in given.items():
            if key not in self.parameters:
                known = ", ".join(self.parameters)
                raise NrxError(
                    "preset.invalid", f'Effect "{name}" has no parameter "{key}"; it has {known or "none"}.'
                )
            if not self.parameters[key].accepts(value):
                raise NrxError(
                    "preset.invalid",
                    f'Effect "{name}": {key} is {value!r} but must be {self.parameters[key].allowed}.',
                )
        return {key: given.get(key, parameter.default) for key, parameter in self.parameters.items()}
