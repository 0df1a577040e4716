"""Master files at several loudness targets; loudness and true peak as libebur128 measures them, and the speed.

    python benchmarks/mastering.py FILE [FILE …] [--targets=-9,-14,-16] [--push 12]

`--push` amplifies the input by that many decibels first. Speed is CPU time of one process, as times real time.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pyebur128

from engine.audio import Audio
from engine.audio.read import read_audio
from engine.mastering import MasterSettings, master


def by_libebur128(audio: Audio) -> tuple[float, float]:
    mode = pyebur128.MeasurementMode
    state = pyebur128.R128State(audio.channels, audio.sample_rate, mode.MODE_I | mode.MODE_TRUE_PEAK)
    state.add_frames(np.ascontiguousarray(audio.samples.T).reshape(-1), audio.frames)
    peak = max(pyebur128.get_true_peak(state, channel) for channel in range(audio.channels))
    return pyebur128.get_loudness_global(state), 20.0 * float(np.log10(max(peak, 1e-12)))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--targets", default="-9,-11,-14,-16")
    parser.add_argument("--push", type=float, default=0.0)
    arguments = parser.parse_args()
    print(
        "| file | in LUFS | target | LUFS | dBTP | average / most reduction dB | saturation dB | passes | x real time |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for path in arguments.files:
        audio = read_audio(path)
        audio = audio.with_samples(audio.samples * np.float32(10.0 ** (arguments.push / 20.0)))
        for target in (float(word) for word in arguments.targets.split(",")):
            start = time.process_time()
            result = master(audio, MasterSettings(lufs=target))
            speed = audio.duration_s / (time.process_time() - start)
            loudness, peak = by_libebur128(result.audio)
            report = result.report
            print(
                f"| {path.name} | {report.lufs_before:.1f} | {target:g} | {loudness:.2f} | {peak:.2f} "
                f"| {report.average_reduction_db:.1f} / {report.max_reduction_db:.1f} "
                f"| {report.max_saturation_db:.1f} | {report.passes} | {speed:.0f} |",
                flush=True,
            )
            for warning in report.warnings:
                print(f"|  | | | {warning} | | | | | |")


if __name__ == "__main__":
    main()
