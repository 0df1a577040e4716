"""The mix's part of the report page: the desk at a glance, why each track is as it is, and what the compressors did."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from bridge.returns.report_parts import guardrails, number, sentences, table
from bridge.returns.report_plots import Line, level_axis, plot, time_axis

Plain = Mapping[str, Any]

CURVE_STEP_S = 0.1
COLOURS = ("one", "two", "three", "four", "before", "after")
BUSES = {"drums": "one", "bass": "two", "music": "three", "vocals": "four", "mix": "after"}
MOST_STRIPS = 5
QUIETEST_BAR_LU = 24.0
"""A track this far under the loudest has no bar left."""
STAGES = {
    "alignment": "Polarity and time",
    "balance": "Balance",
    "low_cut": "Low cut",
    "eq": "EQ",
    "dynamics": "Dynamics",
    "riding": "Riding",
    "ducking": "Ducking",
    "panning": "Pan",
    "width": "Width",
    "sends": "Sends",
    "parallel": "Parallel",
    "bus": "Bus",
}
POLICIES = {
    "learned": "balance by the learned policy",
    "rules": "balance by the rules",
    "equal": "all tracks equally loud",
    "session": "rendered from a session as it stands",
}


def mix_section(mix: Plain) -> str:
    """Return the part of the page that explains a mix."""
    strips = mix.get("strips") or ()
    policy = POLICIES.get(mix.get("policy") or "", "")
    said = " · ".join(
        part
        for part in (str(mix.get("preset") or "").replace("_", " "), policy, "every setting is in mix.yaml")
        if part
    )
    by_stage = mix.get("reasons_by_stage")
    return "".join(
        (
            "<h2>Mix</h2>",
            f"<p class='lead'>{escape(said)}</p>",
            sentences("Warnings", mix.get("warnings") or ()),
            _desk(strips) if strips else "",
            guardrails("Guardrails, on the mix", mix.get("guardrails") or (), mix.get("retries") or 0),
            _reduction("Gain reduction of the buses", _bus_lines(mix.get("buses") or {})),
            _reduction("Gain reduction of the tracks that are compressed most", _strip_lines(strips)),
            _why(strips, by_stage)
            if by_stage
            else sentences("What was done, and why", mix.get("reasons") or ()),
        )
    )


def _desk(strips: Sequence[Plain]) -> str:
    """Return the tracks as a table, the loudest with the longest bar."""
    heard = [strip["in_mix_lufs"] for strip in strips if strip.get("in_mix_lufs") is not None]
    loudest = max(heard, default=0.0)
    heads = (
        "Track", "Loudness in the mix", "", "Came at", "Gain", "Fader", "Pan", "Width", "Low cut", "Reduction",
        "Sends", "Covered",
    )  # fmt: skip
    rows = [
        (
            f"{escape(str(strip['name']))}<br><small>{_words(strip)}</small>",
            number(strip.get("in_mix_lufs"), "LUFS", 1),
            _bar(strip, loudest),
            number(strip.get("came_lufs"), "LUFS", 1),
            number(strip.get("gain_db"), "dB", 1),
            number(strip.get("fader_db"), "dB", 1),
            _pan(strip.get("pan")),
            number(strip.get("width_pct"), "%", 0),
            number(strip.get("low_cut_hz"), "Hz", 0) if strip.get("low_cut_hz") else "–",
            _most(strip),
            _sends(strip.get("sends_db")),
            number(strip.get("covered_pct"), "%", 0),
        )
        for strip in strips
    ]
    return "<h3>The desk</h3>" + table(heads, rows)


def _words(strip: Plain) -> str:
    """Return what a track is, and what was done to its polarity and time."""
    said = [str(strip.get("role", "")).replace("_", " "), f"{strip.get('bus', '')} bus"]
    if strip.get("inverted"):
        said.append("inverted")
    if strip.get("delay_ms"):
        said.append(f"moved {strip['delay_ms']:+.2f} ms")
    return escape(" · ".join(said))


def _bar(strip: Plain, loudest: float) -> str:
    level = strip.get("in_mix_lufs")
    if level is None:
        return ""
    share = max(0.0, 1.0 - (loudest - level) / QUIETEST_BAR_LU)
    style = BUSES.get(str(strip.get("bus")), "before")
    return f"<span class='bar {style}' style='width:{6.0 * share:.2f}rem'></span>"


def _pan(pan: float | None) -> str:
    if pan is None:
        return "–"
    return "C" if abs(pan) < 0.005 else f"{'L' if pan < 0 else 'R'}&#8239;{100 * abs(pan):.0f}"


def _most(strip: Plain) -> str:
    """Return average and largest reduction, or a dash where nothing compresses."""
    average, most = strip.get("reduction_average_db"), strip.get("reduction_max_db")
    if not most or average is None:
        return "–"
    return f"{number(average, 'dB', 1)}<br><small>up to {number(most, 'dB', 1)}</small>"


def _sends(sends: Any) -> str:
    if not isinstance(sends, Mapping) or not sends:
        return "–"
    return "<br>".join(f"{escape(str(name))} {number(level, 'dB', 0)}" for name, level in sends.items())


def _bus_lines(buses: Plain) -> list[Line]:
    return [
        Line(name, BUSES.get(name, "before"), [-value for value in bus["reduction_curve_db"]])
        for name, bus in buses.items()
        if bus["reduction_curve_db"]
    ]


def _strip_lines(strips: Sequence[Plain]) -> list[Line]:
    pressed = sorted(
        (strip for strip in strips if strip.get("reduction_curve_db")),
        key=lambda strip: -float(strip["reduction_average_db"]),
    )
    return [
        Line(str(strip["name"]), style, [-value for value in strip["reduction_curve_db"]])
        for style, strip in zip(COLOURS, pressed[:MOST_STRIPS], strict=False)
    ]


def _reduction(title: str, lines: Sequence[Line]) -> str:
    if not lines:
        return ""
    duration_s = max(len(line.values) for line in lines) * CURVE_STEP_S
    lows = [value for line in lines for value in line.values if value is not None]
    axis = level_axis((*lows, 0.0), "dB", least_span=6.0, step=2.0)
    return plot(title, lines, time_axis(duration_s), axis, (0.0, duration_s))


def _why(strips: Sequence[Plain], by_stage: Sequence[Plain]) -> str:
    """Return the reasons as cards, one for each track, then those of the buses and of the whole."""
    names = [str(strip["name"]) for strip in strips]
    order = [*names, *dict.fromkeys(str(item["track"]) for item in by_stage if item["track"] not in names)]
    cards = []
    for name in order:
        own = [item for item in by_stage if item["track"] == name]
        if own:
            items = "".join(
                f"<li><b>{escape(STAGES.get(item['stage'], str(item['stage'])))}</b> {escape(_short(item, name))}</li>"
                for item in own
            )
            title = name if name in names else f"{name} bus" if name in BUSES and name != "mix" else name
            cards.append(f"<div><h4>{escape(title or 'the whole mix')}</h4><ul>{items}</ul></div>")
    return "<h3>What was done, and why</h3><div class='cards'>" + "".join(cards) + "</div>"


def _short(item: Plain, name: str) -> str:
    """Return a reason without the track's name before it."""
    return str(item["text"]).removeprefix(f"{name}: ")
