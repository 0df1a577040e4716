"""Songs of known form for tests of the arranger."""

from itertools import pairwise

from engine.analysis.model import Analysis, Chord, Curve, Key, MelodyNote, Section, TempoCandidate

FOUR_CHORDS = ("E:min", "C:maj", "G:maj", "D:maj")
ENERGIES = (0.15, 0.5, 0.95, 0.5, 0.95, 0.1)


def song(
    *,
    bars=48,
    bpm=100.0,
    beats_per_bar=4.0,
    chords=FOUR_CHORDS,
    energies=ENERGIES,
    key=("E", "minor"),
    sings=0.0,
    melody=True,
    has_beat=True,
    start_s=0.0,
) -> Analysis:
    """A song of known form: one chord a bar, sections of equal length with the given energies."""
    beat_s = 60.0 / bpm
    bar_s = beats_per_bar * beat_s
    end_s = start_s + bars * bar_s
    edges = [start_s + round(i * bars / len(energies)) * bar_s for i in range(len(energies) + 1)]
    root = {"minor": (0, 3, 7, 10), "major": (0, 4, 7, 9)}[key[1]]
    notes = [
        MelodyNote(
            start_s + (4 * n + i) * beat_s, start_s + (4 * n + i + 1) * beat_s, 64 + root[(n + i) % 4], 0.9
        )
        for n in range(int(bars * beats_per_bar // 4))
        for i in range(3)
    ]
    seconds = int(end_s * 2) + 1
    return Analysis(
        duration_s=end_s,
        tempo_bpm=bpm,
        tempo_candidates=(TempoCandidate(bpm, 1.0),),
        tempo_source="tempo map",
        steady=True,
        has_beat=has_beat,
        beats_s=(),
        downbeats_s=(),
        beats_per_bar=max(1, round(beats_per_bar)),
        key=Key(*key, 0.9),
        key_candidates=(),
        chords=tuple(
            Chord(start_s + i * bar_s, start_s + (i + 1) * bar_s, chords[i % len(chords)])
            for i in range(bars)
        ),
        sections=tuple(
            Section(a, b, "ABCDEFGH"[i % 8], energies[i]) for i, (a, b) in enumerate(pairwise(edges))
        ),
        energy=Curve(0.5, (-14.0,) * seconds),
        brightness=Curve(0.5, (2000.0,) * seconds),
        vocal_activity=Curve(0.5, (sings,) * seconds),
        melody=tuple(notes) if melody else (),
        loudness_lufs=-14.0,
        mean_brightness_hz=2000.0,
    )
