"""One colour a role, so that a stem looks the same in every picture and every DAW."""

ROLE_COLOURS: dict[str, str] = {
    "vocals": "#e8618c",
    "drums": "#f2a541",
    "bass": "#5bc0be",
    "other": "#8d86c9",
    "instrumental": "#8d86c9",
    "mix": "#9aa5b1",
    "master": "#e6e8eb",
}
