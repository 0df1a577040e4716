"""From the generation part of a request to what the engine asks a neural generator."""

from typing import TYPE_CHECKING

from bridge.protocol import Request

if TYPE_CHECKING:
    from engine.actions.taken import NeuralWishes


def neural_wishes(request: Request) -> "NeuralWishes":
    """Return what a request asks of a generator that plays from weights."""
    from engine.actions.taken import NeuralWishes
    from engine.generation.musicgen.sampling import Sampling

    asked = request.generation
    return NeuralWishes(
        words=request.prompt or "",
        mood=asked.mood,
        sampling=Sampling(
            temperature=asked.temperature,
            top_k=asked.top_k,
            top_p=asked.top_p,
            guidance=asked.guidance,
            seed=request.seed,
            beams=asked.beams,
            length_penalty=asked.length_penalty,
            early_stopping=asked.early_stopping,
        ),
        ahead=asked.ahead,
        before=asked.before,
        tries=asked.tries,
    )
