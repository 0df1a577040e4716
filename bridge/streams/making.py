"""From a `StreamRequest` to what makes its audio: the choice of source, and what each is given."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from bridge.backends import backends_of
from bridge.config import Settings
from bridge.streams.request import ARRANGER, AUTO, StreamRequest
from engine.errors import NrxError
from engine.presets import Style, list_styles, load_style
from engine.streaming.protocol import AudioStream
from engine.streaming.quality import quality_of

if TYPE_CHECKING:
    from engine.backends import Choice
    from engine.streaming.musicgen import Played

PLAYS_AT_ONCE = "it plays without pauses on any machine"


def make_stream(request: StreamRequest, settings: Settings) -> tuple[AudioStream, str]:
    """Return what makes the audio, and why it was chosen.

    Raises:
        NrxError: `request.invalid`, `style.unknown`, `preset.invalid`, and any `model.*` or `backend.missing` for what
            was asked for by name.
    """
    make, why = _maker(request, settings)
    return make(request, settings), why


def _maker(
    request: StreamRequest, settings: Settings
) -> tuple[Callable[[StreamRequest, Settings], AudioStream], str]:
    if request.generator == ARRANGER:
        return _arranger, "asked for by name"
    backends = backends_of(settings)
    if request.generator != AUTO:
        backends.generate = request.generator
        choice = backends.generator()
        if choice.backend == ARRANGER:
            return _arranger, choice.why
        return partial(_musicgen, choice=choice), choice.why
    if settings.models.generator == ARRANGER:
        return _arranger, "the settings say so"
    choice = backends.generator()
    if choice.backend == ARRANGER:
        return _arranger, choice.why
    if not _has_accelerator():
        return _arranger, f"{PLAYS_AT_ONCE}; ask for generator {choice.name} to have the model play"
    return partial(_musicgen, choice=choice), choice.why


def _has_accelerator() -> bool:
    import torch

    return bool(torch.cuda.is_available() or torch.backends.mps.is_available())


def _arranger(request: StreamRequest, settings: Settings) -> AudioStream:
    from engine.generation.arranger import parse_words, style_for_words
    from engine.streaming.arranger import ArrangerStream
    from engine.streaming.movements import Manner

    extra = (settings.styles_folder,)
    near, bpm, key = parse_words(request.prompt, [load_style(name, extra) for name in list_styles(extra)])
    style: Style = style_for_words(load_style(request.style or near, extra), request.prompt)
    quality = quality_of(request.quality)
    return ArrangerStream(
        Manner(style, request.seed, request.energy, request.brightness, request.stem),
        words=request.prompt,
        key=request.key or key,
        bpm=request.bpm or bpm,
        duration_s=request.duration_s,
        sample_rate=quality.sample_rate,
        block_frames=quality.block_frames,
    )


def _musicgen(request: StreamRequest, settings: Settings, choice: "Choice") -> AudioStream:
    from engine.generation.musicgen.sampling import Sampling
    from engine.generation.prompts import Said, prompt_for
    from engine.streaming.musicgen import MusicGenStream

    extra = (settings.styles_folder,)
    quality = quality_of(request.quality)
    text = prompt_for(
        Said(
            words=request.prompt,
            style=load_style(request.style, extra) if request.style else None,
            stem=request.stem,
            bpm=request.bpm,
            key=request.key,
            brightness=request.brightness,
        )
    )
    played = _loaded(choice, settings, quality.precision)
    sampling = Sampling(temperature=request.temperature, guidance=request.guidance, seed=request.seed)
    return MusicGenStream(played, text, sampling, duration_s=request.duration_s, quality=quality)


def _loaded(choice: "Choice", settings: Settings, precision: str) -> "Played":
    """Load a model, or take the one that is loaded; a new one plays a few frames, to know how fast it is."""
    import os

    import torch

    from engine.generation.musicgen import MusicGen
    from engine.models.warm import WARM
    from engine.streaming.musicgen import Played, rehearse
    from engine.streaming.source import Source
    from engine.streaming.speed import SPEEDS

    installed = choice.model
    if installed is None or installed.card.family != "musicgen":
        raise NrxError(
            "request.invalid", f"{choice.name} cannot stream; choose the arranger or a MusicGen model."
        )
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // settings.streams.workers))
    device = settings.models.device
    kept = settings.models_folder / ".compiled"
    model = WARM.use(
        ("musicgen stream", device, precision, repr(installed.key)),
        lambda: MusicGen.load(installed.folder, device=device, precision=precision, cache=kept),
    )
    name = f"{installed.name} {precision}"
    if SPEEDS.measured(name) is None:
        SPEEDS.note(name, *rehearse(model))
    card = installed.card
    source = Source(
        f"musicgen, {card.name}", installed.revision, card.description, card.licence, card.commercial
    )
    return Played(model, model.channels, source, name)
