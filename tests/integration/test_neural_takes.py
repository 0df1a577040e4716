"""The whole way with small MusicGen checkpoints: request in, return out, the same twice, told of in the manifest.

Their weights are random, so what they play is noise, and has no beat to be fitted by: that is told of too.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

pytest.importorskip("torch", reason="MusicGen runs in torch")
pytest.importorskip("transformers", reason="MusicGen's text encoder and codec are those of transformers")

from bridge.config import load_settings
from bridge.job import Job
from bridge.protocol import Manifest, parse_request
from engine.errors import Cancelled, NrxError
from engine.generation.melody import Melody
from engine.generation.musicgen import MusicGen, Sampling
from engine.generation.musicgen.backend import MusicGenGenerator
from engine.generation.musicgen.long import codes_of, decoded
from engine.generation.protocol import Wish
from engine.models import ModelStore
from tests.neural_fixtures import tiny_musicgen
from tests.songs import song

GENERATION = {"tries": 1}


@pytest.fixture(scope="module")
def text_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_musicgen(tmp_path_factory.mktemp("models") / "tiny-text")


@pytest.fixture(scope="module")
def melody_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_musicgen(tmp_path_factory.mktemp("models") / "tiny-melody", melody=True, stereo=True)


def run(out: Path, model: Path, **fields: Any) -> Manifest:
    request = {
        "action": "generate",
        "generator": str(model),
        "device": "cpu",
        "generation": GENERATION,
        **fields,
    }
    return Job(parse_request(request), load_settings(), out).run()


def sound_of(manifest: Manifest) -> np.ndarray:
    (track,) = [item for item in manifest.tracks if item.kind == "generated"]
    samples, rate = sf.read(Path(manifest.folder) / track.file, always_2d=True)
    assert rate == track.sample_rate
    return np.asarray(samples)


def test_words_become_a_return_that_tells_all_of_it(tmp_path: Path, text_model: Path) -> None:
    asked = {"prompt": "happy rock, 120 bpm", "duration_s": 1.2, "seed": 5}
    made = run(tmp_path, text_model, **asked)
    (take,) = made.takes
    assert (take.backend, take.model, take.revision, take.seed) == ("musicgen", "tiny-text", "own", 5)
    assert take.prompt == "happy rock, 120 bpm"
    assert take.sampling["guidance"] == 3.0
    assert take.sampling["top_k"] == 250
    assert take.device.startswith("cpu (")
    assert made.device == "cpu"
    assert take.licence in made.licences[0]
    (backend,) = made.backends
    assert (backend.stage, backend.model, backend.revision) == ("generate", "tiny-text", "own")
    assert {track.kind for track in made.tracks} == {"generated", "mix", "master"}
    assert all(track.frames == round(1.2 * 44100) and track.channels == 2 for track in made.tracks)
    assert (take.why_not is None) == (take.residual_median_ms is not None)
    if take.why_not is not None:
        assert any("could not be fitted" in note for note in made.notes)
    again = run(tmp_path, text_model, **asked)
    assert [stage.cached for stage in again.stages if stage.stage == "generate"] == [True]
    assert np.array_equal(sound_of(made), sound_of(again))


def test_the_same_seed_gives_the_same_take_and_another_another(
    tmp_path: Path, text_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sounds = []
    for number, seed in enumerate((5, 5, 6)):
        monkeypatch.setenv("NRX_HOME", str(tmp_path / f"home{number}"))  # nothing is in the cache
        sounds.append(sound_of(run(tmp_path / "out", text_model, prompt="jazz", duration_s=1.0, seed=seed)))
    assert np.array_equal(sounds[0], sounds[1])
    assert not np.array_equal(sounds[0], sounds[2])


def test_a_remix_follows_the_song_and_keeps_its_length(tmp_path: Path, melody_model: Path) -> None:
    sf.write(tmp_path / "song.wav", song(bpm=120.0, bars=2), 44100)
    made = run(
        tmp_path / "out",
        melody_model,
        action="remix",
        inputs=[{"path": str(tmp_path / "song.wav")}],
        style="jazz",
        separator="spectral",
        prompt="late at night",
    )
    (take,) = made.takes
    assert take.follows_melody
    assert take.prompt.startswith("late at night, jazz quartet instrumental")
    frames = {track.frames for track in made.tracks}
    assert frames == {round(4.0 * 44100)}
    (track,) = [item for item in made.tracks if item.kind == "generated"]
    assert (track.name, track.role) == ("Instrumental", "instrumental")
    assert {item.stage for item in made.backends} == {"separate", "generate"}


def test_a_stem_is_told_in_the_prompt_and_searched_with_beams(tmp_path: Path, text_model: Path) -> None:
    made = run(
        tmp_path,
        text_model,
        stem="fx",
        duration_s=1.0,
        generation={"tries": 1, "beams": 2, "guidance": 1.0, "mood": "dark"},
    )
    (take,) = made.takes
    assert take.role == "fx"
    assert take.prompt.startswith("dark, sound effects")
    assert take.sampling["beams"] == 2


def test_a_stem_that_no_generator_plays_is_refused_before_any_work(tmp_path: Path, text_model: Path) -> None:
    with pytest.raises(NrxError, match="no stem 'kazoo'") as error:
        run(tmp_path, text_model, stem="kazoo")
    assert error.value.code == "request.invalid"
    assert not list(tmp_path.iterdir())


def test_a_cancel_while_it_plays_leaves_nothing(tmp_path: Path, text_model: Path) -> None:
    stop = False

    def told(stage: str, fraction: float) -> None:
        nonlocal stop
        stop = stop or (stage == "generate" and fraction > 0.05)

    request = {"action": "generate", "generator": str(text_model), "prompt": "rock", "duration_s": 20.0}
    job = Job(parse_request(request), load_settings(), tmp_path, on_progress=told, is_cancelled=lambda: stop)
    with pytest.raises(Cancelled):
        job.run()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["text", "melody"])
def test_a_long_take_goes_on_exactly_from_what_is_there(
    kind: str, text_model: Path, melody_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MusicGen, "max_frames", property(lambda _self: 60))
    model = MusicGen.load(text_model if kind == "text" else melody_model, device="cpu", precision="float32")
    tune = np.sin(np.arange(5 * 32000) * 0.1 * (1 + np.arange(5 * 32000) // 32000)).astype(np.float32)
    melody = Melody(tune) if model.has_melody else None
    sampling = Sampling(seed=1)
    texts = ["slow jazz", "slow jazz"]
    codes = codes_of(model, texts, 100, sampling, [melody, melody] if melody else None)
    assert codes.shape[2] == 100
    first = np.stack(
        list(
            model.tokens(
                texts,
                60,
                sampling,
                chroma=None if melody is None else np.stack([melody.chroma(0.0, 10)] * 2),
            )
        ),
        axis=-1,
    )
    assert np.array_equal(codes[:, :, :60], first)
    alone = codes_of(model, ["slow jazz"], 100, Sampling(seed=2), [melody] if melody else None)
    assert np.array_equal(alone[0], codes[1])  # a take is the same alone and in a batch


def test_a_long_take_is_decoded_as_if_at_once(text_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = MusicGen.load(text_model, device="cpu", precision="float32")
    codes = np.random.default_rng(0).integers(0, 64, (1, 4, 2300))
    codes = np.repeat(codes[:, :, ::50], 50, axis=2)[:, :, :2300]  # slow, as music is beside noise
    whole, pieces = model.decode(codes), decoded(model, codes)
    assert pieces.shape == whole.shape
    deviation_db = 20 * np.log10(np.std(pieces - whole) / np.std(whole))
    assert deviation_db < -50.0
    joins = np.arange(1000, 2300, 1000) * 640
    for join in joins:
        around = slice(join - 64, join + 64 + 640)
        assert (
            np.abs(np.diff(pieces[0, 0, around])).max() <= 1.05 * np.abs(np.diff(whole[0, 0, around])).max()
        )


def test_takes_have_the_length_of_their_wish(melody_model: Path) -> None:
    store = ModelStore(melody_model.parent)
    generator = MusicGenGenerator(store.require(str(melody_model)), device="cpu")
    made = generator.takes([Wish("happy rock, 120 bpm", 0.777), Wish("jazz", 0.777)], Sampling())
    assert [(take.sample_rate, take.channels, take.frames) for take in made] == [
        (32000, 2, round(0.777 * 32000))
    ] * 2
    (alone,) = generator.takes([Wish("jazz", 0.777)], Sampling(seed=1))
    assert np.array_equal(alone.samples, made[1].samples)  # whatever else is in the batch
    assert generator.device


def test_words_that_the_arranger_could_not_play_are_the_models_business(
    tmp_path: Path, text_model: Path
) -> None:
    made = run(
        tmp_path, text_model, prompt="a choir without drums, bass, piano or guitar in 1/4", duration_s=1.0
    )
    assert made.takes[0].prompt == "a choir without drums, bass, piano or guitar in 1/4"
    assert made.style is None  # none was asked for, and none was told
