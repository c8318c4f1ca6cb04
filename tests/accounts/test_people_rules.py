"""The rules of workers' accounts, and what an administrator is told to set up."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from consent import Role, Viewer, ViewerKind
from panel.accounts.people_rules import (
    Standing,
    agency_key,
    last_day_mistake,
    leaves_the_last,
    may_manage,
    may_read,
    standing,
)
from panel.panels.setup import SetupFacts, setup_tasks

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
HERE, THERE = UUID(int=1), UUID(int=2)
SETTLED = SetupFacts(3, 9, 2, 0, 1, 0, 2, 1, TODAY + 90 * DAY)


@pytest.mark.parametrize(
    ("from_on", "until_on", "invitation", "link", "expected"),
    [
        (None, None, "", None, Standing.ACTIVE),
        (None, None, "taken", NOW, Standing.ACTIVE),
        (None, None, "sent", NOW + DAY, Standing.INVITED),
        (None, None, "sent", NOW - DAY, Standing.LINK_OVER),
        (None, None, "withdrawn", NOW + DAY, Standing.WITHDRAWN),
        (TODAY + DAY, None, "", None, Standing.TO_COME),
        (None, TODAY, "sent", NOW + DAY, Standing.LEAVING),
        (None, TODAY - DAY, "", None, Standing.LEFT),
    ],
)
def test_where_an_account_stands(
    from_on: date | None,
    until_on: date | None,
    invitation: str,
    link: datetime | None,
    expected: Standing,
) -> None:
    found = standing(
        from_on=from_on, until_on=until_on, invitation=invitation, link_ends_at=link,
        now=NOW, today=TODAY,
    )  # fmt: skip
    assert found is expected


def test_who_looks_after_whose_accounts() -> None:
    def viewer(kind: str, *roles: Role) -> Viewer:
        return Viewer(UUID(int=9), ViewerKind.WORKER, HERE, kind, frozenset(roles))

    own = viewer("health", Role.ADMINISTRATOR)
    assert (may_manage(own, HERE), may_manage(own, THERE)) == (True, False)
    assert may_manage(viewer("council", Role.ADMINISTRATOR), THERE)
    assert not may_manage(viewer("council", Role.MANAGER), HERE)
    manager = viewer("health", Role.MANAGER)
    assert (may_read(manager, HERE), may_read(manager, THERE)) == (True, False)


def test_small_rules() -> None:
    assert agency_key("St Osyth’s (Lower) School", {"st-osyth-s-lower-school"}) == (
        "st-osyth-s-lower-school-2"
    )
    assert agency_key("学校", ()) == "agency"
    assert leaves_the_last({HERE: False}, HERE)
    assert not leaves_the_last({HERE: False, THERE: False}, HERE)
    assert not leaves_the_last({HERE: False, THERE: True}, HERE)
    assert leaves_the_last({HERE: True, THERE: False}, HERE), "the council’s own last one"
    assert not leaves_the_last({HERE: True, THERE: True}, HERE)
    assert not leaves_the_last({THERE: True}, HERE)
    assert last_day_mistake(TODAY - DAY, TODAY) == ""
    assert "yesterday" in last_day_mistake(TODAY - 2 * DAY, TODAY)


@pytest.mark.parametrize(
    ("facts", "sends", "to_do"),
    [
        (SETTLED, True, set()),
        (SETTLED, False, {"Messages by e-mail"}),
        (
            SetupFacts(1, 1, 1, 1, 0, 0, 0, 0, None),
            True,
            {
                "Terms and holidays",
                "Agencies",
                "People",
                "Panels",
                "Forms",
                "Agreements between agencies",
            },
        ),
        (SetupFacts(3, 9, 2, 0, 2, 1, 2, 1, TODAY - DAY), True, {"Terms and holidays", "Panels"}),
    ],
)
def test_what_is_still_to_be_set_up(facts: SetupFacts, to_do: set[str], *, sends: bool) -> None:
    viewer = Viewer(
        UUID(int=9), ViewerKind.WORKER, HERE, "council", frozenset({Role.ADMINISTRATOR})
    )
    tasks = setup_tasks(facts, viewer, "Testshire", TODAY, sends=sends)
    assert {name for name, _, status, _, _ in tasks if status == "To do"} == to_do
    assert all(hint for *_, hint in tasks)
