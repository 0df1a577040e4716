"""Sections, and the curves of loudness, brightness and voice."""

from itertools import pairwise

import numpy as np
import pytest
from rhythm_songs import RATE, mix_of, song, steady_beats

from engine.analysis.curves import CURVE_HOP_S, brightness_curve, loudness_curve, vocal_curve
from engine.analysis.features import Features, magnitudes, mono_22k
from engine.analysis.sections import best_cut, find_sections
from engine.audio import Audio

BPM, BARS = 120.0, 24
BAR_S = 240 / BPM


def song_in_three_parts() -> tuple[dict[str, Audio], np.ndarray]:
    """Bars 0-7 and 16-23 full; bars 8-15 without drums and bass, and softer."""
    beats = steady_beats(BPM, 4 * BARS)
    stems = song(beats)
    middle = slice(int(8 * BAR_S * RATE), int(16 * BAR_S * RATE))
    for role, gain in (("drums", 0.0), ("bass", 0.0), ("other", 0.5)):
        stems[role].samples[:, middle] *= np.float32(gain)
    return stems, beats[::4]


def test_sections_start_where_the_sound_changes_and_cover_the_song() -> None:
    stems, downbeats = song_in_three_parts()
    mix = mix_of(stems)
    sections = find_sections(Features(stems, mix), downbeats, mix.duration_s, loudness_curve(mix).short_term)
    starts = [round(s.start_s / BAR_S) for s in sections]
    assert {8, 16} <= set(starts)
    assert sections[0].start_s == 0.0
    assert sections[-1].end_s == pytest.approx(mix.duration_s)
    assert all(a.end_s == b.start_s for a, b in pairwise(sections))
    by_bar = dict(zip(starts, sections, strict=True))
    assert by_bar[0].label == by_bar[16].label != by_bar[8].label
    assert by_bar[8].energy < by_bar[0].energy - 0.3
    assert all(0 <= s.energy <= 1 for s in sections)


def test_sections_prefer_multiples_of_four_bars() -> None:
    rng = np.random.default_rng(0)
    bars = 0.3 * rng.standard_normal((25, 4))
    bars[12:] += 2.0
    starts = best_cut(bars)
    assert 12 in starts
    assert all(b - a >= 4 for a, b in zip(starts, [*starts[1:], 25], strict=True))


@pytest.mark.parametrize("bars", [0, 1, 3, 5])
def test_few_bars_are_one_section(bars: int) -> None:
    beats = steady_beats(BPM, max(2, 4 * bars))
    stems = song(beats)
    mix = mix_of(stems)
    sections = find_sections(
        Features(stems, mix), beats[: 4 * bars : 4], mix.duration_s, loudness_curve(mix).short_term
    )
    assert [(s.start_s, s.label) for s in sections] == [(0.0, "A")]
    assert sections[0].end_s == pytest.approx(mix.duration_s)


def test_loudness_curve_follows_a_step_of_level() -> None:
    sound = np.concatenate([np.full(int(8 * RATE), 0.02), np.full(int(8 * RATE), 0.2)])
    sound = sound * np.sin(2 * np.pi * 997 * np.arange(len(sound)) / RATE)
    loudness = loudness_curve(Audio(sound[None].astype(np.float32), RATE))
    early, late = (loudness.short_term[int(t / CURVE_HOP_S)] for t in (4, 12))
    assert late - early == pytest.approx(20.0, abs=0.1)
    assert early < loudness.integrated_lufs <= late


def test_brightness_is_the_frequency_of_a_tone() -> None:
    t = np.arange(4 * RATE) / RATE
    tone = Audio((0.5 * np.sin(2 * np.pi * 3000 * t))[None].astype(np.float32), RATE)
    curve, mean_hz = brightness_curve(Features(None, tone))
    assert mean_hz == pytest.approx(3000, rel=0.02)
    assert len(curve) == int(4 / CURVE_HOP_S) + 1
    np.testing.assert_allclose(curve[5:-5], 3000, rtol=0.02)


def test_silence_gives_finite_curves() -> None:
    silent = Audio(np.zeros((2, 3 * RATE), dtype=np.float32), RATE)
    assert np.isfinite(loudness_curve(silent).short_term).all()
    assert np.isfinite(brightness_curve(Features(None, silent))[0]).all()


def test_vocal_activity_is_high_only_where_the_voice_sounds() -> None:
    stems, _ = song_in_three_parts()
    voice = np.zeros_like(stems["other"].samples)
    first, last = int(10 * RATE), int(20 * RATE)
    voice[0, first:last] = 0.1 * np.sin(2 * np.pi * 440 * np.arange(last - first) / RATE)
    stems["vocals"] = Audio(voice, RATE)
    curve = vocal_curve(Features(stems, mix_of(stems)))
    assert curve[int(12 / CURVE_HOP_S) : int(18 / CURVE_HOP_S)].min() > 0.6
    assert curve[: int(9 / CURVE_HOP_S)].max() == 0.0
    assert curve[int(21 / CURVE_HOP_S) :].max() == 0.0


def test_without_a_vocals_stem_nobody_sings() -> None:
    stems, _ = song_in_three_parts()
    assert vocal_curve(Features(None, mix_of(stems))).max() == 0.0


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 96000])
def test_mono_keeps_time_at_any_rate(rate: int) -> None:
    sound = np.zeros((2, 30 * rate), dtype=np.float32)
    sound[:, 25 * rate] = 1.0
    mono = mono_22k(Audio(sound, rate))
    assert len(mono) == 30 * 22050
    assert abs(int(np.abs(mono).argmax()) - 25 * 22050) <= 2


def test_spectrogram_frames_are_centred_on_their_time() -> None:
    x = np.zeros(22050 * 50, dtype=np.float32)
    x[220 * 4000] = 1.0
    frames: dict[int, float] = {}

    def consume(first: int, spectra: np.ndarray) -> None:
        frames.update({first + k: float(row.sum()) for k, row in enumerate(spectra)})

    count = magnitudes(x, 1024, 220, consume)
    assert sorted(frames) == list(range(count))
    assert max(frames, key=frames.__getitem__) == 4000
