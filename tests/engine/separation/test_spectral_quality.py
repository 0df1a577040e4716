"""How well `spectral` separates made-up songs: by SDR against doing nothing, on what repeats and on what does not."""

import numpy as np
import pytest
from separation_songs import mix_of, sdr_db, song

from engine.audio.buffer import Audio
from engine.separation import STEMS, separate

LOW = 22050
"""Half the usual rate, where the rate is not the point: half the work."""


def gains_db(truth, rate=44100):
    """Role -> (SDR, how far it is above that of the mix itself)."""
    mix = mix_of(truth, rate)
    stems = separate(mix)
    found = {role: sdr_db(stem, stems[role].samples) for role, stem in truth.items()}
    return {role: (sdr, sdr - sdr_db(truth[role], mix.samples)) for role, sdr in found.items()}


@pytest.mark.parametrize("seed", [0, 1])
def test_each_stem_of_a_song_is_far_above_the_mix(seed):
    gains = gains_db(song(14.0, seed=seed))
    assert min(above for _, above in gains.values()) >= 5.0
    assert np.mean([sdr for sdr, _ in gains.values()]) >= 2.5


@pytest.mark.parametrize("rate", [16000, 48000])
def test_other_rates_are_separated_as_well(rate):
    gains = gains_db(song(9.0, rate), rate)
    assert min(above for _, above in gains.values()) >= 4.0


@pytest.mark.parametrize("seed", [0, 1])
def test_what_does_not_repeat_is_never_below_the_mix(seed):
    gains = gains_db(song(10.0, LOW, seed, repeats=False), LOW)
    assert min(above for _, above in gains.values()) > 0.0


@pytest.mark.parametrize(
    "roles", [("vocals", "other"), ("bass", "other"), ("drums", "other"), ("vocals", "drums")]
)
def test_two_voices_alone_are_never_below_their_mix(roles):
    free = song(10.0, LOW, 1, repeats=False)
    gains = gains_db({role: free[role] for role in roles}, LOW)
    assert min(above for _, above in gains.values()) > 0.0


@pytest.mark.parametrize("repeats", [True, False])
def test_mono_is_never_below_the_mix(repeats):
    stems = song(10.0, LOW, 0, repeats)
    truth = {role: stem.mean(axis=0, keepdims=True) for role, stem in stems.items()}
    assert min(above for _, above in gains_db(truth, LOW).values()) > 0.0


def test_two_equal_channels_are_separated_like_one():
    mono = mix_of(song(6.0, LOW)).samples.mean(axis=0, keepdims=True)
    one = separate(Audio(mono, LOW))
    two = separate(Audio(np.repeat(mono, 2, axis=0), LOW))
    for role in STEMS:
        assert np.abs(two[role].samples - one[role].samples).max() < 1e-4


def test_a_silent_channel_stays_silent_and_does_not_spoil_the_other():
    stems = song(10.0, LOW)
    mono = {role: stem.mean(axis=0) for role, stem in stems.items()}
    truth = {role: np.stack([stem, np.zeros_like(stem)]) for role, stem in mono.items()}
    found = separate(mix_of(truth, LOW))
    assert all(not stem.samples[1].any() for stem in found.values())
    assert min(above for _, above in gains_db(truth, LOW).values()) > 0.0


def test_what_is_only_wide_is_not_taken_for_a_voice():
    chords = Audio(song(10.0, LOW)["other"], LOW)
    stems = separate(chords)
    energy = {role: float((stem.samples**2).sum()) for role, stem in stems.items()}
    assert energy["vocals"] < 0.1 * energy["other"]
    assert max(energy, key=energy.get) == "other"


def test_a_lone_voice_stays_in_the_vocals():
    stems = separate(Audio(song(10.0, LOW)["vocals"], LOW))
    energy = {role: float((stem.samples**2).sum()) for role, stem in stems.items()}
    assert energy["vocals"] > 4 * sum(energy[role] for role in STEMS if role != "vocals")
