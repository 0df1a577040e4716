"""What stands before the progress bar."""

from typing import Any

import pytest

from bridge.doors.cli.runner import progress_title
from bridge.protocol import parse_request


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ({"action": "analyze", "inputs": [{"path": "/songs/song.wav"}]}, "analyze song.wav"),
        ({"action": "mix", "inputs": [{"path": "kick.wav"}, {"path": "bass.wav"}]}, "mix kick.wav and 1 more"),
        ({"action": "separate", "inputs": [{"path": "/i/0f1e2d.wav", "name": "Set - Drums.wav"}]},
         "separate Set - Drums.wav"),
        ({"action": "generate", "prompt": "lofi"}, "generate"),
    ],
)  # fmt: skip
def test_a_job_is_called_what_people_call_its_files(fields: dict[str, Any], title: str) -> None:
    assert progress_title(parse_request(fields)) == title
