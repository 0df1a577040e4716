"""docs/osc.md says what the table of addresses says."""

from pathlib import Path

from bridge.doors.osc.addresses import TO_CLIENT, TO_NRX
from bridge.doors.osc.document import with_tables

PAGE = Path(__file__).parents[4] / "docs" / "osc.md"


def test_page_holds_the_tables_as_they_are() -> None:
    page = PAGE.read_text("utf-8")
    assert with_tables(page) == page, "run: python -m bridge.doors.osc.document docs/osc.md"
    for message in (*TO_NRX, *TO_CLIENT):
        assert f"`{message.form()}`" in page


def test_forms_of_an_address_differ_in_their_number_of_arguments() -> None:
    for table in (TO_NRX, TO_CLIENT):
        counts = [
            (message.address, count)
            for message in table
            for count in range(message.fewest, len(message.arguments) + 1)
        ]
        assert len(counts) == len(set(counts))


def test_names_are_unique_and_kinds_are_what_max_understands() -> None:
    names = [message.name for message in (*TO_NRX, *TO_CLIENT)]
    assert len(names) == len(set(names))
    assert {a.kind for message in (*TO_NRX, *TO_CLIENT) for a in message.arguments} == {"i", "f", "s"}
