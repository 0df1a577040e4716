"""The arranger as a stream gives the audio of the whole, whatever the blocks, and begins before the end is written."""

import itertools

import numpy as np
import pytest

from engine.audio.buffer import Samples
from engine.errors import NrxError
from engine.generation.arranger import arrange
from engine.generation.arranger.render import render_part
from engine.generation.arranger.voices.model import Setup
from engine.generation.arranger.voices.player import Playing, TimedNote, play
from engine.generation.arranger.voices.table import VOICES
from engine.presets import load_style
from engine.streaming.arranger import KICKS, MOST_DRIVE_DB, USUAL_LUFS, ArrangerStream
from engine.streaming.limiter import StreamLimiter
from engine.streaming.movements import MOVEMENT_S, Manner

RATE = 22_050


def streamed(style: str, duration_s: float, block_frames: int, rate: int = RATE) -> Samples:
    stream = ArrangerStream(
        Manner(load_style(style), seed=3),
        duration_s=duration_s,
        sample_rate=rate,
        block_frames=block_frames,
    )
    return np.concatenate(list(stream), axis=1)


def below_db(difference: Samples, whole: Samples) -> float:
    """How far a difference lies below the whole, in dB."""
    return float(10 * np.log10((np.mean(difference**2) + 1e-20) / np.mean(whole**2)))


@pytest.mark.parametrize("style", ["edm", "jazz", "rock"])
def test_blocks_of_any_size_give_the_same_audio(style: str) -> None:
    short, long = streamed(style, 9.0, 2048), streamed(style, 9.0, 131_072)
    assert short.shape == long.shape
    assert below_db(short - long, long) < -80


@pytest.mark.parametrize("style", ["synthwave", "orchestral"])
def test_a_stream_is_the_offline_rendering_of_its_plan(style: str) -> None:
    stream = ArrangerStream(
        Manner(load_style(style), seed=5), duration_s=10.0, sample_rate=RATE, block_frames=4096
    )
    got = np.concatenate(list(stream), axis=1)
    chosen, song, timeline = load_style(style), stream.analysis, stream.tempo_map
    plan = arrange(song, timeline, timeline, chosen, seed=5, keep=frozenset())
    assert [part.notes for part in stream.arranged[0].parts] == [part.notes for part in plan.parts]
    kicks = [n.start_beat for p in plan.parts if p.is_drums for n in p.notes if n.pitch in KICKS]
    mix = np.zeros_like(got)
    for part in plan.parts:
        sound = render_part(
            part, timeline, sample_rate=RATE, length_frames=got.shape[1], seed=5, sidechain_beats=kicks
        ).samples
        gain = 10 ** ((dict(chosen.balance_db.items())[part.role] + part.level_db) / 20)
        sides = np.array([[min(1.0, 1 - part.pan)], [min(1.0, 1 + part.pan)]])
        mix += (gain * sides * sound).astype(np.float32)
    mix *= np.float32(10 ** (min(MOST_DRIVE_DB, chosen.master.lufs - USUAL_LUFS) / 20))
    limiter = StreamLimiter(RATE)
    whole = np.concatenate([limiter(mix), limiter.flush()], axis=1)[:, limiter.delay_frames :]
    assert below_db(got - whole, whole) < -80


def test_a_long_piece_is_written_as_it_is_heard() -> None:
    stream = ArrangerStream(Manner(load_style("lofi_chill"), seed=1), duration_s=900.0, sample_rate=RATE)
    audible = (chunk for chunk in stream if chunk.shape[1])
    next(audible)
    assert len(stream.arranged) == 1
    assert stream.arranged[0].parts[0].notes[-1].start_beat < stream.tempo_map.beats(3 * MOVEMENT_S)


def test_movements_follow_one_another_without_a_gap_and_without_notes_twice() -> None:
    stream = ArrangerStream(
        Manner(load_style("edm"), seed=2), duration_s=170.0, sample_rate=4000, block_frames=16_384
    )
    for _ in stream:
        pass
    assert len(stream.arranged) > 1
    drums = [
        note for piece in stream.arranged for part in piece.parts if part.is_drums for note in part.notes
    ]
    places = [(round(note.start_beat, 3), note.pitch) for note in drums]
    assert len(places) == len(set(places))
    beats = sorted(note.start_beat for note in drums)
    assert max(b - a for a, b in itertools.pairwise(beats)) <= 16
    seams = [max(n.start_beat for part in piece.parts for n in part.notes) for piece in stream.arranged[:-1]]
    firsts = [min(n.start_beat for part in piece.parts for n in part.notes) for piece in stream.arranged[1:]]
    assert all(first > seam - 0.5 for seam, first in zip(seams, firsts, strict=True))


def test_a_stream_without_a_length_goes_on() -> None:
    stream = ArrangerStream(Manner(load_style("rock"), stem="drums"), sample_rate=8000, block_frames=16_384)
    assert stream.length_frames is None
    heard = sum(chunk.shape[1] for chunk in itertools.islice(stream, 200))
    assert heard > 100 * 8000


def test_a_stream_has_the_length_that_was_asked_for_in_whole_bars_at_most() -> None:
    stream = ArrangerStream(Manner(load_style("jazz")), duration_s=7.3, sample_rate=RATE)
    frames = sum(chunk.shape[1] for chunk in stream)
    assert frames == stream.length_frames
    assert frames <= round(7.3 * RATE)


def test_what_cannot_be_played_is_refused_before_it_starts() -> None:
    with pytest.raises(NrxError, match="tempo"):
        ArrangerStream(Manner(load_style("jazz")), bpm=1000.0, duration_s=5.0)


@pytest.mark.parametrize("voice", sorted(VOICES))
def test_notes_sound_the_same_in_blocks_bit_for_bit(voice: str) -> None:
    rng = np.random.default_rng(4)
    spec = VOICES[voice]
    notes = [
        TimedNote(float(at), float(at + length), int(rng.integers(spec.low, spec.high + 1)), 40 + 6 * i)
        for i, (at, length) in enumerate(
            zip(np.sort(rng.uniform(-0.1, 1.5, 9)), rng.uniform(0.05, 0.6, 9), strict=True)
        )
    ]
    whole = play(voice, notes, Setup(44_100, 3), 88_200)
    blocks = np.zeros_like(whole)
    playing = Playing(voice, notes, Setup(44_100, 3), 88_200, keep_bytes=300_000)
    for start in range(0, 88_200, 5000):
        playing.add_to(blocks[:, start : start + 5000], start)
        playing.forget(start + 5000)
    np.testing.assert_array_equal(blocks, whole)


def test_a_note_with_no_partial_below_the_highest_frequency_is_silent_or_sounds() -> None:
    sound = play("electric_piano", [TimedNote(0.0, 0.3, 100, 90)], Setup(8000, 1), 4000)
    assert np.isfinite(sound).all()
