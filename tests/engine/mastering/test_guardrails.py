"""Every guardrail holds on material that breaks it, measured on the file; what can't hold is told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mastering_songs import RATE, band, peak_by_libebur128, scaled, uneven, widened

from engine.audio import Audio, read_audio
from engine.loudness.figures import figures
from engine.mastering import Amounts, MadeMaster, MasterWishes, make_master, reference_profile
from engine.mastering import guardrails as rails
from engine.mastering.presets import list_master_presets, load_master_preset


def made(tmp_path: Path, song: Audio, wishes: MasterWishes, reference: Audio | None = None) -> MadeMaster:
    """Master a song into a file."""
    profile = reference_profile([reference]) if reference is not None else None
    return make_master(song, wishes, tmp_path / "master.wav", profile)


def found(master: MadeMaster, guardrail: str) -> rails.Check:
    """Return one check of a master."""
    return next(item for item in master.checks if item.id == guardrail)


def holds_on_the_file(master: MadeMaster) -> None:
    """Measure the written file anew, and check every property that a file has."""
    heard = figures(read_audio(master.path))
    assert peak_by_libebur128(read_audio(master.path)) <= -1.0
    assert heard.true_peak_8x_dbtp <= -1.0
    assert heard.stereo.width_pct <= 140.0
    assert heard.stereo.correlation >= 0.1
    assert heard.integrated_lufs == pytest.approx(master.after.integrated_lufs, abs=1e-5)


def test_equaliser_stays_within_4_db_however_far_the_reference_is(tmp_path: Path) -> None:
    time = np.arange(8 * RATE) / RATE
    hum = np.sin(2 * np.pi * 60.0 * time) + 0.01 * np.random.default_rng(1).standard_normal(len(time))
    master = made(tmp_path, band(8.0, bright=3.0), MasterWishes(), scaled(np.stack([hum, hum]), 0.5))
    gains = master.decisions.chain.eq_db
    assert gains.max() == pytest.approx(4.0)
    assert gains.min() == pytest.approx(-4.0)
    assert found(master, "eq").passed
    assert any("held at 4 dB" in reason for reason in master.reasons)


def test_average_reduction_stays_under_3_db_when_much_more_is_asked_for(tmp_path: Path) -> None:
    wishes = MasterWishes(lufs=-5.0, ratios=(2.5, 2.5, 2.5, 2.5), glue_ratio=3.0)
    master = made(tmp_path, band(), wishes)
    assert found(master, "reduction").value < 3.0
    assert master.after.integrated_lufs < -5.5
    assert any("LUFS" in warning for warning in master.warnings)
    holds_on_the_file(master)


@pytest.mark.parametrize("bits", [16, 24])
def test_true_peak_holds_on_both_meters_for_a_song_pushed_far_over(tmp_path: Path, bits: int) -> None:
    song = band(6.0)
    loud = song.with_samples(song.samples * np.float32(8.0))
    master = made(tmp_path, loud, MasterWishes(lufs=-8.0, bits=bits))
    holds_on_the_file(master)
    assert found(master, "true_peak_4x").passed
    assert found(master, "true_peak_8x").passed
    scaled_up = read_audio(master.path).samples.astype(np.float64) * 2.0 ** (bits - 1)
    assert (scaled_up == np.rint(scaled_up)).all()


def test_a_ceiling_above_minus_1_is_held_at_minus_1_and_told(tmp_path: Path) -> None:
    master = made(tmp_path, band(5.0), MasterWishes(lufs=-12.0, ceiling_dbtp=-0.2))
    holds_on_the_file(master)
    assert any("ceiling" in warning for warning in master.warnings)


@pytest.mark.parametrize("preset", ["hip_hop", "electro_house", "streaming"])
def test_white_noise_and_quarter_rate_bursts_stay_under_the_ceiling(tmp_path: Path, preset: str) -> None:
    time = np.arange(4 * RATE)
    noise = np.diff(np.random.default_rng(5).standard_normal(len(time) + 1))
    bursts = np.where(time % RATE < RATE // 2, noise, 1.41 * np.sin(np.pi / 2 * time + np.pi / 4))
    song = scaled(np.stack([bursts, 0.7 * bursts]), 1.4)
    holds_on_the_file(made(tmp_path, song, load_master_preset(preset).wishes()))


def test_too_wide_a_song_is_narrowed_until_it_correlates(tmp_path: Path) -> None:
    song = widened(band(), 0.95)
    assert figures(song).stereo.correlation < 0.1
    master = made(tmp_path, song, MasterWishes(lufs=-14.0, width_pct=140.0))
    holds_on_the_file(master)
    assert any("correlate" in reason for reason in master.reasons)


def test_a_reversed_channel_is_turned_over(tmp_path: Path) -> None:
    song = band(6.0)
    reversed_song = song.with_samples(song.samples * np.array([[1.0], [-1.0]]))
    master = made(tmp_path, reversed_song, MasterWishes(lufs=-14.0))
    assert master.decisions.image.flip_right
    assert master.after.stereo.correlation == pytest.approx(figures(song).stereo.correlation, abs=0.05)
    holds_on_the_file(master)


def test_no_band_is_widened_beyond_140_percent_for_a_wide_reference(tmp_path: Path) -> None:
    master = made(tmp_path, band(6.0), MasterWishes(), widened(band(6.0), 0.9))
    assert master.decisions.image.side_gain.max() == pytest.approx(1.4)
    assert master.decisions.image.side_gain[0] <= 1.0
    holds_on_the_file(master)


def test_mono_stays_mono_and_says_so(tmp_path: Path) -> None:
    song = band(5.0)
    mono = song.with_samples(np.repeat(song.samples[:1], 2, axis=0))
    master = made(tmp_path, mono, MasterWishes(lufs=-14.0, width_pct=130.0))
    assert master.after.stereo.width_pct < 0.1  # dither apart
    assert any("mono" in reason for reason in master.reasons)


def test_peak_to_loudness_budget_lowers_the_loudness(tmp_path: Path) -> None:
    master = made(tmp_path, band(), MasterWishes(lufs=-8.0, plr_min=11.0))
    assert master.after.plr_lu >= 11.0 - 0.1
    assert master.after.integrated_lufs < -11.5
    assert any("LUFS" in warning for warning in master.warnings)


def test_a_square_wave_cannot_be_helped_and_the_warning_says_why(tmp_path: Path) -> None:
    time = np.arange(6 * RATE) / RATE
    wave = np.sign(np.sin(2 * np.pi * 700.0 * time + 0.1))
    master = made(tmp_path, scaled(np.stack([wave, wave]), 0.9), MasterWishes(lufs=-8.0))
    assert not found(master, "plr").passed
    assert any("can't give back" in warning for warning in master.warnings)
    assert master.retries == 0
    assert peak_by_libebur128(read_audio(master.path)) <= -1.0


def test_loudness_range_is_ridden_down_to_its_target(tmp_path: Path) -> None:
    song = uneven(band(48.0), 0.35)
    assert figures(song).lra_lu > 7.0
    master = made(tmp_path, song, MasterWishes(lufs=-16.0, lra_max=5.0))
    assert master.after.lra_lu <= 5.2
    assert master.report.riding_db[1] > 1.0
    holds_on_the_file(master)


def test_a_range_that_cannot_be_reached_is_told_after_three_retries(tmp_path: Path) -> None:
    master = made(tmp_path, uneven(band(48.0), 0.03), MasterWishes(lufs=-16.0, lra_max=2.0))
    assert not found(master, "lra").passed
    assert master.retries == 3
    assert any("loudness range" in warning and "6 dB" in warning for warning in master.warnings)


def test_a_failed_check_is_mended_by_the_next_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stricter(attempt: rails.Attempt) -> rails.Found:
        value = attempt.after.true_peak_8x_dbtp
        return value, -1.5, value <= -1.5, ""

    peak = next(rail for rail in rails.GUARDRAILS if rail.id == "true_peak_8x")
    monkeypatch.setattr(
        rails,
        "GUARDRAILS",
        tuple(replace(rail, find=stricter) if rail is peak else rail for rail in rails.GUARDRAILS),
    )
    master = made(tmp_path, band(5.0), MasterWishes(lufs=-10.0))
    assert master.retries == 1
    assert master.after.true_peak_8x_dbtp <= -1.5
    assert not [item for item in master.checks if not item.passed]


@pytest.mark.slow
@pytest.mark.parametrize("preset", list_master_presets())
@pytest.mark.parametrize("push_db", [3.0, 12.0])
def test_every_preset_holds_on_a_pushed_song(tmp_path: Path, preset: str, push_db: float) -> None:
    song = band(6.0)
    loud = song.with_samples(song.samples * np.float32(2.0 * 10.0 ** (push_db / 20.0)))
    master = made(tmp_path, loud, load_master_preset(preset).wishes())
    holds_on_the_file(master)
    assert [item.id for item in master.checks if not item.passed] == []


def test_same_wishes_same_bytes(tmp_path: Path) -> None:
    wishes = replace(load_master_preset("pop").wishes(), bits=16, amounts=Amounts(tone=0.5))
    first = make_master(band(6.0), wishes, tmp_path / "a.wav").path.read_bytes()
    assert make_master(band(6.0), wishes, tmp_path / "b.wav").path.read_bytes() == first


def test_silence_and_a_moment_of_sound_are_mastered_without_failing(tmp_path: Path) -> None:
    for frames, level in ((RATE, 0.0), (1, 0.5), (2_000, 0.5)):
        path = tmp_path / f"{frames}.wav"
        wishes = load_master_preset("pop").wishes()
        make_master(Audio(np.full((2, frames), level, np.float32), RATE), wishes, path)
        assert read_audio(path).frames == frames
