"""A list of another register, with each crawled child on it: linked, or waiting for a person."""

from collections.abc import Iterable, Mapping
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.models import Agency
from panel.insight.linking.models import ListedChild, ListLink, RegisterList
from panel.platform.ids import new_id

STATES = ("proposed", "linked", "proposed", "parted")


async def on_a_list(
    session: AsyncSession, agencies: Mapping[str, Agency], children: Iterable[UUID]
) -> None:
    """One child of the list for each; of the next child it is said, too, that it may be theirs."""
    agency = next(one for one in agencies.values() if one.kind == "education")
    of_september = date(2026, 9, 1)
    whole = RegisterList(
        kind="sen", agency_id=agency.id, legal_basis="cfa2014", opt_out_checked_on=of_september,
        as_of=of_september, file_digest=b"a list of the crawl", lines=12,
    )  # fmt: skip
    session.add(whole)
    await session.flush()
    before: ListedChild | None = None
    for place, child in enumerate(children):
        listed = ListedChild(
            register_list_id=whole.id, person_id=new_id(), line=place + 2,
            birth_date=date(2019, 3, 9), sex="female", need="asd", ward_code="E05013749",
            given_name="Given", family_name="Family", nhs_number="9990548609",
            address="An address", postcode="A postcode",
        )  # fmt: skip
        session.add(listed)
        await session.flush()
        session.add(_said(child, listed, STATES[place % len(STATES)]))
        if before is not None:
            # Twins are each said to be the other: a name must not come by way of a sister.
            session.add(_said(child, before, "proposed"))
        before = listed


def _said(child: UUID, listed: ListedChild, state: str) -> ListLink:
    return ListLink(
        child_id=child, listed_child_id=listed.id, number=1, state=state, weight=9, why="-",
        rules="-",
    )  # fmt: skip
