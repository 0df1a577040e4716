"""The spool: request files from scripts on the same machine, and status files back.

A script writes `$NRX_HOME/spool/new/<id>.json` under another name and renames it; then it reads
`spool/status/<id>.json` until the job has ended; a file `spool/cancel/<id>.json` cancels. What the files hold is in
`request_file` (the one description of what may be asked) and `status_file`.
"""

from bridge.doors.spool.door import SpoolDoor
from bridge.doors.spool.intake import Intake
from bridge.doors.spool.request_file import SpoolRequest, read_request_file, spool_schema
from bridge.doors.spool.status_file import SpoolStatus, StatusFolder

__all__ = [
    "Intake",
    "SpoolDoor",
    "SpoolRequest",
    "SpoolStatus",
    "StatusFolder",
    "read_request_file",
    "spool_schema",
]
