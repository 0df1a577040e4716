"""What a generator played is fitted by the beats that it really plays, or handed back with the reason."""

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.actions.conform import fit_take, listen, own_timeline
from engine.actions.perform import render_parts
from engine.audio import Audio
from engine.generation.arranger import arrange, invent_song, invented_map
from engine.presets import load_style
from engine.progress import SILENT
from engine.sync import conform
from engine.tempo import TempoMap
from tests.songs import song_stems

RATE = 32000


def band(bpm: float, bars: int = 8, lead_s: float = 0.0) -> Audio:
    """Return a band at a tempo that starts `lead_s` late: a kick on every other beat, the first at bar 1."""
    stems = song_stems(bpm=bpm, bars=bars, rate=RATE)
    mix = sum(stems[role] for role in ("drums", "bass", "other"))
    late = np.zeros((2, round(lead_s * RATE)))
    return Audio(np.concatenate([late, np.asarray(mix)], axis=1).astype(np.float32), RATE)


def arranged(style_id: str, timeline: TempoMap, bars: int = 12) -> Audio:
    """Return the arranger's own music on a timeline."""
    style = load_style(style_id)
    bpm = timeline.average_bpm(0.0, 10.0)
    song = invent_song(style, seed=1, bpm=bpm, duration_s=bars * 240 / bpm)
    own = invented_map(style, song)
    made = arrange(song, own, timeline, style, seed=1, energy=1.0, brightness=1.0, keep=frozenset())
    length_s = timeline.seconds(own.beats(song.duration_s))
    rendered = render_parts(made, timeline, RATE, round(length_s * RATE), 1.0, SILENT)
    return Audio(np.sum([part.samples for part in rendered.values()], axis=0, dtype=np.float32), RATE)


def off_ms(audio: Audio, ideal: Audio, every_s: float) -> NDArray[np.float64]:
    """Return how far attacks of `audio` lie from those of `ideal`, in milliseconds, for each `every_s` seconds."""
    attacks = [_attacks(each) for each in (audio, ideal)]
    frames = min(len(each) for each in attacks)
    size, reach = round(every_s * 1000), 900  # more than a beat: a shift by one is seen
    lags = []
    for start in range(reach, frames - size - reach, size):
        here = attacks[0][start : start + size]
        wanted = attacks[1][start - reach : start + size + reach]
        likeness = np.correlate(wanted, here, mode="valid")
        lags.append(reach - int(likeness.argmax()))
    return np.array(lags, dtype=np.float64)


def _attacks(audio: Audio) -> NDArray[np.float64]:
    """Return how fast the level rises, each millisecond."""
    hop = audio.sample_rate // 1000
    mono = audio.mono().astype(np.float64)
    level = np.sqrt(np.mean(mono[: mono.size // hop * hop].reshape(-1, hop) ** 2, axis=1))
    return np.maximum(np.diff(np.convolve(level, np.hanning(9), mode="same")), 0.0)


@pytest.mark.parametrize(("played_bpm", "target_bpm", "lead_s"), [(104.0, 100.0, 0.9), (93.0, 100.0, 0.0)])
def test_a_take_at_another_tempo_lands_on_the_bars(
    played_bpm: float, target_bpm: float, lead_s: float
) -> None:
    take = band(played_bpm, lead_s=lead_s)
    target = TempoMap.constant(target_bpm)
    fit = fit_take(take, target, 16 * RATE, from_first_bar=True)
    assert fit.why_not is None
    assert fit.audio.frames == 16 * RATE
    assert fit.measured_bpm == pytest.approx(played_bpm, rel=0.003)
    assert fit.residual_median_ms is not None
    assert fit.residual_median_ms < 8.0
    lags = off_ms(fit.audio, band(target_bpm), 2.4)
    assert len(lags) >= 5
    assert np.abs(lags).max() <= 8.0


def test_a_take_that_drifts_follows_the_timeline() -> None:
    drifting = TempoMap.from_points([(0.0, 114.0, "linear_in_beats"), (48.0, 124.0, "constant")], start_s=0.4)
    target = TempoMap.constant(120.0)
    fit = fit_take(arranged("rock", drifting), target, 20 * RATE, from_first_bar=True)
    assert fit.why_not is None
    assert fit.residual_median_ms is not None
    assert fit.residual_worst_ms is not None
    assert fit.residual_median_ms < 8.0
    assert fit.residual_worst_ms < 35.0
    assert fit.report is not None
    assert fit.report.stretch_max > 1.02
    assert fit.report.stretch_min < 0.99


def test_a_timeline_that_speeds_up_is_followed() -> None:
    target = TempoMap.from_points([(0.0, 92.0, "linear_in_beats"), (32.0, 108.0, "constant")])
    take = band(100.0)
    fit = fit_take(take, target, round(target.seconds(31.0) * RATE), from_first_bar=True)
    assert fit.why_not is None
    ideal, _ = conform(take, np.arange(32) * 0.6, target.seconds(np.arange(32.0)))
    assert np.abs(off_ms(fit.audio, ideal, 2.4)).max() <= 8.0


def test_a_take_that_followed_the_song_stays_where_it_was_but_for_the_bars() -> None:
    target = TempoMap.constant(100.0, start_s=0.05)
    fit = fit_take(band(100.0, lead_s=0.11), target, 18 * RATE, from_first_bar=False)
    assert fit.why_not is None
    assert np.abs(off_ms(fit.audio, band(100.0, lead_s=0.05), 2.4)).max() <= 6.0


def test_noise_is_handed_back_with_the_reason() -> None:
    noise = np.random.default_rng(0).normal(size=(2, 12 * RATE)).astype(np.float32) * 0.1
    fit = fit_take(Audio(noise, RATE), TempoMap.constant(100.0), 10 * RATE, from_first_bar=True)
    assert not fit.is_fitted
    assert fit.why_not == "no beat was heard in it"
    assert fit.audio.frames == 10 * RATE
    assert np.array_equal(fit.audio.samples[:, : 9 * RATE], noise[:, : 9 * RATE])


def test_too_far_a_tempo_and_too_short_a_take_are_refused() -> None:
    far = fit_take(band(136.0), TempoMap.constant(100.0), 10 * RATE, from_first_bar=True)
    assert "too far from 100.0" in (far.why_not or "")
    short = fit_take(band(100.0, bars=5), TempoMap.constant(100.0), 30 * RATE, from_first_bar=True)
    assert "before the timeline does" in (short.why_not or "")
    assert short.audio.frames == 30 * RATE


def test_a_take_with_no_tempo_asked_for_gets_a_timeline_of_its_own() -> None:
    take = band(113.7, lead_s=0.3)
    rhythm = listen(take, None)
    timeline = own_timeline(rhythm)
    fit = fit_take(take, timeline, 12 * RATE, from_first_bar=True, rhythm=rhythm)
    assert fit.why_not is None
    assert timeline.average_bpm(0.0, 10.0) == pytest.approx(113.7, abs=0.15)
    assert fit.report is not None
    assert fit.report.stretch_mean == pytest.approx(1.0, abs=0.002)


def test_it_ends_without_a_click() -> None:
    fit = fit_take(band(104.0), TempoMap.constant(100.0), 7 * RATE, from_first_bar=True)
    assert np.abs(fit.audio.samples[:, -1]).max() < 1e-3
