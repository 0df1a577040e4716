"""How well, and how fast, `spectral` separates, beside what else can be done without weights.

    python benchmarks/separation.py [FOLDER …] [--backend spectral] [--seconds 60] [--json]

A FOLDER holds `mix.wav` and `groups/{vocals,drums,bass,other}.wav`, which sum to it. Without one, songs are made here.

The figure is the signal-to-distortion ratio of a whole stem, SDR = 10 log10(sum s^2 / sum (s - s')^2) over all channels
and frames. The rivals are measured on the same files, each role by the part of the rival's output that holds it:
- `mix`: doing nothing, the mix itself as every stem;
- `hpss`: librosa's median-filter harmonic-percussive separation (percussive for drums, harmonic for the rest);
- `repet_sim`: librosa's vocal-separation recipe, nearest-neighbour filtering by cosine similarity with soft masks
  (foreground for vocals, background for the rest). A baseline here and nowhere else: REPET-SIM is under patent.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.audio.buffer import Audio, Samples
from engine.separation import STEMS, separate

Stems = dict[str, Samples]


def sdr_db(truth: Samples, estimate: Samples) -> float:
    """Return the signal-to-distortion ratio in dB."""
    wanted = truth.astype(np.float64)
    return float(10 * np.log10((wanted**2).sum() / ((wanted - estimate) ** 2).sum()))


# ---- songs ----------------------------------------------------------------------------------------------------------


def pan(mono: NDArray[np.float64], place: float) -> NDArray[np.float64]:
    """Return two channels with a sound placed between left (-1) and right (1) at constant power."""
    angle = (place + 1) * np.pi / 4
    return np.stack([mono * np.cos(angle), mono * np.sin(angle)]) * np.sqrt(2)


def tone(
    pitch_hz: NDArray[np.float64] | float,
    length: int,
    rate: int,
    slope: float,
    decay: float,
    phase: float = 0.0,
) -> NDArray[np.float64]:
    """Return a harmonic tone whose partials fall as 1 / n^slope and which dies away at `decay` per second."""
    phases = 2 * np.pi * np.cumsum(np.broadcast_to(pitch_hz, length)) / rate + phase
    highest = int(min(24, 0.45 * rate / np.max(pitch_hz)))
    seconds = np.arange(length) / rate
    ends = np.minimum(1, np.minimum(seconds, seconds[::-1]) / 0.01)
    total = sum(np.sin(n * phases + n * phase) / n**slope for n in range(1, highest + 1))
    return np.asarray(total * ends * np.exp(-decay * seconds))


def hit(kind: str, rate: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return one drum hit."""
    length_s, decay = {"kick": (0.3, 14.0), "snare": (0.25, 22.0), "hat": (0.1, 60.0)}[kind]
    seconds = np.arange(int(length_s * rate)) / rate
    noise = rng.standard_normal(len(seconds))
    body = {
        "kick": 2 * np.sin(2 * np.pi * (50 * seconds - 3 * np.exp(-40 * seconds))),
        "snare": noise * 0.7 + np.sin(2 * np.pi * 190 * seconds),
        "hat": np.diff(noise, prepend=0.0) * 0.5,
    }[kind]
    return np.asarray(body * np.exp(-decay * seconds))


def add(buffer: NDArray[np.float64], start: int, sound: NDArray[np.float64]) -> None:
    """Add a sound (channels, frames) to a buffer from `start` on, as far as it fits."""
    length = max(0, min(sound.shape[1], buffer.shape[1] - start))
    buffer[:, start : start + length] += sound[:, :length]


def make_song(seconds: float = 24.0, rate: int = 44100, seed: int = 0, repeats: bool = True) -> Stems:
    """Return the four stems (2, frames) of a made-up song: a gliding voice over drums, bass and wide chords.

    With `repeats` false nothing comes twice: chords, notes and hits are drawn anew, in time too, each time.
    """
    rng = np.random.default_rng(seed)
    frames = int(seconds * rate)
    beat = 60 / float(rng.uniform(85, 150))
    stems = {role: np.zeros((2, frames)) for role in STEMS}
    hits = {kind: hit(kind, rate, rng) for kind in ("kick", "snare", "hat")}
    roots = rng.choice(12, 4, replace=False)
    for index in range(int(seconds / beat)):
        start_s = index * beat
        loose = 0.0 if repeats else beat
        for kind, due in (("kick", index % 2 == 0), ("snare", index % 2 == 1), ("hat", True), ("hat", True)):
            if due or not repeats:
                sound = hits[kind] if repeats else hit(kind, rate, rng) * rng.uniform(0.5, 1.2)
                half = beat / 2 if kind == "hat" else 0.0
                when = start_s + half * float(rng.integers(2)) * (not repeats) + loose * float(rng.uniform())
                add(stems["drums"], int(when * rate), pan(sound, 0.25 if kind == "hat" else 0.0))
        root = int(roots[index // 4 % 4]) if repeats else int(rng.integers(12))
        low = tone(65.4 * 2 ** ((root + 7 * (index % 4 == 3)) / 12 - 0.5), int(beat * rate), rate, 1.5, 2.5)
        add(stems["bass"], int((start_s + 0.3 * loose * rng.uniform()) * rate), pan(low, 0.0))
        if index % 4 == 0 or not repeats:
            for step in (0, 4, 7) if repeats else rng.choice(12, 3, replace=False):
                length = int(4 * beat * rate) if repeats else int(float(rng.uniform(0.5, 2)) * beat * rate)
                pitch = 261.6 * 2 ** ((root + int(step)) / 12 - 0.5)
                sides = [
                    tone(pitch * d, length, rate, 1.2, 0.5, float(rng.uniform(0, 6.28)))
                    for d in (0.998, 1.003)
                ]
                add(stems["other"], int(start_s * rate), np.stack(sides))
    for start_s in np.arange(2 * beat, seconds, 1.5):
        length = int(float(rng.uniform(0.6, 1.4)) * rate)
        t = np.arange(length) / rate
        glide = float(rng.uniform(-2, 2)) * np.exp(-8 * t) + 0.4 * np.sin(2 * np.pi * 5.5 * t)
        pitch_hz = 220 * 2 ** ((float(rng.uniform(-9, 9)) + glide) / 12)
        add(stems["vocals"], int(start_s * rate), pan(tone(pitch_hz, length, rate, 0.9, 0.3), 0.0))
    for role, level_db in (("vocals", -18), ("drums", -19), ("bass", -19), ("other", -20)):
        stems[role] *= 10 ** (level_db / 20) / np.sqrt((stems[role] ** 2).mean())
    return {role: stem.astype(np.float32) for role, stem in stems.items()}


def read_song(folder: Path, seconds: float) -> tuple[Stems, int]:
    """Return the four stems in `folder/groups`, at most `seconds` of each, and their rate."""
    import soundfile

    stems: Stems = {}
    rate = 0
    for role in STEMS:
        path = folder / "groups" / f"{role}.wav"
        rate = int(soundfile.info(path).samplerate)
        samples, _ = soundfile.read(path, frames=int(seconds * rate), dtype="float32", always_2d=True)
        stems[role] = np.ascontiguousarray(samples.T)
    return stems, rate


# ---- rivals ---------------------------------------------------------------------------------------------------------


def nothing(mix: Audio) -> Stems:
    return dict.fromkeys(STEMS, mix.samples)


def hpss(mix: Audio) -> Stems:
    import librosa

    spectrum = librosa.stft(mix.samples)
    harmonic, percussive = librosa.decompose.hpss(spectrum)
    parts = [librosa.istft(part, length=mix.frames) for part in (harmonic, percussive)]
    return {role: parts[role == "drums"] for role in STEMS}


def repet_sim(mix: Audio) -> Stems:
    import librosa

    spectrum = librosa.stft(mix.samples)
    magnitude = np.abs(spectrum)
    width = int(librosa.time_to_frames(2, sr=mix.sample_rate))
    alike = np.stack(
        [librosa.decompose.nn_filter(m, aggregate=np.median, metric="cosine", width=width) for m in magnitude]
    )
    background = np.minimum(magnitude, alike)
    masks = (
        librosa.util.softmask(background, 2 * (magnitude - background), power=2),
        librosa.util.softmask(magnitude - background, 10 * background, power=2),
    )
    parts = [librosa.istft(mask * spectrum, length=mix.frames) for mask in masks]
    return {role: parts[role == "vocals"] for role in STEMS}


def contenders(backend: str) -> dict[str, Callable[[Audio], Stems]]:
    """Return what is compared: name -> function from a mix to its stems."""
    return {
        backend: lambda mix: {role: stem.samples for role, stem in separate(mix, backend=backend).items()},
        "mix": nothing,
        "hpss": hpss,
        "repet_sim": repet_sim,
    }


# ---- measuring ------------------------------------------------------------------------------------------------------


def measure(truth: Stems, rate: int, backend: str) -> dict[str, dict[str, float]]:
    """Return contender -> SDR of each role, their mean, and how many times faster than real time it was."""
    mix = Audio(np.sum(list(truth.values()), axis=0, dtype=np.float32), rate)
    rows: dict[str, dict[str, float]] = {}
    for name, contender in contenders(backend).items():
        started, worked = time.perf_counter(), time.process_time()
        stems = contender(mix)
        took, work = time.perf_counter() - started, time.process_time() - worked
        row = {role: sdr_db(truth[role], stems[role]) for role in STEMS}
        row["mean"] = float(np.mean([row[role] for role in STEMS]))
        row["times_real_time"] = mix.duration_s / max(took, 1e-9)
        row["times_real_time_cpu"] = mix.duration_s / max(work, 1e-9)
        rows[name] = row
    return rows


def print_table(results: dict[str, dict[str, dict[str, float]]]) -> None:
    columns = (*STEMS, "mean")
    print(f"{'song':16s}{'by':12s}" + "".join(f"{c:>9s}" for c in columns) + "   x real time (wall, cpu)")
    for song, rows in results.items():
        for name, row in rows.items():
            speed = "" if name == "mix" else f"{row['times_real_time']:9.1f}{row['times_real_time_cpu']:7.1f}"
            print(f"{song[:15]:16s}{name:12s}" + "".join(f"{row[c]:9.2f}" for c in columns) + speed)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--backend", default="spectral")
    parser.add_argument("--seconds", type=float, default=60.0, help="measure at most so much of each song")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    options = parser.parse_args(arguments)
    songs: dict[str, tuple[Stems, int]] = {}
    for folder in options.folders:
        songs[folder.name] = read_song(folder, options.seconds)
    if not songs:
        for seed in range(2):
            for kind, repeats in (("repeating", True), ("free", False)):
                songs[f"{kind} {seed}"] = (
                    make_song(min(options.seconds, 24.0), seed=seed, repeats=repeats),
                    44100,
                )
    for contender in contenders(options.backend).values():
        contender(
            Audio(next(iter(make_song(6.0).values())), 44100)
        )  # compiles and imports outside of the timing
    results = {name: measure(truth, rate, options.backend) for name, (truth, rate) in songs.items()}
    names = list(contenders(options.backend))
    results["all"] = {
        name: {
            key: float(np.mean([rows[name][key] for rows in results.values()]))
            for key in results[next(iter(songs))][name]
        }
        for name in names
    }
    if options.json:
        print(json.dumps(results, indent=1))
    else:
        print_table(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
