"""Polarity and time between drum tracks: what was turned over or moved is found, and nothing else."""

import numpy as np
import pytest
from mix_stems import RATE, hats, kick, snare, stem, time_s
from numpy.typing import NDArray

from engine.mixing.automix import listen_all
from engine.mixing.listening.alignment import Correction, find_corrections

LATE_MS = 3.0


def found(waves: dict[str, NDArray[np.float64]], *, keep_feel: bool = False) -> dict[str, Correction]:
    stems = [stem(name, wave) for name, wave in waves.items()]
    return find_corrections(list(listen_all(stems).values()), keep_feel=keep_feel)


def later(wave: NDArray[np.float64], by_ms: float) -> NDArray[np.float64]:
    return np.roll(wave, round(by_ms * RATE / 1000.0))


def room(wave: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what a second microphone hears: duller, with noise and other drums."""
    dull = np.convolve(wave, np.hanning(9) / np.hanning(9).sum(), mode="same")
    return dull + 0.05 * np.random.default_rng(9).normal(size=len(wave)) * np.abs(wave).max() + 0.2 * snare(4)


def test_a_kit_in_order_is_left_alone() -> None:
    assert found({"Kick": kick(), "Snare": snare(), "Hats": hats(), "Kick Out": room(kick())}) == {}


def test_an_inverted_microphone_of_the_same_drum_is_turned_over() -> None:
    made = found({"Kick In": kick(), "Kick Out": -room(kick())})
    assert set(made) == {"Kick Out"}
    assert made["Kick Out"].invert
    assert made["Kick Out"].delay_ms == 0.0


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_late_microphone_of_the_same_drum_is_moved_back(sign: float) -> None:
    made = found({"Kick In": kick(), "Kick Out": sign * later(room(kick()), LATE_MS)})
    assert made["Kick Out"].delay_ms == pytest.approx(-LATE_MS, abs=0.15)
    assert made["Kick Out"].invert == (sign < 0)


def test_turning_a_drum_over_changes_the_decision_about_it() -> None:
    def inverted(sign: float) -> bool:
        return (
            found({"Kick": sign * kick(), "Snare": snare(), "Hats": hats()}).get("Kick", Correction()).invert
        )

    assert inverted(1.0) != inverted(-1.0)


def test_a_drum_that_is_late_by_one_amount_is_moved_unless_the_style_may_mean_it() -> None:
    waves = {"Kick": kick(), "Hats": hats(), "Snare": later(snare(), 12.0)}
    moved = found(waves)
    assert set(moved) == {"Snare"}
    assert moved["Snare"].delay_ms == pytest.approx(-12.0, abs=2.0)
    kept = found(waves, keep_feel=True)
    assert kept["Snare"].delay_ms == 0.0
    assert "late" in kept["Snare"].text


def test_uneven_playing_is_nobodys_fault() -> None:
    random = np.random.default_rng(3)
    human = np.zeros(len(time_s()))
    one = snare()[round(0.5 * RATE) : round(0.7 * RATE)]
    for at in np.arange(0.5, 7.0, 1.0):
        start = round((at + random.uniform(0.0, 0.03)) * RATE)
        human[start : start + len(one)] += one
    assert found({"Kick": kick(), "Hats": hats(), "Snare": human}) == {}
