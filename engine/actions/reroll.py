"""Play single parts of an arrangement anew: each from a seed of its own, in the place of the part that was there."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from engine.errors import NrxError
from engine.generation.model import Arrangement


def rerolled(arrange: Callable[[int], Arrangement], seed: int, part_seeds: Mapping[str, int]) -> Arrangement:
    """Return `arrange(seed)` with the parts of `part_seeds` (part name -> seed) as `arrange` plays them with theirs.

    Raises:
        NrxError: `request.invalid` for a part that the arrangement has not.
    """
    base = arrange(seed)
    names = [part.name for part in base.parts]
    for name in part_seeds:
        if name not in names:
            raise NrxError(
                "request.invalid",
                f"There is no part {name!r} to play anew; the parts are {', '.join(names)}.",
            )
    others = {other: arrange(other) for other in set(part_seeds.values())}
    chosen = {
        name: next((part for part in others[own].parts if part.name == name), None)
        for name, own in part_seeds.items()
    }
    return replace(base, parts=tuple(chosen.get(part.name) or part for part in base.parts))
