"""The pieces of `spectral`, each by the property that the whole relies on."""

from itertools import pairwise

import numpy as np
import pytest
from separation_songs import mix_of, song

from engine.audio.buffer import Audio
from engine.progress import SILENT
from engine.separation.spectral.bands import Bands
from engine.separation.spectral.image import Image
from engine.separation.spectral.levels import STEP_DB, decode, encode
from engine.separation.spectral.masks import Planner
from engine.separation.spectral.pitch import SINGER, Salience
from engine.separation.spectral.ranks import moving_median, rank_of
from engine.separation.spectral.stft import Framing, Synthesis, analyse
from engine.separation.spectral.survey import survey


@pytest.mark.parametrize("count", [1, 2, 3, 9, 11, 24, 31])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_every_rank_is_what_sorting_gives(count, dtype):
    values = np.random.default_rng(count).uniform(0, 255, (count, 40)).astype(dtype)
    expected = np.sort(values, axis=0)
    for rank in range(count):
        assert np.array_equal(rank_of(list(values), rank), expected[rank])


def test_ranks_leave_their_input_alone():
    values = list(np.random.default_rng(0).uniform(0, 1, (9, 10)))
    before = [value.copy() for value in values]
    rank_of(values, 4)
    assert all(np.array_equal(a, b) for a, b in zip(values, before, strict=True))


def test_moving_median_is_scipys():
    from scipy.ndimage import median_filter

    plane = np.random.default_rng(2).uniform(0, 1, (5, 60)).astype(np.float32)
    assert np.array_equal(moving_median(plane, 9), median_filter(plane, (1, 9), mode="nearest"))
    every_third = np.array([1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1], dtype=bool)
    assert np.array_equal(
        moving_median(plane, 5, 3), median_filter(plane, footprint=every_third[None], mode="nearest")
    )


def test_bytes_stand_for_magnitudes_within_half_a_step():
    magnitude = (10 ** np.linspace(-100 / 20, 0, 500)).astype(np.float32)
    assert np.abs(20 * np.log10(decode(encode(magnitude)) / magnitude)).max() <= STEP_DB / 2 + 1e-4
    assert np.array_equal(decode(encode(np.array([0, 1e-7, 1, 3], dtype=np.float32))), [0, 0, 1, 1])


@pytest.mark.parametrize(
    ("rate", "frames"), [(8000, 5000), (44100, 44100), (44100, 100), (48000, 30001), (11025, 1)]
)
@pytest.mark.parametrize("block", [1, 7, 1000])
def test_synthesis_undoes_analysis(rate, frames, block):
    samples = np.random.default_rng(3).uniform(-1, 1, (2, frames)).astype(np.float32)
    framing = Framing.of(rate, frames)
    synthesis = Synthesis(framing, 2)
    edges = [*range(0, framing.count, block), framing.count]
    pieces = [synthesis.add(analyse(samples, framing, a, b)) for a, b in pairwise(edges)]
    assert np.abs(np.concatenate(pieces, axis=1) - samples).max() < 1e-5


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 96000, 192000])
def test_bands_cover_every_bin_once(rate):
    framing = Framing.of(rate, rate)
    bands = Bands(framing)
    assert bands.widths.sum() == framing.bins
    assert (bands.widths > 0).all()
    assert np.array_equal(np.bincount(bands.band_of_bin), bands.widths)
    flat = np.ones((2, framing.bins), dtype=np.float32)
    assert np.array_equal(bands.spread(bands.gather(flat)), flat)


def test_onsets_are_found_where_sounds_begin():
    rate = 44100
    rng = np.random.default_rng(4)
    samples = 1e-3 * rng.standard_normal((2, 6 * rate))
    due_s = np.arange(0.5, 5.5, 0.37)
    for start_s in due_s:
        start = round(start_s * rate)
        burst = rng.standard_normal(4000) * np.exp(-np.arange(4000) / 800)
        samples[:, start : start + 4000] += 0.3 * burst
    found = survey(Audio(samples.astype(np.float32), rate), SILENT)
    onsets_s = (found.onsets - 1) / found.framing.frame_rate
    assert len(onsets_s) == len(due_s)
    assert np.abs(onsets_s - due_s).max() < 0.015


def test_masks_do_not_depend_on_how_the_song_is_cut_into_blocks():
    mix = mix_of(song(6.0))
    planner = Planner(survey(mix, SILENT), SILENT)
    count = planner.found.framing.count
    whole = planner.masks(0, count)
    edges = [0, 1, 8, 50, 51, 130, count]
    parts = [planner.masks(a, b) for a, b in pairwise(edges)]
    for role, mask in whole.items():
        assert np.abs(np.concatenate([part[role] for part in parts]) - mask).max() < 1e-5


def test_stems_do_not_depend_on_the_size_of_blocks(monkeypatch):
    from engine.separation import separate
    from engine.separation.spectral import masks, stft

    mix = mix_of(song(6.0))
    usual = separate(mix)
    monkeypatch.setattr(stft, "BLOCK_VALUES", 2**16)
    monkeypatch.setattr(masks, "BLOCK_FRAMES", 37)
    for role, stem in separate(mix).items():
        assert np.abs(stem.samples - usual[role].samples).max() < 1e-4


def test_masks_are_shares_of_one():
    planner = Planner(survey(mix_of(song(6.0)), SILENT), SILENT)
    masks = planner.masks(0, planner.found.framing.count)
    assert all(mask.min() >= 0 for mask in masks.values())
    assert sum(masks.values()).max() <= 1 + 1e-5


def test_a_gliding_pitch_is_followed_within_a_quarter_tone():
    framing = Framing.of(44100, 44100 * 4)
    hz = Bands(framing).centres_hz
    t = np.arange(44100 * 4) / 44100
    pitch_hz = 180 * 2 ** (np.sin(2 * np.pi * 0.3 * t) * 0.4)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / 44100
    noise = 0.02 * np.random.default_rng(5).standard_normal(len(t))
    sound = sum(np.sin(n * phase) / n for n in range(1, 12)) + noise
    magnitude = np.abs(analyse(sound[None].astype(np.float32), framing, 0, framing.count)[0])
    salience = Salience(SINGER, hz, framing.count)
    salience.put(0, Bands(framing).gather(magnitude))
    path = salience.path(SILENT)
    inner = slice(8, framing.count - 8)
    centres = (np.arange(framing.count) - 1)[inner] * framing.hop
    cents = 1200 * np.log2(path.pitch_hz[inner] / pitch_hz[centres])
    assert np.abs(cents).max() < 50
    comb = path.comb(hz, 20, 21)[0]
    assert comb[np.argmin(np.abs(hz - 2 * path.pitch_hz[20]))] > 0.8
    assert comb[np.argmin(np.abs(hz - 1.5 * path.pitch_hz[20]))] < 0.05


@pytest.mark.parametrize(
    ("gains", "exists", "centre"),
    [
        ((1.0, 1.0), True, (1, 1)),
        ((1.0, 0.8), True, (1, 1)),
        ((1.0, -1.0), True, (1, -1)),
        ((1.0, 0.1), True, (1, 0)),
        ((1.0, 0.0), False, None),
    ],
)
def test_the_centre_is_where_the_sound_plainly_is(gains, exists, centre):
    rng = np.random.default_rng(6)
    middle, left, right = rng.standard_normal((3, 20000))
    spread = 0.2 if exists else 0.0
    samples = np.stack(
        [
            gains[0] * middle + spread * left * abs(gains[0]),
            gains[1] * middle + spread * right * abs(gains[1]),
        ]
    )
    image = Image.of(samples.astype(np.float32))
    assert image.exists == exists
    if centre:
        wanted = np.array(centre) / np.linalg.norm(centre)
        assert abs(float(image.axes[0] @ wanted)) > 0.99


def test_one_channel_or_six_have_no_image():
    samples = np.random.default_rng(7).standard_normal((6, 1000)).astype(np.float32)
    assert not Image.of(samples).exists
    assert not Image.of(samples[:1]).exists
    assert not Image.of(np.repeat(samples[:1], 2, axis=0)).exists
