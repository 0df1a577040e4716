"""Parts that every section of the report page is built of: figures, lists, tables, guardrails."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

Plain = Mapping[str, Any]


def number(value: Any, unit: str = "", digits: int = 2) -> str:
    """Return a figure with its unit; a dash for silence and for what was not measured."""
    if value is None or isinstance(value, str | list | Mapping):
        return escape(value) if isinstance(value, str) else "–"
    text = str(value) if isinstance(value, bool | int) else f"{value:.{digits}f}"
    return f"{text}&#8239;{unit}" if unit else text


def sentences(title: str, items: Sequence[str]) -> str:
    """Return a titled list, or nothing where there is nothing to say."""
    if not items:
        return ""
    said = "".join(f"<li>{escape(str(sentence))}</li>" for sentence in items)
    return f"<h3>{title}</h3><ul>{said}</ul>"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; cells are HTML already."""
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<div class='wide'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def guardrails(title: str, checks: Sequence[Plain], retries: int) -> str:
    """Return the checks with what was found and the limits."""
    if not checks:
        return ""
    rows = [
        (
            escape(str(item["what"])),
            number(item["value"], escape(str(item["unit"]))),
            number(item["limit"], escape(str(item["unit"]))),
            "<span class='good'>holds</span>" if item["passed"] else "<span class='bad'>fails</span>",
        )
        for item in checks
    ]
    again = f" <small>after {retries} {'retry' if retries == 1 else 'retries'}</small>" if retries else ""
    return f"<h3>{title}{again}</h3>" + table(("", "found", "limit", ""), rows)
