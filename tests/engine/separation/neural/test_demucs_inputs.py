"""What goes in and comes out around the network: any rate, channels, length and level; stems that sum to the mix.

The network here gives a share of the mix to each stem, so that what it should come to is known exactly.
"""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from demucs_kit import RATE, sound

pytest.importorskip("torch", reason="torch (extra `neural`) is not installed")
pytest.importorskip("demucs", reason="demucs (extra `neural`) is not installed")

from engine.audio.buffer import Audio, Samples
from engine.errors import Cancelled, NrxError
from engine.progress import SILENT, Monitor
from engine.separation.neural import DemucsSeparator
from engine.separation.neural.ladder import Rung
from engine.separation.neural.making import Maker
from tests import neural_fixtures as kit

SHARES = np.array([0.1, 0.2, 0.3, 0.25], np.float32)
"""Of drums, bass, other, vocals: 0.15 of the mix is left."""
BY_ROLE = {"drums": 0.1, "bass": 0.2, "other": 0.3, "vocals": 0.25}


class Sharing:
    """A network that gives each stem its share."""

    def run(self, mix: Samples, monitor: Monitor = SILENT) -> Samples:
        monitor.check()
        return SHARES[:, None, None] * mix


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("demucs")
    kit.save_demucs(kit.tiny_htdemucs(segment=2), place, "one")
    return place


@pytest.fixture(autouse=True)
def sharing(monkeypatch) -> None:
    def make(_maker: Maker, _rung: Rung, _frames: int) -> Sharing:
        return Sharing()

    monkeypatch.setattr(Maker, "make", make)


def separator(folder: Path, **options: object) -> DemucsSeparator:
    return DemucsSeparator(folder, "one", device="cpu", **options)


@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.8])
@pytest.mark.parametrize("shifts", [0, 3])
def test_joining_adds_nothing_of_its_own(folder, overlap, shifts):
    audio = sound(7.7)
    stems = separator(folder, overlap=overlap, shifts=shifts, residual=False).separate(audio)
    mean = audio.samples.mean()
    for role, share in BY_ROLE.items():
        expected = share * (audio.samples - mean) + mean  # demucs gives the mean back to every stem
        assert np.abs(stems[role].samples - expected).max() < 1e-6


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000, 88200, 96000, 192000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_any_rate_and_channels_come_back_frame_for_frame(folder, rate, channels):
    audio = sound(1.3 if rate > 48000 else 3.1, rate, channels)
    stems = separator(folder).separate(audio)
    assert {stem.sample_rate for stem in stems.values()} == {rate}
    assert {stem.samples.shape for stem in stems.values()} == {audio.samples.shape}
    total = np.sum([stem.samples for stem in stems.values()], axis=0)
    assert np.abs(total - audio.samples).max() < 2e-6


@pytest.mark.parametrize("rate", [32000, 48000, 96000])
def test_resampled_stems_are_in_time_with_the_mix(folder, rate):
    audio = sound(3.0, rate)
    vocals = separator(folder, residual=False).separate(audio)["vocals"].samples[0]
    lags = range(-3, 4)
    mix = audio.samples[0, 10:-10]
    likeness = [float(np.roll(vocals, -lag)[10:-10] @ mix) for lag in lags]
    assert lags[int(np.argmax(likeness))] == 0


@pytest.mark.parametrize("frames", [1, 2, 3, 100, 1025])
@pytest.mark.parametrize("rate", [RATE, 48000])
def test_a_few_frames_are_separated_too(folder, frames, rate):
    samples = np.linspace(-0.5, 0.5, 2 * frames, dtype=np.float32).reshape(2, frames)
    stems = separator(folder).separate(Audio(samples, rate))
    total = np.sum([stem.samples for stem in stems.values()], axis=0)
    assert total.shape == samples.shape
    assert np.abs(total - samples).max() < 2e-6


@pytest.mark.parametrize("level", [0.0, 0.25, -1.0])
def test_silence_and_a_constant_are_divided_without_a_network(folder, level, monkeypatch):
    monkeypatch.setattr(Maker, "make", None)
    audio = Audio(np.full((2, RATE), level, np.float32), RATE)
    stems = separator(folder).separate(audio)
    assert all(np.isfinite(stem.samples).all() for stem in stems.values())
    assert np.abs(np.sum([stem.samples for stem in stems.values()], axis=0) - level).max() < 2e-6


@pytest.mark.parametrize("gain", [1e-6, 1.0, 50.0])
def test_quiet_and_loud_songs_keep_their_level(folder, gain):
    audio = sound(3.0)
    loud = Audio(audio.samples * np.float32(gain), RATE)
    ours, theirs = (
        separator(folder, residual=False).separate(each)["bass"].samples for each in (loud, audio)
    )
    assert np.abs(ours - gain * theirs).max() < gain * 0.02


def test_a_silent_pair_of_channels_stays_silent_and_costs_nothing(folder):
    seen: list[float] = []
    audio = sound(3.0, channels=6)
    audio.samples[[0, 1, 3]] = 0.0
    stems = separator(folder, shifts=0).separate(audio, Monitor(on_progress=seen.append))
    assert all(np.abs(stem.samples[[0, 1, 3]]).max() == 0.0 for stem in stems.values())
    assert len(seen) == 1 + 2 * 2  # the start, and two segments of centre and of surrounds


def test_channels_do_not_leak_into_one_another(folder):
    audio = sound(3.0, channels=6)
    stems = separator(folder, residual=False).separate(audio)
    for channel in range(6):
        likeness = [
            abs(float(np.corrcoef(stems["vocals"].samples[channel], other)[0, 1])) for other in audio.samples
        ]
        assert int(np.argmax(likeness)) == channel


def test_the_remainder_goes_where_a_stem_has_power(folder, monkeypatch):
    at_s = np.arange(2 * RATE) / RATE
    low, high = (np.sin(2 * np.pi * pitch * at_s).astype(np.float32) for pitch in (100, 5000))

    class LowInBass:
        def run(self, mix: Samples, _monitor: Monitor = SILENT) -> Samples:
            spectrum = np.fft.rfft(mix)
            spectrum[:, int(1000 * mix.shape[-1] / RATE) :] = 0
            bass = np.fft.irfft(spectrum, mix.shape[-1])
            return np.stack([0.8 * (mix - bass), 0.8 * bass, 0 * mix, 0 * mix]).astype(np.float32)

    monkeypatch.setattr(Maker, "make", lambda _maker, _rung, _frames: LowInBass())
    stems = separator(folder, shifts=0).separate(Audio(np.stack([low + high] * 2) * np.float32(0.3), RATE))
    inside = slice(RATE // 4, -RATE // 4)
    assert np.abs(stems["bass"].samples[0, inside] - 0.3 * low[inside]).max() < 0.01
    assert np.abs(stems["drums"].samples[0, inside] - 0.3 * high[inside]).max() < 0.01
    assert np.abs(stems["vocals"].samples[0, inside]).max() < 0.01


def test_blocks_follow_one_another_and_make_the_whole(folder):
    audio = sound(20.0, 48000)
    blocks = list(separator(folder, seed=4).stream(audio))
    assert len(blocks) > 5
    whole = separator(folder, seed=4).separate(audio)
    for role, stem in whole.items():
        assert np.array_equal(np.concatenate([block[role] for block in blocks], axis=1), stem.samples)


@pytest.mark.parametrize("rate", [RATE, 48000])
def test_a_long_song_needs_no_more_memory_than_a_short_one(folder, rate):
    def peak(seconds: float) -> int:
        audio = Audio(np.tile(sound(4.0, rate).samples, (1, int(seconds / 4))), rate)
        tracemalloc.start()
        for block in separator(folder, shifts=2).stream(audio):
            assert block["vocals"].shape[0] == 2
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    short, long = peak(20.0), peak(80.0)
    assert long < 1.25 * short


def test_progress_only_grows_segment_by_segment_to_one(folder):
    seen: list[float] = []
    separator(folder, shifts=2).separate(sound(9.0), Monitor(on_progress=seen.append))
    assert seen[0] == 0.0
    assert seen[-1] == pytest.approx(1.0)
    assert seen == sorted(seen)
    assert len(set(seen)) == 1 + 2 * 7


@pytest.mark.parametrize("after", [0, 3])
def test_a_cancel_is_heard_at_the_next_segment(folder, after):
    done: list[float] = []
    monitor = Monitor(on_progress=done.append, is_cancelled=lambda: len(done) > after)
    with pytest.raises(Cancelled):
        separator(folder).separate(sound(9.0), monitor)
    assert len(done) == after + 1


def test_the_device_that_was_used_is_told(folder):
    one = separator(folder)
    assert one.info.device is None
    one.separate(sound(1.0))
    assert one.info.device == "cpu"


def test_a_device_that_is_not_there_is_refused(folder):
    with pytest.raises(NrxError, match="cuda:7") as refused:
        DemucsSeparator(folder, "one", device="cuda:7").separate(sound(1.0))
    assert refused.value.code == "request.invalid"
