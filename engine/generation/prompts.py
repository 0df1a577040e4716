"""The words that a neural generator is told: the person's own, and what style, tempo, key, energy and brightness add.

MusicGen was trained on short descriptions of tracks with tags beside them ("… bpm: 128"), so a prompt is a row of short
phrases, the most telling first: what the person says, then the stem or the style, then measures. What the person's own
words say already (a tempo, a key) is not said twice.

The tables are data: words for levels of energy and brightness, and what each kind of stem is.
"""

from dataclasses import dataclass

import numpy as np

from engine.choices import choice_of
from engine.errors import NrxError
from engine.generation.arranger.words import KEY_SHORT, KEY_WITH_MODE, TEMPO
from engine.presets.style import Style

STEMS: dict[str, tuple[str, str, tuple[str, str]]] = {
    "drums": ("drums", "drums", ("solo drum kit and percussion groove", "drums only")),
    "bass": ("bass", "bass", ("solo bass line", "bass only")),
    "melody": ("lead", "melody", ("solo lead melody line", "unaccompanied melody")),
    "lead": ("lead", "lead", ("solo lead melody line", "unaccompanied melody")),
    "voice": ("backing_vocals", "voice", ("wordless solo voice", "a cappella vocal pad")),
    "fx": ("fx", "fx", ("sound effects, risers and textures", "no drums")),
    "chords": ("chords", "chords", ("solo chord progression, comping keys", "no drums")),
    "pad": ("pad", "pad", ("sustained synth pad, slow attack", "no drums")),
    "arp": ("arp", "arpeggio", ("solo arpeggio pattern", "no drums")),
    "strings": ("strings", "strings", ("solo string section", "no drums")),
    "keys": ("keys", "keys", ("solo keyboard, comping chords", "no drums")),
    "guitar": ("guitar", "guitar", ("solo guitar", "no drums")),
    "other": ("other", "accompaniment", ("instrumental accompaniment", "no drums")),
}
"""What people ask for -> role in a mix, word for it, phrases of the prompt."""
BEATLESS = frozenset({"voice", "fx", "pad", "strings"})
"""Stems that often have no pulse: without one they are left as they are."""

ENERGY_WORDS = ((0.25, "very calm, sparse"), (0.42, "calm, laid back"), (0.72, ""), (1.0, "energetic"))
MOST_ENERGY = "intense, powerful, high energy"
BRIGHTNESS_WORDS = ((0.7, "dark, muffled, warm"), (0.88, "warm, mellow"), (1.15, ""), (1.45, "bright, clear"))
MOST_BRIGHTNESS = "very bright, crisp, sparkling highs"
USUAL_BRIGHTNESS_HZ = 1900.0
"""Spectral centroid of the middle of recorded music, as the analysis measures it."""
CALM_LUFS, INTENSE_LUFS = -24.0, -8.0
USUAL_ENERGY = 0.55


@dataclass(frozen=True, slots=True)
class Said:
    """What there is to say of the music that is wanted; None leaves it open.

    `energy` runs from 0 (calm) over 0.5 to 1 and beyond; `brightness` is 1 in the middle, less is darker.
    """

    words: str = ""
    mood: str = ""
    style: Style | None = None
    stem: str | None = None
    bpm: float | None = None
    key: str | None = None
    energy: float = USUAL_ENERGY
    brightness: float = 1.0
    voiceless: bool = False


def prompt_for(said: Said) -> str:
    """Return the prompt for what is said.

    Raises:
        NrxError: `request.invalid` for a stem that there is not.
    """
    phrases = [said.words.strip().rstrip(".")]
    phrases += [said.mood.strip()]
    if said.stem is not None:
        name = said.style.name.lower() if said.style is not None else ""
        what, only = stem_row(said.stem)[2]
        phrases += [f"{name} {what}".strip(), only]
    elif said.style is not None:
        phrases += _filled(said.style.prompt, said.bpm, said.key)
    phrases += _measures(said)
    phrases += [_word(said.energy, ENERGY_WORDS, MOST_ENERGY)]
    phrases += [_word(said.brightness, BRIGHTNESS_WORDS, MOST_BRIGHTNESS)]
    if said.voiceless and said.stem != "voice":
        phrases += ["instrumental, no vocals"]
    return ", ".join(_once(phrases)) or "music"


def stem_row(stem: str) -> tuple[str, str, tuple[str, str]]:
    """Return the row of `STEMS` for a stem.

    Raises:
        NrxError: `request.invalid` if there is none.
    """
    if stem not in STEMS:
        raise NrxError("request.invalid", f"There is no stem {stem!r} to generate; {choice_of(stem, STEMS)}")
    return STEMS[stem]


def energy_of(scale: float, style: Style | None = None, loudness_lufs: float | None = None) -> float:
    """Return the energy to ask for: a scale on that of the style, or of the song, or on the usual."""
    if style is not None:
        return scale * style.energy
    if loudness_lufs is not None:
        heard = (loudness_lufs - CALM_LUFS) / (INTENSE_LUFS - CALM_LUFS)
        return scale * min(1.0, max(0.0, heard))
    return scale * USUAL_ENERGY


def brightness_of(scale: float, heard_hz: float | None = None) -> float:
    """Return the brightness to ask for: a scale on what was heard of the song, within reason, or on the usual."""
    if heard_hz is None or heard_hz <= 0:
        return scale
    return scale * min(1.5, max(0.6, float(np.sqrt(heard_hz / USUAL_BRIGHTNESS_HZ))))


def _filled(prompt: str, bpm: float | None, key: str | None) -> list[str]:
    """Return the phrases of a style's prompt, without those that speak of a tempo or key that is not known."""
    phrases = [phrase.strip() for phrase in prompt.split(",")]
    known = [
        phrase
        for phrase in phrases
        if not ("{bpm}" in phrase and bpm is None) and not ("{key}" in phrase and key is None)
    ]
    return [phrase.format(bpm=round(bpm or 0), key=key) for phrase in known]


def _measures(said: Said) -> list[str]:
    told = []
    if said.bpm is not None and not TEMPO.search(said.words):
        told.append(f"{round(said.bpm)} bpm")
    if said.key is not None and not (KEY_WITH_MODE.search(said.words) or KEY_SHORT.search(said.words)):
        told.append(said.key)
    return told


def _word(level: float, rows: tuple[tuple[float, str], ...], most: str) -> str:
    return next((word for below, word in rows if level < below), most)


def _once(phrases: list[str]) -> list[str]:
    """Return all short phrases in order, each once whatever its case; a tempo or key once over all."""
    kept: list[str] = []
    tempo_said = key_said = False
    for phrase in ", ".join(phrases).split(","):
        plain = " ".join(phrase.split())
        has_tempo, has_key = bool(TEMPO.search(plain)), bool(KEY_WITH_MODE.fullmatch(plain))
        if not plain or plain.lower() in (other.lower() for other in kept):
            continue
        if (has_tempo and tempo_said) or (has_key and key_said):
            continue
        tempo_said, key_said = tempo_said or has_tempo, key_said or bool(KEY_WITH_MODE.search(plain))
        kept.append(plain)
    return kept
