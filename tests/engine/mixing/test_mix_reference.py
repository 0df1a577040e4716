"""A reference steers the balance of families and the width, and no further than its bounds."""

from dataclasses import replace

import numpy as np
from mix_stems import RATE, song, stem

from engine.mixing.automix import listen_all, make_session
from engine.mixing.deciding import Given
from engine.mixing.listening import listen
from engine.mixing.presets import load_mix_preset
from engine.mixing.reference import MOST_LU, Reference, reference_of, spread_towards
from engine.mixing.rendering import render

GIVEN = Given({}, RATE)


def reference(extra_db: dict[str, float]) -> Reference:
    """Return a mix of the song with some faders moved."""
    stems = song()
    heard = listen_all(stems)
    session = make_session(heard, load_mix_preset("streaming"), GIVEN, "rules").session
    tracks = tuple(
        strip.model_copy(update={"fader_db": strip.fader_db + extra_db.get(strip.name, 0.0)})
        for strip in session.tracks
    )
    mix = render(session.model_copy(update={"tracks": tracks}), stems, heard).mix
    return reference_of([listen(stem("reference", mix.samples), "other", 0)])


def test_a_reference_with_more_bass_brings_the_bass_up() -> None:
    heard = listen_all(song())
    preset = load_mix_preset("streaming")
    same = make_session(heard, preset, GIVEN, "rules", reference({}))
    heavy = make_session(heard, preset, GIVEN, "rules", reference({"Bass": 9.0}))
    assert (
        heavy.targets_lu["Bass"] - heavy.targets_lu["Guitar"]
        > same.targets_lu["Bass"] - same.targets_lu["Guitar"] + 1.0
    )
    assert any("towards the reference" in reason.text for reason in heavy.reasons)


def test_a_reference_moves_no_family_beyond_its_bound() -> None:
    heard = listen_all(song())
    preset = load_mix_preset("streaming")
    plain = make_session(heard, preset, GIVEN, "rules")
    absurd = Reference(np.where(np.arange(31) < 5, 0.0, -60.0), 0.3)
    far = make_session(heard, preset, GIVEN, "rules", absurd)
    for name, target in plain.targets_lu.items():
        assert abs(far.targets_lu[name] - target) <= MOST_LU + 1e-9


def test_a_wider_reference_spreads_more() -> None:
    heard = list(listen_all(song()).values())
    targets = {features.name: 0.0 for features in heard}
    wide = [replace(features, width=0.5) for features in heard]
    assert spread_towards(wide, targets, Reference(np.zeros(31), 1.0)) > 1.1
    assert spread_towards(wide, targets, Reference(np.zeros(31), 0.1)) < 0.9
