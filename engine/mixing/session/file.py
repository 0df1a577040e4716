"""`mix.yaml`: a session written for people, with what each part is in comments, and read back with plain errors.

What is at its default is left out. Numbers are rounded to what can be heard: levels to 0.1 dB where the automatic mix
sets them, so that reading a written session gives exactly the session that was rendered.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.errors import NrxError
from engine.mixing.session.strips import STAGES, ChannelStrip, MixSession, Part

HEADER = """\
# A mix, as channel strips. Change what you like, and give it the same stems again:
#   nrx mix STEMS… --session {name}
# Levels in dB, times in ms, frequencies in Hz, pan from -1 (left) to 1 (right), width 100 = as it came.
# A strip's order: polarity and delay, gain (to the working level), low cut, eq, compressor, ride (evens out the
# voice), duck (the dip under the voice), plugins, fader, width, pan, sends. Buses run into mix.
"""
AMOUNTS = "# How much of each stage is applied, in percent ({stages}). bypass: [eq, bus, …] turns stages off."


def read_session(path: Path) -> MixSession:
    """Read and check a session file.

    Raises:
        NrxError: `input.not_found`, or `preset.invalid` with the key, the value and what is allowed.
    """
    from engine.presets import read_preset

    if not path.is_file():
        raise NrxError("input.not_found", f"There is no session file {path}.")
    return read_preset(path, MixSession, called="session file")


def write_session(path: Path, session: MixSession) -> None:
    """Write a session file (an existing one is replaced)."""
    path.write_text(session_text(session, path.name), encoding="utf-8", newline="\n")


def session_text(session: MixSession, name: str = "mix.yaml") -> str:
    """Return the session as YAML with comments."""
    lines = [HEADER.format(name=name)]
    lines += [
        f"nrx_mix: {session.nrx_mix}",
        f"preset: {_word(session.preset)}",
        f"sample_rate: {session.sample_rate}",
    ]
    if session.tempo_bpm is not None:
        lines.append(f"tempo_bpm: {_word(session.tempo_bpm)}")
    lines.append(
        f"respect_user_gains: {_word(session.respect_user_gains)}   # true: stems stay at their own levels"
    )
    lines.append(AMOUNTS.format(stages=", ".join(STAGES)))
    lines.append(f"amounts: {_flow(dict(session.amounts))}")
    lines.append(f"bypass: {_flow(list(session.bypass))}")
    lines += ["", "tracks:"]
    for strip in session.tracks:
        lines += _strip_lines(strip)
    lines += ["", "buses:"] + [f"  {name}: {_flow(_changed(bus))}" for name, bus in session.buses.items()]
    if not session.buses:
        lines[-1] = "buses: {}"
    lines += ["", "sends:"] + [f"  {name}: {_flow(_changed(send))}" for name, send in session.sends.items()]
    if not session.sends:
        lines[-1] = "sends: {}"
    return "\n".join(lines) + "\n"


ALWAYS = ("name", "file", "role", "bus", "gain_db", "fader_db", "pan")


def _strip_lines(strip: ChannelStrip) -> list[str]:
    lines: list[str] = []
    content = strip.model_dump(mode="json", exclude_defaults=True)
    for name in type(strip).model_fields:
        if name not in content and name not in ALWAYS:
            continue
        value = getattr(strip, name)
        start = "  - " if name == "name" else "    "
        if isinstance(value, tuple) and value:
            lines.append(f"{start}{name}:")
            lines += [f"      - {_flow(_changed(item))}" for item in value]
        elif isinstance(value, Part):
            lines.append(f"{start}{name}: {_flow(_changed(value))}")
        else:
            lines.append(f"{start}{name}: {_flow(value)}")
    return lines


def _changed(part: Part) -> dict[str, Any]:
    """Return what a part sets, required fields and changed ones, in the model's order."""
    fields = type(part).model_fields
    return {
        name: _plain(getattr(part, name))
        for name, field in fields.items()
        if field.is_required() or getattr(part, name) != field.get_default(call_default_factory=True)
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Part):
        return _changed(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _flow(value: Any) -> str:
    """Return a value in YAML's flow style on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_word(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return _word(value)


def _word(value: Any) -> str:
    """Return a scalar that YAML reads back as the same: JSON's quoting, but plain words stay plain."""
    if isinstance(value, str) and value.isidentifier() and value.lower() not in _MEANT_OTHERWISE:
        return value
    return json.dumps(value, ensure_ascii=False)


_MEANT_OTHERWISE = {"true", "false", "yes", "no", "on", "off", "null", "none", "y", "n", "nan", "inf"}
