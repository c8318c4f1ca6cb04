"""The record gate: nothing reads a child's record except through here.

`Gate.open` decides once and logs once, in the transaction that reads: the log is committed with
it, before anything that was read leaves. What it yields, `Access`, is a capability: it carries
the decisions and cannot be made elsewhere. Source: ARCHITECTURE.md, "The record gate".
"""

from collections.abc import AsyncIterator, Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import NamedTuple, NoReturn, Protocol, cast
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import (
    Category,
    Decision,
    Obligation,
    Purpose,
    Standpoint,
    State,
    Tie,
    Viewer,
    explain,
)
from panel.platform.clock import day_of
from panel.platform.crypto import Keys
from panel.platform.ids import new_id_text
from panel.platform.problems import NotAllowed, NotFound, Problem
from panel.platform.read_models import for_driver, rows_of, send_last
from panel.platform.tables import KEYS, NOW, VIEWER
from panel.platform.tenancy import Tenant
from panel.records.judgements import Judgement, Judgements

_MADE_BY_THE_GATE = object()
_NO_TIE = msgspec.Raw(b'{"refused":"no tie"}')

EVERYTHING = frozenset(Category)

Purposes = Purpose | Sequence[Purpose]
"""Why somebody looks; or several purposes, the one that comes first being preferred."""

# One statement for however many children: 50 rows by the ORM's way take 5 ms, this way 0.4.
_LOG = """
INSERT INTO access_event (id, child_id, at, viewer_id, viewer_kind, agency_id, purpose, doing,
  decisions)
SELECT e.id, e.child_id, %(at)s, %(viewer)s, %(kind)s, %(agency)s, e.purpose, e.doing, e.decisions
FROM json_to_recordset(%(rows)s)
  AS e (id uuid, child_id uuid, purpose text, doing text, decisions jsonb)
"""

NOT_HERE = "There is no record here that you can see."


@dataclass(frozen=True, slots=True)
class Known:
    """What the sharing port knows of one child for one viewer, in one read."""

    facts: Hashable
    """As they were read: equal facts are an equal state."""
    read: Callable[[], State]
    key: bytes | None
    """The child's wrapped data key; None where there is none, or it was destroyed."""

    @property
    def state(self) -> State:
        """The facts as `consent` takes them."""
        return self.read()


class SharingPort(Protocol):
    """What the gate asks of the room that keeps sharing's facts (wired in `app`)."""

    @property
    def columns(self) -> str:
        """SQL: the key, the ties and the facts of the child of a row `a` of child_access."""
        ...

    @property
    def duties(self) -> str:
        """SQL: the authority's duties and arrangements, the same for every child."""
        ...

    def from_row(self, child: UUID, key: bytes | None, ties: str, facts: str, duties: str) -> Known:
        """What those columns and the duties say of one child."""
        ...

    async def known(
        self, session: AsyncSession, children: Sequence[UUID], viewer: Viewer
    ) -> dict[UUID, Known]:
        """The facts for those of the children that the viewer may reach now, in one query."""
        ...


class Found(NamedTuple):
    """A line of a list: what the list reads of a child (JSON), and the child's sharing facts."""

    line: str
    child_id: UUID
    known: Known
    viewer_id: UUID
    """As whom it was read: it opens nothing for anybody else."""


async def read_known(
    session: AsyncSession,
    sharing: SharingPort,
    line: str,
    rest: str,
    given: Mapping[str, object],
    *,
    prepared: bool | None = None,
) -> list[Found]:
    """Lines of a list with the sharing facts of each, in one query; nothing is opened by it.

    `line` is SQL for the line's text, `rest` what follows it from FROM on, with values named
    `:name` and the viewer's rows of `child_access` as `a`. `prepared` is that of `rows_of`.
    """
    statement = _with_facts(sharing.columns, sharing.duties, line, rest)
    rows = await rows_of(session, statement, given, prepared=prepared)
    duties = next(row[4] for row in rows if row[1] is None)
    viewer_id = session.info[VIEWER]
    from_row = sharing.from_row
    return [
        Found(told, child, from_row(child, key, ties, facts, duties), viewer_id)
        for told, child, key, ties, facts in rows
        if child is not None
    ]


@cache
def _with_facts(columns: str, duties: str, line: str, rest: str) -> str:
    # The duties come first, in a line of their own, and once for however many children.
    return for_driver(
        f"SELECT NULL, NULL::uuid, NULL::bytea, NULL, {duties}"
        f" UNION ALL (SELECT {line}, a.child_id, {columns}{rest})"
    )


@dataclass(frozen=True, slots=True)
class Withheld:
    """Something is not shown. It renders itself; silent is rendered as nothing at all."""

    category: Category
    sentence: str
    since: date | None = None
    silent: bool = False

    @property
    def why(self) -> str:
        """Who decided, on which basis and since when: the sentence after what cannot be seen."""
        return self.sentence.partition(". ")[2]

    def __str__(self) -> str:
        """The sentence for the person who may not see it."""
        return "" if self.silent else self.sentence


class Access:
    """One viewer's access to one child's record for one purpose, in one transaction."""

    __slots__ = (
        "_judgement",
        "about",
        "at",
        "child_id",
        "session",
        "viewer",
    )

    def __init__(
        self,
        made_by: object,
        session: AsyncSession,
        child_id: UUID,
        viewer: Viewer,
        judgement: Judgement,
        at: datetime,
        about: frozenset[Category],
    ) -> None:
        """Only the gate makes one."""
        if made_by is not _MADE_BY_THE_GATE:
            raise TypeError("An Access is made by the record gate only.")
        self.session = session
        self.child_id = child_id
        self.viewer = viewer
        self.at = at
        self.about = about
        """What it was opened for; nothing else was logged, so nothing else is decided."""
        self._judgement = judgement

    @property
    def purpose(self) -> Purpose:
        """Why the record was opened."""
        return self._judgement.purpose

    @property
    def standpoint(self) -> Standpoint:
        """What concerns the viewer for the purpose."""
        return self._judgement.standpoint

    @property
    def today(self) -> date:
        """The Europe/London date of this access."""
        return day_of(self.at)

    @property
    def keys(self) -> Keys:
        """The data keys at hand, the child's among them."""
        return cast("Keys", self.session.info[KEYS])

    @property
    def ties(self) -> frozenset[Tie]:
        """How the viewer is tied to the child for this purpose."""
        return frozenset(tie.tie for tie in self.standpoint.ties)

    def decision(
        self,
        category: Category,
        author_agency: UUID | None = None,
        author_person: UUID | None = None,
    ) -> Decision:
        """The decision for a category, or for one entry in it when its author is given."""
        if category not in self.about:
            raise ValueError(f"This record was not opened for {category.value}.")
        return self._judgement.decision(category, author_agency, author_person)

    def may(
        self,
        category: Category,
        author_agency: UUID | None = None,
        author_person: UUID | None = None,
    ) -> bool:
        """Whether a category, or one entry in it, may be seen."""
        return self.decision(category, author_agency, author_person).permitted

    def withheld(self, category: Category, child_words: str = "the child") -> Withheld | None:
        """What to say where a category is not shown; None where it may be seen."""
        decision = self.decision(category)
        if decision.permitted:
            return None
        return Withheld(
            category, explain(decision, category, child_words), decision.since, decision.silent
        )

    def withheld_of(self, hidden: Iterable[Category]) -> tuple[Withheld, ...]:
        """What to say of entries that are not shown, by category; nothing of those in silence."""
        asked = set(hidden)
        said = [self.withheld(category) for category in Category if category in asked]
        return tuple(one for one in said if one is not None and not one.silent)

    def open_text(
        self,
        sealed: str | bytes | None,
        field: str,
        row: UUID,
        category: Category,
        author_agency: UUID | None = None,
        author_person: UUID | None = None,
    ) -> str | None:
        """A sealed text of this child where it may be seen, "" where there is none, else None.

        A text is what read models give: hexadecimal.
        """
        if not self.may(category, author_agency, author_person):
            return None
        if sealed is None:
            return ""
        found = bytes.fromhex(sealed) if isinstance(sealed, str) else sealed
        return self.keys.open(self.child_id, field, row, found)

    def again(self, doing: str, about: frozenset[Category]) -> "Access":
        """A further look within the transaction, in the child's history by itself.

        It is decided by the facts that this look was: nothing of the transaction may have changed
        them since. Raises ValueError for more than this was opened for.
        """
        if not about <= self.about:
            raise ValueError("A further look is at no more than the first.")
        judgement = self._judgement
        look = _Look(
            new_id_text(), self.child_id, judgement.purpose, doing, judgement.logged(about)
        )
        _log(self.session, self.viewer, [look])
        return Access(
            _MADE_BY_THE_GATE, self.session, self.child_id, self.viewer, judgement, self.at, about
        )

    @property
    def decided(self) -> bytes:
        """A mark of what was decided of all that it was opened for: the same, the same page."""
        return self._judgement.mark(self.about)

    @property
    def may_write(self) -> bool:
        """Whether the viewer works on this record rather than only reading it."""
        return bool(self.ties & {Tie.TEAM, Tie.LEAD, Tie.PANEL, Tie.MANAGER})

    def require_write(self) -> None:
        """Raise NotAllowed for a viewer who may only read."""
        if not self.may_write:
            raise NotAllowed(
                "You can read this record and cannot change it.",
                "Ask the lead professional to make the change.",
            )

    def must_redact(self, category: Category) -> bool:
        """Whether third parties must be taken out of what is shown."""
        return Obligation.REDACT_THIRD_PARTIES in self.decision(category).obligations


class Gate:
    """Opens children's records for one authority."""

    def __init__(self, tenant: Tenant, sharing: SharingPort) -> None:
        """Args: the authority; where sharing's facts come from."""
        self.tenant = tenant
        self._sharing = sharing
        self._judgements = Judgements()

    @asynccontextmanager
    async def open(
        self, child_id: UUID, viewer: Viewer, purpose: Purposes, doing: str
    ) -> AsyncIterator[Access]:
        """One child's record, for one purpose, in one transaction, logged with it.

        Given several purposes, it is the first that a tie of the viewer's carries. `doing` is what
        the person does, in the words of the access history ("read the plan").
        Raises NotFound where the viewer may not reach the child, with the same words as where
        there is no such child; that attempt is logged too, and so is a look that ends in a refusal:
        its page says why, or shows what somebody else wrote meanwhile.
        """
        try:
            async with self.tenant.transaction(viewer.id) as session:
                opened = await self._opened(session, [child_id], viewer, purpose, doing)
                if opened:
                    yield opened[child_id]
                    return
        except Problem:
            # Nothing of the work is kept, but the look is.
            async with self.tenant.transaction(viewer.id) as session:
                await self._opened(session, [child_id], viewer, purpose, doing)
            raise
        self._refuse()

    @asynccontextmanager
    async def open_many(
        self,
        children: Iterable[UUID],
        viewer: Viewer,
        purpose: Purposes,
        doing: str,
        about: frozenset[Category] = EVERYTHING,
    ) -> AsyncIterator[dict[UUID, Access]]:
        """Several records in one transaction; those that the viewer may not reach are left out.

        `about` is what a list shows of each: only that is decided and logged.
        """
        async with self.tenant.transaction(viewer.id) as session:
            yield await self._opened(session, list(children), viewer, purpose, doing, about)

    async def read_here(
        self,
        session: AsyncSession,
        line: str,
        rest: str,
        *,
        prepared: bool | None = None,
        **given: object,
    ) -> list[Found]:
        """A list's lines with each child's sharing facts, in one query (see `read_known`)."""
        return await read_known(session, self._sharing, line, rest, given, prepared=prepared)

    def open_found(
        self,
        session: AsyncSession,
        found: Iterable[Found],
        viewer: Viewer,
        purpose: Purposes,
        doing: str,
        about: frozenset[Category] = EVERYTHING,
    ) -> dict[UUID, Access]:
        """As `open_here`, for lines that were read with their facts as this viewer."""
        found = list(found)
        if any(one.viewer_id != viewer.id for one in found):
            raise ValueError("These facts were read as somebody else.")
        known = {one.child_id: one.known for one in found}
        return self._open_known(session, list(known), viewer, purpose, doing, about, known)

    def judge_found(
        self, session: AsyncSession, found: Iterable[Found], viewer: Viewer, purpose: Purpose
    ) -> dict[UUID, Judgement]:
        """What would be decided of lines that were read with their facts as this viewer.

        It opens and logs nothing, and no text can be read by it: it is for a query that must leave
        out what is withheld before it counts. What is shown is opened after it.
        """
        found = list(found)
        if any(one.viewer_id != viewer.id for one in found):
            raise ValueError("These facts were read as somebody else.")
        at: datetime = session.info[NOW]
        asker = self._judgements.asker(viewer, (purpose,))
        return {one.child_id: asker.judged(at, one.known.facts, one.known.read) for one in found}

    async def open_here(
        self,
        session: AsyncSession,
        children: Iterable[UUID],
        viewer: Viewer,
        purpose: Purposes,
        doing: str,
        about: frozenset[Category] = EVERYTHING,
    ) -> dict[UUID, Access]:
        """As `open_many`, within a transaction that is under way as this viewer."""
        return await self._opened(session, list(children), viewer, purpose, doing, about)

    @staticmethod
    def _refuse() -> NoReturn:
        raise NotFound(NOT_HERE)

    async def _opened(
        self,
        session: AsyncSession,
        children: list[UUID],
        viewer: Viewer,
        purpose: Purposes,
        doing: str,
        about: frozenset[Category] = EVERYTHING,
    ) -> dict[UUID, Access]:
        known = await self._sharing.known(session, children, viewer) if children else {}
        return self._open_known(session, children, viewer, purpose, doing, about, known)

    def _open_known(
        self,
        session: AsyncSession,
        children: Sequence[UUID],
        viewer: Viewer,
        purpose: Purposes,
        doing: str,
        about: frozenset[Category],
        known: Mapping[UUID, Known],
    ) -> dict[UUID, Access]:
        """Decide and log once each: those whose facts the viewer reaches are opened."""
        at: datetime = session.info[NOW]
        keys = cast("Keys", session.info[KEYS])
        purposes = (purpose,) if isinstance(purpose, Purpose) else tuple(purpose)
        asker = self._judgements.asker(viewer, purposes)
        opened: dict[UUID, Access] = {}
        looks: list[_Look] = []
        for child_id in children:
            logged, why = _NO_TIE, purposes[0]
            if (one := known.get(child_id)) is not None:
                if one.key is not None:
                    keys.add(child_id, one.key)
                judgement = asker.judged(at, one.facts, one.read)
                opened[child_id] = Access(
                    _MADE_BY_THE_GATE, session, child_id, viewer, judgement, at, about
                )
                logged, why = judgement.logged(about), judgement.purpose
            looks.append(_Look(new_id_text(), child_id, why, doing, logged))
        if looks:
            _log(session, viewer, looks)
        return opened


class _Look(msgspec.Struct, frozen=True):
    """One line of a child's access history."""

    id: str
    child_id: UUID
    purpose: Purpose
    doing: str
    decisions: msgspec.Raw


def _log(session: AsyncSession, viewer: Viewer, looks: Sequence[_Look]) -> None:
    given = {
        "at": session.info[NOW],
        "viewer": viewer.id,
        "kind": viewer.kind.value,
        "agency": viewer.agency,
    }
    send_last(session, _LOG, given, looks)


async def rewrite_access(session: AsyncSession, child_id: UUID) -> None:
    """Write down anew who may reach a child; in the transaction that changed the facts."""
    await session.flush()
    await session.execute(text("SELECT rewrite_child_access(:child)"), {"child": child_id})


async def rewrite_viewer(session: AsyncSession, viewer_id: UUID) -> None:
    """Write down anew whom a viewer may reach; in the transaction that changed their roles."""
    await session.flush()
    await session.execute(text("SELECT rewrite_viewer_access(:viewer)"), {"viewer": viewer_id})
