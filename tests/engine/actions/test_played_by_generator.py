"""Remix and generate with a generator that plays sound: on the song's bars, mixed and mastered like parts, told of."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.actions.conform import attacks_off_ms
from engine.actions.generate import PLAN as GENERATE_PLAN
from engine.actions.generate import PLAN_LIKE, GenerateParameters, generate
from engine.actions.model import Outcome, OutputTrack, Song
from engine.actions.remix import PLAN as REMIX_PLAN
from engine.actions.remix import RemixParameters, remix
from engine.actions.source import open_source
from engine.actions.taken import NeuralWishes
from engine.audio import Audio, Limits, write_wav
from engine.errors import NrxError
from engine.generation import registry
from engine.presets import load_style
from engine.stages import StageCache, Stages
from tests.engine.actions.standin_generator import StandIn, StandInBackends
from tests.songs import song_stems

RATE = 44100


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Song:
    """Eight bars at 100 BPM as stems."""
    folder = tmp_path_factory.mktemp("song")
    sources = []
    for role, samples in song_stems(bpm=100.0, bars=8, rate=RATE).items():
        path = folder / f"{role}.wav"
        write_wav(path, Audio(samples.astype(np.float32), RATE), "FLOAT")
        sources.append(open_source(path, Limits(), role))
    return Song("song", tuple(sources))


def stages_for(
    plan: tuple[tuple[str, float], ...],
    folder: Path,
    generator: StandIn,
    monkeypatch: pytest.MonkeyPatch,
    told: list[tuple[str, float]] | None = None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Stages:
    monkeypatch.setitem(registry.GENERATORS, "musicgen", lambda _model, _backends: generator)
    return Stages(
        StageCache(folder, 10**9),
        plan,
        lambda stage, fraction: None if told is None else told.append((stage, fraction)),
        is_cancelled,
        backends=StandInBackends(),
    )


def generated(outcome: Outcome) -> OutputTrack:
    (track,) = [track for track in outcome.tracks if track.kind == "generated"]
    return track


def test_a_remix_has_the_take_on_the_songs_bars_beside_the_voice(
    song: Song, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = StandIn(lambda _seed: 96.0)
    told: list[tuple[str, float]] = []
    stages = stages_for(REMIX_PLAN, tmp_path, generator, monkeypatch, told)
    outcome = remix(
        song,
        RemixParameters(load_style("jazz"), seed=7, neural=NeuralWishes(words="smoky", mood="late")),
        stages,
    )
    track = generated(outcome)
    assert (track.name, track.role, track.has_midi) == ("Instrumental", "instrumental", False)
    assert [t.kind for t in outcome.tracks] == ["fitted", "generated", "mix", "master"]
    assert track.audio is not None
    assert (track.audio.sample_rate, track.audio.channels) == (RATE, 2)
    assert track.audio.frames == round(outcome.length_s * RATE) == round(8 * 2.4 * RATE)
    assert outcome.target_map is not None
    off = attacks_off_ms(track.audio, outcome.target_map, outcome.length_s)
    assert np.median(off) < 10.0
    (take,) = outcome.takes
    assert take.measured_bpm == pytest.approx(96.0, abs=0.1)
    assert take.target_bpm == pytest.approx(100.0, abs=0.1)
    assert take.seed == 7
    assert take.follows_melody
    assert take.prompt.startswith("smoky, late, jazz quartet instrumental, 100 bpm, ")
    assert outcome.analysis is not None
    assert outcome.analysis.key.name in take.prompt
    assert outcome.arrangement is None
    backend = outcome.backends[-1]
    assert (backend.stage, backend.name, backend.licence) == ("generate", "band", "CC0-1.0")
    assert (backend.model, backend.revision, backend.device, backend.why) == (
        "band",
        "r1",
        "cpu (by hand)",
        "a test",
    )
    assert stages.backends.used_device == "cpu"
    assert outcome.loudness["master"].integrated_lufs == pytest.approx(
        load_style("jazz").master.lufs, abs=1.5
    )
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions)


def test_the_melody_of_a_remix_is_the_songs_without_drums_bass_and_what_is_kept(
    song: Song, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stems = song_stems(bpm=100.0, bars=8, rate=RATE)

    def heard(keep: frozenset[str], folder: str) -> np.ndarray:
        generator = StandIn(lambda _seed: 100.0)
        stages = stages_for(REMIX_PLAN, tmp_path / folder, generator, monkeypatch)
        remix(song, RemixParameters(load_style("jazz"), keep=keep), stages)
        melody = generator.wishes[0].melody
        assert melody is not None
        return melody.mono

    import soxr

    def expected(*roles: str) -> np.ndarray:
        mono = np.sum([stems[role] for role in roles], axis=0).mean(axis=0)
        return np.asarray(soxr.resample(mono.astype(np.float32), RATE, 32000, quality="VHQ"))

    for keep, roles in (({"vocals"}, ("other",)), (set(), ("other", "vocals"))):
        got, wanted = heard(frozenset(keep), "-".join(roles)), expected(*roles)
        size = min(len(got), len(wanted))
        assert np.abs(got[:size] - wanted[:size]).max() < 1e-3


def test_a_new_tempo_moves_the_melody_and_the_take(
    song: Song, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = StandIn(lambda _seed: 111.0)
    stages = stages_for(REMIX_PLAN, tmp_path, generator, monkeypatch)
    outcome = remix(song, RemixParameters(load_style("jazz"), tempo=115.0), stages)
    melody = generator.wishes[0].melody
    assert melody is not None
    assert melody.in_recording(np.array([1.0, 10.0])) == pytest.approx([1.15, 11.5], abs=0.01)
    assert outcome.takes[0].target_bpm == pytest.approx(115.0)
    assert "115 bpm" in outcome.takes[0].prompt
    audio = generated(outcome).audio
    assert audio is not None
    assert outcome.target_map is not None
    assert np.median(attacks_off_ms(audio, outcome.target_map, outcome.length_s)) < 10.0


def test_another_take_of_the_one_part_is_asked_for_by_its_name(
    song: Song, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = StandIn(lambda _seed: 100.0)
    stages = stages_for(REMIX_PLAN, tmp_path, generator, monkeypatch)
    parameters = RemixParameters(load_style("jazz"), seed=1, part_seeds={"Instrumental": 9})
    assert remix(song, parameters, stages).takes[0].seed == 9
    with pytest.raises(NrxError, match="plays one, Instrumental") as error:
        remix(song, replace(parameters, part_seeds={"Bass": 9}), stages)
    assert error.value.code == "request.invalid"


def test_music_from_words_lies_on_its_own_bars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = StandIn(lambda _seed: 124.0)
    stages = stages_for(GENERATE_PLAN, tmp_path, generator, monkeypatch)
    wanted = GenerateParameters(
        load_style("edm"), words="dark techno, 128 bpm", bpm=128.0, duration_s=15.0, seed=2
    )
    outcome = generate(None, wanted, stages)
    audio = generated(outcome).audio
    assert audio is not None
    assert audio.frames == 15 * RATE
    assert outcome.target_map is not None
    assert outcome.target_map.average_bpm(0.0, 10.0) == 128.0
    assert np.median(attacks_off_ms(audio, outcome.target_map, 15.0)) < 10.0
    assert outcome.takes[0].prompt == "dark techno, 128 bpm"  # a style that was only near is not told
    assert generator.wishes[0].melody is None
    assert outcome.analysis is not None
    assert outcome.analysis.tempo_bpm == pytest.approx(128.0)
    assert outcome.chords


def test_a_single_stem_has_its_role_and_is_asked_for_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = StandIn(lambda _seed: 139.0)
    stages = stages_for(GENERATE_PLAN, tmp_path, generator, monkeypatch)
    wanted = GenerateParameters(
        load_style("jazz"),
        stem="melody",
        key="C minor",
        bpm=140.0,
        duration_s=8.0,
        style_was_asked=True,
        neural=NeuralWishes(mood="dreamy"),
    )
    outcome = generate(None, wanted, stages)
    track = generated(outcome)
    assert (track.name, track.role) == ("Melody", "lead")
    assert outcome.takes[0].prompt.startswith("dreamy, jazz solo lead melody line")
    assert "140 bpm, C minor" in outcome.takes[0].prompt


def test_variations_of_a_song_follow_it_and_differ(
    song: Song, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = StandIn(lambda seed: 98.0 + seed)
    outcomes = []
    for take in range(3):
        stages = stages_for(PLAN_LIKE, tmp_path, generator, monkeypatch)
        wanted = GenerateParameters(
            load_style("acoustic"), seed=take, duration_s=9.6, neural=NeuralWishes(ahead=2 - take)
        )
        outcomes.append(generate(song, wanted, stages))
    assert generator.batches == [[0, 1, 2]]
    for number, outcome in enumerate(outcomes):
        audio = generated(outcome).audio
        assert audio is not None
        assert audio.frames == round(9.6 * RATE)
        assert outcome.takes[0].measured_bpm == pytest.approx(98.0 + number, abs=0.5)
        assert outcome.takes[0].target_bpm == pytest.approx(100.0, abs=0.1)
        assert outcome.takes[0].prompt.startswith("100 bpm, ")  # no style was asked for: none is told
    wish = generator.wishes[0]
    assert wish.melody is not None
    assert wish.melody.duration_s == pytest.approx(19.2, abs=0.01)


def test_a_generator_that_follows_nothing_says_so(
    song: Song, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = StandIn(lambda _seed: 100.0, follows_melody=False)
    stages = stages_for(PLAN_LIKE, tmp_path, generator, monkeypatch)
    outcome = generate(song, GenerateParameters(load_style("acoustic"), duration_s=9.6), stages)
    assert any("can't follow a melody" in note for note in outcome.notes)
    assert generator.wishes[0].melody is None
    assert not outcome.takes[0].follows_melody


def test_noise_from_words_is_published_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = StandIn(lambda _seed: None)
    stages = stages_for(GENERATE_PLAN, tmp_path, generator, monkeypatch)
    outcome = generate(None, GenerateParameters(load_style("edm"), words="hiss", duration_s=6.0), stages)
    assert outcome.takes[0].why_not == "no beat was heard in it"
    assert len(outcome.takes[0].seeds_tried) == 3
    assert any("could not be fitted" in note for note in outcome.notes)
    assert outcome.analysis is None
