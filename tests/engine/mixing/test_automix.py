"""The automatic mix: stems come out at their roles' places, whatever they came at, within the guardrails."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from mix_stems import RATE, song, stem, time_s, tone, voice
from numpy.typing import NDArray

from engine.audio import Audio
from engine.errors import NrxError
from engine.loudness import integrated_lufs
from engine.mixing.automix import Policy, listen_all, make_session
from engine.mixing.deciding import Decision, Given
from engine.mixing.guarding import render_guarded
from engine.mixing.listening import StemFeatures
from engine.mixing.presets import list_mix_presets, load_mix_preset
from engine.mixing.rendering import Rendered, render
from engine.mixing.report import check_mix, make_report, track_lufs
from engine.mixing.session import MixSession, session_text
from engine.mixing.session.applied import applied
from engine.mixing.stems import MemoryStem, Stem

Tracks = dict[str, NDArray[np.float64]]


def decided(
    stems: list[Stem], preset: str = "pop", policy: Policy = "rules", **more: object
) -> tuple[Decision, dict[str, StemFeatures]]:
    heard = listen_all(stems)
    given = Given(files={item.name: f"{item.name}.wav" for item in stems}, sample_rate=RATE, **more)  # type: ignore[arg-type]  # fields by name
    return make_session(heard, load_mix_preset(preset), given, policy), heard


def rendered(
    session: MixSession, stems: list[Stem], heard: dict[str, StemFeatures]
) -> tuple[Rendered, Tracks]:
    parts: dict[str, list[NDArray[np.float32]]] = {}
    made = render(
        session, stems, heard, keep=lambda name, block: parts.setdefault(name, []).append(block.copy())
    )
    gain = 10.0 ** (made.gain_db / 20.0)
    return made, {
        name: np.concatenate(blocks, axis=1).astype(np.float64) * gain for name, blocks in parts.items()
    }


@cache
def whole() -> tuple[list[Stem], Decision, dict[str, StemFeatures], Rendered, Tracks]:
    stems = song()
    decision, heard = decided(stems)
    return (stems, decision, heard, *rendered(decision.session, stems, heard))


def loudness(track: NDArray[np.float64]) -> float:
    return integrated_lufs(Audio(np.ascontiguousarray(track, dtype=np.float32), RATE))


def test_tracks_and_returns_add_up_to_the_mix() -> None:
    _, _, _, made, tracks = whole()
    assert any(name.startswith("send:") for name in tracks)
    residual = np.abs(sum(tracks.values()) - made.mix.samples).max()
    assert 20.0 * np.log10(residual) < -110.0


def test_the_mix_peaks_at_minus_six() -> None:
    assert 20.0 * np.log10(np.abs(whole()[3].mix.samples).max()) == pytest.approx(-6.0, abs=0.02)


def test_stems_come_out_at_their_places_within_a_decibel() -> None:
    _, decision, _, _, tracks = whole()
    voice_lufs = loudness(tracks["Lead Vocal"])
    for name, target in decision.targets_lu.items():
        assert loudness(tracks[name]) - voice_lufs == pytest.approx(target, abs=1.3), name


def test_the_report_knows_how_loud_each_track_is() -> None:
    _, decision, heard, made, tracks = whole()
    wanted = applied(decision.session)
    for strip in wanted.tracks:
        assert track_lufs(strip, wanted, heard[strip.name], made) == pytest.approx(
            loudness(tracks[strip.name]), abs=0.6
        )


def test_levels_and_polarity_at_which_stems_come_change_nothing_in_the_balance() -> None:
    random = np.random.default_rng(5)
    stems = song({item.name: float(10.0 ** (random.uniform(-36.0, -3.0) / 20.0)) for item in song()})
    decision, heard = decided(stems)
    _, tracks = rendered(decision.session, stems, heard)
    before = whole()[4]
    for name in heard:
        assert loudness(tracks[name]) - loudness(tracks["Lead Vocal"]) == pytest.approx(
            loudness(before[name]) - loudness(before["Lead Vocal"]), abs=0.4
        )


def test_the_same_stems_give_the_same_bytes() -> None:
    _, decision, _, made, _ = whole()
    again, heard_again = decided(song())
    assert session_text(again.session) == session_text(decision.session)
    assert np.array_equal(render(again.session, song(), heard_again).mix.samples, made.mix.samples)


def test_guardrails_hold_on_every_preset() -> None:
    stems, _, heard, _, _ = whole()
    for preset in list_mix_presets():
        given = Given({}, RATE)
        decision = make_session(heard, load_mix_preset(preset), given, "rules")
        session, made, _ = render_guarded(
            decision.session, lambda wanted, part: render(wanted, stems, heard, monitor=part)
        )
        assert all(item.passed for item in check_mix(applied(session), made)), preset


def test_too_much_compression_is_taken_back_and_told() -> None:
    stems, decision, heard, _, _ = whole()
    bass = decision.session.strip_of("Bass")
    assert bass.compressor is not None
    harder = bass.compressor.model_copy(update={"threshold_db": bass.compressor.threshold_db - 6.0})
    tracks = tuple(
        strip.model_copy(update={"compressor": harder}) if strip is bass else strip
        for strip in decision.session.tracks
    )
    crushed = decision.session.model_copy(update={"tracks": tracks})

    def attempt(wanted: MixSession, _part: object) -> Rendered:
        return render(wanted, stems, heard)

    assert not all(item.passed for item in check_mix(applied(crushed), attempt(crushed, None)))
    session, made, retries = render_guarded(crushed, attempt)
    assert retries > 0
    assert all(item.passed for item in check_mix(applied(session), made))
    kept, untouched, none = render_guarded(crushed, attempt, may_change=False)
    assert (kept, none) == (crushed, 0)
    report = make_report(applied(crushed), heard, untouched)
    assert any("reduction" in warning and "Bass" in warning for warning in report.warnings)


def test_sides_that_cancel_are_turned_over_so_that_mono_keeps_them() -> None:
    wave = tone(262.0, 6)
    stems = [*song()[:5], stem("Pad", np.stack([wave, -0.9 * wave + 0.1 * tone(300.0, 4)]))]
    decision, heard = decided(stems)
    assert decision.session.strip_of("Pad").flip_right
    made, _ = rendered(decision.session, stems, heard)
    assert check_mix(applied(decision.session), made)[-1].passed


def test_user_gains_are_respected_when_asked_for() -> None:
    peaks = {"Bass": 0.02, "Guitar": 0.5}
    stems = song(peaks)
    decision, heard = decided(stems, respect_user_gains=True)
    _, tracks = rendered(decision.session, stems, heard)
    gaps = {name: loudness(tracks[name]) - heard[name].loudness_lufs for name in heard}
    # Two bus compressors and what mono folding and equalisers do remain; levels 28 dB apart stay apart.
    assert max(gaps.values()) - min(gaps.values()) < 6.0


def test_stages_at_no_amount_leave_a_stem_as_it_came() -> None:
    stems = song()
    every = ("alignment", "balance", "low_cut", "eq", "dynamics", "panning", "width", "sends", "riding", "ducking",
             "parallel", "bus")  # fmt: skip
    decision, heard = decided(stems, bypass=every)
    made, tracks = rendered(decision.session, stems, heard)
    for item in stems:
        came = next(iter(item.source.blocks())).astype(np.float64) * 10.0 ** (made.gain_db / 20.0)
        assert np.abs(tracks[item.name] - came).max() < 2e-5 * np.abs(came).max() + 1e-7, item.name


def test_half_an_amount_is_half_of_it() -> None:
    decision = whole()[1]
    half = applied(
        decision.session.model_copy(update={"amounts": {"eq": 50.0, "panning": 50.0, "dynamics": 50.0}})
    )
    for strip, full in zip(half.tracks, decision.session.tracks, strict=True):
        assert [band.db for band in strip.eq] == [pytest.approx(band.db / 2.0) for band in full.eq]
        assert strip.pan == pytest.approx(full.pan / 2.0)
        if full.compressor is not None and strip.compressor is not None:
            assert strip.compressor.ratio - 1.0 == pytest.approx((full.compressor.ratio - 1.0) / 2.0)


def test_stems_start_where_they_stand_on_the_timeline() -> None:
    late = replace(stem("Guitar", tone(330.0, 6)), start_frame=2 * RATE)
    stems = [*song()[:2], late]
    decision, heard = decided(stems)
    made, tracks = rendered(decision.session, stems, heard)
    assert made.mix.frames == len(time_s()) + 2 * RATE
    before, after = (
        np.abs(tracks["Guitar"][:, : 2 * RATE - 300]).max(),
        np.abs(tracks["Guitar"][:, 2 * RATE :]).max(),
    )
    assert before < 1e-4 * after


def test_a_stem_panned_in_its_file_is_folded_and_the_voice_stays_in_the_middle() -> None:
    panned = np.stack([voice(), 0.2 * voice()])
    stems = [*song()[:4], stem("Lead Vocal", panned)]
    decision, heard = decided(stems)
    _, tracks = rendered(decision.session, stems, heard)
    assert np.abs(tracks["Lead Vocal"][0] - tracks["Lead Vocal"][1]).max() < 1e-6


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_a_mono_sound_that_was_put_on_a_side_stays_there(side: float) -> None:
    wave = tone(330.0, 5)
    left, right = (1.0, 0.5) if side < 0.0 else (0.5, 1.0)
    stems = [item for item in song() if item.name != "Guitar"]
    decision, _ = decided([*stems, stem("Guitar", np.stack([left * wave, right * wave]))])
    assert decision.session.strip_of("Guitar").pan * side > 0.0


def test_silent_stems_are_muted_and_told() -> None:
    silence = MemoryStem(Audio(np.zeros((2, len(time_s())), np.float32), RATE))
    stems = [*song()[:2], Stem("Pad", silence)]
    decision, heard = decided(stems)
    made, _ = rendered(decision.session, stems, heard)
    assert decision.session.strip_of("Pad").mute
    assert any("Pad" in warning for warning in make_report(applied(decision.session), heard, made).warnings)


def test_a_very_quiet_stem_is_no_silence() -> None:
    stems = song({"Pad": 10.0 ** (-75.0 / 20.0)})
    decision, heard = decided(stems)
    assert heard["Pad"].loudness_lufs < -70.0
    assert not decision.session.strip_of("Pad").mute


def test_presets_move_the_balance() -> None:
    heard = whole()[2]
    hip_hop = make_session(heard, load_mix_preset("Hip-Hop"), Given({}, RATE), "rules")
    acoustic = make_session(heard, load_mix_preset("acoustic"), Given({}, RATE), "rules")
    assert hip_hop.targets_lu["Kick"] > acoustic.targets_lu["Kick"] + 4.0
    assert hip_hop.targets_lu["Guitar"] < acoustic.targets_lu["Guitar"] - 4.0


def test_an_unknown_preset_is_refused_with_near_ones() -> None:
    with pytest.raises(NrxError, match="hip_hop"):
        load_mix_preset("hiphop")
