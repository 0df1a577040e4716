import numpy as np
import pytest
from sounding import RATE, SETUP

from engine.errors import Cancelled
from engine.generation.arranger.voices.player import TimedNote, play
from engine.progress import Monitor


def notes(*rows):
    return [TimedNote(*row) for row in rows]


def test_notes_are_placed_to_the_sample():
    one = play("piano", notes((0.0, 0.4, 60, 90)), SETUP, RATE)
    later = play("piano", notes((0.25, 0.65, 60, 90)), SETUP, RATE)
    shift = RATE // 4
    assert np.array_equal(later[:, shift:], one[:, :-shift])
    assert not later[:, :shift].any()


def test_a_note_before_the_start_sounds_from_the_start_and_one_that_is_over_does_not():
    early = play("organ", notes((-0.2, 0.5, 60, 90)), SETUP, RATE)
    assert early[:, : RATE // 10].any()
    assert not play("organ", notes((-0.5, -0.1, 60, 90), (2.0, 3.0, 60, 90)), SETUP, RATE).any()


def test_the_length_is_exact_even_when_notes_ring_beyond_it():
    assert play("piano", notes((0.9, 9.0, 40, 127)), SETUP, RATE).shape == (2, RATE)
    assert play("piano", [], SETUP, 0).shape == (2, 0)


def test_no_two_successive_drum_hits_are_the_same_sample():
    step = RATE // 4
    track = play(
        "kit_acoustic", notes(*((0.25 * hit, 0.25 * hit + 0.1, 38, 90) for hit in range(8))), SETUP, 8 * step
    )
    hits = track.reshape(2, 8, step)
    for first in range(7):
        assert np.abs(hits[:, first] - hits[:, first + 1]).max() > 0.05 * np.abs(hits).max()


def test_a_closed_hat_chokes_an_open_one():
    free = play("kit_acoustic", notes((0.0, 0.1, 46, 100)), SETUP, RATE)
    choked = play("kit_acoustic", notes((0.0, 0.1, 46, 100), (0.2, 0.3, 44, 1)), SETUP, RATE)
    tail = slice(int(0.3 * RATE), int(0.4 * RATE))
    assert np.std(choked[:, tail]) < 0.1 * np.std(free[:, tail])


def test_a_lead_plays_one_note_at_a_time_and_glides_between_notes_that_touch():
    legato = play("saw_lead", notes((0.0, 0.5, 60, 90), (0.5, 1.0, 72, 90)), SETUP, RATE)
    apart = play("saw_lead", notes((0.0, 0.3, 60, 90), (0.5, 1.0, 72, 90)), SETUP, RATE)
    start = slice(int(0.5 * RATE), int(0.52 * RATE))

    def lowest_hz(sound):
        power = np.abs(np.fft.rfft(sound.mean(axis=0), 1 << 15)) ** 2
        return np.fft.rfftfreq(1 << 15, 1 / RATE)[np.argmax(power)]

    assert lowest_hz(legato[:, start]) < 480 < lowest_hz(apart[:, start]) + 30


def test_the_order_of_the_notes_does_not_matter():
    rows = [(0.1 * place, 0.1 * place + 0.2, 50 + place, 60 + 5 * place) for place in range(10)]
    forward, backward = (play("nylon_guitar", notes(*order), SETUP, 2 * RATE) for order in (rows, rows[::-1]))
    assert forward.tobytes() == backward.tobytes()


@pytest.mark.parametrize("velocity", [-5, 0, 128, 300])
def test_velocities_outside_midi_are_held_inside(velocity):
    sound = play("vibes", notes((0.0, 0.2, 70, velocity)), SETUP, RATE // 2)
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() < 2


def test_cancel_is_heard_between_notes():
    seen = []
    monitor = Monitor(on_progress=seen.append, is_cancelled=lambda: len(seen) >= 3)
    with pytest.raises(Cancelled):
        play("piano", notes(*((0.0, 0.1, pitch, 90) for pitch in range(40, 60))), SETUP, RATE, monitor)
    assert len(seen) == 3
