"""Mix and master twelve stems: how long it takes, how much memory, and where the time goes.

    python benchmarks/mixmaster.py [STEM …] [--minutes 4] [--preset pop] [--no-tracks] [--json]

Without files, twelve stereo stems of `--minutes` are made first (not timed). The job runs in a process of its own with
an empty cache: reading, listening, deciding, mixing, mastering, checking the written file, reports, and writing the
return, by default with every stem as a track. `seconds` is wall time, `cpu_seconds` that of all threads,
`real_time_factor` the song's length over `seconds`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

RATE = 44_100
ROLES = (
    "kick", "snare", "hats", "percussion", "bass", "lead vocal", "backing vocal", "guitar", "piano", "pad", "strings",
    "synth",
)  # fmt: skip


def make_stems(folder: Path, minutes: float) -> list[Path]:
    """Write twelve stereo stems: ten seconds of a texture for each role, repeated with level changes."""
    from engine.audio import Audio, write_wav

    frames, bar = round(minutes * 60 * RATE), 10 * RATE
    t = np.arange(bar) / RATE
    files = []
    for number, role in enumerate(ROLES):
        random = np.random.default_rng(number)
        noise = random.normal(size=(2, bar))
        tone = sum(
            np.sin(2 * np.pi * (55.0 * (1 + number) * k) * t + side) / k
            for k in range(1, 9)
            for side in (0.0,)
        )
        beat = np.exp(-8.0 * (t % (0.25 * (1 + number % 4))))
        piece = (0.6 * noise * (number < 4) + tone + 0.1 * noise) * beat
        piece *= 0.25 / np.abs(piece).max()
        whole = np.tile(piece, (1, frames // bar + 1))[:, :frames].astype(np.float32)
        whole *= np.interp(np.arange(frames), np.linspace(0, frames, 9), random.uniform(0.4, 1.0, 9)).astype(
            np.float32
        )
        path = folder / f"{number + 1:02d} {role}.wav"
        write_wav(path, Audio(whole, RATE), "PCM_24")
        files.append(path)
    return files


def run(files: list[Path], out: Path, home: Path, preset: str, *, tracks: bool) -> dict[str, object]:
    """Run one mix in this process and return what it took."""
    import resource

    from bridge.config import load_settings
    from bridge.job import Job
    from bridge.protocol import parse_request

    request = parse_request(
        {
            "action": "mix",
            "inputs": [{"path": str(file)} for file in files],
            "preset": preset,
            "mixing": {"tracks": tracks},
        }
    )
    settings = load_settings().model_copy(update={"home": home})
    started, used = time.perf_counter(), time.process_time()
    manifest = Job(request, settings, out).run()
    seconds, cpu = time.perf_counter() - started, time.process_time() - used
    song_s = manifest.tracks[-1].frames / manifest.tracks[-1].sample_rate
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "stems": len(files),
        "song_seconds": round(song_s, 1),
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu, 2),
        "real_time_factor": round(song_s / seconds, 2),
        "peak_rss_mb": round(peak / (1024.0 if sys.platform != "darwin" else 1024.0**2), 1),
        "stages": {stage.stage: stage.seconds for stage in manifest.stages},
        "master_lufs": manifest.loudness["master"].integrated_lufs,
        "true_peak_dbtp": manifest.loudness["master"].true_peak_dbtp,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--preset", default="pop")
    parser.add_argument("--no-tracks", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside is not None:
        inside = arguments.inside
        done = run(
            arguments.files, inside / "out", inside / "home", arguments.preset, tracks=not arguments.no_tracks
        )
        print(json.dumps(done))
        return
    with tempfile.TemporaryDirectory(prefix="nrx-bench-") as temporary:
        folder = Path(temporary)
        files = arguments.files or make_stems(folder, arguments.minutes)
        again = [
            sys.executable,
            __file__,
            *map(str, files),
            "--inside",
            str(folder),
            "--preset",
            arguments.preset,
        ]
        again += ["--no-tracks"] if arguments.no_tracks else []
        child = subprocess.run(again, capture_output=True, text=True, check=False)
        if child.returncode:
            sys.exit(child.stderr)
    result = json.loads(child.stdout.splitlines()[-1])
    if arguments.json:
        print(json.dumps(result))
        return
    print("| | |\n| --- | --- |")
    for name, value in result.items():
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()
