"""Which of the four stems that the analysis listens to a role belongs to."""

from engine.mixing.roles import ROLES

_OWN_STEM = ("vocals", "drums", "bass")

STEM_GROUPS: dict[str, str] = {
    role: traits.family if traits.family in _OWN_STEM else "other" for role, traits in ROLES.items()
}
"""Role -> vocals, drums, bass or other."""
