"""Every guardrail of a mix holds on material that breaks it, measured on the mix; persons are only warned."""

from collections.abc import Callable

import numpy as np
import pytest
from mix_stems import RATE, noise, song, stem, voice

from engine.mixing.automix import listen_all, make_session
from engine.mixing.deciding import Given
from engine.mixing.guarding import render_guarded
from engine.mixing.presets import load_mix_preset
from engine.mixing.rendering import Rendered, render
from engine.mixing.report import check_mix, make_report
from engine.mixing.session import ChannelStrip, Compressor, EqBand, MixSession
from engine.mixing.session.applied import applied
from engine.mixing.stems import Stem
from engine.progress import Monitor

Change = Callable[[ChannelStrip], dict[str, object]]


class Desk:
    """Some stems with the session that the rules give them, and a way to render what becomes of it."""

    def __init__(self, stems: list[Stem]) -> None:
        self.stems, self.heard = stems, listen_all(stems)
        self.session = make_session(self.heard, load_mix_preset("pop"), Given({}, RATE), "rules").session

    def changed(self, change: Change) -> MixSession:
        tracks = tuple(strip.model_copy(update=change(strip)) for strip in self.session.tracks)
        return self.session.model_copy(update={"tracks": tracks})

    def attempt(self, session: MixSession, _part: Monitor) -> Rendered:
        return render(session, self.stems, self.heard)

    def failing(self, session: MixSession) -> set[str]:
        made = render(session, self.stems, self.heard)
        return {item.id for item in check_mix(applied(session), made) if not item.passed}


@pytest.fixture(scope="module")
def band() -> Desk:
    return Desk(song()[:5])


def correlation(samples: np.ndarray) -> float:
    return float(np.corrcoef(samples.astype(np.float64))[0, 1])


def test_channels_that_have_nothing_in_common_are_narrowed_until_they_correlate() -> None:
    wide = [stem(f"Pad {seed}", noise(seed)) for seed in (11, 12, 13)]
    desk = Desk(wide)
    broken = desk.changed(lambda _: {"width_pct": 120.0, "pan": 0.0, "sends": {"plate": -12.0}})
    assert "correlation" in desk.failing(broken)
    assert correlation(render(broken, desk.stems, desk.heard).mix.samples) < 0.1
    session, made, retries = render_guarded(broken, desk.attempt)
    assert 1 <= retries <= 3
    assert correlation(made.mix.samples) >= 0.1
    assert all(item.passed for item in check_mix(applied(session), made))


def test_what_cannot_correlate_is_given_up_after_three_retries_and_told() -> None:
    (left,), (right,) = noise(1, 1), noise(2, 1)
    silent = np.zeros_like(left)
    stems = [stem("Synth L", np.stack([left, silent])), stem("Synth R", np.stack([silent, right]))]
    desk = Desk(stems)
    # Hard panned mono: no strip has a side that could be narrowed.
    apart = desk.changed(
        lambda strip: {
            "width_pct": 0.0,
            "pan": -1.0 if strip.name.endswith("L") else 1.0,
            "sends": {"room": -10.0},
        }
    )
    session, made, retries = render_guarded(apart, desk.attempt)
    assert retries == 3
    report = make_report(applied(session), desk.heard, made, retries=retries)
    assert any("mono sum loses sound" in warning for warning in report.warnings)


def test_strips_wider_than_140_percent_are_held_there_and_others_left_alone(band: Desk) -> None:
    broken = band.changed(lambda strip: {"width_pct": 190.0 if strip.name == "Hats" else strip.width_pct})
    assert "width" in band.failing(broken)
    session, _, retries = render_guarded(broken, band.attempt)
    assert retries >= 1
    for before, after in zip(broken.tracks, session.tracks, strict=True):
        assert after.width_pct == min(140.0, before.width_pct)


def test_equaliser_bands_beyond_4_db_are_held_there(band: Desk) -> None:
    steep = (EqBand(hz=400.0, db=-9.0), EqBand(hz=3000.0, db=7.0), EqBand(hz=9000.0, db=2.0))
    broken = band.changed(lambda _: {"eq": steep})
    assert "eq" in band.failing(broken)
    session, made, retries = render_guarded(broken, band.attempt)
    assert retries >= 1
    assert {band.db for strip in session.tracks for band in strip.eq} == {-4.0, 4.0, 2.0}
    assert all(item.passed for item in check_mix(applied(session), made))


def test_compressors_on_every_strip_that_take_too_much_are_made_gentler(band: Desk) -> None:
    crushing = Compressor(threshold_db=-45.0, ratio=3.0, attack_ms=5.0, release_ms=150.0)
    broken = band.changed(lambda strip: {"compressor": crushing if strip.name == "Lead Vocal" else None})
    assert "reduction" in band.failing(broken)
    session, made, retries = render_guarded(broken, band.attempt)
    assert 1 <= retries <= 3
    before = render(broken, band.stems, band.heard).desk.strips["Lead Vocal"].average_reduction_db()
    after = made.desk.strips["Lead Vocal"].average_reduction_db()
    assert after < before - 3.0
    assert session.strip_of("Lead Vocal").compressor != crushing


def test_a_persons_session_is_rendered_as_it_is_and_each_broken_guardrail_is_told(band: Desk) -> None:
    broken = band.changed(lambda _: {"width_pct": 180.0, "eq": (EqBand(hz=500.0, db=8.0),)})
    session, made, retries = render_guarded(broken, band.attempt, may_change=False)
    assert (session, retries) == (broken, 0)
    warnings = make_report(applied(session), band.heard, made).warnings
    assert any("equaliser" in warning and "8.0 dB" in warning for warning in warnings)
    assert any("width" in warning and "180.0 %" in warning for warning in warnings)


def test_a_track_that_is_moved_past_the_end_is_cut_there() -> None:
    stems = [stem("Lead Vocal", voice()), *song()[:2]]
    desk = Desk(stems)
    later = desk.changed(
        lambda strip: {"delay_ms": 400.0 if strip.name == "Lead Vocal" else 0.0, "sends": {"room": -9.0}}
    )
    made, still = render(later, stems, desk.heard), render(desk.session, stems, desk.heard)
    assert made.mix.frames == still.mix.frames
