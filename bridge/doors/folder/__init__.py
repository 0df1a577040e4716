"""Watched folders: a render that a DAW has finished writing becomes a job.

Any number of folders (`[[watch]]` in nrx.toml, `nrx serve --watch DIR[=STYLE]`), each with its action, style and return
folder. `names` says what counts as audio, as a stem, as a style's folder; `settling` when a file is finished; `ledger`
what was taken before; `requests` what is asked for; `door` puts them together.
"""

from bridge.doors.folder.door import FolderDoor
from bridge.doors.folder.model import WaitingFile
from bridge.doors.folder.option import parse_watch

__all__ = ["FolderDoor", "WaitingFile", "parse_watch"]
