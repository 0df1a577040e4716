"""How wide tables are: a terminal keeps its own width; in output that is piped nothing is cut off."""

import sys

PIPED_WIDTH = 1000


def output_width() -> int | None:
    """Return the width for standard output in characters; None: the terminal's."""
    return None if sys.stdout.isatty() else PIPED_WIDTH
