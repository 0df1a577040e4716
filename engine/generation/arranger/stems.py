"""The stems that can be asked for by name, and the roles that play in each."""

from engine.choices import choice_of
from engine.errors import NrxError

STEM_ROLES: dict[str, tuple[str, ...]] = {
    "drums": ("drums",),
    "bass": ("bass",),
    "chords": ("chords",),
    "pad": ("pad",),
    "arp": ("arp",),
    "lead": ("lead",),
    "strings": ("strings",),
    "fx": ("fx",),
    "keys": ("chords", "pad", "arp"),
    "guitar": ("chords", "arp"),
    "melody": ("lead",),
    "other": ("chords", "pad", "arp", "lead", "strings"),
}
"""Roles that belong to a stem's name, for `only` and for what is kept of the original."""


def check_stem(stem: str) -> None:
    """Refuse a stem that the arranger does not play. Raises `request.invalid`."""
    if stem not in STEM_ROLES:
        raise NrxError(
            "request.invalid", f"There is no stem {stem!r} to generate; {choice_of(stem, STEM_ROLES)}"
        )
