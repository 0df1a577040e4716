"""The command line: `nrx`. Arguments in, a `Request` out; then progress, a table or JSON."""


def main() -> None:
    """Run the command line (the entry point of the `nrx` script)."""
    from bridge.doors.cli.app import run

    run()
