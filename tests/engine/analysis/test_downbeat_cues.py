"""Which beats start bars: the song's beginning counts, but not against what is heard all the way through."""

import numpy as np

from engine.analysis.downbeats import CUE_WEIGHTS, beat_cues, find_metre
from engine.analysis.features import Features
from engine.audio import Audio

RATE, BEAT_S = 22050, 0.5


def nothing(count: int) -> dict[str, np.ndarray]:
    return {name: np.zeros(count) for name in CUE_WEIGHTS}


def test_where_nothing_else_speaks_the_song_begins_with_a_bar() -> None:
    cues = nothing(33)
    cues["start"][1] = 1.0
    assert find_metre(cues).downbeat_index.tolist() == list(range(1, 33, 4))


def test_a_pickup_stays_one_where_the_whole_song_says_so() -> None:
    cues = nothing(64)
    cues["start"][0] = 1.0
    cues["chord"][1::4] = 1.5
    metre = find_metre(cues)
    assert metre.downbeat_index.tolist() == list(range(1, 64, 4))


def test_the_beginning_makes_no_odd_bar() -> None:
    cues = nothing(64)
    cues["start"][2] = 1.0
    cues["chord"][0::4] = 0.5
    lengths = np.diff(find_metre(cues).downbeat_index)
    assert set(lengths.tolist()) == {4}


def test_the_beat_on_which_sound_begins_is_marked() -> None:
    t = np.arange(int(0.3 * RATE)) / RATE
    click = np.sin(2 * np.pi * 500 * t) * np.exp(-20 * t)
    sound = np.zeros(int(10 * RATE))
    beats_s = np.arange(0.0, 9.5, BEAT_S)
    for at in beats_s[3:]:
        start = int(at * RATE)
        sound[start : start + len(click)] += click
    audio = Audio(np.stack([sound, sound]).astype(np.float32) * 0.3, RATE)
    marked = beat_cues(Features(None, audio), beats_s)["start"]
    assert np.flatnonzero(marked).tolist() == [3]
