import datetime as dt
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.web import paging

Row = tuple[dt.date, uuid.UUID]
KINDS = (dt.date, uuid.UUID)


def rows(count: int) -> list[Row]:
    return [
        (dt.date(2026, 1, 1) + dt.timedelta(days=n // 2), uuid.UUID(int=n)) for n in range(count)
    ]


def find(everything: list[Row], asked: paging.Asked, at_most: int) -> list[Row]:
    """Do what a query does: rows beyond the key in the asked direction, one more than a page."""
    if asked.key is None:
        return everything[: at_most + 1]
    if asked.direction == "after":
        return [row for row in everything if row > asked.key][: at_most + 1]
    return [row for row in reversed(everything) if row < asked.key][: at_most + 1]


@given(st.integers(0, 40), st.integers(1, 7))
def test_walking_forward_and_back_meets_every_row_once(count: int, at_most: int) -> None:
    everything = rows(count)
    met: list[Row] = []
    asked = paging.Asked()
    last: paging.Page[Row] | None = None
    while True:
        page = paging.page_of(find(everything, asked, at_most), asked, at_most, lambda row: row)
        met += page.rows
        last = page
        if page.next is None:
            break
        asked = paging.read_cursor(page.next, KINDS)
    assert met == everything

    back = list(last.rows)
    while last.previous is not None:
        asked = paging.read_cursor(last.previous, KINDS)
        last = paging.page_of(find(everything, asked, at_most), asked, at_most, lambda row: row)
        back = last.rows + back
    assert back == everything


@pytest.mark.parametrize("text", [None, ""])
def test_no_cursor_is_the_first_page(text: str | None) -> None:
    assert paging.read_cursor(text, KINDS) == paging.Asked()


@pytest.mark.parametrize(
    "text",
    [
        "!",
        "é",
        "a" * 2_000,
        "bm90IGpzb24",
        paging.write_cursor(("2026-01-01",), "after"),
        paging.write_cursor(("not a date", uuid.UUID(int=1)), "after"),
        paging.write_cursor((dt.date(2026, 1, 1), 7), "after"),
    ],
)
def test_a_broken_cursor_is_the_first_page_and_says_so(text: str) -> None:
    assert paging.read_cursor(text, KINDS) == paging.Asked(note=paging.STALE_LINK)


@given(st.text(max_size=60))
def test_no_text_makes_a_cursor_fail(text: str) -> None:
    asked = paging.read_cursor(text, KINDS)
    assert asked.key is None or len(asked.key) == 2


def test_the_note_reaches_the_page() -> None:
    asked = paging.read_cursor("!", KINDS)
    page = paging.page_of(rows(3), asked, 5, lambda row: row)
    assert page.note == "That page link no longer works, so this is the start of the list."
