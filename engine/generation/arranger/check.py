"""Check that a style asks only for voices and effects that exist, before any work starts."""

from engine.errors import NrxError
from engine.generation.arranger.effects import check_effects
from engine.generation.arranger.voices.external import is_external
from engine.generation.arranger.voices.table import VOICES
from engine.presets.style import Style


def check_style(style: Style) -> None:
    """Check the voice and the effects of each part, and the effects of the vocals.

    Raises:
        NrxError: `preset.invalid`, naming style, part, what is wrong and what is allowed.
    """
    for part in style.parts:
        if part.voice not in VOICES and not is_external(part.voice):
            raise NrxError(
                "preset.invalid",
                f"The style {style.id} has the unknown voice {part.voice!r} for {part.name!r}; "
                f"there are {', '.join(VOICES)}, and files as soundfont:PATH or vst3:PATH.",
            )
    chains = [("the vocals", style.vocal_effects), *((repr(part.name), part.effects) for part in style.parts)]
    for owner, effects in chains:
        try:
            check_effects(effects)
        except NrxError as error:
            raise NrxError(
                error.code, f"The style {style.id}, effects of {owner}: {error.sentence}"
            ) from error
