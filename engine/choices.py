"""The end of a sentence about a name that there is not: the nearest names, or all of them."""

import difflib
from collections.abc import Iterable

NEAREST = 3
LEAST_LIKENESS = 0.6
"""Of `difflib`, from 0 to 1: two letters wrong in a name of six."""


def choice_of(wanted: str, names: Iterable[str]) -> str:
    """Return "did you mean jazz?" if some of the names look like the one that was asked for, else "choose one of …".

    Upper case, hyphens and blanks count as they would in an id: "Lo-Fi chill" is like lo_fi_chill.
    """
    known = list(names)
    likened = wanted.strip().lower().replace("-", "_").replace(" ", "_")
    by_likeness = {name.lower().replace("-", "_"): name for name in known}
    near = difflib.get_close_matches(likened, by_likeness, n=NEAREST, cutoff=LEAST_LIKENESS)
    if near:
        return f"did you mean {' or '.join(by_likeness[name] for name in near)}?"
    return f"choose one of {', '.join(known)}."
