"""How fast `htdemucs` separates here beside the `demucs` package, and how far the stems are from its own.

    python benchmarks/demucs.py [--pairs 5] [--seconds 30] [--precision float32] [--scale 0.0001 1.0] [--json]

The network has the size of the published htdemucs (42 million weights) and random weights, which cost the same. Each
run is a process of its own; the two sides take turns at going first. What is timed is the whole way from the checkpoint
on disk to the stems in memory, at each side's defaults, on the same song with the same shift: loading, normalising,
separating, joining. Imports are not timed, and neither is the one-off conversion of the network, which is reported.

`--scale` gives values for the LayerScale of all residual branches, a run for each: with a fresh model's 1e-4 the
branches hardly count, and lower precisions look better than they are; with 1.0 they count as much as they can.

JSON: `ratio` (stock seconds / ours, median of the pairs), `cpu_ratio` (the same of processor time), `difference_db` =
rms(ours - stock) / rms(stock) over all stems, `seconds` and `cpu_seconds` and `peak_mb` of each side, the worst
`difference_db` and the median `ratio` over the scales.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# This file is called like the package that it measures, and Python looks beside a script first.
sys.path[:] = [path for path in sys.path if Path(path).resolve() != Path(__file__).resolve().parent]

RATE = 44100
SIDES = ("stock", "ours")
SOURCES = ("drums", "bass", "other", "vocals")


def song(seconds: float) -> NDArray[np.float32]:
    """Return a stereo song (2, frames): chords, a pulse and noise."""
    rng = np.random.default_rng(7)
    at_s = np.arange(int(seconds * RATE)) / RATE
    tones = sum(np.sin(2 * np.pi * pitch * at_s + phase) for pitch, phase in ((110, 0), (277, 1), (330, 2)))
    pulse = np.exp(-20 * (at_s % 0.5)) * rng.standard_normal(at_s.size)
    sides = [0.1 * tones + 0.3 * pulse + 0.01 * rng.standard_normal(at_s.size) for _ in range(2)]
    return np.stack(sides).astype(np.float32)


def write_checkpoint(folder: Path, scale: float) -> None:
    """Write a repository with a model of htdemucs' size, its residual branches scaled by `scale`."""
    from fractions import Fraction

    import torch
    from demucs.htdemucs import HTDemucs
    from safetensors.torch import save_file

    torch.manual_seed(0)
    sizes = {"channels": 48, "depth": 4, "dconv_mode": 3, "bottom_channels": 512, "t_layers": 5, "t_heads": 8}
    model = HTDemucs(list(SOURCES), **sizes, segment=Fraction(39, 5), samplerate=RATE)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if name.endswith(".scale"):
                weights.fill_(scale)
    named = {**sizes, "segment": {"_type": "fraction", "numerator": 39, "denominator": 5}, "samplerate": RATE}
    metadata = {
        "klass": "demucs.htdemucs.HTDemucs",
        "args": json.dumps([list(SOURCES)]),
        "kwargs": json.dumps(named),
    }
    tensors = {name: weights.contiguous() for name, weights in model.state_dict().items()}
    save_file(tensors, folder / "955717e8.safetensors", metadata)
    (folder / "htdemucs.yaml").write_text("models: ['955717e8']\n", encoding="utf-8")


def run_stock(folder: Path, mix: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """Return the stems (sources, 2, frames) of the `demucs` package."""
    import torch
    from demucs.api import Separator
    from demucs.hf import load_safetensors_model

    class FromFile(Separator):  # type: ignore[misc]  # demucs is untyped; its folder loader takes no safetensors
        def _load_model(self) -> None:
            self._model = load_safetensors_model(folder / "955717e8.safetensors").eval()
            self._audio_channels, self._samplerate = self._model.audio_channels, self._model.samplerate

    shift = random.Random(seed).randint(0, RATE // 2)
    drawn, random.randint = random.randint, lambda _low, _high: shift
    try:
        stems = FromFile("htdemucs", device="cpu", shifts=1).separate_tensor(torch.from_numpy(mix))[1]
    finally:
        random.randint = drawn
    return np.stack([stems[source].numpy() for source in SOURCES])


def run_ours(
    folder: Path, mix: NDArray[np.float32], seed: int, cache: Path, precision: str
) -> NDArray[np.float32]:
    """Return our stems, without what makes them sum to the mix, which `demucs` has not got."""
    from engine.audio.buffer import Audio
    from engine.separation.neural import DemucsSeparator

    separator = DemucsSeparator(
        folder,
        "htdemucs",
        device="cpu",
        shifts=1,
        residual=False,
        cache=cache,
        seed=seed,
        precision=precision,
    )
    stems = separator.separate(Audio(mix, RATE))
    return np.stack([stems[source].samples for source in SOURCES])


def work(side: str, options: argparse.Namespace) -> dict[str, float]:
    """Run one side in this process."""
    import demucs.api  # noqa: F401 - imported outside of the timing
    import openvino  # noqa: F401 - imported outside of the timing
    import psutil

    import engine.separation.neural.making  # noqa: F401 - imported outside of the timing

    mix = song(options.seconds)
    process = psutil.Process()
    began, used = time.perf_counter(), time.process_time()
    if side == "stock":
        stems = run_stock(options.work, mix, options.seed)
    else:
        stems = run_ours(options.work, mix, options.seed, options.work / "cache", options.precision)
    took, spent = time.perf_counter() - began, time.process_time() - used
    np.save(options.work / f"{side}.npy", stems)
    memory = process.memory_info()
    peak = getattr(memory, "peak_wset", 0) or _peak_bytes()
    return {"seconds": took, "cpu_seconds": spent, "peak_mb": peak / 1e6}


def _peak_bytes() -> int:
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)


def in_a_process(side: str, folder: Path, options: argparse.Namespace, seed: int) -> dict[str, float]:
    """Run one side in a process of its own."""
    command = [
        sys.executable, __file__, "--side", side, "--work", str(folder), "--seconds", str(options.seconds),
        "--precision", options.precision, "--seed", str(seed),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{side} failed:\n{done.stderr}")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def difference_db(folder: Path) -> float:
    """Return how far the stems of the last pair are apart: rms(ours - stock) / rms(stock)."""
    stock, ours = (np.load(folder / f"{side}.npy").astype(np.float64) for side in SIDES)
    return float(10 * np.log10(((ours - stock) ** 2).sum() / (stock**2).sum()))


def measure(scale: float, options: argparse.Namespace) -> dict[str, Any]:
    """Return the figures for one LayerScale."""
    with tempfile.TemporaryDirectory(prefix="nrx-demucs-") as name:
        folder = Path(name)
        write_checkpoint(folder, scale)
        first = in_a_process("ours", folder, options, 0)
        runs: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
        differences = []
        for pair in range(options.pairs):
            for side in SIDES[:: 1 if pair % 2 == 0 else -1]:
                runs[side].append(in_a_process(side, folder, options, pair))
            differences.append(difference_db(folder))
    pairs = list(zip(runs["stock"], runs["ours"], strict=True))
    median = {
        key: {side: statistics.median(run[key] for run in runs[side]) for side in SIDES}
        for key in ("seconds", "cpu_seconds", "peak_mb")
    }
    return {
        "scale": scale,
        "ratio": statistics.median(stock["seconds"] / ours["seconds"] for stock, ours in pairs),
        "cpu_ratio": statistics.median(stock["cpu_seconds"] / ours["cpu_seconds"] for stock, ours in pairs),
        "difference_db": max(differences),
        "conversion_s": first["seconds"] - median["seconds"]["ours"],
        **median,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=30.0, help="length of the song")
    parser.add_argument("--precision", default="float32", choices=("float32", "bfloat16", "float16"))
    parser.add_argument("--scale", type=float, nargs="+", default=[1e-4], help="LayerScale, a run for each")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.side:
        print(json.dumps(work(options.side, options)))
        return 0
    rows = [measure(scale, options) for scale in options.scale]
    result = {
        "precision": options.precision,
        "song_s": options.seconds,
        "pairs": options.pairs,
        "ratio": statistics.median(row["ratio"] for row in rows),
        "cpu_ratio": statistics.median(row["cpu_ratio"] for row in rows),
        "difference_db": max(row["difference_db"] for row in rows),
        "seconds": {side: statistics.median(row["seconds"][side] for row in rows) for side in SIDES},
        "peak_mb": {side: max(row["peak_mb"][side] for row in rows) for side in SIDES},
        "scales": rows,
    }
    if options.json:
        print(json.dumps(result, indent=1))
        return 0
    for row in rows:
        print(
            f"LayerScale {row['scale']:g}, {options.precision}, {options.seconds:g} s of song:"
            f" stock {row['seconds']['stock']:.1f} s, ours {row['seconds']['ours']:.1f} s,"
            f" ratio {row['ratio']:.2f} (processor time {row['cpu_ratio']:.2f}),"
            f" difference {row['difference_db']:.1f} dB, memory {row['peak_mb']['stock']:.0f} and"
            f" {row['peak_mb']['ours']:.0f} MB, conversion once {row['conversion_s']:.0f} s"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
