"""`/v2/styles` and `/v2/presets`: what can be chosen, ours and the user's own."""

import logging
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from bridge.config import Settings
from bridge.doors.http.answers import answer
from bridge.doors.http.context import Context
from bridge.doors.http.errors import answers
from bridge.doors.http.models import PresetsAnswer, StyleAnswer
from engine.errors import NrxError
from engine.presets import Style, list_styles, load_style

router = APIRouter(tags=["styles"])
log = logging.getLogger("nrx.http")


@router.get("/v2/styles", response_model=list[StyleAnswer], responses=answers())
def styles(context: Context) -> Response:
    """List the styles; a file of the user's that is not valid is left out and told of in the log."""
    return answer([_shown(style) for style in known_styles(context.settings)])


@router.get("/v2/presets", response_model=PresetsAnswer, responses=answers())
def presets(context: Context) -> Response:
    """List the presets for mixing and mastering."""
    from engine.mastering.presets import list_master_presets, load_master_preset
    from engine.mixing.presets import list_mix_presets, load_mix_preset

    mastering = [load_master_preset(name).model_dump(mode="json") for name in list_master_presets()]
    mixing = [load_mix_preset(name).model_dump(mode="json") for name in list_mix_presets()]
    return answer({"mastering": mastering, "mixing": mixing})


def known_styles(settings: Settings) -> list[Style]:
    """Return every style that can be loaded."""
    extra = (settings.styles_folder,)
    found = []
    for name in list_styles(extra):
        try:
            found.append(load_style(name, extra))
        except NrxError as error:
            log.warning("%s [%s]", error.sentence, error.code)
    return found


def _shown(style: Style) -> dict[str, Any]:
    plain = ("id", "name", "description", "tempo_range_bpm", "energy", "colour", "words")
    return {**{name: getattr(style, name) for name in plain}, "parts": [part.name for part in style.parts]}
