"""`nrx stream`."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bridge.doors.cli.music_options import music_fields, music_options
from engine.errors import NrxError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.streams.growing import GrowingWav
    from engine.audio.buffer import Samples
    from engine.streaming.protocol import AudioStream

STANDARD_OUTPUT = Path("-")
WAV_SUFFIXES = ("", ".wav", ".wave")
"""Endings that do not claim to be another format."""
TOLD_EVERY_S = 0.5


@click.command(
    "stream",
    epilog="""
\b
Examples:
  nrx stream "dark techno, 128 bpm" --out techno.wav      a file that can be played while it grows
  nrx stream "lofi" --out - | aplay -f cd                 raw 16-bit samples, 44.1 kHz, stereo
  nrx stream "sad piano in F# minor" --duration 60 --quality high
""",
)
@click.argument("words")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="WAV file that grows; - writes raw samples to standard output. [default: named after the words]",
)
@click.option("--style", help="A style's id; without one, the nearest to the words.")
@click.option("--stem", metavar="TYPE", help="Only one part: drums, bass, chords, pad, arp, lead …")
@click.option("--duration", metavar="SECONDS", help="Length; without one it goes on until Ctrl-C.")
@click.option(
    "--quality",
    type=click.Choice(["fast", "balanced", "high"]),
    default="balanced",
    show_default=True,
    help="Fast starts soonest and works least.",
)
@click.option("--generator", default="auto", show_default=True, help="arranger, musicgen, or a model's name.")
@music_options
def command(words: str, out: Path | None, **options: Any) -> None:
    """Make music that can be heard while it is made.

    Without a length it goes on until Ctrl-C, and no faster than it is heard; what was made is then whole.
    """
    from bridge.config import load_settings
    from bridge.streams.making import make_stream
    from bridge.streams.request import parse_stream

    if out is not None and out != STANDARD_OUTPUT and out.suffix.lower() not in WAV_SUFFIXES:
        raise NrxError(
            "request.invalid", f'"{out}" is no WAV file, and a stream is written as one; end it in .wav.'
        )
    request = parse_stream(
        {
            "prompt": words,
            **music_fields(options),
            "quality": options["quality"],
            "generator": options["generator"],
        }
    )
    settings = load_settings()
    stream, why = make_stream(request, settings)
    click.echo(f"{stream.source.name}, {stream.sample_rate} Hz: {why}", err=True)
    for warning in stream.warnings:
        click.echo(warning, err=True)
    ahead_s = settings.streams.ahead_s if request.duration_s is None else float("inf")
    chunks = _paced(stream, ahead_s)
    if out == STANDARD_OUTPUT:
        _to_output(chunks)
    else:
        _to_file(chunks, stream, out or _free_file(words))


def _paced(stream: "AudioStream", ahead_s: float) -> "Iterator[Samples]":
    """Yield chunks with sound in them, no further ahead of a listener than that."""
    began, frames = time.monotonic(), 0
    for chunk in stream:
        if not chunk.shape[1]:
            continue
        time.sleep(max(0.0, frames / stream.sample_rate - ahead_s - (time.monotonic() - began)))
        frames += chunk.shape[1]
        yield chunk


def _to_output(chunks: "Iterator[Samples]") -> None:
    """Write raw samples until their reader has had enough."""
    from bridge.streams.samples import encoded

    try:
        for chunk in chunks:
            sys.stdout.buffer.write(encoded(chunk, "s16"))
            sys.stdout.buffer.flush()
    except BrokenPipeError:
        sys.stderr.close()  # nothing is left to say, and Python would complain at the end
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)


def _to_file(chunks: "Iterator[Samples]", stream: "AudioStream", path: Path) -> None:
    """Write a file that grows; Ctrl-C ends it whole."""
    from bridge.streams.growing import GrowingWav
    from bridge.streams.samples import encoded

    began = time.monotonic()
    with GrowingWav(path, sample_rate=stream.sample_rate, channels=stream.channels, subtype="PCM_16") as file:
        click.echo(f"{path} grows; Ctrl-C ends it.", err=True)
        try:
            told_at = 0.0
            for chunk in chunks:
                file.write(encoded(chunk, "s16"))
                if time.monotonic() - told_at >= TOLD_EVERY_S and sys.stderr.isatty():
                    told_at = time.monotonic()
                    click.echo(f"\r{_so_far(file, stream)}", nl=False, err=True)
        except KeyboardInterrupt:
            click.echo("", err=True)
    taken_s = max(1e-3, time.monotonic() - began)
    made_s = file.frames / stream.sample_rate
    click.echo(f"{path}: {made_s:.1f} s of music in {taken_s:.1f} s", err=True)


def _so_far(file: "GrowingWav", stream: "AudioStream") -> str:
    made_s = file.frames / stream.sample_rate
    length = stream.length_frames
    return f"{made_s:.1f} s" if length is None else f"{made_s:.1f} of {length / stream.sample_rate:.1f} s"


def _free_file(words: str) -> Path:
    """Return a name in this folder that nothing has yet."""
    from bridge.returns.folder import safe_name

    name, count = safe_name(words or "stream"), 1
    while (path := Path(f"{name}.wav" if count == 1 else f"{name} ({count}).wav")).exists():
        count += 1
    return path
