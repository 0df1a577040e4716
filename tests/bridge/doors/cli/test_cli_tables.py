"""What the command line prints about jobs: nothing is lost on a narrow terminal, nothing is cut in a pipe."""

import io
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from bridge.doors.cli.app import nrx
from bridge.doors.cli.job_table import job_table, show_jobs
from bridge.protocol import JobStatus
from engine.errors import NrxError

LONG_ID = "ce9a6709cfac4af8a8c7ca2881f5fa9e"


def a_job(job_id: str = LONG_ID, folder: str = "/returns/kick - jazz") -> JobStatus:
    return JobStatus(
        id=job_id, action="remix", title="kick " * 12, style="jazz", door="http", state="succeeded", fraction=1.0,
        created_at=0.0, folder=folder,
    )  # fmt: skip


def test_ids_states_and_returns_stay_whole_on_a_narrow_terminal() -> None:
    out = io.StringIO()
    Console(file=out, width=80).print(job_table([a_job()]))
    cells = [[cell.strip() for cell in line.split("│")] for line in out.getvalue().splitlines()[2:]]
    assert "".join(row[0] for row in cells) == LONG_ID
    assert cells[0][1] == "succeeded"
    assert " ".join(row[-1] for row in cells).split() == ["kick", "-", "jazz"]


def test_a_job_is_one_line_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    folder = f"/home/{'me/' * 60}returns/kick - jazz"
    show_jobs([a_job(folder=folder)], total=1, paused=False, filtered=False)
    line = capsys.readouterr().out.splitlines()[2]
    assert line.startswith(LONG_ID)
    assert "(jazz)" in line
    assert folder in line


@pytest.mark.parametrize(
    ("filtered", "said"), [(False, "There are no jobs yet."), (True, "There are no such jobs.")]
)
def test_an_empty_list_says_whether_there_are_any_jobs(
    filtered: bool, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    show_jobs([], total=0, paused=False, filtered=filtered)
    assert capsys.readouterr().out.strip() == said


def test_a_jobs_log_leaves_out_who_asked_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NRX_HOME", str(tmp_path))
    (tmp_path / "logs").mkdir()
    about = "2026-01-01 00:00:00,000 INFO nrx.jobs: job take-1 accepted by osc: remix kick\n"
    asked = "2026-01-01 00:00:01,000 INFO nrx.http: GET /v2/jobs/take-1 200 1.0 ms\n"
    (tmp_path / "logs" / "daemon.log").write_text(about + 100 * asked, encoding="utf-8")
    assert CliRunner().invoke(nrx, ["logs", "take-1"]).output == about
    unknown = CliRunner().invoke(nrx, ["logs", "take-2"])
    assert isinstance(unknown.exception, NrxError)
    assert unknown.exception.code == "job.unknown"


def test_submit_refuses_a_priority_outside_what_a_request_may_have() -> None:
    result = CliRunner().invoke(nrx, ["submit", "song.wav", "--style", "jazz", "--priority", "101"])
    assert result.exit_code == 2
    assert "-100<=x<=100" in result.output
