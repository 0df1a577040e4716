"""Against matchering: the same song matched to the same reference, one after the other, each in a process of its own.

    python benchmarks/matchering.py [TARGET REFERENCE] [--seconds 240] [--runs 1] [--json]

Without files it makes a song and a louder, brighter reference of `--seconds` length. Both read two WAV files and write
a 24-bit one; ours measures, checks and reports as well, and handles memory as every job does. Loudness and true peak
are those of libebur128, the spectrum's distance is the mean over the third octaves from 25 Hz to 16 kHz at equal
loudness, time is wall time with start and imports, memory the most that the process held. Needs
`pip install nrx-bridge[bench]`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyebur128

from engine.audio import Audio, read_audio, write_wav
from engine.loudness.spectrum import THIRD_OCTAVES_HZ, spectrum

THEIRS = """
import sys, matchering
matchering.process(target=sys.argv[1], reference=sys.argv[2], results=[matchering.pcm24(sys.argv[3])])
"""
OURS = """
import json, sys
from pathlib import Path
from bridge.memory import memory_for_a_job
from engine.audio import read_audio
from engine.mastering import MasterWishes, make_master, read_both
from engine.mastering.describe import describe_master
with memory_for_a_job():
    song, heard, reference = read_both(lambda: read_audio(sys.argv[1]), [lambda: read_audio(sys.argv[2])])
    wishes = MasterWishes()
    made = make_master(song, wishes, Path(sys.argv[3]), reference, heard=heard)
    Path(sys.argv[3]).with_suffix(".json").write_text(json.dumps(describe_master(made, wishes, "song")))
"""
PEAK = """
import resource
from pathlib import Path
used = resource.getrusage(resource.RUSAGE_SELF)
peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
if Path("/proc/self/status").exists():  # there, ru_maxrss begins with what the parent process held
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024
print("figures", peak, used.ru_utime + used.ru_stime)
"""
SEED = 7


def made_song(seconds: float, *, bright: float, drive: float, seed: int) -> Audio:
    """Return drums, bass, pads and noise; `bright` tilts it, `drive` makes it denser."""
    rate = 44_100
    random = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * rate)) / rate
    beat = time_s % 0.48
    kick = np.exp(-16.0 * beat) * np.sin(2 * np.pi * (52.0 * beat + 4.0 * (1 - np.exp(-30.0 * beat))))
    snare = np.exp(-22.0 * ((time_s + 0.48) % 0.96)) * random.standard_normal(len(time_s))
    hat = np.exp(-60.0 * (time_s % 0.24)) * np.diff(random.standard_normal(len(time_s) + 1))
    bass = np.tanh(2.0 * np.sin(2 * np.pi * 55.0 * time_s)) * (
        0.5 + 0.5 * np.sign(np.sin(2 * np.pi * time_s))
    )
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * time_s / 16.0)
    channels = []
    for side in (-1.0, 1.0):
        pad = sum(
            np.sin(2 * np.pi * f * (1 + side * 0.0015) * time_s) / (1.0 + f / 900.0)
            for f in (220.0, 277.2, 329.6, 660.0, 1320.0, 2640.0)
        )
        channels.append(0.8 * kick + 0.3 * snare + bright * 0.15 * hat + 0.35 * bass + 0.12 * swell * pad)
    wave = np.tanh(drive * np.stack(channels)) / drive
    return Audio((0.6 * wave / np.abs(wave).max()).astype(np.float32), rate)


def run_one(program: str, target: Path, reference: Path, out: Path) -> dict[str, float]:
    """Run a program in a process of its own; return its wall and CPU seconds, and the most memory it held."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    imports = "\n".join(line for line in program.splitlines() if line.startswith(("import", "from")))
    # What is installed is compiled: a first import, not timed, sees to it for both.
    subprocess.run([sys.executable, "-W", "ignore", "-c", imports], check=True, env=environment)
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program + PEAK, str(target), str(reference), str(out)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    seconds = time.perf_counter() - start
    figures = next(line for line in done.stdout.splitlines() if line.startswith("figures")).split()
    return {"seconds": seconds, "cpu_seconds": float(figures[2]), "peak_rss_mb": int(figures[1]) / 1e6}


def by_libebur128(audio: Audio) -> tuple[float, float]:
    """Return loudness in LUFS and true peak in dBTP."""
    mode = pyebur128.MeasurementMode
    state = pyebur128.R128State(audio.channels, audio.sample_rate, mode.MODE_I | mode.MODE_TRUE_PEAK)
    state.add_frames(np.ascontiguousarray(audio.samples.T).reshape(-1), audio.frames)
    peak = max(pyebur128.get_true_peak(state, channel) for channel in range(audio.channels))
    return pyebur128.get_loudness_global(state), 20.0 * float(np.log10(max(peak, 1e-12)))


def levels_of(audio: Audio, loudness: float) -> np.ndarray:
    """Return third-octave levels at 0 LUFS, 25 Hz to 16 kHz."""
    heard = np.array(THIRD_OCTAVES_HZ) <= 16_000.0
    return spectrum(audio).level_db()[heard] - loudness


def compare(target: Path, reference: Path, folder: Path, runs: int) -> dict[str, Any]:
    """Run both `runs` times in turn; return the figures of the fastest runs and of what came out."""
    found: dict[str, Any] = {}
    for turn in range(runs):
        for name, program in (("matchering", THEIRS), ("nrx", OURS)):
            out = folder / f"{name}{turn}.wav"
            took = run_one(program, target, reference, out)
            if name not in found or took["seconds"] < found[name]["seconds"]:
                found[name] = {**took, "out": out}
    wanted = read_audio(reference)
    wanted_lufs, _ = by_libebur128(wanted)
    wanted_db = levels_of(wanted, wanted_lufs)
    source = read_audio(target)
    source_db = levels_of(source, by_libebur128(source)[0])
    reachable = np.abs(wanted_db - source_db) <= 4.0
    for result in (found["matchering"], found["nrx"]):
        audio = read_audio(result.pop("out"))
        loudness, peak = by_libebur128(audio)
        away = np.abs(levels_of(audio, loudness) - wanted_db)
        result |= {
            "lufs": loudness,
            "loudness_error_lu": abs(loudness - wanted_lufs),
            "true_peak_dbtp": peak,
            "spectrum_error_db": float(away.mean()),
            "spectrum_error_reachable_db": float(away[reachable].mean()) if reachable.any() else 0.0,
        }
    theirs, ours = found["matchering"], found["nrx"]
    return {
        "reference_lufs": wanted_lufs,
        "reachable_bands": int(reachable.sum()),
        "speed_ratio": theirs["seconds"] / ours["seconds"],
        "cpu_ratio": theirs["cpu_seconds"] / ours["cpu_seconds"],
        "memory_ratio": ours["peak_rss_mb"] / theirs["peak_rss_mb"],
        **found,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="TARGET REFERENCE")
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--json", action="store_true", dest="as_json")
    arguments = parser.parse_args()
    if len(arguments.files) not in (0, 2):
        parser.error("give a target and a reference, or neither")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        target, reference = folder / "target.wav", folder / "reference.wav"
        if arguments.files:
            for source, path in zip(arguments.files, (target, reference), strict=True):
                write_wav(path, read_audio(source), "PCM_24")
        else:
            song = made_song(arguments.seconds, bright=0.6, drive=0.7, seed=SEED)
            write_wav(target, song, "PCM_24")
            write_wav(reference, made_song(arguments.seconds, bright=1.4, drive=3.0, seed=SEED + 1), "PCM_24")
            del song
        found = compare(target, reference, folder, arguments.runs)
    if arguments.as_json:
        print(json.dumps(found, indent=1))
        return
    print(
        f"Reference {found['reference_lufs']:.2f} LUFS; {found['reachable_bands']} bands within 4 dB of it."
    )
    print("| | s | CPU s | MB | LUFS | off by LU | dBTP | spectrum off by dB | where 4 dB suffice |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in ("matchering", "nrx"):
        row = found[name]
        print(
            f"| {name} | {row['seconds']:.1f} | {row['cpu_seconds']:.1f} | {row['peak_rss_mb']:.0f} "
            f"| {row['lufs']:.2f} | {row['loudness_error_lu']:.2f} | {row['true_peak_dbtp']:+.2f} "
            f"| {row['spectrum_error_db']:.2f} "
            f"| {row['spectrum_error_reachable_db']:.2f} |"
        )
    faster, by_cpu, memory = (found[key] for key in ("speed_ratio", "cpu_ratio", "memory_ratio"))
    print(f"{faster:.1f} times as fast ({by_cpu:.1f} by CPU time), with {memory:.0%} of the memory.")


if __name__ == "__main__":
    main()
