"""What generated parts promise, heard in the sound: time, harmony, character of styles, energy and brightness.

Songs are invented (an analysis with known beats, chords and sections), arranged, played and mixed as a remix does it.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest

from engine.actions.perform import console_of, render_parts, to_mix
from engine.actions.timeline import plan_timeline
from engine.analysis.model import Analysis, Chord, Curve, Key, MelodyNote, Section, TempoCandidate
from engine.audio import Audio
from engine.generation.arranger import arrange
from engine.generation.model import Arrangement, Part
from engine.loudness import integrated_lufs
from engine.mixing import MixedTrack, mix
from engine.presets import list_styles, load_style
from engine.progress import SILENT
from engine.tempo import TempoMap
from tests.hearing import centroid_hz, chord_score, onset_error_ms, onsets

RATE = 22050
STYLES = list_styles()
CHORDS = ("E:min", "C:maj", "G:maj", "D:maj", "A:min7", "D:7", "G:maj7", "B:min")
ENERGIES = (0.5, 0.7, 1.0, 1.4, 2.0)
SLOW_MS = 12.0
SLOW = frozenset({
    "warm_pad", "saw_pad", "supersaw", "strings", "violins", "celli", "horns", "woodwinds", "flute", "sax",
    "electric_piano",
})  # fmt: skip
"""Voices that swell, or whose chords are rolled: they are heard a few milliseconds after they start."""


@lru_cache
def song(bars: int = 12, bpm: float = 104.0, energies: tuple[float, ...] = (0.1, 0.5, 0.95)) -> Analysis:
    """One chord a bar, sections that rise, a melody of chord tones, nobody sings."""
    bar_s = 240.0 / bpm
    edges = [round(i * bars / len(energies)) * bar_s for i in range(len(energies) + 1)]
    tones = {
        "E": (64, 67, 71),
        "C": (60, 64, 67),
        "G": (67, 71, 62),
        "D": (62, 66, 69),
        "A": (69, 60, 64),
        "B": (71, 62, 66),
    }
    chords = tuple(Chord(i * bar_s, (i + 1) * bar_s, CHORDS[i % len(CHORDS)]) for i in range(bars))
    melody = tuple(
        MelodyNote(chord.start_s + i * bar_s / 4, chord.start_s + (i + 1) * bar_s / 4, pitch, 0.9)
        for chord in chords
        for i, pitch in enumerate(tones[chord.label[0]])
    )
    seconds = int(2 * bars * bar_s) + 1
    levels = [
        -20.0 + 10.0 * energies[min(len(energies) - 1, int(i * len(energies) / seconds))]
        for i in range(seconds)
    ]
    return Analysis(
        duration_s=bars * bar_s,
        tempo_bpm=bpm,
        tempo_candidates=(TempoCandidate(bpm, 1.0),),
        tempo_source="estimated",
        steady=True,
        has_beat=True,
        beats_s=tuple(i * bar_s / 4 for i in range(4 * bars)),
        downbeats_s=tuple(i * bar_s for i in range(bars)),
        beats_per_bar=4,
        key=Key("E", "minor", 0.9),
        key_candidates=(),
        chords=chords,
        sections=tuple(
            Section(start, end, "ABC"[i % 3], energies[i]) for i, (start, end) in enumerate(pairwise(edges))
        ),
        energy=Curve(0.5, tuple(levels)),
        brightness=Curve(0.5, (2000.0,) * seconds),
        vocal_activity=Curve(0.5, (0.0,) * seconds),
        melody=melody,
        loudness_lufs=-14.0,
        mean_brightness_hz=2000.0,
    )


@dataclass(frozen=True)
class Played:
    """An arrangement as it sounds: parts as they come to the mixer's output, and the mix."""

    arrangement: Arrangement
    target_map: TempoMap
    tracks: dict[str, MixedTrack]
    mix: Audio
    chords: tuple[Chord, ...]

    @property
    def audible(self) -> list[Part]:
        return [part for part in self.arrangement.parts if part.role != "fx"]

    def starts_s(self, part: Part) -> list[float]:
        return [self.target_map.seconds(note.start_beat) for note in part.notes]


def arranged(analysis: Analysis, style_id: str, energy: float = 1.0) -> tuple[Arrangement, TempoMap]:
    style = load_style(style_id)
    plan = plan_timeline(analysis, None, "project", style.tempo_range_bpm)
    made = arrange(plan.analysis, plan.source_map, plan.target_map, style, seed=0, energy=energy)
    return made, plan.target_map


@lru_cache(maxsize=64)
def played(style_id: str, analysis: Analysis, energy: float = 1.0, brightness: float = 1.0) -> Played:
    style = load_style(style_id)
    made, target_map = arranged(analysis, style_id, energy)
    frames = round(analysis.duration_s * RATE)
    rendered = render_parts(made, target_map, RATE, frames, brightness, SILENT)
    mixed = mix(to_mix(made, rendered, energy), console_of(style, energy)[0], SILENT)
    return Played(made, target_map, mixed.tracks, mixed.mix, analysis.chords)


def rises(values: list[float]) -> bool:
    return all(after > before for before, after in pairwise(values))


def test_the_ear_itself_hears_bursts_where_they_are() -> None:
    rng = np.random.default_rng(0)
    sound = np.zeros((1, 6 * RATE), np.float32)
    starts_s = [0.3 + 0.41 * i for i in range(12)]
    for start_s in starts_s:
        burst = rng.normal(size=RATE // 5) * np.exp(-np.arange(RATE // 5) / 900)
        sound[0, round(start_s * RATE) :][: len(burst)] += burst.astype(np.float32)
    error_ms, matched = onset_error_ms(sound, RATE, starts_s)
    assert matched == 12
    assert error_ms < 1.5


@pytest.mark.parametrize("style_id", STYLES)
def test_parts_sound_when_their_midi_says(style_id: str) -> None:
    music = played(style_id, song())
    errors = []
    for part in music.audible:
        error_ms, matched = onset_error_ms(music.tracks[part.name].audio.samples, RATE, music.starts_s(part))
        pumps = any(effect["type"] == "sidechain" for effect in part.effects) and part.role == "pad"
        if matched < 6 or pumps:
            continue
        errors += [error_ms] * matched
        assert error_ms <= (SLOW_MS if part.voice in SLOW else 5.0), (part.name, error_ms)
    assert len(errors) > 100
    assert np.median(errors) <= 5.0


@pytest.mark.parametrize("style_id", STYLES)
def test_all_parts_together_sound_the_songs_chords(style_id: str) -> None:
    music = played(style_id, song())
    chords = [(chord.start_s, chord.end_s, chord.label) for chord in music.chords]
    assert chord_score(music.mix.samples, RATE, chords, roots=style_id == "rock") >= 0.8


@pytest.mark.parametrize("style_id", STYLES)
def test_no_part_is_lost_in_the_mix_and_none_has_an_offset(style_id: str) -> None:
    music = played(style_id, song())
    loudest = max(track.loudness_lufs for track in music.tracks.values())
    for part in music.audible:
        track = music.tracks[part.name]
        assert track.loudness_lufs > loudest - 25.0, part.name
        rms = float(np.sqrt(np.square(track.audio.samples).mean()))
        assert np.abs(track.audio.samples.mean(axis=1)).max() < 0.05 * rms, part.name


def test_styles_differ_in_brightness_density_or_dynamics() -> None:
    rows = {}
    for style_id in STYLES:
        music = played(style_id, song())
        samples = music.mix.samples
        crest_db = 20 * np.log10(np.abs(samples).max() / np.sqrt(np.square(samples).mean()))
        rows[style_id] = np.array([
            np.log2(centroid_hz(samples, RATE)) / 0.25,
            np.log2(len(onsets(samples, RATE))) / 0.15,
            crest_db / 1.5,
            np.mean(load_style(style_id).tempo_range_bpm) / 15,
        ])  # fmt: skip
    for i, one in enumerate(STYLES):
        for other in STYLES[i + 1 :]:
            assert np.abs(rows[one] - rows[other]).max() > 1.0, (one, other)


@pytest.mark.parametrize("style_id", STYLES)
def test_more_energy_always_means_more_onsets(style_id: str) -> None:
    counts = []
    for energy in ENERGIES:
        made, target_map = arranged(song(), style_id, energy)
        times = [target_map.seconds(n.start_beat) for p in made.parts if p.role != "fx" for n in p.notes]
        counts.append((len(times), len(np.unique(np.round(np.array(times) / 0.03)))))
    assert rises([float(notes) for notes, _ in counts]), counts
    assert all(after >= before for before, after in pairwise([times for _, times in counts])), counts
    assert counts[0][1] < counts[2][1] < counts[-1][1], counts


@pytest.mark.parametrize("style_id", STYLES)
def test_brightness_moves_the_centre_of_the_spectrum(style_id: str) -> None:
    short = song(4, 104.0, (0.5,))
    heard = [centroid_hz(played(style_id, short, 1.0, b).mix.samples, RATE) for b in (0.5, 1.0, 2.0)]
    assert rises(heard), heard


@pytest.mark.parametrize("style_id", ["edm", "jazz"])
def test_energy_moves_loudness_and_what_is_heard_to_begin(style_id: str) -> None:
    short = song(4, 104.0, (0.5,))
    music = [played(style_id, short, energy) for energy in (0.5, 1.0, 2.0)]
    assert rises([integrated_lufs(each.mix) for each in music])
    assert len(onsets(music[0].mix.samples, RATE)) < len(onsets(music[-1].mix.samples, RATE))


@pytest.mark.slow
@pytest.mark.parametrize("style_id", STYLES)
def test_every_step_of_energy_and_brightness_is_heard(style_id: str) -> None:
    short = song(6, 104.0, (0.1, 0.95))
    levels = [integrated_lufs(played(style_id, short, energy).mix) for energy in ENERGIES]
    assert rises(levels), levels
    centres = [centroid_hz(played(style_id, short, 1.0, each).mix.samples, RATE) for each in ENERGIES]
    assert rises(centres), centres
