"""From a request to what a master is asked for: the preset, then what the request says instead."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from bridge.protocol import Request
from engine.actions.model import SourceFile
from engine.actions.reference import REFERENCE_ROLE
from engine.mastering.presets import load_master_preset
from engine.mastering.wishes import Amounts, MasterWishes

DEFAULT_PRESET = "streaming"


def wishes_of(request: Request, presets: tuple[Path, ...] = ()) -> MasterWishes:
    """Return the wishes of a request for a master, or for a mix that ends in one.

    With references and neither preset nor loudness, the loudness is the references'.

    Raises:
        NrxError: `request.invalid` for a preset that there is not, `preset.invalid`.
    """
    preset = load_master_preset(request.preset or DEFAULT_PRESET, presets).wishes()
    asked = request.mastering
    like_reference = request.preset is None and any(item.role == REFERENCE_ROLE for item in request.inputs)
    given: dict[str, Any] = {
        "lufs": request.lufs,
        "ceiling_dbtp": request.ceiling_dbtp,
        "width_pct": asked.width_pct,
        "lra_max": asked.lra_max,
        "plr_min": asked.plr_min,
        "bits": asked.bits,
    }
    wishes = replace(preset, **{name: value for name, value in given.items() if value is not None})
    if like_reference and request.lufs is None:
        wishes = replace(wishes, lufs=None)
    amounts = Amounts(**{name: percent / 100.0 for name, percent in asked.amounts.items()})
    return replace(wishes, amounts=amounts)


def split_references(
    sources: tuple[SourceFile, ...],
) -> tuple[tuple[SourceFile, ...], tuple[SourceFile, ...]]:
    """Return (songs or stems, references)."""
    references = tuple(source for source in sources if source.role == REFERENCE_ROLE)
    return tuple(source for source in sources if source.role != REFERENCE_ROLE), references
