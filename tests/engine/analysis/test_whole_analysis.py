"""`analyze` as later stages use it: complete, consistent, plain, deterministic."""

import json
import subprocess
import sys
from dataclasses import asdict

import numpy as np
import pytest
from rhythm_songs import RATE, mix_of, song, steady_beats

from engine.analysis import Analysis, analyze
from engine.audio import Audio
from engine.errors import Cancelled, NrxError
from engine.progress import Monitor
from engine.tempo import TempoMap


@pytest.fixture(scope="module")
def stems() -> dict[str, Audio]:
    return song(steady_beats(112.0, 64))


@pytest.fixture(scope="module")
def analysis(stems: dict[str, Audio]) -> Analysis:
    return analyze(stems, mix_of(stems))


def test_an_analysis_is_plain_json(analysis: Analysis) -> None:
    assert json.loads(json.dumps(asdict(analysis), allow_nan=False))["tempo_bpm"] == analysis.tempo_bpm


def test_beats_cover_the_song_and_downbeats_are_among_them(analysis: Analysis) -> None:
    beats = np.array(analysis.beats_s)
    assert beats[0] < 60 / 112
    assert beats[-1] > analysis.duration_s - 1.05 * 60 / 112
    assert (np.diff(beats) > 0).all()
    assert set(analysis.downbeats_s) <= set(analysis.beats_s)


def test_times_stay_within_the_song(analysis: Analysis) -> None:
    spans = [*analysis.chords, *analysis.sections, *analysis.melody]
    assert all(-1e-6 <= s.start_s < s.end_s <= analysis.duration_s + 1e-3 for s in spans)


def test_tempo_key_and_chords_of_a_plain_song_are_right(analysis: Analysis) -> None:
    assert analysis.tempo_bpm == pytest.approx(112.0, abs=0.01)
    assert analysis.beats_per_bar == 4
    assert analysis.key.name in ("C major", "A minor")
    assert [c.label for c in analysis.chords][:3] == ["C:maj", "F:maj", "G:maj"]


def test_curves_have_a_value_for_every_tenth_of_a_second(analysis: Analysis) -> None:
    count = int(analysis.duration_s / analysis.energy.hop_s) + 1
    for curve in (analysis.energy, analysis.brightness, analysis.vocal_activity):
        assert len(curve.values) == count


def test_the_same_song_gives_the_same_analysis(stems: dict[str, Audio], analysis: Analysis) -> None:
    assert analyze(stems, mix_of(stems)) == analysis


def test_the_tempo_map_wins(stems: dict[str, Audio]) -> None:
    tempo_map = TempoMap.constant(84.0, numerator=3)
    analysis = analyze(stems, mix_of(stems), tempo_map=tempo_map)
    assert (analysis.tempo_source, analysis.tempo_bpm, analysis.beats_per_bar) == ("tempo map", 84.0, 3)
    np.testing.assert_allclose(np.diff(analysis.beats_s), 60 / 84, atol=1e-5)


def test_noise_is_refused_in_one_sentence() -> None:
    noise = Audio((0.1 * np.random.default_rng(0).standard_normal((2, 5 * RATE))).astype(np.float32), RATE)
    with pytest.raises(NrxError, match="steady noise") as refused:
        analyze(None, noise)
    assert refused.value.code == "input.not_music"


@pytest.mark.parametrize("given", [(0.0, 100.0), (120.0, 90.0), (60.0, float("nan"))])
def test_an_impossible_tempo_range_is_refused(stems: dict[str, Audio], given: tuple[float, float]) -> None:
    with pytest.raises(NrxError, match="tempo range") as refused:
        analyze(stems, mix_of(stems), tempo_range_bpm=given)
    assert refused.value.code == "request.invalid"


@pytest.mark.parametrize("seconds", [0.3, 1.0, 2.5])
def test_short_sounds_are_analysed(seconds: float) -> None:
    mix = mix_of(song(steady_beats(120.0, 8)))
    short = Audio(np.ascontiguousarray(mix.samples[:, : int(seconds * RATE)]), RATE)
    analysis = analyze(None, short)
    assert analysis.beats_s[0] == 0.0
    assert analysis.sections[-1].end_s == pytest.approx(analysis.duration_s, abs=1e-5)


def test_progress_rises_to_the_end_and_cancel_is_heard(stems: dict[str, Audio]) -> None:
    seen: list[float] = []
    analyze(stems, mix_of(stems), monitor=Monitor(seen.append))
    assert seen == sorted(seen)
    assert seen[-1] > 0.9
    with pytest.raises(Cancelled):
        analyze(stems, mix_of(stems), monitor=Monitor(is_cancelled=lambda: len(seen) > 0))


def test_importing_the_package_is_cheap() -> None:
    code = "import sys, engine.analysis; print('scipy' in sys.modules, 'librosa' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout.split() == ["False", "False"]
