"""What every page of published figures is opened with: its release, and how to read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from panel.accounts.desk import READING_FIGURES, Desk
from panel.insight.reading import Head, Seen, heads, look, look_back
from panel.insight.saying import BANNER, INVENTED
from panel.platform.problems import NotFound
from panel.web.words import upper_first

HOME = "/commissioning"
NOT_HERE = "There is no such table, term or file."


@dataclass(frozen=True, slots=True)
class Around:
    """How to read a page's figures, of which release they are, and the other terms."""

    banner: str
    invented: str
    """That nobody is behind the figures, in a demonstration; else ""."""
    head: Head | None
    terms: Sequence[tuple[str, str, bool]]


@dataclass(frozen=True, slots=True)
class Opened:
    """What somebody who may read it asked for. `seen` is None before the first release."""

    published: tuple[Head, ...]
    seen: Seen | None
    invented: str = ""

    def around(self, path: str, **asked: str) -> Around:
        """What every page says beside its own."""
        head = None if self.seen is None else self.seen.head
        terms = [
            (address_of(path, asked | {"term": one.period}), upper_first(one.term), one == head)
            for one in self.published
        ]
        return Around(BANNER, self.invented, head, terms)


def address_of(path: str, asked: dict[str, str]) -> str:
    """An address with what is asked for, without what is left empty."""
    said = {name: value for name, value in asked.items() if value}
    return f"{path}?{urlencode(said)}" if said else path


async def open_release(desk: Desk, term: str, keys: Sequence[str] = ()) -> Opened:
    """The release of a term, or the newest, with these tables. Raises NotAllowed, NotFound.

    What is not there is answered in one way, whatever the data is.
    """
    desk.require(*READING_FIGURES)
    invented = INVENTED if desk.tenant.record.demo else ""
    async with desk.tenant.transaction(desk.viewer.id) as session:
        published = await heads(session)
        found = [one for one in published if term in ("", one.period)]
        if not found:
            if term:
                raise NotFound(NOT_HERE)
            return Opened((), None, invented)
        return Opened(published, await look(session, found[0], keys), invented)


async def looked_back(desk: Desk, opened: Opened) -> Seen | None:
    """What was opened, with what comes out once in three terms out of the release that has it."""
    if opened.seen is None:
        return None
    async with desk.tenant.transaction(desk.viewer.id) as session:
        return await look_back(session, opened.published, opened.seen)
