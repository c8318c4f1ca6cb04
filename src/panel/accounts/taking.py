"""A posted form becomes one piece of work: read, done once, and shown again with its mistakes."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from uuid import UUID

import msgspec
from litestar import Response
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.desk import Desk, go, unless_invalid
from panel.platform.problems import Invalid
from panel.web.forms import FieldErrors


class Room(Protocol):
    """Where the work is done: a child's record, a meeting, in the transaction of `session`."""

    @property
    def session(self) -> AsyncSession:
        """The transaction."""


Form = TypeVar("Form", bound=msgspec.Struct)
Here = TypeVar("Here", bound=Room)
Opens = Callable[[], AbstractAsyncContextManager[Here]]
Reads = type[Form] | Callable[[Sequence[tuple[str, object]]], Form | FieldErrors]
"""The kind of form, or what reads it where one press sends several."""
Again = Callable[[FieldErrors], Awaitable[Response[Any]]]


@dataclass(frozen=True, slots=True)
class Transaction:
    """A room that is nothing but its transaction: no child's record is open in it."""

    session: AsyncSession


def transaction_of(desk: Desk, viewer: UUID) -> Opens[Transaction]:
    """Opens a transaction of the authority as this viewer, or as scheduled work."""

    @asynccontextmanager
    async def opens() -> AsyncIterator[Transaction]:
        async with desk.tenant.transaction(viewer) as session:
            yield Transaction(session)

    return opens


async def take(
    desk: Desk,
    reads: Reads[Form],
    opens: Opens[Here],
    work: Callable[[Here, Form], Awaitable[object]],
    to: str | Callable[[Form], str],
    *,
    again: Again | None = None,
) -> Response[Any]:
    """Do once what a form that is so read asks in the room that `opens` gives, and go on to `to`.

    A form that comes twice is work once, and answered the same both times. With mistakes, its own
    or those that the work finds (Invalid), nothing is kept and the page comes `again`; where there
    is no page to come again, Invalid is raised. Raises what `opens` and `work` raise besides.
    """
    posted = await desk.posted()
    read = posted.read(reads) if isinstance(reads, type) else reads(posted.fields)
    if isinstance(read, FieldErrors) and again is not None:
        return await again(read)
    form = unless_invalid(read)
    location = to if isinstance(to, str) else to(form)
    try:
        async with opens() as here:
            if await desk.first_time(here.session, posted, location):
                await work(here, form)
    except Invalid as refused:
        if again is None:
            raise
        errors = posted.refused(refused.errors)
    else:
        return go(location)
    return await again(errors)


async def take_here(
    desk: Desk,
    reads: Reads[Form],
    work: Callable[[Transaction, Form], Awaitable[object]],
    to: str | Callable[[Form], str],
    *,
    again: Again | None = None,
) -> Response[Any]:
    """Take a form in a transaction of whoever is at the desk: no child's record is opened."""
    return await take(desk, reads, transaction_of(desk, desk.viewer.id), work, to, again=again)
