"""The page of what could not be told to systems."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from consent import Role
from panel.accounts.desk import Desk
from panel.accounts.taking import Transaction, take, transaction_of
from panel.exchange import undelivered as service
from panel.exchange.inbox_reading import type_words
from panel.exchange.undelivered import Undelivered
from panel.records.child_scoped import JOB
from panel.web import words

HERE = "/governance/deliveries"
LEAD = Role.GOVERNANCE_LEAD


class DecideForm(msgspec.Struct, forbid_unknown_fields=True):
    """One of them, as it was read."""

    version: int


def _line(one: Undelivered) -> dict[str, object]:
    return {
        "client": one.client,
        "type": type_words(one.resource),
        "when": words.day_and_time(one.made_at),
        "why": f"{one.failure} Tried {words.plural(one.tries, 'time')}.".strip(),
        "version": one.version,
        "href": f"{HERE}/{one.id}",
    }


@get(HERE, include_in_schema=False)
async def undelivered(desk: NamedDependency[Desk]) -> Response[str]:
    """What could not be told, and how much was."""
    desk.require(LEAD)
    # Of no child's record: the fence gives these rows to nobody who answers for use.
    async with desk.tenant.transaction(JOB) as session:
        counts = await service.counts(session)
        rows = [_line(one) for one in await service.dead(session)]
    facts = [
        ("Wait to go", str(counts.waiting)),
        ("Went in the last 30 days", str(counts.sent)),
        ("Were not told, since they may not be any more", str(counts.withheld)),
        ("Could not be told", str(counts.dead)),
    ]
    return desk.page(
        "exchange/undelivered.html", rows=rows, facts=facts, back_href="/governance/clients"
    )


@post(f"{HERE}/{{told_id:uuid}}/again", include_in_schema=False)
async def try_again(desk: NamedDependency[Desk], told_id: FromPath[UUID]) -> Response[Any]:
    """Try one again."""
    desk.require(LEAD)

    async def work(here: Transaction, form: DecideForm) -> None:
        await service.try_again(here.session, told_id, form.version, desk.viewer)

    return await take(desk, DecideForm, transaction_of(desk, JOB), work, HERE)


@post(f"{HERE}/{{told_id:uuid}}/give-up", include_in_schema=False)
async def give_up(desk: NamedDependency[Desk], told_id: FromPath[UUID]) -> Response[Any]:
    """Tell one no more."""
    desk.require(LEAD)

    async def work(here: Transaction, form: DecideForm) -> None:
        await service.give_up(here.session, told_id, form.version, desk.viewer)

    return await take(desk, DecideForm, transaction_of(desk, JOB), work, HERE)


HANDLERS = [undelivered, try_again, give_up]
