"""How well songs with known truth are analysed, and how fast.

Usage: python benchmarks/analysis.py FOLDER [FOLDER …] [--stems separated|truth|none] [--cache DIR] [--json]

Each FOLDER holds mix.wav and truth.json (bpm, bpm_end, time_signature, beats, downbeats, key, chords), and
for `--stems truth` groups/{vocals,drums,bass,other}.wav: what a renderer of multitracks writes. Stems are
separated by the engine (kept in the cache folder, if one is given), taken from the truth, or left out. A line
for each song: error of the tempo in BPM (of the median beat where it moves), F-measures of beats and
downbeats (mir_eval, 70 ms), the median offset of beats in ms, beats in a bar, the key with its MIREX score,
weighted chord majmin, and how many times faster than real time `analyze` ran by CPU time.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import mir_eval
import numpy as np

from engine.analysis import Analysis, analyze
from engine.audio import Audio, read_audio

ROLES = ("vocals", "drums", "bass", "other")


def stems_of(folder: Path, mix: Audio, kind: str, cache: Path | None) -> dict[str, Audio] | None:
    if kind == "none":
        return None
    if kind == "truth":
        return {role: read_audio(folder / "groups" / f"{role}.wav") for role in ROLES}
    kept = cache / folder.name if cache else None
    if kept and all((kept / f"{role}.npy").exists() for role in ROLES):
        return {role: Audio(np.load(kept / f"{role}.npy"), mix.sample_rate) for role in ROLES}
    from engine.separation import separate

    stems = separate(mix)
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
        for role, audio in stems.items():
            np.save(kept / f"{role}.npy", audio.samples)
    return dict(stems)


def majmin(truth: list[dict[str, Any]], analysis: Analysis) -> float:
    """Weighted majmin agreement of the chords, over the time of the truth."""
    reference = np.array([[c["start"], c["end"]] for c in truth])
    heard, labels = mir_eval.util.adjust_intervals(
        np.array([[c.start_s, c.end_s] for c in analysis.chords]),
        [c.label for c in analysis.chords],
        reference.min(),
        reference.max(),
        "N",
        "N",
    )
    spans, want, got = mir_eval.util.merge_labeled_intervals(
        reference, [c["label"] for c in truth], heard, labels
    )
    score = mir_eval.chord.majmin(want, got)
    return float(mir_eval.chord.weighted_accuracy(score, mir_eval.util.intervals_to_durations(spans)))


def measure(folder: Path, kind: str, cache: Path | None) -> dict[str, Any]:
    """Analyse one song and compare it with its truth."""
    truth = json.loads((folder / "truth.json").read_text())
    mix = read_audio(folder / "mix.wav")
    stems = stems_of(folder, mix, kind, cache)
    started = time.process_time()
    analysis = analyze(stems, mix)
    cpu_s = time.process_time() - started
    beats, found = np.array(truth["beats"]), np.array(analysis.beats_s)
    bpm = 60 / float(np.median(np.diff(beats))) if truth["bpm_end"] != truth["bpm"] else truth["bpm"]
    nearest = found[np.abs(found[:, None] - beats).argmin(axis=0)]
    return {
        "song": folder.name,
        "stems": kind,
        "bpm": truth["bpm"],
        "bpm_error": analysis.tempo_bpm - bpm,
        "steady": analysis.steady,
        "beat_f": mir_eval.beat.f_measure(beats, found),
        "downbeat_f": mir_eval.beat.f_measure(np.array(truth["downbeats"]), np.array(analysis.downbeats_s)),
        "offset_ms": 1e3 * float(np.median(nearest - beats)),
        "time_signature": truth["time_signature"],
        "beats_per_bar": analysis.beats_per_bar,
        "key": analysis.key.name,
        "true_key": truth["key"],
        "key_score": mir_eval.key.weighted_score(truth["key"], analysis.key.name),
        "majmin": majmin(truth["chords"], analysis),
        "sections": [[s.start_s, s.end_s, s.label, s.energy] for s in analysis.sections],
        "times_real_time": mix.duration_s / cpu_s,
    }


def line_of(row: dict[str, Any]) -> str:
    return (
        f"{row['song']:14s} {row['bpm']:7.2f} {row['bpm_error']:+8.3f}  beat {row['beat_f']:.3f}  "
        f"down {row['downbeat_f']:.3f}  {row['offset_ms']:+5.1f} ms  {row['beats_per_bar']} of "
        f"{row['time_signature']}  "
        f"{row['key']:9s} for {row['true_key']:9s} {row['key_score']:.1f}  majmin {row['majmin']:.3f}  "
        f"{row['times_real_time']:4.0f}x"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--stems", choices=("separated", "truth", "none"), default="separated")
    parser.add_argument("--cache", type=Path, help="where separated stems are kept between runs")
    parser.add_argument("--json", action="store_true", help="one JSON object a line instead of the table")
    given = parser.parse_args()
    for folder in given.folders:
        row = measure(folder, given.stems, given.cache)
        print(json.dumps(row) if given.json else line_of(row), flush=True)


if __name__ == "__main__":
    main()
