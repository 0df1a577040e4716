"""`NRX_HOME/styles.json`: the styles, for DAW scripts that can only read files.

    [{"id": "jazz", "name": "Jazz", "description": "…"}, …]

The daemon writes it when it starts. A style file of the user's that is not valid is left out, as in the console.
"""

import json
import logging
import os

from bridge.config import Settings
from engine.errors import NrxError

STYLES_FILE = "styles.json"
log = logging.getLogger(__name__)


def write_styles(settings: Settings) -> None:
    """Replace the file; where it cannot be written, scripts keep the styles that they read last."""
    from engine.presets import list_styles, load_style

    folders, rows = (settings.styles_folder,), []
    for style_id in list_styles(folders):
        try:
            style = load_style(style_id, folders)
        except NrxError as error:
            log.warning("The style %s is left out: %s", style_id, error)
            continue
        rows.append({"id": style_id, "name": style.name, "description": style.description})
    draft = settings.home / f".{STYLES_FILE}-{os.getpid()}"
    try:
        draft.write_text(json.dumps(rows, indent=1) + "\n", encoding="ascii")
        draft.replace(settings.home / STYLES_FILE)
    except OSError as error:
        log.warning("%s cannot be written: %s", settings.home / STYLES_FILE, error)
