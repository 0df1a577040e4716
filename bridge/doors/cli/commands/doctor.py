"""`nrx doctor`."""

import sys

import click

MARKS = {"ok": ("ok  ", "green"), "hint": ("hint", "yellow"), "bad": ("BAD ", "red")}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON a check.")
def command(*, as_json: bool) -> None:
    """Check what nrx needs: Python, sound libraries, devices, ports, folders, scripts, disk; each ok, or what to do.

    The exit status is 5 if something is bad, else 0.
    """
    import json
    from dataclasses import asdict

    from bridge.install.doctor import examine

    bad = False
    for finding in examine():
        bad = bad or finding.verdict == "bad"
        if as_json:
            click.echo(json.dumps(asdict(finding), ensure_ascii=False))
            continue
        mark, colour = MARKS[finding.verdict]
        click.echo(f"{click.style(mark, fg=colour)}  {finding.topic}: {finding.says}")
        if finding.todo:
            click.echo(f"      {finding.todo}")
    if bad:
        sys.exit(5)
