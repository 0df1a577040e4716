"""`nrx measure`."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from engine.errors import NrxError

FIGURES: tuple[tuple[str, str, str], ...] = (
    ("integrated_lufs", "integrated", "LUFS"),
    ("momentary_max_lufs", "momentary, highest", "LUFS"),
    ("short_term_max_lufs", "short-term, highest", "LUFS"),
    ("lra_lu", "loudness range", "LU"),
    ("true_peak_dbtp", "true peak, 4x", "dBTP"),
    ("true_peak_8x_dbtp", "true peak, 8x", "dBTP"),
    ("sample_peak_dbfs", "sample peak", "dBFS"),
    ("plr_lu", "peak to loudness", "LU"),
    ("width_pct", "side against mid", "%"),
    ("correlation", "correlation", ""),
    ("balance_db", "right against left", "dB"),
)
BAR_DB, BAR_CELLS = 60.0, 30


@click.command(
    "measure",
    epilog="""
\b
Examples:
  nrx measure master.wav
  nrx measure *.wav --json
""",
)
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line and nothing else.")
def command(files: tuple[str, ...], *, as_json: bool) -> None:
    """Measure files: loudness (BS.1770-4, EBU R 128), true peak, dynamics, stereo image and spectrum.

    True peak is that of the standard's four times oversampling, and of a stricter meter at eight times. Silence has
    no loudness and is shown as "-" (null in JSON).
    """
    from bridge.doors.cli.app import complain
    from engine.actions.measure import measure_file

    status = 0
    for file in files:
        try:
            measured = measure_file(Path(file).expanduser())
        except NrxError as error:
            complain(error)
            status = status or error.exit_status
            continue
        click.echo(json.dumps(measured, ensure_ascii=False) if as_json else _told(measured))
    if status:
        sys.exit(status)


def _told(measured: dict[str, Any]) -> str:
    """Return the figures as lines, and the spectrum as bars against its highest band."""
    channels = "1 channel" if measured["channels"] == 1 else f"{measured['channels']} channels"
    lines = [f"{measured['file']}: {measured['duration_s']:.1f} s, {measured['sample_rate']} Hz, {channels}"]
    for key, name, unit in FIGURES:
        value = measured[key]
        lines.append(f"  {name:22}{'-' if value is None else f'{value:.2f}':>9} {unit}".rstrip())
    spectrum = measured["spectrum_db"]
    highest = max(spectrum.values())
    lines.append("  spectrum, third octaves")
    for centre, level in spectrum.items():
        cells = max(0, round(BAR_CELLS * (1.0 + (level - highest) / BAR_DB)))
        lines.append(f"  {centre:>8} Hz{level:9.1f} dB {'█' * cells}".rstrip())
    return "\n".join(lines)
