"""When a child leaves CONTACTS."""

from datetime import date

from panel.panels.rules import leaves_contacts_on


def test_a_child_leaves_contacts_at_eight() -> None:
    assert leaves_contacts_on(date(2019, 1, 14)) == date(2027, 1, 14)
    assert leaves_contacts_on(date(2020, 2, 29), 7) == date(2027, 3, 1)
