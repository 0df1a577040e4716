"""The chain: bands that sum flat, an equaliser that does what it says, matching that comes nearer, level kept."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mastering_songs import RATE, band, scaled

from engine.audio import Audio, read_audio
from engine.loudness.spectrum import CENTRES_HZ, THIRD_OCTAVES_HZ, spectrum
from engine.mastering import Amounts, MasterWishes, make_master, reference_profile
from engine.mastering.album import album_lowered_by, album_targets
from engine.mastering.bands import band_levels, band_responses, hop_frames
from engine.mastering.chain import ChainSettings, filters, run_chain
from engine.mastering.codec_preview import preview_codecs
from engine.mastering.profile import average, listen

FLAT = ChainSettings(np.zeros(30), np.ones(4))


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000, 96_000])
def test_bands_sum_flat_within_a_tenth_of_a_decibel(rate: int) -> None:
    total = filters(FLAT, rate)[0].sum(axis=0)
    assert np.abs(20.0 * np.log10(total)).max() < 0.1
    np.testing.assert_allclose(band_responses(np.geomspace(10, 20_000, 500)).sum(axis=0), 1.0)


def test_moving_all_bands_together_moves_the_song_and_nothing_else() -> None:
    song = band(3.0)
    hops = song.frames // hop_frames(RATE) + 2
    gain = (3.0 * np.sin(np.arange(hops) / 9.0)).astype(np.float32)
    moved = run_chain(song, replace(FLAT, band_gain_db=np.tile(gain, (4, 1)))).samples
    at = np.arange(song.frames) / hop_frames(RATE)
    wanted = song.samples * np.interp(at, np.arange(hops), 10.0 ** (gain / 20.0))
    np.testing.assert_allclose(moved, wanted, atol=2e-5)


def test_a_chain_that_does_nothing_gives_back_the_samples() -> None:
    song = band(1.0)
    assert run_chain(song, FLAT) is song


@pytest.mark.parametrize("rate", [44_100, 96_000])
def test_equaliser_gains_are_those_asked_for(rate: int) -> None:
    noise = scaled(np.random.default_rng(4).standard_normal((2, 12 * rate)), 0.4, rate)
    gains = np.zeros(30)
    gains[10:14], gains[20:24] = 3.0, -4.0
    change = spectrum(run_chain(noise, replace(FLAT, eq_db=gains))).level_db() - spectrum(noise).level_db()
    inner = [11, 12, 16, 21, 22, 26]
    np.testing.assert_allclose(change[inner], gains[inner], atol=0.5)


def test_levels_of_bands_find_where_a_tone_is() -> None:
    time = np.arange(2 * RATE) / RATE
    for frequency, expected in ((50.0, 0), (400.0, 1), (3000.0, 2), (12_000.0, 3)):
        tone = np.sin(2 * np.pi * frequency * time)
        powers = band_levels(scaled(np.stack([tone, tone]), 0.5)).total.mean(axis=1)
        assert int(np.argmax(powers)) == expected
        assert powers[expected] == pytest.approx(0.125, rel=0.08)


def test_a_matched_song_is_nearer_to_the_reference_and_at_its_loudness(tmp_path: Path) -> None:
    song, wanted = band(12.0, bright=0.6), band(12.0, bright=1.2, seed=9)
    wanted = wanted.with_samples(wanted.samples * np.float32(1.3))
    reference = reference_profile([wanted])
    assert reference is not None
    made = make_master(song, MasterWishes(), tmp_path / "out.wav", reference)
    after = listen(read_audio(made.path)).profile
    heard = reference.spectrum_db > reference.spectrum_db.max() - 50.0
    away_before = np.abs(listen(song).profile.spectrum_db - reference.spectrum_db)[heard].mean()
    away_after = np.abs(after.spectrum_db - reference.spectrum_db)[heard].mean()
    assert away_after < 0.5 * away_before
    assert after.integrated_lufs == pytest.approx(reference.integrated_lufs, abs=0.2)


def test_an_amount_of_zero_leaves_its_stage_out(tmp_path: Path) -> None:
    off = Amounts(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    reference = reference_profile([band(6.0, bright=3.0)])
    wishes = MasterWishes(lufs=-20.0, amounts=off, ratios=(2.0, 2.0, 2.0, 2.0), tone_db=(2.0, 0, 0, 0, 2.0))
    made = make_master(band(6.0), wishes, tmp_path / "out.wav", reference)
    assert made.decisions.chain.does_nothing


def test_several_references_are_averaged() -> None:
    one, two = listen(band(5.0, bright=0.5)).profile, listen(band(5.0, bright=2.0)).profile
    both = average([one, two])
    np.testing.assert_allclose(both.spectrum_db, (one.spectrum_db + two.spectrum_db) / 2.0)
    assert both.integrated_lufs == pytest.approx((one.integrated_lufs + two.integrated_lufs) / 2.0)


def test_spectrum_of_a_sine_is_in_its_band_at_its_level() -> None:
    time = np.arange(10 * RATE) / RATE
    index = THIRD_OCTAVES_HZ.index(1000.0)
    tone = np.sin(2 * np.pi * float(CENTRES_HZ[index]) * time)
    levels = spectrum(Audio(np.stack([tone, tone]).astype(np.float32), RATE)).level_db()
    assert int(np.argmax(levels)) == index
    assert levels[index] == pytest.approx(-3.01, abs=0.1)
    mono = spectrum(Audio(tone[None].astype(np.float32), RATE)).level_db()
    assert mono[index] == pytest.approx(-3.01, abs=0.1)


def test_an_albums_quiet_song_stays_somewhat_quieter() -> None:
    assert album_targets([-10.0, -12.0, -30.0, -np.inf], -9.0) == [-9.0, -10.0, -12.0, -9.0]
    assert album_lowered_by([-9.0, -10.0], [-9.05, -10.0]) == 0.0
    assert album_lowered_by([-9.0, -10.0], [-10.0, -10.0]) == pytest.approx(1.0)


def test_codecs_raise_the_true_peak_and_the_preview_says_by_how_much(tmp_path: Path) -> None:
    made = make_master(band(4.0), MasterWishes(lufs=-9.0), tmp_path / "out.wav")
    previews = {item.codec: item for item in preview_codecs(made.path, -1.0)}
    assert {"AAC 128 kbit/s", "MP3 128 kbit/s", "Opus 96 kbit/s"} <= set(previews)
    for item in previews.values():
        assert item.codec in item.said
        if item.available:
            assert item.integrated_lufs == pytest.approx(made.after.integrated_lufs, abs=1.0)
            assert item.over_db == pytest.approx(item.true_peak_dbtp + 1.0)
    assert previews["AAC 128 kbit/s"].available
