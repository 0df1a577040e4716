"""Master files with every preset, pushed by several amounts, and judge the written files by libebur128.

    python benchmarks/mastering.py FILE [FILE …] [--presets=pop,hip_hop] [--push=0,3,12] [--bits=24,16] [--json]

A row is one master: loudness and true peak as libebur128 measures the file, how far our own meter is off it, the
guardrails that failed, retries, and the speed (CPU time of this process, as times real time). The last line is the
highest true peak of all and the largest difference between the meters.
"""

import argparse
import json
import tempfile
import time
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyebur128

from engine.audio import Audio, read_audio
from engine.mastering import make_master
from engine.mastering.presets import list_master_presets, load_master_preset


def by_libebur128(audio: Audio) -> tuple[float, float]:
    """Return loudness in LUFS and true peak in dBTP."""
    mode = pyebur128.MeasurementMode
    state = pyebur128.R128State(audio.channels, audio.sample_rate, mode.MODE_I | mode.MODE_TRUE_PEAK)
    state.add_frames(np.ascontiguousarray(audio.samples.T).reshape(-1), audio.frames)
    peak = max(pyebur128.get_true_peak(state, channel) for channel in range(audio.channels))
    return pyebur128.get_loudness_global(state), 20.0 * float(np.log10(max(peak, 1e-12)))


def judge(source: Audio, preset: str, push_db: float, bits: int) -> dict[str, Any]:
    """Master `source`, pushed, and return what the file measures."""
    pushed = source.with_samples(source.samples * np.float32(10.0 ** (push_db / 20.0)))
    wishes = replace(load_master_preset(preset).wishes(), bits=bits)
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        made = make_master(pushed, wishes, Path(folder) / "master.wav")
        seconds = time.process_time() - start
        loudness, peak = by_libebur128(read_audio(made.path))
    return {
        "lufs_before": made.before.integrated_lufs,
        "target": wishes.lufs,
        "lufs": loudness,
        "true_peak_dbtp": peak,
        "true_peak_8x_dbtp": made.after.true_peak_8x_dbtp,
        "meter_off_lu": made.after.integrated_lufs - loudness,
        "failed": [item.id for item in made.checks if not item.passed],
        "retries": made.retries,
        "passes": made.report.passes,
        "times_real_time": source.duration_s / seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--presets", default=",".join(list_master_presets()))
    parser.add_argument("--push", default="0,3,12")
    parser.add_argument("--bits", default="24,16")
    parser.add_argument("--json", action="store_true", dest="as_json")
    arguments = parser.parse_args()
    rows = []
    if not arguments.as_json:
        print(
            "| file | preset | push | bits | in LUFS | LUFS | dBTP 4x / 8x | failed | retries | x real time |"
        )
        print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for path in arguments.files:
        audio = read_audio(path)
        for preset, push, bits in product(
            arguments.presets.split(","), arguments.push.split(","), arguments.bits.split(",")
        ):
            row = {"file": path.name, "preset": preset, "push_db": float(push), "bits": int(bits)}
            row |= judge(audio, preset, float(push), int(bits))
            rows.append(row)
            if not arguments.as_json:
                print(
                    f"| {path.name} | {preset} | {push} | {bits} | {row['lufs_before']:.1f} | {row['lufs']:.2f} "
                    f"| {row['true_peak_dbtp']:.2f} / {row['true_peak_8x_dbtp']:.2f} | {', '.join(row['failed'])} "
                    f"| {row['retries']} | {row['times_real_time']:.0f} |",
                    flush=True,
                )
    summary = {
        "highest_true_peak_dbtp": max(row["true_peak_dbtp"] for row in rows),
        "meter_off_lu": max(abs(row["meter_off_lu"]) for row in rows),
    }
    if arguments.as_json:
        print(json.dumps({**summary, "rows": rows}, indent=1))
    else:
        print(
            f"Highest true peak {summary['highest_true_peak_dbtp']:.3f} dBTP; meters {summary['meter_off_lu']:.4f} "
            "LU apart at most."
        )


if __name__ == "__main__":
    main()
