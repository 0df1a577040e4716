"""The command `nrx` and the table of its subcommands; each is imported only when it is called."""

import sys
from importlib import import_module

import click

from engine import __version__
from engine.errors import NrxError

SECTIONS: dict[str, dict[str, str]] = {
    "Music": {
        "remix": "Remix songs in another style, returned as tracks.",
        "separate": "Take songs apart into stems that sum to them.",
        "analyze": "Tell tempo, key, chords, sections and more of songs.",
        "generate": "Make new music: from words, like a song, or a single stem.",
        "stream": "Make music that can be heard while it is made.",
        "sync": "Fit a vocal (or any audio) to another tempo.",
        "mix": "Balance stems into a mix.",
        "master": "Bring a mix to its loudness under a true-peak ceiling.",
        "measure": "Measure loudness, true peak, range, image and spectrum.",
        "embed": "Measure how alike sounds and words are.",
        "styles": "List the styles, show one, or suggest some for a song.",
        "demo": "Make a short song, remix it, and show what comes back.",
    },
    "Daemon": {
        "serve": "Run the daemon: watched folders, OSC, HTTP and the web console.",
        "open": "Open the web console in a browser.",
        "submit": "Remix through the daemon, with live progress.",
        "jobs": "List the daemon's jobs, pause or resume its queue.",
        "watch": "Follow the daemon's jobs, or one of them, live.",
        "cancel": "Cancel jobs.",
        "retry": "Queue failed or cancelled jobs again.",
        "logs": "Show the daemon's log, or what happened to a job.",
        "allow": "Let OSC and HTTP name files below a folder.",
        "service": "Start the daemon with your session, or stop doing so.",
    },
    "Machine": {
        "install": "Put the scripts into a DAW, or take them out again.",
        "doctor": "Check everything that nrx needs, and say what to do.",
        "models": "List, fetch, verify and remove the weights of neural models.",
        "devices": "List what nrx can compute on.",
        "clean": "Show what takes disk, and free it.",
    },
}
"""Section of the help -> subcommand -> its help. Each lives in `bridge.doors.cli.commands.<name>` as `command`."""

COMMANDS = {name: text for section in SECTIONS.values() for name, text in section.items()}

EPILOG = """
\b
Examples:
  nrx demo
  nrx remix song.wav --style lofi_chill
  nrx remix song.mp3 --style edm --energy 1.4 --tempo style --out ~/remixes
  nrx remix vocals=voice.wav drums=kit.wav --style jazz --json
  nrx separate song.flac --two-stems vocals

\b
Exit status: 0 done · 1 an error in nrx itself · 2 wrong arguments or style
3 bad input · 4 the output can't be written, or the disk is full
5 a backend, a plug-in or the daemon is missing · 130 cancelled (Ctrl-C).
With several files the status is that of the first that failed.

All state lives in the folder NRX_HOME (~/.nrx unless set).
"""


class LazyGroup(click.Group):
    """A group that knows its commands' names and helps without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"bridge.doors.cli.commands.{cmd_name}").command
        if not isinstance(command, click.Command):
            raise TypeError(f"{cmd_name} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the tables alone, so that help stays fast."""
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(list(commands.items()))


@click.group(
    cls=LazyGroup,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="nrx")
def nrx() -> None:
    """NRX Bridge: remix a track in another style and get it back on tracks, locked to the song's bars.

    Works offline with nothing downloaded. Your files are never changed and nothing is ever overwritten.
    """


def run() -> None:
    """Run `nrx` with the process's arguments and end the process with the documented status."""
    try:
        nrx.main(prog_name="nrx", standalone_mode=False)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        complain(usage_error(error))
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Cancelled.", err=True)
        sys.exit(130)
    except NrxError as error:
        complain(error)
        sys.exit(error.exit_status)
    except Exception as error:  # noqa: BLE001 - whatever it is, the person gets a sentence
        from bridge.config import home_folder
        from bridge.doors.cli.unexpected import unexpected

        told = unexpected(error, home_folder())
        complain(told)
        sys.exit(told.exit_status)


def usage_error(error: click.ClickException) -> NrxError:
    """Return an error in the arguments as any other: one sentence with a code, and where to read on."""
    sentence = " ".join(error.format_message().split()).rstrip(".")  # click lists choices a line each
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None:
        join = " " if sentence.endswith("?") else "; "
        sentence += f"{join}`{context.command_path} --help` tells what there is"
    return NrxError("request.invalid", f"{sentence}.")


def complain(error: NrxError) -> None:
    """Write an error's sentence and code to standard error."""
    click.echo(f"nrx: {error.sentence} [{error.code}]", err=True)
