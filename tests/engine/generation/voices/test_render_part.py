import importlib.machinery
import sys
import types
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from sounding import hertz, pitch_error_cents

from engine.errors import NrxError
from engine.generation.arranger.render import render_part
from engine.generation.arranger.voices.external import parse_soundfont
from engine.generation.model import Note, Part
from engine.tempo import TempoMap

RATE = 44100
MAP = TempoMap.constant(120)


def part(voice, rows, effects=(), is_drums=False):
    return Part("Test", "chords", voice, tuple(Note(*row) for row in rows), is_drums, tuple(effects))


def render(which, seconds=4.0, **more):
    settings = {"sample_rate": RATE, "length_frames": int(seconds * RATE), "seed": 7, **more}
    return render_part(which, MAP, **settings)


CHORDS = part(
    "electric_piano",
    [(2.0 * bar, pitch, 1.8, 80) for bar in range(4) for pitch in (53, 57, 60, 64)],
    [{"type": "tremolo"}, {"type": "low_pass", "cutoff_hz": 5000}, {"type": "room"}],
)
BEAT = part(
    "kit_rock",
    [(float(beat), 36 if beat % 2 == 0 else 38, 0.2, 100) for beat in range(8)]
    + [(0.5 * place, 42, 0.2, 70) for place in range(16)],
    is_drums=True,
)


def test_a_part_is_exactly_as_long_as_asked_in_stereo_and_ends_in_silence():
    audio = render(CHORDS, 3.21)
    assert audio.samples.shape == (2, int(3.21 * RATE))
    assert np.abs(audio.samples[:, -1]).max() < 1e-4
    assert np.std(audio.samples) > 0.01


def test_an_empty_part_is_silence():
    assert not render(part("piano", [])).samples.any()


def test_same_seed_same_bytes_and_another_seed_another_take():
    first, again, other = render(BEAT), render(BEAT), render(BEAT, seed=8)
    assert first.samples.tobytes() == again.samples.tobytes()
    assert np.abs(first.samples - other.samples).max() > 1e-3


def test_threads_do_not_change_a_sample():
    alone = [render(which) for which in (CHORDS, BEAT)]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(render, [CHORDS, BEAT]))
    for one, other in zip(alone, together, strict=True):
        assert one.samples.tobytes() == other.samples.tobytes()


def test_notes_follow_the_tempo_map():
    slow = TempoMap.constant(60)
    hits = part("kit_electronic", [(2.0, 36, 0.2, 110)], is_drums=True)
    sound = render_part(hits, slow, sample_rate=RATE, length_frames=4 * RATE, seed=1).samples
    heard = np.flatnonzero(np.abs(sound).max(axis=0) > 0.02)
    assert heard[0] / RATE == pytest.approx(2.0, abs=0.004)


@pytest.mark.parametrize("which", [CHORDS, BEAT, replace(CHORDS, voice="strings", effects=())])
def test_brightness_moves_the_centroid_one_way(which):
    centroids = []
    for brightness in (0.5, 0.8, 1.0, 1.4, 2.0):
        power = np.abs(np.fft.rfft(render(which, brightness=brightness).samples.mean(axis=0))) ** 2
        hz = np.fft.rfftfreq(4 * RATE, 1 / RATE)
        centroids.append(np.sum(hz * power) / np.sum(power))
    assert np.all(np.diff(centroids) > 0)


def test_level_and_pan_are_left_to_the_mixer():
    moved = replace(CHORDS, pan=-0.7, level_db=-12.0)
    assert render(moved).samples.tobytes() == render(CHORDS).samples.tobytes()


@pytest.mark.parametrize(
    ("voice", "pitches", "spacing"),
    [
        ("piano", (60, 64, 67), 1.0),
        ("warm_pad", (48, 55, 64), 2.0),
        ("saw_pad", (48, 55, 64), 2.0),
        ("strings", (55, 60, 67), 2.0),
        ("choir", (55, 60, 67), 2.0),
        ("horns", (53, 57), 2.0),
        ("synth_bass", (33,), 0.5),
        ("upright_bass", (31,), 1.0),
        ("celli", (43,), 2.0),
        ("flute", (74,), 1.0),
        ("sax", (62,), 1.0),
        ("power_guitar", (40, 47), 1.0),
        ("kit_jazz", (51,), 0.5),
        ("kit_brush", (38,), 1.0),
        ("kit_lofi", (70,), 0.5),
    ],
)
def test_rendered_onsets_lie_where_the_notes_are(voice, pitches, spacing):
    rows = [
        (
            0.5 + spacing * place,
            pitch + (0 if voice.startswith("kit") else 2 * (place % 3)),
            0.9 * spacing,
            90,
        )
        for place in range(int(7 / spacing))
        for pitch in pitches
    ]
    sound = render(part(voice, rows, [{"type": "room"}], voice.startswith("kit")), 5.0).samples.mean(axis=0)
    hop, window = 44, np.hanning(256)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(sound, 128), 256)[::hop] * window
    bands = np.log1p(1000 * np.abs(np.fft.rfft(frames, axis=1)) / np.abs(frames).max())
    rise = np.maximum(bands[3:] - bands[:-3], 0).sum(axis=1)
    errors = []
    for start in sorted({row[0] for row in rows}):
        place = int(start * 0.5 * RATE / hop)
        near = rise[max(0, place - 25) : place + 25]
        errors.append((np.argmax(near) + max(0, place - 25) + 1.5) * hop / RATE - start * 0.5)
    assert np.median(np.abs(errors)) < 0.005


@pytest.mark.parametrize(
    ("voice", "beating_cents"),
    [
        ("piano", 1.5),
        ("organ", 1.5),
        ("steel_guitar", 1.5),
        ("upright_bass", 2.5),
        ("synth_bass", 1.5),
        ("flute", 1.5),
        ("saw_pad", 7.0),
        ("strings", 7.0),
    ],
)
@pytest.mark.parametrize("cents", [-50.0, 19.6])
def test_pitched_voices_sound_as_far_from_440_hz_as_asked(voice, beating_cents, cents):
    line = part(voice, [(0.0, 60, 6.0, 90)])
    found = [
        pitch_error_cents(render(line, tuning_cents=tuning).samples[:, RATE // 2 : 5 * RATE // 2], hertz(60))
        for tuning in (0.0, cents)
    ]
    assert found[1] - found[0] == pytest.approx(cents, abs=beating_cents)


def test_a_tuning_leaves_drums_and_noise_as_they_are():
    for which in (BEAT, part("fx", [(0.0, 3, 8.0, 90)])):
        assert render(which).samples.tobytes() == render(which, tuning_cents=40.0).samples.tobytes()


@pytest.mark.parametrize("cents", [101.0, -100.5, float("nan")])
def test_a_tuning_beyond_a_semitone_is_refused(cents):
    with pytest.raises(NrxError, match="at most 100 cents") as caught:
        render(CHORDS, tuning_cents=cents)
    assert caught.value.code == "request.invalid"


def test_a_soundfont_that_is_not_there_is_one_clear_sentence(tmp_path):
    with pytest.raises(NrxError, match=r"no SoundFont at .*missing\.sf2") as caught:
        render(part(f"soundfont:{tmp_path / 'missing.sf2'}#0:4", [(0, 60, 1, 90)]))
    assert caught.value.code == "backend.missing"


def test_a_soundfont_without_a_player_says_how_to_install_one(tmp_path, monkeypatch):
    font = tmp_path / "font.sf2"
    font.write_bytes(b"RIFF")
    monkeypatch.setitem(sys.modules, "fluidsynth", None)
    monkeypatch.setitem(sys.modules, "tinysoundfont", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(NrxError, match="pip install pyfluidsynth") as caught:
        render(part(f"soundfont:{font}", [(0, 60, 1, 90)]))
    assert caught.value.code == "backend.missing"


made_synths = []


class ClickingSynth:
    """Stands in for FluidSynth: a full-scale sample at each note-on, nothing else."""

    def __init__(self, gain, samplerate):
        self.clicks = 0.0
        self.samplerate = samplerate
        self.bends = []
        made_synths.append(self)

    def sfload(self, _path):
        return 1

    def program_select(self, channel, _font, bank, program):
        return 0 if (channel, bank, program) in ((0, 0, 4), (9, 128, 0)) else -1

    def pitch_bend(self, channel, value):
        self.bends.append((channel, value))

    def noteon(self, _channel, _pitch, velocity):
        self.clicks = velocity / 127

    def noteoff(self, _channel, _pitch):
        pass

    def get_samples(self, count):
        block = np.zeros(2 * count, dtype=np.float64)
        block[:2], self.clicks = 32767 * self.clicks, 0.0
        return block.astype(np.int16)

    def delete(self):
        pass


@pytest.fixture
def clicking_font(tmp_path, monkeypatch):
    module = types.ModuleType("fluidsynth")
    module.__spec__ = importlib.machinery.ModuleSpec("fluidsynth", None)
    module.Synth = ClickingSynth
    monkeypatch.setitem(sys.modules, "fluidsynth", module)
    font = tmp_path / "font.sf2"
    font.write_bytes(b"RIFF")
    return font


def test_a_soundfont_gets_its_notes_to_the_sample(clicking_font):
    rows = [(0.0, 60, 0.5, 127), (1.0, 64, 0.5, 64), (5.5, 60, 0.5, 100)]
    sound = render(part(f"soundfont:{clicking_font}#0:4", rows)).samples[0]
    assert list(np.flatnonzero(sound > 0.1)) == [0, RATE // 2, int(2.75 * RATE)]
    assert sound[RATE // 2] == pytest.approx(64 / 127, abs=0.01)


def test_a_soundfont_is_tuned_by_a_bend_and_its_drums_are_not(clicking_font):
    made_synths.clear()
    rows = [(0, 60, 1, 90)]
    render(part(f"soundfont:{clicking_font}#0:4", rows))
    render(part(f"soundfont:{clicking_font}#0:4", rows), tuning_cents=-50)
    render(part(f"soundfont:{clicking_font}", rows, is_drums=True), tuning_cents=-50)
    assert [synth.bends for synth in made_synths] == [[], [(0, -2048)], []]


def test_a_soundfont_without_that_preset_is_refused_and_drums_take_the_drum_bank(clicking_font):
    with pytest.raises(NrxError, match="has no preset 0:7") as caught:
        render(part(f"soundfont:{clicking_font}#0:7", [(0, 60, 1, 90)]))
    assert caught.value.code == "preset.invalid"
    assert render(part(f"soundfont:{clicking_font}", [(0, 36, 1, 90)], is_drums=True)).samples.any()


@pytest.mark.parametrize("name", ["soundfont:", "soundfont:a.sf2#x:1", "soundfont:a.sf2#0:128"])
def test_a_soundfont_name_that_makes_no_sense_is_refused(name):
    with pytest.raises(NrxError, match="PATH#BANK:PROGRAM") as caught:
        parse_soundfont(name)
    assert caught.value.code == "preset.invalid"


def test_bank_and_program_may_be_left_out():
    assert parse_soundfont("soundfont:a.sf2")[1:] == (0, 0)
    assert parse_soundfont("soundfont:a.sf2#5")[1:] == (0, 5)
    assert parse_soundfont("soundfont:a.sf2#128:16")[1:] == (128, 16)


def test_a_plugin_that_is_not_there_or_is_none_is_one_clear_sentence(tmp_path):
    with pytest.raises(NrxError, match="no VST3 plug-in at") as caught:
        render(part(f"vst3:{tmp_path / 'none.vst3'}", [(0, 60, 1, 90)]))
    assert caught.value.code == "backend.missing"
    false = tmp_path / "false.vst3"
    with zipfile.ZipFile(false, "w") as archive:
        archive.writestr("nothing", "")
    with pytest.raises(NrxError, match="could not be loaded: ") as caught:
        render(part(f"vst3:{false}", [(0, 60, 1, 90)]))
    assert caught.value.code == "backend.missing"


def test_an_effect_with_a_wrong_value_is_refused_before_any_sound_is_made():
    with pytest.raises(NrxError, match='"reverb": room_size'):
        render(replace(CHORDS, effects=({"type": "reverb", "room_size": 3},)))
