"""What people see at the end of a job: where it is, what it holds, how it sounds, in a table."""

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bridge.doors.cli.width import output_width
from bridge.protocol import JobStatus, Manifest, TakeInfo
from engine.errors import CODES, NrxError

BARS_SHOWN = 16
SAME_TEMPO_BPM = 0.05
NO_CHORD = "N"
"""What manifests call a stretch without a chord; a row of nothing else tells people nothing."""


def show_manifest(manifest: Manifest) -> None:
    """Print a return's table of tracks and its facts to standard output."""
    console = Console(highlight=False, soft_wrap=True, width=output_width())
    if manifest.tracks:
        table = Table(title_justify="left", show_edge=False, pad_edge=False)
        for column in ("track", "kind", "file", "gain", "LUFS", ""):
            table.add_column(column, justify="right" if column in ("gain", "LUFS") else "left", no_wrap=True)
        for track in manifest.tracks:
            table.add_row(
                Text("■ ", style=track.colour) + Text(track.name),
                track.kind,
                track.file,
                f"{track.gain_db:+.1f} dB",
                "" if track.loudness_lufs is None else f"{track.loudness_lufs:.1f}",
                "muted" if track.muted else "",
            )
        console.print(table)
    for line in facts(manifest):
        console.print(Text(line))
    console.print(Text(f"In {manifest.folder}", style="bold"))


def show_ended(job: JobStatus, *, as_json: bool) -> None:
    """Show what came of a job that has ended, and exit with the status of its failure if it did not succeed."""
    from bridge.doors.cli.app import complain

    if job.state == "succeeded" and job.manifest is not None:
        text = Path(job.manifest).read_text(encoding="utf-8")
        if as_json:
            click.echo(Manifest.model_validate_json(text).model_dump_json())
        else:
            show_manifest(Manifest.model_validate_json(text))
    elif job.error is not None:
        error = NrxError(job.error.code, job.error.sentence)
        complain(error)
        sys.exit(error.exit_status)
    elif job.state == "cancelled":
        click.echo(f"{job.id} was cancelled; nothing was left behind.", err=True)
        sys.exit(CODES["cancelled"].exit_status)


def _count(number: int, what: str) -> str:
    """Return "1 bar", "2 bars"."""
    return f"{number} {what}{'' if number == 1 else 's'}"


MAKERS = {"separate": "Separated", "generate": "Played"}
"""Stages that can be done by several backends, and what is said of the one that did it."""


def _makers(manifest: Manifest) -> list[str]:
    """Return which backends did their stages and why; `nrx separate` says it in its notes."""
    return [
        f"{MAKERS[item.stage]} by {item.name}{f' on {item.device}' if item.device else ''}: {item.why}."
        for item in manifest.backends
        if item.stage in MAKERS and item.why and manifest.action != "separate"
    ]


def _take(take: TakeInfo) -> str:
    """Return what became of a generator's take; that it could not be fitted is said in the notes."""
    said = f'Take: seed {take.seed}, asked for "{take.prompt}"'
    if take.ranking is not None:
        said += f" (number {take.ranking.place} of {take.ranking.of} by {take.ranking.model})"
    if take.why_not is not None or take.measured_bpm is None:
        return f"{said}."
    fitted = f"played at {take.measured_bpm:.1f} BPM and fitted to {take.target_bpm:.1f}"
    return f"{said}; {fitted}, {take.residual_median_ms:.0f} ms off the beats (at worst {take.residual_worst_ms:.0f})."


def facts(manifest: Manifest) -> list[str]:
    """Return what a person would want to know of a return, a line each."""
    lines = []
    heard = manifest.analysis
    if heard is not None:
        verb = "Heard" if manifest.source or manifest.takes else "Written"
        others = ", ".join(f"{item.bpm:g}" for item in heard.tempo_candidates[1:3])
        lines.append(
            f"{verb}: {heard.tempo_bpm:.2f} BPM{f' (or {others})' if others else ''}, {heard.time_signature}, "
            f"{heard.key}{f' ({heard.key_confidence:.0%} sure)' if manifest.source else ''}, "
            f"{_count(len(heard.downbeats_s), 'bar')} in {_count(len(heard.sections), 'section')}."
        )
        chords = [chord.label for chord in heard.chords]
        if set(chords) - {NO_CHORD}:
            more = " …" if len(chords) > BARS_SHOWN else ""
            lines.append(f"Chords: {' '.join(chords[:BARS_SHOWN])}{more}")
    laid = manifest.timeline
    if heard is not None and laid is not None and abs(laid.tempo_bpm - heard.tempo_bpm) > SAME_TEMPO_BPM:
        lines.append(f"New tempo: {laid.tempo_bpm:.2f} BPM; the separated tracks keep the song's own.")
    for item in manifest.sync:
        moved = "as sung" if item.engine == "none" else (
            f"stretched {item.stretch_mean:.2f}x, {item.pitch_semitones:+.1f} semitones"
        )  # fmt: skip
        lines.append(f"Kept: {item.role}, {moved}.")
    master = manifest.loudness.get("master")
    if master is not None and master.integrated_lufs is not None and master.true_peak_dbtp is not None:
        lines.append(f"Master: {master.integrated_lufs:.1f} LUFS, {master.true_peak_dbtp:.1f} dBTP.")
        lines += [f"Note: {warning}" for warning in master.warnings]
    lines += _makers(manifest)
    lines += [_take(item) for item in manifest.takes]
    lines += [f"Note: {note}" for note in manifest.notes]
    if manifest.seconds:
        reused = [stage.stage for stage in manifest.stages if stage.cached]
        lines.append(
            f"Took {manifest.seconds:.1f} s, {manifest.times_real_time:.1f} times as fast as it plays"
            + (f" (from the cache: {', '.join(reused)})." if reused else ".")
        )
    if "overview" in manifest.files:
        lines.append(f"Picture: {Path(manifest.folder) / manifest.files['overview']}")
    if "report page" in manifest.files:
        lines.append(f"What was done, and why: {Path(manifest.folder) / manifest.files['report page']}")
    return lines
