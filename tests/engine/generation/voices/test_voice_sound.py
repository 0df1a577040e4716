import numpy as np
import pytest
from sounding import KITS, RATE, SETUP, TONAL, centroid_hz, middle

from engine.generation.arranger.voices.model import Setup
from engine.generation.arranger.voices.player import render_note
from engine.generation.arranger.voices.table import VOICES

STRUCK = (35, 36, 37, 38, 39, 42, 46, 45, 49, 51, 54, 56, 70, 81)


@pytest.mark.parametrize("name", TONAL)
def test_notes_start_and_end_in_silence_without_offset(name):
    sound = render_note(name, middle(name), 110, 0.7, SETUP)
    peak = np.abs(sound).max()
    assert np.isfinite(sound).all()
    assert 0.01 < peak < 4
    assert np.abs(sound[:, 0]).max() < 1e-3 * peak
    assert np.abs(sound[:, -1]).max() < 1e-3 * peak
    assert np.abs(sound.mean(axis=1)).max() < 2e-3 * peak


@pytest.mark.parametrize("name", TONAL)
def test_no_click_where_the_key_is_let_go(name):
    held_s = 0.5
    sound = render_note(name, middle(name), 100, held_s, SETUP, length_s=held_s + 0.4).mean(axis=0)
    jump = np.abs(np.diff(sound, 2))
    place = int(held_s * RATE)
    before = jump[place - 4000 : place - 200].max()
    assert jump[place - 100 : place + 2000].max() < 1.6 * before + 1e-5


@pytest.mark.parametrize("name", [name for name in TONAL if name != "organ"])
def test_velocity_changes_timbre_and_level(name):
    soft, loud = (render_note(name, middle(name), velocity, 0.6, SETUP) for velocity in (25, 120))
    assert centroid_hz(loud) > 1.02 * centroid_hz(soft)
    assert 15 < 20 * np.log10(np.std(loud) / np.std(soft)) < 40


def test_louder_is_monotonic_over_all_velocities():
    levels = [
        np.std(render_note("electric_piano", 60, velocity, 0.3, SETUP)) for velocity in range(1, 128, 6)
    ]
    assert np.all(np.diff(levels) > 0)


@pytest.mark.parametrize("name", TONAL)
def test_the_start_of_a_note_is_heard_within_a_few_milliseconds(name):
    sound = render_note(name, middle(name), 90, 0.5, SETUP).mean(axis=0)
    window = np.hanning(int(0.006 * RATE))
    level = np.sqrt(np.convolve(sound**2, window / window.sum(), "same"))
    assert np.argmax(level > 0.1 * level.max()) / RATE < 0.012


@pytest.mark.parametrize("kit", KITS)
@pytest.mark.parametrize("note", STRUCK)
def test_every_piece_of_every_kit_speaks_at_once_and_dies_away(kit, note):
    sound = render_note(kit, note, 100, 0.1, SETUP, length_s=6.0)
    peak = np.abs(sound).max()
    level = np.abs(sound).max(axis=0)
    assert 0.01 < peak < 3
    assert np.argmax(level > 0.2 * peak) / RATE < 0.012
    assert level[-1] == 0
    assert np.abs(sound.mean()) < 1e-3 * peak


@pytest.mark.parametrize("rate", [22050, 48000, 96000])
def test_a_note_sounds_the_same_at_every_sample_rate(rate):
    for name in ("piano", "strings", "synth_bass", "kit_rock"):
        note = 38 if name in KITS else middle(name)
        here = render_note(name, note, 90, 0.4, Setup(rate, 5), length_s=0.6)
        usual = render_note(name, note, 90, 0.4, SETUP, length_s=0.6)
        assert here.shape[1] == round(0.6 * rate)
        assert abs(20 * np.log10(np.std(here) / np.std(usual))) < 2.0


def test_brighter_means_brighter_for_every_tonal_voice():
    for name in TONAL:
        dark, bright = (
            centroid_hz(render_note(name, middle(name), 90, 0.4, Setup(RATE, 5, brightness)))
            for brightness in (0.5, 2.0)
        )
        assert bright >= 0.98 * dark, name


def test_kick_drums_live_below_a_hundred_hertz():
    for kit in KITS:
        sound = render_note(kit, 36, 90, 0.1, SETUP, length_s=0.5)
        power = np.abs(np.fft.rfft(sound.mean(axis=0))) ** 2
        hz = np.fft.rfftfreq(sound.shape[1], 1 / RATE)
        assert 30 < hz[np.argmax(power)] < 100, kit


@pytest.mark.parametrize("effect", range(4))
def test_atmosphere_lasts_as_long_as_its_note(effect):
    sound = render_note("fx", effect, 100, 3.0, SETUP)
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() > 0.01
    thirds = [np.std(part) for part in np.array_split(sound, 3, axis=1)]
    rises, falls = thirds[2] > 3 * thirds[0], thirds[0] > 3 * thirds[2]
    assert (rises, falls) == {0: (True, False), 1: (False, True), 2: (True, False), 3: (False, False)}[effect]


def test_voices_of_one_family_do_not_share_one_sound():
    spectra = {}
    for name in TONAL:
        if VOICES[name].low <= 55 <= VOICES[name].high:
            sound = render_note(name, 55, 90, 0.5, SETUP, length_s=0.5)
            power = np.abs(np.fft.rfft(sound.mean(axis=0))) ** 2
            bands = np.log([part.sum() + 1e-9 for part in np.array_split(power[:4000], 40)])
            spectra[name] = bands - bands.mean()
    names = sorted(spectra)
    for number, one in enumerate(names):
        for other in names[number + 1 :]:
            assert np.abs(spectra[one] - spectra[other]).mean() > 0.15, (one, other)
