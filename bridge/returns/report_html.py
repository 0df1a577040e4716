"""`render_report`: the page that explains a mix and its masters, from plain data alone."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from math import log10
from typing import Any

from bridge.returns.report_mix import mix_section
from bridge.returns.report_parts import guardrails, number, sentences, table
from bridge.returns.report_plots import (
    Line,
    field,
    frequency_axis,
    level_axis,
    plot,
    time_axis,
)

Plain = Mapping[str, Any]

STYLE = """
:root{color-scheme:light dark;--bg:#fbfbfa;--ink:#1d2126;--soft:#6a727c;--line:#e1e3e6;--card:#fff;--before:#9aa3ad;
--after:#2563eb;--one:#b45309;--two:#0f766e;--three:#7c3aed;--four:#be185d;--good:#15803d;--bad:#b91c1c}
@media(prefers-color-scheme:dark){:root{--bg:#15181c;--ink:#e6e8eb;--soft:#98a1ab;--line:#2b3037;--card:#1c2025;
--before:#7b858f;--after:#6ea8fe;--one:#f59e0b;--two:#2dd4bf;--three:#a78bfa;--four:#f472b6;--good:#4ade80;--bad:#f87171}}
*{box-sizing:border-box}body{margin:0 auto;max-width:68rem;padding:2rem 1.2rem 4rem;background:var(--bg);
color:var(--ink);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;margin:0 0 .2rem}h2{font-size:1.2rem;margin:2.4rem 0 .6rem}
h3{font-size:1rem;margin:1.6rem 0 .4rem}p.lead{color:var(--soft);margin:.2rem 0 1rem}
.numbers{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.6rem}
.numbers div{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.6rem .8rem}
.numbers b{display:block;font-size:1.25rem;font-variant-numeric:tabular-nums}.numbers span,small{
color:var(--soft);font-size:.82rem}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:.3rem .5rem;border-bottom:1px solid var(--line)}th:first-child,
td:first-child{text-align:left}
th{vertical-align:bottom;font-size:.82rem;color:var(--soft)}td{vertical-align:top;white-space:nowrap}
.bar{display:inline-block;height:.55rem;border-radius:.2rem}
.cards{columns:19rem;column-gap:.8rem}.cards div{break-inside:avoid;margin-bottom:.8rem;
background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.6rem .9rem}
.cards h4{margin:0 0 .2rem;font-size:.95rem}.cards ul{margin:0;padding-left:1.1rem;font-size:.88rem}
.cards b{font-weight:600}
.wide{overflow-x:auto}.good{color:var(--good)}.bad{color:var(--bad)}li{margin:.25rem 0}
figure{margin:1rem 0;background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.7rem .8rem}
figcaption{font-weight:600;font-size:.9rem;margin-bottom:.3rem}svg{display:block;width:100%;height:auto}
.fields{display:grid;grid-template-columns:1fr 1fr;gap:1rem}.grid{stroke:var(--line);stroke-width:1;fill:none}
.field .grid{stroke-width:.08}.field .mark{font-size:2px}.mark{fill:var(--soft);font-size:11px}
.line{fill:none;stroke-width:1.6;stroke-linejoin:round}
.key{font-weight:400;font-size:.82rem;margin-left:.6rem}.key::before{content:"";display:inline-block;width:.9rem;height:.2rem;
margin-right:.3rem;vertical-align:middle;background:currentColor}
""" + "".join(
    f".line.{name}{{stroke:var(--{name})}}.key.{name}{{color:var(--{name})}}rect.{name}{{fill:var(--{name})}}"
    f".bar.{name}{{background:var(--{name})}}"
    for name in ("before", "after", "one", "two", "three", "four")
)

FIGURES: tuple[tuple[str, str, str], ...] = (
    ("integrated_lufs", "Integrated loudness", "LUFS"),
    ("momentary_max_lufs", "Loudest 0.4 s", "LUFS"),
    ("short_term_max_lufs", "Loudest 3 s", "LUFS"),
    ("lra_lu", "Loudness range", "LU"),
    ("true_peak_dbtp", "True peak, 4x", "dBTP"),
    ("true_peak_8x_dbtp", "True peak, 8x", "dBTP"),
    ("plr_lu", "Peak to loudness", "LU"),
    ("width_pct", "Side against mid", "%"),
    ("correlation", "Correlation", ""),
)
BAND_STYLES = ("one", "two", "three", "four")


def render_report(report: Plain, title: str) -> str:
    """Return the page as one self-contained HTML document. Parts that are absent or odd are left out, and told."""
    masters = report.get("masters") or ()
    body = [f"<h1>{escape(title)}</h1>"]
    if report.get("album"):
        body.append(_section(_album, masters))
    if report.get("mix"):
        body.append(_section(mix_section, report["mix"]))
    body += [_section(_master, item, len(masters) > 1 or bool(report.get("mix"))) for item in masters]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{''.join(body)}</body></html>\n"
    )


def _section(render: Callable[..., str], *data: Any) -> str:
    """Render one part; data that it can't read leaves a sentence in its place and the rest of the page whole."""
    try:
        return render(*data)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        return f"<p>This part of the report could not be drawn ({escape(repr(error))}); report.json has all of it.</p>"


def _master(report: Plain, titled: bool) -> str:
    before, after, target = report["before"], report["after"], report["target"]
    parts = [f"<h2>Master: {escape(str(report['name']))}</h2>" if titled else "<h2>Master</h2>"]
    parts.append(
        f"<p class='lead'>Target {number(target['lufs'], 'LUFS', 1)} under {number(target['ceiling_dbtp'], 'dBTP', 1)}"
        f" · {report['bits']} bits, dithered · {after['sample_rate']} Hz</p>"
    )
    tiles = (
        ("Loudness", number(after["integrated_lufs"], "LUFS", 1)),
        ("True peak (4x / 8x)", f"{number(after['true_peak_dbtp'])} / {number(after['true_peak_8x_dbtp'])}"),
        ("Loudness range", number(after["lra_lu"], "LU", 1)),
        ("Peak to loudness", number(after["plr_lu"], "LU", 1)),
        ("For a fair comparison", f"turn the master by {number(report['level_match_db'], 'dB', 1)}"),
    )
    parts.append(_tiles(tiles))
    parts += [
        sentences("Warnings", report["warnings"]),
        sentences("What was done, and why", report["reasons"]),
    ]
    parts.append(
        guardrails("Guardrails, on the written file", report["guardrails"], report.get("retries", 0))
    )
    parts.append(_spectra(report))
    parts.append(_over_time(report["curves"]))
    fields = [
        field("Stereo field before", report["stereo"]["before"], "before"),
        field("Stereo field after", report["stereo"]["after"], "after"),
    ]
    parts.append(f"<div class='fields'>{''.join(fields)}</div>" if any(fields) else "")
    parts.append(_before_and_after(before, after))
    parts.append(_codecs(report.get("codec_preview") or ()))
    return "".join(parts)


def _tiles(tiles: Sequence[tuple[str, str]]) -> str:
    return (
        "<div class='numbers'>"
        + "".join(f"<div><span>{name}</span><b>{value}</b></div>" for name, value in tiles)
        + "</div>"
    )


def _spectra(report: Plain) -> str:
    before, after = report["before"]["spectrum_db"], report["after"]["spectrum_db"]
    positions = [log10(float(centre)) for centre in after]
    shift = report["level_match_db"] or 0.0
    levelled = [None if level is None else level + shift for level in after.values()]
    levels = [level for level in (*before.values(), *levelled) if level is not None and level > -110.0]
    up = level_axis(levels, "dB, third octaves, at equal loudness")
    lines = (Line("before", "before", list(before.values())), Line("after", "after", levelled))
    gains = list(report["done"]["eq_db"].values())
    equaliser = level_axis((-4.0, 4.0), "dB", least_span=8.0, step=2.0)
    return plot("Spectrum", lines, frequency_axis(), up, positions) + plot(
        "Equaliser", (Line("gain", "one", gains),), frequency_axis(), equaliser, positions
    )


def _over_time(curves: Plain) -> str:
    duration = float(curves["duration_s"] or 0.0)
    across, ends = time_axis(duration), (0.0, duration)
    before, after = curves["loudness_before_lufs"], curves["loudness_after_lufs"]
    heard = [value for value in (*before, *after) if value is not None and value > -60.0]
    loudness = plot(
        "Loudness over time (3 s)",
        (Line("before", "before", before), Line("after", "after", after)),
        across,
        level_axis(heard, "LUFS"),
        ends,
    )
    limiter = [None if value is None else -value for value in curves["limiter_db"]]
    lines = [Line("limiter and leveller", "after", limiter)]
    if any(curves["slow_gain_db"]):
        lines.append(Line("glue and riding", "before", curves["slow_gain_db"]))
    lines += [
        Line(name, style, values)
        for style, (name, values) in zip(BAND_STYLES, curves["band_gain_db"].items(), strict=False)
    ]
    gains = [value for line in lines for value in line.values if value is not None]
    return loudness + plot(
        "Gain over time", lines, across, level_axis((*gains, 0.0), "dB", least_span=6.0, step=2.0), ends
    )


def _before_and_after(before: Plain, after: Plain) -> str:
    rows = [
        (name, number(before.get(key), unit), number(after.get(key), unit)) for key, name, unit in FIGURES
    ]
    return "<h3>All figures</h3>" + table(("", "before", "after"), rows)


def _codecs(previews: Sequence[Plain]) -> str:
    if not previews:
        return ""
    rows = [
        (
            escape(item["codec"]),
            number(item["true_peak_dbtp"], "dBTP"),
            number(item["over_db"], "dB"),
            number(item["integrated_lufs"], "LUFS"),
        )
        for item in previews
    ]
    return "<h3>What codecs make of it</h3>" + table(
        ("codec", "true peak", "against the ceiling", "loudness"), rows
    )


def _album(masters: Sequence[Plain]) -> str:
    rows = [
        (
            escape(item["name"]),
            number(item["before"]["integrated_lufs"], "LUFS", 1),
            number(item["after"]["integrated_lufs"], "LUFS", 1),
            number(item["after"]["true_peak_dbtp"], "dBTP"),
            number(item["after"]["lra_lu"], "LU", 1),
        )
        for item in masters
    ]
    return "<h2>Album</h2>" + table(("song", "before", "after", "true peak", "range"), rows)
