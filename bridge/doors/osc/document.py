"""The tables in `docs/osc.md`, made from the table of addresses: `python -m bridge.doors.osc.document docs/osc.md`."""

import sys
from pathlib import Path

from bridge.doors.osc.addresses import KIND_NAMES, TO_CLIENT, TO_NRX, Message

TABLES = {"to NRX Bridge": TO_NRX, "to clients": TO_CLIENT}


def table(messages: tuple[Message, ...]) -> str:
    """Return the Markdown of a table of messages."""
    lines = []
    for message in messages:
        lines += [f"**`{message.form()}`**  ", message.meaning, ""]
        lines += [
            f"- `{a.name}` ({KIND_NAMES[a.kind]}{_default(a.default)}): {a.meaning}"
            for a in message.arguments
        ]
        lines += [""] * bool(message.arguments)
    return "\n".join(lines).rstrip()


def with_tables(page: str) -> str:
    """Return a page with what stands between its marks replaced by the tables."""
    for name, messages in TABLES.items():
        before, mark, rest = page.partition(f"<!-- table: {name} -->\n")
        _, end, after = rest.partition("<!-- end -->")
        page = f"{before}{mark}{table(messages)}\n{end}{after}"
    return page


def _default(default: int | float | str | None) -> str:
    if default is None:
        return ""
    return f", default {default}" if default != "" else ", default empty"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(with_tables(path.read_text(encoding="utf-8")), encoding="utf-8")
