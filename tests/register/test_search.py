"""One search box: name with its misspellings, birth date, NHS number, reference."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from consent import Purpose, Viewer
from panel.platform.clock import today
from panel.records.gate import Gate
from panel.register.search import SearchResult, find_children, understood

TODAY = date(2026, 11, 23)
Add = Callable[..., Awaitable[UUID]]
PURPOSES = (Purpose.SUPPORT, Purpose.PANEL)


@pytest.mark.parametrize(
    "typed",
    [
        "9/3/2021", "09/03/2021", "9.3.2021", "2021-03-09", "9 March 2021", "9th Mar 21",
        "9 mar 2021", "09 03 2021", "09032021", "9-3-21", "9th of March 2021",
    ],
)  # fmt: skip
def test_a_birth_date_is_read_as_people_write_it(typed: str) -> None:
    assert understood(typed, TODAY).born == date(2021, 3, 9)


def test_what_cannot_be_meant_is_said() -> None:
    assert "no such day" in understood("31/2/2021", TODAY).note
    assert "two have changed places" in understood("999 054 8608", TODAY).note
    assert understood("   ", TODAY).is_empty
    assert understood("12345", TODAY).note


def test_a_name_and_a_date_stand_together() -> None:
    query = understood("amina 9 March 2021", TODAY)
    assert query.born == date(2021, 3, 9)
    assert query.names is not None
    assert len(query.names.words) == 1


async def _find(gate: Gate, viewer: Viewer, typed: str) -> SearchResult:
    return await find_children(gate, viewer, PURPOSES, typed, today(gate.tenant.clock))


async def test_a_child_is_found_by_everything_people_know(gate: Gate, team: Any, add: Add) -> None:
    child = await add("Siobhán", "O’Brien-Kestrel", date(2021, 3, 9), nhs_number="9990548609")
    await add("Jakub", "Merrow", date(2020, 1, 1))
    for typed, why in (
        ("Siobhan", "Same spelling"),
        ("shivaun obrien", "Sounds alike"),
        ("sio kes", "Begins the same"),
        ("o brien", "Same spelling"),
        ("999 054 8609", "NHS number"),
        ("9 March 2021", "Date of birth"),
        ("siobhan 9/3/2021", "Same spelling, date of birth"),
        ("c-1001", "Reference"),
    ):
        result = await _find(gate, team.rosa, typed)
        assert [(one.child.child_id, one.why) for one in result.found] == [(child, why)], typed
        assert result.found[0].child.name == "Siobhán O’Brien-Kestrel"
    assert not (await _find(gate, team.rosa, "siobhan 10/3/2021")).found


async def test_exact_names_come_before_names_that_sound_alike(
    gate: Gate, team: Any, add: Add
) -> None:
    alike = await add("Kathryn", "Merrow")
    exact = await add("Catherine", "Merrow")
    found = (await _find(gate, team.rosa, "Catherine Merrow")).found
    assert [one.child.child_id for one in found] == [exact, alike]


async def test_nobody_is_found_who_is_not_mine_to_know(gate: Gate, team: Any, add: Add) -> None:
    await add("Amina", "Kestrel", date(2021, 3, 9), nhs_number="9990548609")
    for typed in ("Amina", "9990548609", "9 March 2021", "C-1001"):
        assert await _find(gate, team.hana, typed) == SearchResult((), is_cut=False, note="")


async def test_a_long_list_asks_to_be_narrowed(gate: Gate, team: Any, add: Add) -> None:
    for number in range(51):
        await add("Amina", "Kestrel", date(2021, 3, 9 + number % 20))
    result = await _find(gate, team.rosa, "Amina")
    assert result.is_cut
    assert len(result.found) == 50
