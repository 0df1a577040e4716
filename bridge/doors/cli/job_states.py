"""The states of a job as the command line offers and colours them."""

from typing import get_args

from bridge.protocol import JobState

STATES: tuple[str, ...] = get_args(JobState)

STATE_STYLES: dict[str, str] = {
    "queued": "dim",
    "running": "cyan",
    "succeeded": "green",
    "failed": "red",
    "cancelled": "yellow",
}
