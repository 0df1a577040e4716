"""How the styles differ, and how well what they play keeps time and harmony: one song, every style, one table.

    python benchmarks/styles.py [FILE] [--seconds 40] [--tempo style] [--seed 0] [--json]

FILE is separated and analysed first (its first `--seconds` are used); without one, a short song is made here. Parts are
arranged, played and mixed as `nrx remix` does it, at the style's tempo by default, without the voice. Measured on the
mix before mastering:
- `bpm`, and `groove`, which is 0.5 or 2 where the players feel half- or double-time;
- `centroid_hz` of the long-term spectrum; `onsets_per_s` heard by spectral flux; `notes_per_s` of the MIDI;
- `lra_lu` (EBU Tech 3342) and `crest_db`, peak over RMS;
- `chords`: weighted majmin between the chords asked for and those an independent template recogniser hears in all
  parts together (`roots`: roots only, for styles of power chords);
- `onset_ms`: median distance of heard onsets from the parts' own MIDI, over all notes but effects.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from engine.actions.perform import console_of, render_parts, to_mix
from engine.actions.timeline import moved_markers, plan_timeline
from engine.analysis import Analysis, analyze
from engine.audio import Audio, read_audio
from engine.generation.arranger import arrange
from engine.loudness import measure
from engine.mixing import mix
from engine.presets import list_styles, load_style
from engine.progress import SILENT
from engine.separation import separate
from tests.hearing import centroid_hz, chord_score, onset_error_ms, onsets
from tests.songs import song

RATE = 44100
COLUMNS = (
    "bpm", "groove", "centroid_hz", "notes_per_s", "onsets_per_s", "lra_lu", "crest_db", "chords", "roots", "onset_ms",
)  # fmt: skip


def analysis_of(file: Path | None, seconds: float) -> Analysis:
    """Return the analysis of the start of a file, or of a song made here."""
    if file is None:
        audio = Audio(song(bpm=100.0, bars=round(seconds / 2.4)).T.astype(np.float32), RATE)
    else:
        whole = read_audio(file)
        audio = Audio(whole.samples[:, : round(seconds * whole.sample_rate)].copy(), whole.sample_rate)
    return analyze(separate(audio), audio)


def row_of(style_id: str, analysis: Analysis, tempo: str, seed: int) -> dict[str, float]:
    """Return the figures of one style."""
    style = load_style(style_id)
    plan = plan_timeline(analysis, None, "style" if tempo == "style" else "project", style.tempo_range_bpm)
    music = arrange(plan.analysis, plan.source_map, plan.target_map, style, seed=seed, keep=frozenset())
    length_s = float(plan.target_map.seconds(plan.source_map.beats(analysis.duration_s)))
    rendered = render_parts(music, plan.target_map, RATE, round(length_s * RATE), 1.0, SILENT)
    mixed = mix(to_mix(music, rendered), console_of(style, 1.0)[0], SILENT)
    samples = mixed.mix.samples
    chords = [(c.start_s, c.end_s, c.label) for c in moved_markers(plan)[0] if c.label != "N"]
    errors: list[float] = []
    for part in music.parts:
        if part.role != "fx":
            starts = [float(plan.target_map.seconds(note.start_beat)) for note in part.notes]
            error, matched = onset_error_ms(mixed.tracks[part.name].audio.samples, RATE, starts)
            errors += [error] * matched
    return {
        "bpm": plan.target_map.average_bpm(),
        "groove": music.groove_multiple,
        "centroid_hz": centroid_hz(samples, RATE),
        "notes_per_s": sum(len(part.notes) for part in music.parts) / length_s,
        "onsets_per_s": len(onsets(samples, RATE)) / length_s,
        "lra_lu": measure(mixed.mix).lra,
        "crest_db": float(20 * np.log10(np.abs(samples).max() / np.sqrt(np.square(samples).mean()))),
        "chords": chord_score(samples, RATE, chords),
        "roots": chord_score(samples, RATE, chords, roots=True),
        "onset_ms": float(np.median(errors)),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("file", type=Path, nargs="?")
    arguments.add_argument("--seconds", type=float, default=40.0)
    arguments.add_argument("--tempo", choices=["style", "project"], default="style")
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    analysis = analysis_of(given.file, given.seconds)
    rows = {
        style_id: {
            name: round(value, 2)
            for name, value in row_of(style_id, analysis, given.tempo, given.seed).items()
        }
        for style_id in list_styles()
    }
    if given.json:
        print(json.dumps(rows))
        return
    print(f"{'':12}" + "".join(f"{name:>13}" for name in COLUMNS))
    for style_id, row in rows.items():
        print(f"{style_id:12}" + "".join(f"{row[name]:>13g}" for name in COLUMNS))


if __name__ == "__main__":
    main()
