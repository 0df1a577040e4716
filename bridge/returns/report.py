"""The report of a mix or a master in a return: `report.json` for programs, `report.html` for people.

The data is plain (see `engine.mastering.describe`): `masters` is a list with one report a song, `album` says whether
they belong together, `mix` is what the mixer says. Of the mix only these keys are read, all of them optional: `strips`
(a list of mappings, one a stem: `name`, `role` and any figures), `reasons`, `warnings` (lists of sentences) and
`guardrails` (as a master's). The page needs no network and no script, and is light or dark as the reader's system is.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bridge.returns.folder import write_file, writing_to
from bridge.returns.report_html import render_report

REPORT_JSON, REPORT_HTML = "report.json", "report.html"


def write_report(folder: Path, report: Mapping[str, Any], title: str) -> dict[str, str]:
    """Write both files into a return's folder; return what the manifest calls them.

    Raises:
        NrxError: `output.not_writable`, `output.disk_full`.
    """
    with writing_to(folder):
        write_file(folder / REPORT_JSON, (json.dumps(report, indent=1, ensure_ascii=False) + "\n").encode())
        write_file(folder / REPORT_HTML, render_report(report, title).encode())
    return {"report": REPORT_JSON, "report page": REPORT_HTML}
