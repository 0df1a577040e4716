"""What is given for a mix beside the stems themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Given:
    """What the person or the caller brings beside the stems."""

    files: Mapping[str, str]
    sample_rate: int
    tempo_bpm: float | None = None
    respect_user_gains: bool = False
    amounts: Mapping[str, float] | None = None
    bypass: tuple[str, ...] = ()

    @property
    def balance(self) -> float:
        """How much of the balance will be applied, 0 to 1."""
        if self.respect_user_gains or "balance" in self.bypass:
            return 0.0
        return (self.amounts or {}).get("balance", 100.0) / 100.0
