"""From a request to what a mix is asked for: preset or session, stages, and the master that follows."""

from typing import Any, get_args

from pydantic import ValidationError

from bridge.mastering_request import wishes_of
from bridge.protocol import Request
from engine.actions.mix import MixParameters
from engine.actions.model import SourceFile
from engine.errors import NrxError
from engine.mixing.presets import load_mix_preset
from engine.mixing.session import MixSession
from engine.mixing.session.strips import Stage

DEFAULT_PRESET = "streaming"


def mix_parameters(request: Request, references: tuple[SourceFile, ...]) -> MixParameters:
    """Return the parameters of a request for a mix.

    Raises:
        NrxError: `request.invalid` for a preset or stage that there is not, `preset.invalid` for a session.
    """
    asked = request.mixing
    session = session_of(asked.session) if asked.session is not None else None
    preset_id = request.preset or (session.preset if session is not None else DEFAULT_PRESET)
    preset = load_mix_preset(preset_id)
    known = get_args(Stage)
    for stage in (*asked.amounts, *asked.bypass):
        if stage not in known:
            raise NrxError(
                "request.invalid",
                f"There is no stage {stage!r} of a mix; the stages are: {', '.join(known)}.",
            )
    wishes = None
    if asked.master:
        wishes = wishes_of(request.model_copy(update={"preset": request.preset or preset.id}))
    return MixParameters(
        preset=preset,
        wishes=wishes,
        session=session,
        amounts=asked.amounts,
        bypass=asked.bypass,
        respect_user_gains=asked.respect_user_gains,
        policy=asked.policy,
        tempo_bpm=request.bpm,
        references=references,
        tracks=asked.tracks,
        codec_preview=request.mastering.codec_preview,
    )


def session_of(content: dict[str, Any]) -> MixSession:
    """Check a session that came in a request.

    Raises:
        NrxError: `preset.invalid`, with the first problem.
    """
    from engine.presets.yaml_file import describe

    try:
        return MixSession.model_validate(content)
    except ValidationError as error:
        raise NrxError("preset.invalid", f"The session {describe(error, MixSession)}.") from None
