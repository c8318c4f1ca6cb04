"""A far-reaching form is shown first with what it would change, and taken when it is confirmed."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from litestar import Response

from panel.accounts.desk import Desk
from panel.accounts.taking import Again, take
from panel.platform.problems import Invalid
from panel.records.gate import Access
from panel.web.forms import FieldErrors

Typed = Sequence[tuple[str, str]]
"""What was typed, to be posted again with the confirmation."""


Form = TypeVar("Form", bound=Any)
"""A form with `confirmed: bool`."""


async def rehearsed(
    desk: Desk,
    kind: type[Form],
    opens: Callable[[], AbstractAsyncContextManager[Access]],
    show: Callable[[Access, Form, Typed], Awaitable[Response[Any]]],
    work: Callable[[Access, Form], Awaitable[object]],
    to: str,
    *,
    again: Again,
) -> Response[Any]:
    """Show what a form of this kind would change; once it is confirmed, do it and go on to `to`.

    With mistakes, of the form or found by the rules (Invalid), its page comes `again`.
    """
    posted = await desk.posted()
    read = posted.read(kind)
    if isinstance(read, FieldErrors) or read.confirmed:
        return await take(desk, kind, opens, work, to, again=again)
    typed = [
        (name, value)
        for name, value in posted.fields
        if isinstance(value, str) and value and not name.startswith("_")
    ]
    try:
        async with opens() as access:
            return await show(access, read, typed)
    except Invalid as refused:
        errors = posted.refused(refused.errors)
    return await again(errors)
