"""The mix: tracks at their gains sum to it, roles sit where the balance says, the music makes room for the voice."""

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.audio import Audio
from engine.errors import Cancelled, NrxError
from engine.loudness import integrated_lufs
from engine.mixing import MixResult, MixSettings, MixTrack, balance_stems, mix
from engine.progress import Monitor

RATE = 44_100
SECONDS = 6.0


def noise(level: float, seed: int, *, channels: int = 2, seconds: float = SECONDS) -> Audio:
    """Return pink-ish noise."""
    random = np.random.default_rng(seed)
    white = random.standard_normal((channels, round(seconds * RATE)))
    spectrum = np.fft.rfft(white)
    spectrum /= np.sqrt(np.maximum(np.arange(spectrum.shape[1]), 50.0))
    wave = np.fft.irfft(spectrum, white.shape[1])
    return Audio((level * wave / np.abs(wave).max()).astype(np.float32), RATE)


def voice(level: float = 0.5, seed: int = 0, seconds: float = SECONDS) -> Audio:
    """Return a mono voice that sings during every other two seconds."""
    time = np.arange(round(seconds * RATE)) / RATE
    sings = np.clip(np.minimum(time % 4.0, 2.0 - time % 4.0) / 0.05, 0.0, 1.0)
    tone = sum(np.sin(2.0 * np.pi * 220.0 * k * time) / k for k in range(1, 9))
    return Audio((level * sings * tone / 3.0).astype(np.float32)[None], RATE)


def summed(result: MixResult) -> NDArray[np.float64]:
    """Add the tracks as a DAW would: audio times fader."""
    total = np.zeros(result.mix.samples.shape)
    for track in result.tracks.values():
        assert track.pan == 0.0
        total[:, : track.audio.frames] += track.audio.samples * 10.0 ** (track.gain_db / 20.0)
    return total


def song() -> dict[str, MixTrack]:
    return {
        "Vocals": MixTrack(voice(), "vocals"),
        "Drums": MixTrack(noise(0.9, 1), "drums"),
        "Bass": MixTrack(noise(0.02, 2, channels=1), "bass"),
        "Guitar": MixTrack(noise(0.3, 3, channels=1), "guitar", pan=-0.6),
        "Pad": MixTrack(noise(0.1, 4), "pad", pan=0.3),
    }


def test_tracks_at_their_gains_sum_to_the_mix() -> None:
    result = mix(song(), MixSettings())
    residual = np.abs(summed(result) - result.mix.samples).max()
    assert 20.0 * np.log10(residual) < -120.0


def test_every_track_comes_out_in_stereo_at_its_own_length_and_under_full_scale() -> None:
    tracks = song() | {"Short": MixTrack(noise(3.0, 9, seconds=3.0), "fx")}
    result = mix(tracks, MixSettings())
    for name, track in result.tracks.items():
        assert track.audio.samples.shape == (2, tracks[name].audio.frames)
        assert np.abs(track.audio.samples).max() <= 1.0
        assert track.gain_db <= 6.0
    assert result.mix.frames == max(track.audio.frames for track in tracks.values())
    assert np.abs(summed(result) - result.mix.samples).max() < 1e-6


def test_mix_peaks_where_asked() -> None:
    for peak_dbfs in (-6.0, -12.0):
        result = mix(song(), MixSettings(peak_dbfs=peak_dbfs))
        assert 20.0 * np.log10(np.abs(result.mix.samples).max()) == pytest.approx(peak_dbfs, abs=0.02)


def test_roles_sit_at_the_balance_whatever_level_they_came_at() -> None:
    balance = {"drums": -3.0, "bass": -6.0, "guitar": -9.0, "pad": -12.0}
    for scale in (0.05, 1.0):
        tracks = {
            name: MixTrack(
                track.audio.with_samples(track.audio.samples * np.float32(scale if name == "Drums" else 1.0)),
                track.role,
            )
            for name, track in song().items()
        }
        result = mix(tracks, MixSettings(balance_db=balance, ducking_db=0.0))
        heard = {name: integrated_lufs(track.audio) + track.gain_db for name, track in result.tracks.items()}
        for name, role in (("Drums", "drums"), ("Bass", "bass"), ("Guitar", "guitar"), ("Pad", "pad")):
            assert heard[name] - heard["Vocals"] == pytest.approx(balance[role], abs=0.3)
            assert result.tracks[name].loudness_lufs == pytest.approx(heard[name], abs=0.3)


def test_a_part_that_plays_briefly_sits_as_loud_as_one_that_plays_throughout() -> None:
    steady = noise(0.3, 5)
    brief = steady.with_samples(steady.samples * (np.arange(steady.frames) < 2 * RATE))
    levels = []
    for pad in (steady, brief):
        tracks = {"Vocals": MixTrack(voice(), "vocals"), "Pad": MixTrack(pad, "pad")}
        result = mix(tracks, MixSettings(ducking_db=0.0))
        levels.append(result.tracks["Pad"].gain_db - result.tracks["Vocals"].gain_db)
    assert levels[1] == pytest.approx(levels[0], abs=0.6)


def test_a_hint_of_sound_is_not_boosted_absurdly() -> None:
    hint = noise(2e-3, 6)
    result = mix({"Vocals": MixTrack(voice(), "vocals"), "Pad": MixTrack(hint, "pad")}, MixSettings())
    raised = (
        integrated_lufs(result.tracks["Pad"].audio) + result.tracks["Pad"].gain_db - integrated_lufs(hint)
    )
    shift = result.tracks["Vocals"].gain_db
    assert raised - shift <= 24.1
    assert any("Pad" in warning for warning in result.warnings)


def test_level_is_added_to_the_balance() -> None:
    def gap(level_db: float) -> float:
        tracks = song()
        tracks["Drums"] = MixTrack(tracks["Drums"].audio, "drums", level_db=level_db)
        result = mix(tracks, MixSettings())
        return result.tracks["Drums"].loudness_lufs - result.tracks["Vocals"].loudness_lufs

    assert gap(-4.0) - gap(0.0) == pytest.approx(-4.0, abs=0.02)


def test_two_of_a_role_share_its_place() -> None:
    one = {"Vocals": MixTrack(voice(), "vocals"), "G1": MixTrack(noise(0.3, 1), "guitar")}
    two = one | {"G2": MixTrack(noise(0.2, 2), "guitar")}
    alone, shared = mix(one, MixSettings()), mix(two, MixSettings())

    def gap(result: MixResult, name: str) -> float:
        return result.tracks[name].loudness_lufs - result.tracks["Vocals"].loudness_lufs

    assert gap(shared, "G1") == pytest.approx(gap(alone, "G1") - 3.01, abs=0.03)
    assert gap(shared, "G2") == pytest.approx(gap(shared, "G1"), abs=0.03)


def test_a_remainder_of_a_voice_is_not_the_measure_of_the_mix() -> None:
    crumbs = voice(0.003)
    tracks = {"Vocals": MixTrack(crumbs, "vocals"), "Drums": MixTrack(noise(0.5, 1), "drums")}

    def gap(song_lufs: float | None) -> float:
        result = mix(tracks, MixSettings(song_lufs=song_lufs))
        return result.tracks["Vocals"].loudness_lufs - result.tracks["Drums"].loudness_lufs

    song_lufs = integrated_lufs(crumbs) + 40.0
    assert gap(None) == pytest.approx(2.0, abs=0.1)
    assert gap(song_lufs) == pytest.approx(2.0 - 32.0, abs=4.0)


def level_db(
    samples: NDArray[np.floating], start_s: float, end_s: float, low_hz: float, high_hz: float
) -> float:
    """Return the level of a band of the mean of the channels."""
    piece = samples[:, round(start_s * RATE) : round(end_s * RATE)].mean(axis=0)
    spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece)))) ** 2
    hertz = np.fft.rfftfreq(len(piece), 1.0 / RATE)
    return float(10.0 * np.log10(spectrum[(hertz >= low_hz) & (hertz < high_hz)].sum() / len(piece)))


def test_music_dips_in_the_middle_where_the_voice_sings_and_nowhere_else() -> None:
    tracks = {"Vocals": MixTrack(voice(), "vocals"), "Pad": MixTrack(noise(0.3, 4), "pad")}
    dry = mix(tracks, MixSettings(ducking_db=0.0)).tracks["Pad"]
    wet = mix(tracks, MixSettings(ducking_db=4.0)).tracks["Pad"]
    gain = np.abs(dry.audio.samples).max()  # both are the same source at the same printed gain
    assert gain > 0.0

    def change(start_s: float, end_s: float, low_hz: float, high_hz: float) -> float:
        return level_db(wet.audio.samples, start_s, end_s, low_hz, high_hz) - level_db(
            dry.audio.samples, start_s, end_s, low_hz, high_hz
        )

    assert change(4.3, 5.7, 800.0, 1500.0) == pytest.approx(-4.0, abs=0.4)
    assert change(4.3, 5.7, 30.0, 100.0) > -0.6
    assert change(4.3, 5.7, 12_000.0, 20_000.0) > -0.6
    assert change(2.8, 3.6, 800.0, 1500.0) == pytest.approx(0.0, abs=0.1)
    assert wet.ducked_db == pytest.approx(4.0, abs=0.1)


def test_drums_and_bass_and_the_voice_itself_do_not_dip() -> None:
    result = mix(song(), MixSettings(ducking_db=6.0))
    dips = {name: round(track.ducked_db, 1) for name, track in result.tracks.items()}
    assert dips == {"Vocals": 0.0, "Drums": 0.0, "Bass": 0.0, "Guitar": 6.0, "Pad": 6.0}


def test_the_dip_moves_without_clicks() -> None:
    tone = np.sin(2.0 * np.pi * 1000.0 * np.arange(round(SECONDS * RATE)) / RATE)
    tracks = {
        "Vocals": MixTrack(voice(), "vocals"),
        "Lead": MixTrack(Audio((0.3 * tone).astype(np.float32)[None], RATE), "lead"),
    }
    wet = mix(tracks, MixSettings(ducking_db=6.0)).tracks["Lead"].audio.samples[0]
    spectrum = np.abs(np.fft.rfft(wet[RATE : 5 * RATE] * np.blackman(4 * RATE)))
    hertz = np.fft.rfftfreq(4 * RATE, 1.0 / RATE)
    away = spectrum[np.abs(hertz - 1000.0) > 60.0].max()
    assert 20.0 * np.log10(away / spectrum.max()) < -80.0


def test_low_cut_spares_bass_and_drums() -> None:
    rumble = np.sin(2.0 * np.pi * 30.0 * np.arange(round(4 * RATE)) / RATE)
    sound = noise(0.2, 1, seconds=4.0)
    audio = sound.with_samples(sound.samples + 0.3 * rumble)
    result = mix({"Bass": MixTrack(audio, "bass"), "Pad": MixTrack(audio, "pad")}, MixSettings())

    def rumble_db(name: str) -> float:
        samples = result.tracks[name].audio.samples
        return level_db(samples, 0.5, 3.5, 25.0, 35.0) - level_db(samples, 0.5, 3.5, 500.0, 2000.0)

    assert rumble_db("Bass") - rumble_db("Pad") > 15.0


def test_panning_follows_the_stated_laws() -> None:
    mono = noise(0.5, 1, channels=1, seconds=2.0)
    stereo = Audio(np.repeat(mono.samples, 2, axis=0), RATE)

    def sides(audio: Audio, pan: float) -> tuple[float, float]:
        # A drums track is neither cut nor ducked: what comes out is the source times the pan's gains.
        out = mix({"Drums": MixTrack(audio, "drums", pan=pan)}, MixSettings()).tracks["Drums"]
        left, right = (
            float(np.dot(row, mono.samples[0]) / np.dot(mono.samples[0], mono.samples[0]))
            for row in out.audio.samples
        )
        return left, right

    assert sides(mono, 0.0) == pytest.approx((1.0, 1.0), abs=1e-5)
    left, right = sides(mono, -0.5)
    assert left**2 + right**2 == pytest.approx(2.0, abs=1e-4)
    assert left > right
    assert sides(mono, 1.0) == pytest.approx((0.0, np.sqrt(2.0)), abs=1e-5)
    assert sides(stereo, 0.25) == pytest.approx((0.75, 1.0), abs=1e-5)


def test_without_a_voice_the_balance_still_holds() -> None:
    tracks = {"Drums": MixTrack(noise(0.9, 1), "drums"), "Bass": MixTrack(noise(0.05, 2), "bass")}
    result = mix(tracks, MixSettings(balance_db={"drums": -2.0, "bass": -5.0}))
    gap = result.tracks["Drums"].loudness_lufs - result.tracks["Bass"].loudness_lufs
    assert gap == pytest.approx(3.0, abs=0.05)


def test_silent_tracks_are_kept_and_named() -> None:
    silent = Audio(np.zeros((2, RATE), dtype=np.float32), RATE)
    result = mix({"Vocals": MixTrack(voice(), "vocals"), "Pad": MixTrack(silent, "pad")}, MixSettings())
    assert not result.tracks["Pad"].audio.samples.any()
    assert any("Pad" in warning and "silent" in warning for warning in result.warnings)
    nothing = mix({"Pad": MixTrack(silent, "pad")}, MixSettings())
    assert not nothing.mix.samples.any()


def test_stems_are_balanced_by_the_roles_in_their_names() -> None:
    stems = {"LeadVox": voice(), "Kick": noise(0.05, 1), "e-gtr L": noise(0.9, 2)}
    result = balance_stems(stems, settings=MixSettings(balance_db={"kick": -4.0, "guitar": -8.0}))
    loud = {name: track.loudness_lufs for name, track in result.tracks.items()}
    assert loud["Kick"] - loud["LeadVox"] == pytest.approx(-4.0, abs=0.05)
    assert loud["e-gtr L"] - loud["LeadVox"] == pytest.approx(-8.0, abs=0.05)
    told = balance_stems(stems, roles={"Kick": "pad"}, settings=MixSettings(balance_db={"pad": -20.0}))
    assert told.tracks["Kick"].loudness_lufs - told.tracks["LeadVox"].loudness_lufs == pytest.approx(
        -20.0, abs=0.05
    )


def test_same_tracks_same_bytes() -> None:
    assert (
        mix(song(), MixSettings()).mix.samples.tobytes() == mix(song(), MixSettings()).mix.samples.tobytes()
    )


def test_the_source_is_left_alone() -> None:
    tracks = song()
    before = {name: track.audio.samples.copy() for name, track in tracks.items()}
    mix(tracks, MixSettings())
    for name, track in tracks.items():
        np.testing.assert_array_equal(track.audio.samples, before[name])


def test_nothing_to_mix_and_mixed_rates_are_refused() -> None:
    with pytest.raises(NrxError) as refused:
        mix({}, MixSettings())
    assert refused.value.code == "request.invalid"
    other = Audio(np.ones((1, 100), dtype=np.float32), 48_000)
    with pytest.raises(NrxError, match="48000 Hz") as refused:
        mix({"A": MixTrack(voice(), "vocals"), "B": MixTrack(other, "pad")}, MixSettings())
    assert refused.value.code == "input.sample_rate"


def test_cancel_is_heard_and_progress_never_goes_back() -> None:
    seen: list[float] = []
    mix(song(), MixSettings(), Monitor(on_progress=seen.append))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    with pytest.raises(Cancelled):
        mix(song(), MixSettings(), Monitor(is_cancelled=lambda: True))
