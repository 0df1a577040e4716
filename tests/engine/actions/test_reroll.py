"""Playing one part anew: the others stay note for note, and a part that is not there is named."""

import pytest

from engine.actions.reroll import rerolled
from engine.errors import NrxError
from engine.generation.model import Arrangement, Note, Part


def arranged(seed: int) -> Arrangement:
    names = ("Drums", "Bass") if seed != 9 else ("Drums",)
    parts = tuple(Part(name, "bass", "bass_sub", (Note(float(seed), 40, 1.0, 90),)) for name in names)
    return Arrangement(parts, 16.0, seed, "jazz")


def starts(arrangement: Arrangement) -> dict[str, float]:
    return {part.name: part.notes[0].start_beat for part in arrangement.parts}


def test_only_the_named_part_is_played_anew() -> None:
    found = rerolled(arranged, 1, {"Bass": 7})
    assert starts(found) == {"Drums": 1.0, "Bass": 7.0}
    assert found.seed == 1


def test_several_parts_keep_their_own_seeds() -> None:
    assert starts(rerolled(arranged, 1, {"Bass": 7, "Drums": 3})) == {"Drums": 3.0, "Bass": 7.0}


def test_a_part_that_the_other_seed_leaves_out_stays_as_it_was() -> None:
    assert starts(rerolled(arranged, 1, {"Bass": 9})) == {"Drums": 1.0, "Bass": 1.0}


def test_a_part_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(NrxError, match=r"'Kazoo'.*Drums, Bass"):
        rerolled(arranged, 1, {"Kazoo": 7})
