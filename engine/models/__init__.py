"""Models as things that users manage: a catalogue with licences, a store of verified files, and the way to fetch them.

`ModelStore.require(name)` is the way in for whoever loads weights: it returns an `InstalledModel` whose files are those
that were verified, or raises one sentence that says what to do. A name may be the path of a user's own folder.
"""

from engine.models.card import Family, InstalledModel, ModelCard, Task
from engine.models.catalogue import CATALOGUE, card_of, cards_for
from engine.models.requirements import require_packages, torch_version, what_is_missing
from engine.models.store import HUB, ModelStore, size_text

__all__ = [
    "CATALOGUE",
    "HUB",
    "Family",
    "InstalledModel",
    "ModelCard",
    "ModelStore",
    "Task",
    "card_of",
    "cards_for",
    "require_packages",
    "size_text",
    "torch_version",
    "what_is_missing",
]
