"""What is stretched once is not stretched again: by the same stems, timeline and pitch, and by nothing else."""

from pathlib import Path

import numpy as np
import pytest

from engine.actions.fit import Fitted, fit_stem
from engine.actions.source import Mix, mix_of
from engine.actions.timeline import Plan
from engine.analysis import Analysis
from engine.audio import Audio
from engine.errors import Cancelled
from engine.generation.arranger import invent_song
from engine.presets import Style, load_style
from engine.progress import Monitor
from engine.stages import StageCache, Stages
from engine.tempo import TempoMap

RATE = 22050
ORIGIN: dict[str, object] = {"stems": [["0123", "vocals"]]}


@pytest.fixture(scope="module")
def style() -> Style:
    return without_effects(load_style("jazz"))


@pytest.fixture(scope="module")
def analysis(style: Style) -> Analysis:
    return invent_song(style, key="C major", bpm=120.0, duration_s=4.0, seed=0)


@pytest.fixture(scope="module")
def voice() -> Audio:
    time_s = np.arange(4 * RATE) / RATE
    sung = 0.3 * np.sin(2 * np.pi * 220.0 * time_s) * (np.sin(2 * np.pi * time_s) > 0)
    return Audio(np.stack([sung, 0.9 * sung]).astype(np.float32), RATE)


def without_effects(style: Style) -> Style:
    return style.model_copy(update={"vocal_effects": ()})


def stages_in(folder: Path) -> Stages:
    return Stages(StageCache(folder, 10**9), (("generate", 1.0), ("sync", 1.0)))


def fitted(
    voice: Audio, analysis: Analysis, style: Style, stages: Stages, bpm: float, **changed: object
) -> Fitted:
    own = TempoMap.constant(120.0)
    plan = Plan(analysis, own, own.steady(bpm), "number")
    mix: Mix = mix_of(voice, lambda _monitor: voice)
    origin = {**ORIGIN, **changed}
    return fit_stem("vocals", voice, mix, plan, style, origin, stages, Monitor())


def test_same_stretch_is_taken_from_the_cache_and_is_the_same_sound(
    voice: Audio, analysis: Analysis, style: Style, tmp_path: Path
) -> None:
    first = fitted(voice, analysis, style, stages_in(tmp_path), 100.0)
    again = fitted(voice, analysis, style, stages_in(tmp_path), 100.0)
    assert (first.was_known, again.was_known) == (False, True)
    assert np.array_equal(first.audio.samples, again.audio.samples)
    assert first.summary == again.summary
    assert first.summary.engine != "none"


def test_other_tempo_other_pitch_and_other_stems_are_stretched_anew(
    voice: Audio, analysis: Analysis, style: Style, tmp_path: Path
) -> None:
    fitted(voice, analysis, style, stages_in(tmp_path), 100.0)
    other_rule = style.model_copy(
        update={"sync": style.sync.model_copy(update={"free_percent": 0.0, "semitones_per_octave": 3.0})}
    )
    assert not fitted(voice, analysis, style, stages_in(tmp_path), 101.0).was_known
    assert not fitted(voice, analysis, other_rule, stages_in(tmp_path), 100.0).was_known
    assert not fitted(voice, analysis, style, stages_in(tmp_path), 100.0, stems="others").was_known


def test_a_stretch_beside_a_stage_does_not_call_that_stage_cached(
    voice: Audio, analysis: Analysis, style: Style, tmp_path: Path
) -> None:
    fitted(voice, analysis, style, stages_in(tmp_path), 100.0)
    stages = stages_in(tmp_path)
    with stages.stage("generate"):
        assert fitted(voice, analysis, style, stages, 100.0).was_known
    with stages.stage("sync"):
        stages.was_cached()
    assert [(run.stage, run.cached) for run in stages.times] == [("generate", False), ("sync", True)]


def test_a_cancelled_stretch_leaves_nothing_in_the_cache(
    voice: Audio, analysis: Analysis, style: Style, tmp_path: Path
) -> None:
    own = TempoMap.constant(120.0)
    plan = Plan(analysis, own, own.steady(100.0), "number")
    mix = mix_of(voice, lambda _monitor: voice)
    with pytest.raises(Cancelled):
        fit_stem(
            "vocals", voice, mix, plan, style, ORIGIN, stages_in(tmp_path), Monitor(is_cancelled=lambda: True)
        )
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
