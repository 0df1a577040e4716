"""Runs a chain of effects over audio in blocks: a long file needs one buffer, and cancel is heard between blocks.

Each run makes its processors anew, so the same input and parameters always give the same samples; block
borders leave no mark because processors carry their state over them.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from engine.audio.buffer import Audio, Samples
from engine.errors import NrxError
from engine.generation.arranger.effects.context import Context, Process, TimeMap
from engine.generation.arranger.effects.table import EFFECTS
from engine.progress import SILENT, Monitor

BLOCK_FRAMES = 1 << 18
_SETTLED_S = 1.0  # for filters, compressors and short delays
_HERE = "engine.generation.arranger.effects"


def _maker(path: str) -> Callable[..., Process]:
    module, function = path.split(":")
    return cast(Callable[..., Process], getattr(importlib.import_module(f"{_HERE}.{module}"), function))


def check_effects(effects: Sequence[Mapping[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Return each effect's name and complete parameters.

    Raises:
        NrxError: "preset.invalid", naming the effect, the parameter and what it may be.
    """
    checked = []
    for effect in effects:
        name = effect.get("type")
        if not isinstance(name, str) or name not in EFFECTS:
            raise NrxError("preset.invalid", f"There is no effect {name!r}; there are {', '.join(EFFECTS)}.")
        given = {key: value for key, value in effect.items() if key != "type"}
        checked.append((name, EFFECTS[name].complete(name, given)))
    return checked


def make_chain(effects: Sequence[Mapping[str, Any]], context: Context) -> Process:
    """Return one process that runs all `effects` in order, with fresh state.

    Blocks have one channel or two, all the same number. A silent block is passed over once everything before
    it has died away.
    """
    from engine.generation.arranger.effects.streaming import fused

    checked = check_effects(effects)
    processes = fused(_maker(EFFECTS[name].maker)(context, **given) for name, given in checked)
    rest_s = _SETTLED_S + sum(EFFECTS[name].tail_s for name, _ in checked)
    quiet_from = 0

    def run(block: Samples, start_frame: int) -> Samples:
        nonlocal quiet_from
        if block.any():
            quiet_from = start_frame + block.shape[1] + int(rest_s * context.sample_rate)
        elif start_frame >= quiet_from:
            return block
        for process in processes:
            block = process(block, start_frame)
        return block

    return run


def apply_effects(
    audio: Audio,
    effects: Sequence[Mapping[str, Any]],
    *,
    target_map: TimeMap | None = None,
    kick_times_s: ArrayLike = (),
    seed: int = 0,
    in_place: bool = False,
    monitor: Monitor = SILENT,
) -> Audio:
    """Run `audio` through a chain of effects and return as many frames, in stereo.

    Args:
        audio: One or two channels; one channel becomes two equal ones.
        effects: Mappings with `type` (a name in `EFFECTS`) and parameters of that effect.
        target_map: Gives tempo-synced effects their beats; without it they run at 120 BPM.
        kick_times_s: When kicks sound, for `sidechain`.
        seed: For effects with chance in them.
        in_place: Write over the samples of a stereo `audio`, so that a long one needs no second buffer.
        monitor: Progress and cancel.

    Raises:
        NrxError: "preset.invalid" for an unknown effect, parameter or value.
    """
    kicks = np.sort(np.asarray(kick_times_s, dtype=np.float64).reshape(-1))
    context = Context(audio.sample_rate, audio.frames, target_map, kicks, seed)
    process = make_chain(effects, context)
    samples = np.repeat(audio.samples, 2, axis=0) if audio.channels == 1 else audio.samples[:2]
    if not in_place and audio.channels > 1:
        samples = samples.copy()
    # What is the same on both sides is worked on once, up to the first effect that sets the sides apart.
    sides = slice(0, 1) if np.array_equal(samples[0], samples[1]) else slice(0, 2)
    for start in range(0, audio.frames, BLOCK_FRAMES):
        monitor.report(start / audio.frames)
        stop = min(start + BLOCK_FRAMES, audio.frames)
        samples[:, start:stop] = process(np.ascontiguousarray(samples[sides, start:stop]), start)
    monitor.report(1.0)
    return Audio(samples, audio.sample_rate)
