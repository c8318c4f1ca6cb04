"""Where open pages listen: that something changed, who else is here, and who is writing."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import ServerSentEvent, ServerSentEventMessage

from panel.accounts.desk import PRIVATE, Desk, unless_invalid
from panel.accounts.service import worker_names
from panel.platform.live import Changed, Live, Present, Writing
from panel.platform.problems import NotFound, Problem
from panel.platform.sessions import goes_on
from panel.web.forms import line
from panel.web.words import in_a_row

MayListen = Callable[[Desk, UUID], Awaitable[bool]]
"""Whether the person at the desk may read the page of this id; a room gives it."""

MOST_PAGES = 40
"""Of one person and serving process: each is a connection, and speaks every few seconds."""
RECONNECT = 2_000
"""Milliseconds after which a browser tries again."""


class WritingForm(msgspec.Struct, forbid_unknown_fields=True):
    """Where on the page somebody is writing: a name that the other pages know, never a word."""

    place: Annotated[str, line("Place", at_most=200)]


def live_routes(live: Live, topics: Mapping[str, MayListen]) -> list[HTTPRouteHandler]:
    """The handlers of `/live/{kind}-{id}`, for each kind of page that a room answers for.

    It sends `changed` with an id and no content, and `presence` and `writing` with workers' names.
    Whoever may not read the page gets the answer of a page that is not there, and hears nothing
    more from the moment on which that changes.
    """

    @get("/live/{topic:str}", include_in_schema=False)
    async def listen(desk: NamedDependency[Desk], topic: FromPath[str]) -> ServerSentEvent:
        viewer, may_listen = desk.viewer, await _allowed(desk, topics, topic)
        if live.pages_of(viewer.id) >= MOST_PAGES:
            raise Problem(
                429,
                "Too many pages are open",
                f"More than {MOST_PAGES} pages of one person are not told of changes.",
                "Close some of them. This page shows what is new when it is loaded again.",
            )
        return ServerSentEvent(
            _messages(live, desk, topic, viewer.id, may_listen),
            retry_duration=RECONNECT,
            # Between here and the browser nobody may hold events back to send them together.
            headers=PRIVATE | {"X-Accel-Buffering": "no"},
        )

    @post("/live/{topic:str}/writing", include_in_schema=False, status_code=204)
    async def writing(desk: NamedDependency[Desk], topic: FromPath[str]) -> Response[None]:
        """Tell the others that this person is writing; their pages forget it by themselves."""
        posted = await desk.posted()
        form = unless_invalid(posted.read(WritingForm))
        await _allowed(desk, topics, topic)
        live.say_writing(desk.tenant, topic, desk.viewer.id, form.place)
        return Response(None, status_code=204, headers=PRIVATE)

    return [listen, writing]


async def _allowed(
    desk: Desk, topics: Mapping[str, MayListen], topic: str
) -> Callable[[], Awaitable[bool]]:
    """What tells whether this person may listen still. Raises NotFound where they may not now."""
    kind, _, words = topic.partition("-")
    page = None
    with suppress(ValueError):
        page = UUID(words)
    may_read = topics.get(kind)
    if may_read is None or page is None or topic != f"{kind}-{page}":
        raise NotFound

    async def may_listen() -> bool:
        return await may_read(desk, page)

    if not await may_listen():
        raise NotFound
    return may_listen


async def _messages(
    live: Live, desk: Desk, topic: str, viewer: UUID, may_listen: Callable[[], Awaitable[bool]]
) -> AsyncIterator[ServerSentEventMessage]:
    names = _Names(desk)
    shown: tuple[str, ...] | None = None
    async with live.listen(desk.tenant, topic, viewer) as events:
        async for event in events:
            if isinstance(event, Changed):
                row = "" if event.id is None else str(event.id)
                yield ServerSentEventMessage(event="changed", data=row)
            elif isinstance(event, Present):
                others = await names.of(event.viewers - {viewer})
                if others != shown:
                    shown = others
                    yield ServerSentEventMessage(event="presence", data=_presence(others))
            elif isinstance(event, Writing):
                for name in await names.of(frozenset({event.viewer})):
                    said = {"name": name, "place": event.place}
                    yield ServerSentEventMessage(
                        event="writing", data=msgspec.json.encode(said).decode()
                    )
            else:
                if not (await _is_signed_in(desk) and await may_listen()):
                    return
                yield ServerSentEventMessage(comment="still here")


def _presence(others: tuple[str, ...]) -> str:
    words = ""
    if others:
        words = f"{in_a_row(others)} {'is' if len(others) == 1 else 'are'} also here"
    return msgspec.json.encode({"words": words}).decode()


async def _is_signed_in(desk: Desk) -> bool:
    return desk.token is not None and await goes_on(desk.tenant, desk.token, desk.now)


class _Names:
    """The short names of workers, each read once: "Rosa W"."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._known: dict[UUID, str] = {}

    async def of(self, workers: frozenset[UUID]) -> tuple[str, ...]:
        """Their names in order; whoever is no worker has none."""
        missing = [one for one in workers if one not in self._known]
        if missing:
            async with self._desk.tenant.transaction(self._desk.viewer.id) as session:
                self._known |= dict.fromkeys(missing, "")
                for one, name in (await worker_names(session, missing)).items():
                    self._known[one] = short_name(name)
        return tuple(sorted(self._known[one] for one in workers if self._known[one]))


def short_name(name: str) -> str:
    """How somebody is called among colleagues: "Rosa Mary Whitlow" to "Rosa W"."""
    first, *others = name.split() or [""]
    return f"{first} {others[-1][0]}" if others else first
