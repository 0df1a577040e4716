"""Hugging Face: one request, answered with the sound itself.

Source: Inference Providers' "hf-inference", task text-to-audio: `POST …/models/{model}` with `inputs` and
`parameters.generation_parameters`; the answer is audio. A model that is not loaded is answered with 503 and an
`estimated_time`. There is no seed and no melody; `x-use-cache: false` keeps two takes from being one.
"""

from engine.generation.cloud.wire import Wire
from engine.generation.musicgen.sampling import Sampling
from engine.generation.protocol import Wish
from engine.models.cloud import CloudModel
from engine.progress import Monitor

FRAME_RATE = 50
"""MusicGen's codes a second, in which a length is asked for."""


async def play(wire: Wire, model: CloudModel, wish: Wish, sampling: Sampling, monitor: Monitor) -> bytes:
    """Return the bytes of one take."""
    monitor.report(0.02)
    drawn = {
        "do_sample": sampling.temperature > 0,
        "max_new_tokens": -(-round(wish.duration_s * 1000) * FRAME_RATE // 1000),
        **({"temperature": sampling.temperature} if sampling.temperature > 0 else {}),
        **({"top_k": sampling.top_k} if sampling.top_k else {}),
        **({"top_p": sampling.top_p} if sampling.top_p < 1 else {}),
    }
    kind, sound = await wire.answer(
        "POST",
        model.url.replace("{model}", model.model),
        json={"inputs": wish.prompt, "parameters": {"generation_parameters": drawn}},
        headers={"Accept": "audio/wav, audio/flac, audio/*", "x-use-cache": "false"},
    )
    if kind.startswith(("application/json", "text/")):
        raise wire.failed(f"answers with {kind.partition(';')[0]} where sound was to come")
    return sound
