"""`NRX_HOME/models.json`: which backend would do a stage now, and its licence, for DAW scripts to show beforehand.

    {"separate": {"name": "htdemucs", "licence": "MIT", "commercial_use": true}, …}

Written beside `styles.json` when the daemon starts. A backend that needs no weights has no entry, nor has a stage whose
backend cannot be used.
"""

import json
import logging
import os
from pathlib import Path

from bridge.config import Settings
from engine.errors import NrxError

MODELS_FILE = "models.json"
log = logging.getLogger(__name__)


def write_models(settings: Settings) -> None:
    """Replace the file; where it cannot be written, scripts keep what they read last."""
    from bridge.backends import backends_of

    backends = backends_of(settings)
    rows = {}
    for stage, choose in (
        ("separate", backends.separator),
        ("generate", lambda: backends.generator(melody=True)),
    ):
        try:
            model = choose().model
        except NrxError as error:
            log.info("No backend for %s: %s", stage, error)
            continue
        if model is not None:
            rows[stage] = {
                "name": model.name,
                "licence": model.card.licence,
                "commercial_use": model.card.commercial or model.name in backends.models.cleared,
            }
    _replace(settings.home / MODELS_FILE, json.dumps(rows, indent=1) + "\n")


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        draft.write_text(text, encoding="ascii")
        draft.replace(path)
    except OSError as error:
        log.warning("%s cannot be written: %s", path, error)
