"""A file that says which wards became which: taken as a whole, or not at all and said why."""

import io
from datetime import date

import pytest
from sqlalchemy import func, select

from panel.insight.areas import changed_in, nested
from panel.insight.core.words import Period
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.csv_rows import UnreadableCsv
from panel.register.area_changes import ChangeRow, import_area_changes, wrong_changes
from panel.register.models import Area, AreaBecame

A, B, C, D = (f"E0500000{n}" for n in range(1, 5))
MAY, JUNE = date(2026, 5, 7), date(2026, 6, 1)
AREAS = frozenset({A, B, C, D})
NOT_KNOWN = "No ward of this code is known. Import the boundaries that have it first."
ENDS_ONCE = (
    "What became of this ward is known already. A ward ends once: a later change is one of the ward"
    " that it became."
)


def became(old: str, new: str, day: date = MAY) -> AreaBecame:
    return AreaBecame(old_code=old, new_code=new, from_on=day)


@pytest.mark.parametrize(
    ("rows", "known", "sentences"),
    [
        ([(A, C, MAY), (B, C, MAY)], [], []),
        ([(A, C, MAY), (A, D, MAY)], [], []),
        ([(A, B, MAY), (B, C, JUNE)], [], []),
        ([(A, C, MAY)], [became(A, C)], []),
        ([(B, C, JUNE)], [became(A, B)], []),
        ([(A, C, MAY), (A, C, MAY)], [], ["line 3: Line 2 says the same."]),
        ([(A, "E05999999", MAY)], [], [
            f"line 2, new_code: {NOT_KNOWN}",
        ]),
        ([(A, C, JUNE)], [became(A, C)], [
            "line 2, from_date: This change is known already, from 2026-05-07 on.",
        ]),
        ([(A, D, MAY)], [became(A, C)], [
            f"line 2, old_code: {ENDS_ONCE}",
        ]),
        ([(B, C, MAY)], [became(A, C)], [
            "line 2, new_code: Of what this ward was made is known already.",
        ]),
        ([(A, C, MAY), (A, D, JUNE)], [], [
            "line 3, from_date: Another line ends this ward on another day.",
        ]),
        ([(A, C, MAY), (B, C, JUNE)], [], [
            "line 3, from_date: Another line begins the new ward on another day.",
        ]),
        ([(A, B, MAY), (B, A, JUNE)], [], [
            "line 2, from_date: This ward would end before, or when, it begins.",
        ]),
        ([(A, B, JUNE), (B, C, MAY)], [], [
            "line 3, from_date: This ward would end before, or when, it begins.",
        ]),
        ([(B, A, JUNE)], [became(A, C)], [
            "line 2, new_code: This ward ended already, so no other can become it.",
        ]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_lines_together_is_said(
    rows: list[tuple[str, str, date]], known: list[AreaBecame], sentences: list[str]
) -> None:
    lines = [ChangeRow(at, *row) for at, row in enumerate(rows, start=2)]
    assert [str(one) for one in wrong_changes(lines, AREAS, known)] == sentences


def file(*lines: str) -> io.BytesIO:
    return io.BytesIO("\n".join(("old_code,new_code,from_date", *lines)).encode())


@pytest.mark.database
async def test_a_file_is_taken_as_a_whole_or_not_at_all(tenant: Tenant) -> None:
    async with tenant.transaction(JOB) as session:
        session.add_all(Area(id=code, name=f"Ward {code[-1]}", boundary=None) for code in AREAS)

    async def kept() -> int:
        async with tenant.transaction(JOB) as session:
            return await session.scalar(select(func.count()).select_from(AreaBecame)) or 0

    good = (f"{A},{C},2026-05-07", f"{B},{C},07/05/2026")
    for bad in (f"{D},{D},2026-05-07", f"{D},E1,2026-05-07", f"{D},{C},the seventh", f"{D},{C}"):
        report = await import_area_changes(tenant, file(*good, bad))
        assert [one.line for one in report.problems] == [4]
        assert report.added == await kept() == 0
    with pytest.raises(UnreadableCsv, match="lacks"):
        await import_area_changes(tenant, io.BytesIO(b"old,new\nA,B\n"))

    assert (await import_area_changes(tenant, file(*good))).added == 2
    assert (await import_area_changes(tenant, file(*good))).known == 2
    assert await kept() == 2

    async with tenant.transaction(JOB) as session:
        # No term is over yet, so the change holds of none, and the new ward is in no group.
        changed = await changed_in(session, Period("2026-summer"))
        assert (changed.changes, changed.later) == ((), {C})
        assert (await nested(session, None, changed, Period("2026-summer"))).keys() == {A, B, D}
