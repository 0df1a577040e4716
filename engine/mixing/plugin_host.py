"""VST3 and AU plug-ins in a process of their own: a crash, a hang or a window ends that process, and not the job.

The child loads the chain with pedalboard, sets parameters by name, and runs the sound through it in one go, so that
pedalboard takes out the latency that each plug-in reports. The child is this module, started with the interpreter that
runs us; sound goes through .npy files.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.audio import Audio
from engine.errors import NrxError
from engine.mixing.session.strips import Plugin
from engine.progress import SILENT, Monitor

STARTING_S = 60.0
SECONDS_FOR_A_SECOND = 4.0
"""How long a chain may take for each second of sound, and to start, before it counts as hanging."""
POLL_S = 0.2
LOAD_FAILED, PARAMETER_FAILED, SOUND_FAILED = 11, 12, 13


def run_plugins(audio: Audio, plugins: Sequence[Plugin], where: str, monitor: Monitor = SILENT) -> Audio:
    """Return stereo `audio` (2, frames) through plug-ins one after the other, same length and place.

    Raises:
        NrxError: `backend.missing` for a plug-in that is not there or does not load; `request.invalid` for a
            parameter that it does not have; `plugin.failed` where it crashed, hung, or gave no usable sound.
    """
    chain = [plugin for plugin in plugins if not plugin.bypass]
    if not chain:
        return audio
    for plugin in chain:
        if not Path(plugin.path).expanduser().exists():
            raise NrxError("backend.missing", f"The plug-in {plugin.path} of {where} is not on this machine.")
    with tempfile.TemporaryDirectory(prefix="nrx-plugin-") as temporary:
        folder = Path(temporary)
        np.save(folder / "in.npy", audio.samples)
        wanted = {"sample_rate": audio.sample_rate, "plugins": [plugin.model_dump() for plugin in chain]}
        (folder / "chain.json").write_text(json.dumps(wanted), encoding="utf-8")
        status, said = _run_child(folder, STARTING_S + SECONDS_FOR_A_SECOND * audio.duration_s, monitor)
        if status != 0:
            raise _failure(status, said, chain, where)
        out = np.load(folder / "out.npy")
    if out.shape != audio.samples.shape or not np.isfinite(out).all():
        raise NrxError(
            "plugin.failed",
            f"The plug-ins of {where} gave no usable sound; bypass them in the session, or replace them.",
        )
    return Audio(np.ascontiguousarray(out, dtype=np.float32), audio.sample_rate)


def _run_child(folder: Path, limit_s: float, monitor: Monitor) -> tuple[int | None, str]:
    """Run the child on a folder; return its exit status (None: it hung and was ended) and its last words."""
    with (folder / "said.txt").open("wb") as said:
        child = subprocess.Popen(
            [sys.executable, "-m", "engine.mixing.plugin_host", str(folder)],
            stdin=subprocess.PIPE, stdout=said, stderr=said,
        )  # fmt: skip
        waited = 0.0
        try:
            while True:
                try:
                    status: int | None = child.wait(POLL_S)
                    break
                except subprocess.TimeoutExpired:
                    waited += POLL_S
                    monitor.check()
                    if waited > limit_s:
                        status = None
                        break
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
            if child.stdin is not None:
                child.stdin.close()
    lines = (folder / "said.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return status, lines[-1] if lines else ""


def _failure(status: int | None, said: str, chain: Sequence[Plugin], where: str) -> NrxError:
    names = " and ".join(Path(plugin.path).name for plugin in chain)
    if status == LOAD_FAILED:
        return NrxError("backend.missing", f"A plug-in of {where} cannot be loaded: {said}.")
    if status == PARAMETER_FAILED:
        return NrxError("request.invalid", f"A plug-in of {where}: {said}.")
    if status is None:
        return NrxError(
            "plugin.failed", f"{names} of {where} did not come to an end; bypass it in the session."
        )
    detail = f" ({said})" if status == SOUND_FAILED and said else ""
    return NrxError(
        "plugin.failed",
        f"{names} of {where} crashed{detail}; the job is unharmed: bypass it in the session, or replace it.",
    )


def _leave(status: int, words: str) -> None:
    sys.stderr.write(f"\n{words}\n")
    sys.stderr.flush()
    sys.exit(status)


def _child(folder: Path) -> None:
    """Do what the chain says; the exit status says what went wrong."""
    import pedalboard

    wanted = json.loads((folder / "chain.json").read_text(encoding="utf-8"))
    samples = np.load(folder / "in.npy")
    loaded = []
    for item in wanted["plugins"]:
        path = str(Path(item["path"]).expanduser())
        try:
            plugin = pedalboard.load_plugin(path, plugin_name=item["name"])
        except Exception as error:  # noqa: BLE001 - whatever a foreign binary raises is its failure to load
            _leave(LOAD_FAILED, f"{Path(path).name}: {error}".rstrip("."))
        for name, value in item["parameters"].items():
            if name not in plugin.parameters:
                has = ", ".join(list(plugin.parameters)[:40])
                _leave(PARAMETER_FAILED, f"{Path(path).name} has no parameter {name!r}; it has: {has}")
            try:
                setattr(plugin, name, value)
            except (TypeError, ValueError) as error:
                _leave(
                    PARAMETER_FAILED,
                    f"{Path(path).name} does not take {name} = {value!r}: {error}".rstrip("."),
                )
        loaded.append(plugin)
    try:
        out = pedalboard.Pedalboard(loaded)(samples, wanted["sample_rate"], reset=True)
    except Exception as error:  # noqa: BLE001 - as above
        _leave(SOUND_FAILED, str(error).rstrip("."))
    frames = samples.shape[1]
    out = out[:, :frames]
    if out.shape[1] < frames:
        out = np.pad(out, ((0, 0), (0, frames - out.shape[1])))
    np.save(folder / "out.npy", out.astype(np.float32))


def _end_with_the_parent() -> None:
    """End this process when its standard input closes: whoever started it is gone, however it ended."""
    os.read(0, 1)  # not sys.stdin: the interpreter cannot end while a thread waits in it
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    _child(Path(sys.argv[1]))
