"""MusicGen's stream is the take of the same seed: same codes, and outside the seams the same audio."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.audio.buffer import Samples
from engine.generation.musicgen.long import Codes, codes_of
from engine.generation.musicgen.sampling import Sampling
from engine.progress import SILENT, Monitor
from engine.streaming import speed
from engine.streaming.musicgen import MusicGenStream, Played, rehearse
from engine.streaming.quality import QUALITIES, Quality
from engine.streaming.source import Source
from engine.streaming.speed import SPEEDS, Speeds, estimated_steps_per_s
from engine.streaming.windows import Windows, decoded

RATE, FRAME_RATE, FRAME = 32_000, 50, 640
SOURCE = Source("musicgen tiny", "1", "a test", "none")


class ScriptedModel:
    """Codes that depend on the seed and on what came before, and a decoder that smears over neighbours."""

    sample_rate, frame_rate, max_frames = RATE, FRAME_RATE, 120

    def tokens(
        self,
        texts: Sequence[str],
        frames: int,
        sampling: Sampling,
        *,
        chroma: NDArray[np.float32] | None = None,
        prompt_codes: Codes | None = None,
        monitor: Monitor = SILENT,
    ) -> Iterator[Codes]:
        before = 0 if prompt_codes is None else int(prompt_codes.sum())
        rng = np.random.default_rng([sampling.seed % 2**32, sampling.seed >> 64, before, len(texts)])
        for _ in range(frames):
            yield rng.integers(0, 64, (len(texts), 4))

    def decode(self, codes: Codes) -> NDArray[np.float32]:
        level = codes.mean(axis=1) / 64.0
        padded = np.pad(level, ((0, 0), (3, 3)), mode="edge")
        smooth = np.stack([padded[:, i : i + level.shape[1]] for i in range(7)]).mean(axis=0)
        ripple = np.sin(np.arange(FRAME) / 7.0)
        audio = (smooth[:, :, None] * ripple).reshape(len(codes), 1, -1)
        return audio.astype(np.float32)


def stream_of(
    model: ScriptedModel, duration_s: float | None, quality: Quality, speed: float = 0.0
) -> MusicGenStream:
    played = Played(model, 1, SOURCE, f"test {speed}", speed or None)
    return MusicGenStream(played, "dark techno", Sampling(seed=7), duration_s=duration_s, quality=quality)


@pytest.mark.parametrize("quality", QUALITIES.values(), ids=str)
def test_a_stream_has_the_codes_and_the_audio_of_the_take_with_its_seed(quality: Quality) -> None:
    model = ScriptedModel()
    streamed = np.concatenate(list(stream_of(model, 7.3, quality)), axis=1)
    codes = codes_of(model, ["dark techno"], round(7.3 * FRAME_RATE), Sampling(seed=7))
    whole = model.decode(codes)[0]
    assert streamed.shape == whole.shape
    np.testing.assert_allclose(streamed, whole, atol=1e-6)


def test_each_token_step_is_a_step_of_the_stream() -> None:
    chunks = list(stream_of(ScriptedModel(), 2.0, QUALITIES["balanced"]))
    assert len(chunks) >= 2 * FRAME_RATE
    assert sum(chunk.shape[1] == 0 for chunk in chunks) > 0.9 * len(chunks)


def test_a_stream_without_a_length_goes_on_beyond_what_the_model_hears_at_once() -> None:
    stream = stream_of(ScriptedModel(), None, QUALITIES["fast"])
    assert stream.length_frames is None
    heard = 0
    for chunk in stream:
        heard += chunk.shape[1]
        if heard > 4 * ScriptedModel.max_frames * FRAME:
            break
    assert heard > 4 * ScriptedModel.max_frames * FRAME


def test_without_guidance_in_fast_mode_and_without_beams_in_any() -> None:
    seen: list[Sampling] = []

    class Watching(ScriptedModel):
        def tokens(
            self, texts: Sequence[str], frames: int, sampling: Sampling, **more: object
        ) -> Iterator[Codes]:  # type: ignore[override]
            seen.append(sampling)
            return super().tokens(texts, frames, sampling)

    for name in ("fast", "balanced"):
        played = Played(Watching(), 1, SOURCE, "watched")
        list(MusicGenStream(played, "x", Sampling(beams=4), duration_s=0.5, quality=QUALITIES[name]))
    assert not seen[0].is_guided
    assert seen[1].is_guided
    assert all(sampling.beams == 1 for sampling in seen)


def test_a_machine_that_is_too_slow_is_told_of_before_the_first_step() -> None:
    slow = stream_of(ScriptedModel(), 30.0, QUALITIES["balanced"], speed=10.0)
    (told,) = slow.warnings
    assert "0.20 s of music in a second" in told
    assert "begin after 120 s" in told
    assert stream_of(ScriptedModel(), 30.0, QUALITIES["balanced"], speed=60.0).warnings == ()
    assert stream_of(ScriptedModel(), 30.0, QUALITIES["balanced"]).warnings == ()


def test_what_was_measured_counts_more_than_an_estimate() -> None:
    stream = stream_of(ScriptedModel(), 3.0, QUALITIES["balanced"], speed=11.0)
    assert stream.warnings
    list(stream)
    assert SPEEDS.measured("test 11.0") is not None
    assert stream.warnings == ()  # the scripted model is fast


def test_speeds_follow_the_newest_measurements() -> None:
    speeds = Speeds()
    speeds.note("a", 3, 1.0)
    assert speeds.measured("a") is None
    speeds.note("a", 100, 1.0)
    speeds.note("a", 50, 1.0)
    assert speeds.measured("a") == pytest.approx(85.0)


def test_an_estimate_falls_with_the_size_of_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    assert speed.bandwidth_bytes_per_s() > 0
    monkeypatch.setattr(speed, "bandwidth_bytes_per_s", lambda: 2e10)
    assert estimated_steps_per_s(10**8) == pytest.approx(10 * estimated_steps_per_s(10**9))


@pytest.mark.parametrize(("first", "new", "context"), [(20, 40, 25), (7, 13, 10), (40, 80, 100), (5, 3, 10)])
def test_encodec_in_windows_is_encodec_at_once(
    request: pytest.FixtureRequest, first: int, new: int, context: int
) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    threads = torch.get_num_threads()
    request.addfinalizer(lambda: torch.set_num_threads(threads))
    torch.set_num_threads(1)
    model = transformers.EncodecModel(
        transformers.EncodecConfig(
            audio_channels=1, sampling_rate=RATE, target_bandwidths=[1.2], upsampling_ratios=[8, 5, 4, 4],
            num_filters=4, codebook_size=64, codebook_dim=16, hidden_size=16, use_causal_conv=False,
            norm_type="weight_norm", num_lstm_layers=2, use_conv_shortcut=False,
        )
    ).eval()  # fmt: skip
    codes = np.random.default_rng(1).integers(0, 64, (1, 4, 163))

    def decode(some: Codes) -> Samples:
        with torch.inference_mode():
            return np.asarray(model.decode(torch.from_numpy(some)[None], [None])[0].numpy()).reshape(1, 1, -1)

    whole = decode(codes)[0]
    cut = Windows(first=first, new=new, context=context, fade_samples=320)
    frames = (codes[0, :, i] for i in range(codes.shape[2]))
    streamed = np.concatenate(list(decoded(frames, decode, FRAME, 1, cut)), axis=1)
    assert streamed.shape == whole.shape
    level = float(np.sqrt(np.mean(whole**2)))
    assert float(np.abs(streamed - whole).max()) < (1e-4 if context >= 25 else 1e-2) * level


def test_windows_begin_small_and_double() -> None:
    chunks = stream_of(ScriptedModel(), 6.0, QUALITIES["balanced"])
    lengths = [chunk.shape[1] / FRAME for chunk in chunks if chunk.shape[1]]
    fade = round(QUALITIES["balanced"].fade_s * RATE) / FRAME
    assert lengths[:5] == pytest.approx([5 - fade, 10, 20, 40, 40])


def test_a_rehearsal_writes_and_decodes_what_a_first_chunk_takes() -> None:
    decoded_frames: list[int] = []

    class Watching(ScriptedModel):
        def decode(self, codes: Codes) -> NDArray[np.float32]:
            decoded_frames.append(codes.shape[2])
            return super().decode(codes)

    steps, took_s = rehearse(Watching())
    assert steps > 0
    assert took_s >= 0.0
    next(chunk for chunk in stream_of(Watching(), 2.0, QUALITIES["balanced"]) if chunk.shape[1])
    assert decoded_frames[0] == decoded_frames[1]
