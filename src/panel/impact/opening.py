"""A child's record opened for IMPACT: by those who work with the child, for their work with it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from litestar import Response

from panel.accounts.desk import Desk
from panel.accounts.taking import take
from panel.impact.invitations import Sender
from panel.impact.steps import PURPOSES
from panel.platform.problems import NotAllowed
from panel.records.gate import Access
from panel.register.service import child_header
from panel.web.forms import FieldErrors

Form = TypeVar("Form", bound=msgspec.Struct)
Show = Callable[[Access, FieldErrors | None], Awaitable[Response[Any]]]
NOT_THEIRS = "These meetings are for those who work with this child."


@asynccontextmanager
async def working(desk: Desk, child_id: UUID, doing: str) -> AsyncIterator[Access]:
    """The child's record for who works with the child. Raises NotFound, NotAllowed.

    Whoever reaches the child by sitting on a panel alone has no tie that carries these purposes.
    """
    purposes = [one for one in desk.purposes if one in PURPOSES]
    if not purposes:
        raise NotAllowed(NOT_THEIRS, "Ask the lead professional.")
    async with desk.open(child_id, doing, purposes) as access:
        if not access.ties:
            raise NotAllowed(NOT_THEIRS, "Ask the lead professional.")
        yield access


async def shown(desk: Desk, child_id: UUID, doing: str, show: Show) -> Response[Any]:
    """A page of the record."""
    async with working(desk, child_id, doing) as access:
        return await show(access, None)


async def saved(
    desk: Desk,
    child_id: UUID,
    kind: type[Form],
    work: Callable[[Access, Form], Awaitable[object]],
    show: Show,
    *,
    location: str,
    doing: str,
) -> Response[Any]:
    """Do what a form asks, once, and go on; or show its page again with every mistake."""

    async def again(errors: FieldErrors) -> Response[Any]:
        async with working(desk, child_id, doing) as access:
            return await show(access, errors)

    opens = partial(working, desk, child_id, doing)
    return await take(desk, kind, opens, work, location, again=again)


async def framed(
    desk: Desk, access: Access, template: str, errors: FieldErrors | None = None, **given: object
) -> Response[Any]:
    """A page in the frame of the child's record."""
    return desk.page(
        f"impact/{template}.html",
        status=200 if errors is None else 422,
        header=await child_header(access),
        here="meetings",
        errors=[] if errors is None else errors.summary,
        **given,
    )


def sender_of(desk: Desk) -> Sender:
    """From where invitations come."""
    return Sender(desk.site.url, f"no-reply@{desk.tenant.record.host}")
