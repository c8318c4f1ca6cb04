"""Somebody's visit: every page they open, and whether what it tells is what they may be told."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import msgspec
import psycopg
from litestar import Litestar
from sqlalchemy import select, text

from consent import Category, Purpose, Viewer, ViewerKind
from panel.assessments.definitions import FormDefinition
from panel.assessments.models import Form
from panel.platform.sessions import Way, start
from panel.platform.tenancy import Tenant
from panel.platform.work_tables import OutboxMessage
from panel.records.child_scoped import JOB
from tests.hostile.canary_fields import Planted
from tests.hostile.canary_pdf import pdf_text
from tests.hostile.canary_routes import (
    CASES,
    FOR_EACH,
    OF_NO_CHILD,
    PARTS,
    PREVIEW,
    Case,
    Known,
    filled,
    parts_of,
)
from tests.hostile.canary_rule import Look, Rule
from tests.hostile.canary_world import HERE, World
from tests.in_memory import way_to

SITE = "http://testshire.localhost"
FAULT = 500
WISHES = ("stop-everything", "share-basic", "share-more", "refuse-health", "keep-everything")
SHOWN = 40
"""Leaks that are told one by one; all are counted."""

YOUNG_PERSONS = "/children/{child_id:uuid}/people/{link_id:uuid}/sign-in"
"""Where a young person is invited under their own id."""


@dataclass
class Told:
    """What a crawl came to: its figures, what was shown to whom, and every leak."""

    visitors: int = 0
    routes: set[str] = field(default_factory=set)
    pages: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    markers: int = 0
    """Markers read on pages, and judged."""
    fields: Counter[str] = field(default_factory=Counter)
    """How often each column was shown to somebody who may see it."""
    categories: Counter[Category] = field(default_factory=Counter)
    leaks: Counter[str] = field(default_factory=Counter)

    def figures(self) -> str:
        """One line."""
        return (
            f"{self.visitors} visitors, {len(self.routes)} routes, {self.pages} pages,"
            f" {self.markers} markers judged, {sum(self.leaks.values())} leaks"
        )

    def in_words(self) -> str:
        """The leaks, the most frequent first."""
        lines = [f"{count} x {what}" for what, count in self.leaks.most_common(SHOWN)]
        return "\n".join([self.figures(), *lines])


@dataclass(frozen=True)
class Visitor:
    """Somebody who looks round: as whom, and by which words a leak names them."""

    name: str
    viewer: Viewer
    kind: str
    """worker, family, guest."""


class Crawl:
    """One authority, its rule, and the marks that its children carry."""

    def __init__(
        self, app: Litestar, tenant: Tenant, owner_url: str, world: World, planted: Planted
    ) -> None:
        self.app = app
        self.tenant = tenant
        self.world = world
        self.planted = planted
        self.owner_url = owner_url
        self.told = Told()
        self.rule = Rule(tenant.clock.now())
        self.known: dict[UUID, Known] = {}
        self.names: dict[UUID, tuple[str, ...]] = {}
        """By which words each child is searched for."""
        self.turn = 0
        self._owner = psycopg.connect(owner_url, autocommit=True)
        self._owner.execute(f'SET search_path TO "{tenant.record.schema_name}"')
        self._last = UUID(int=0)
        self._sent: frozenset[tuple[UUID, UUID]] = frozenset()

    def close(self) -> None:
        """Let the database go."""
        self._owner.close()

    async def know(self, children: Iterable[UUID]) -> None:
        """Read what addresses are filled with."""
        async with self.tenant.transaction(JOB) as session:
            forms = list(await session.scalars(select(Form)))
            form = msgspec.convert(forms[0].definition, FormDefinition)
            slugs = [section.slug for section in form.sections]
            days = [self.world.coming.isoformat(), self.world.held.isoformat()]
            for child in children:
                rows = {
                    table: list(
                        await session.scalars(
                            text(f"SELECT id FROM {table} WHERE child_id = :c ORDER BY id DESC"),
                            {"c": child},
                        )
                    )
                    for table in set(PARTS.values()) - OF_NO_CHILD
                }
                for table in OF_NO_CHILD:
                    # What services say is about no child: two of sixty stand for all.
                    some = " LIMIT 2" if table in ("provider", "service") else ""
                    ids = await session.scalars(text(f"SELECT id FROM {table} ORDER BY id{some}"))
                    rows[table] = list(ids)
                self.known[child] = Known(child, rows, slugs, days)
            messages = await session.execute(
                select(OutboxMessage.holder_id, OutboxMessage.to_viewer_id)
            )
            self._sent = frozenset((one.holder_id, one.to_viewer_id) for one in messages)

    @asynccontextmanager
    async def signed_in(self, visitor: Visitor) -> AsyncIterator[httpx.AsyncClient]:
        """A browser of somebody's."""
        async with httpx.AsyncClient(transport=way_to(self.app), base_url=SITE) as browser:
            if visitor.kind != "guest":
                async with self.tenant.transaction() as session:
                    token = await start(
                        session,
                        visitor.viewer.id,
                        visitor.kind,
                        self.tenant.clock.now(),
                        way=Way.PASSKEY,
                    )
                browser.cookies.set("panel_session", token)
            yield browser

    # Visiting ---------------------------------------------------------------------------------

    async def visit(
        self, visitor: Visitor, paths: Sequence[str], *, all_children: bool = False
    ) -> None:
        """Open every route: for some children in turn, the fullest pages for every child."""
        self.told.visitors += 1
        async with self.signed_in(visitor) as browser:
            if visitor.kind == "guest":
                await self._enter(browser, visitor)
            for path in paths:
                self.turn += 1
                for url in self.addresses(visitor, path, all_children=all_children):
                    await self.get(browser, visitor, path, url)

    async def _enter(self, browser: httpx.AsyncClient, visitor: Visitor) -> None:
        made = next(one for one in self.world.guests.values() if one.link_id == visitor.viewer.id)
        entered = await browser.post(made.path, data={"code": made.code})
        assert entered.status_code == 303, entered.text
        for path in ("", "/item", "/thank-you"):
            await self.get(
                browser, visitor, "/guest/{link_id:uuid}/{token:str}/item", made.path + path
            )

    def addresses(self, visitor: Visitor, path: str, *, all_children: bool) -> Iterator[str]:
        """Where to go for one route."""
        names = [name for name, _ in parts_of(path)]
        one_of_a_child = any(name == "child_id" or name in PARTS for name in names)
        everybody = list(self.known.values())
        if not one_of_a_child:
            known = everybody[self.turn % len(everybody)]
            for url in filled(path, known, 4, 0):
                yield from self._asked(path, url)
            return
        if path.endswith("/moved"):
            for child, entry in self.world.moved:
                day = self.world.coming
                yield f"/panels/contacts/{day}/meeting/{child}/entries/{entry}/moved"
            return
        children = everybody
        if not all_children:
            children = self._some(visitor, every=path in FOR_EACH)
        # Of a family's choice: what it would change, of one kind of information or another.
        asked = path.endswith("/choices/{agency_id:uuid}")
        # What one of a family signs in with stands on one page of each of them.
        each = 9 if path == YOUNG_PERSONS else 2 if all_children or path in FOR_EACH else 1
        for place, known in enumerate(children):
            if path == YOUNG_PERSONS:
                yield path.replace("{child_id:uuid}", f"{known.child}").replace(
                    "{link_id:uuid}", f"{known.child}"
                )
            for url in filled(path, known, each, self.turn + place):
                yield f"{url}?change={WISHES[self.turn % len(WISHES)]}" if asked else url

    def _some(self, visitor: Visitor, *, every: bool = False) -> list[Known]:
        """One whom the visitor is tied to, or every one; at each other turn one who is a stranger."""
        tied, strange = [], []
        for child, known in self.known.items():
            mine = {visitor.viewer.id, visitor.viewer.agency}
            ties = self.rule.states[child].relationships
            (tied if any(one.who in mine for one in ties) else strange).append(known)
        first = tied if every else tied[self.turn % len(tied) :][:1] if tied else []
        if not strange or (first and self.turn % 2):
            return first
        return [*first, strange[self.turn % len(strange)]]

    def _asked(self, path: str, url: str) -> Iterator[str]:
        """An address with the questions that it takes."""
        yield url
        if path == "/children":
            for place, child in enumerate(self.known):
                words = self.names[child]
                for more in range(2):
                    yield f"{url}?q={words[(self.turn + place + more) % len(words)]}"
            yield f"{url}?order=name"
        elif path.endswith("/pack"):
            agencies = sorted(self.world.agencies)
            for more in range(2):
                yield f"{url}?agency={agencies[(self.turn + more) % len(agencies)]}"
        elif path == "/governance/history":
            for place, child in enumerate(self.known):
                if place % 4 == self.turn % 4:
                    yield f"{url}?reference={self.names[child][2]}"
            yield from (f"{url}?worker=Rosa", f"{url}?refused=yes", f"{url}?purpose=safeguarding")
        elif path == "/demo/mailbox":
            yield f"{url}?to=families"

    async def get(
        self, browser: httpx.AsyncClient, visitor: Visitor, path: str, url: str
    ) -> httpx.Response:
        """Open one page and judge what it says."""
        answer = await browser.get(url, follow_redirects=False)
        self.judge(visitor, path, "GET", answer)
        return answer

    async def post(
        self, browser: httpx.AsyncClient, visitor: Visitor, path: str, url: str, form: Any
    ) -> httpx.Response:
        """Post a form and judge the page that comes of it."""
        answer = await browser.post(url, data=form, follow_redirects=False)
        self.judge(visitor, path, "POST", answer)
        return answer

    # Judging ----------------------------------------------------------------------------------

    def judge(self, visitor: Visitor, path: str, method: str, answer: httpx.Response) -> None:
        """Every marker of an answer is one that `consent.decide` permits for this look."""
        self.told.pages += 1
        self.told.routes.add(f"{method} {path}")
        case = PREVIEW if b"agency=" in answer.request.url.query else CASES[path]
        self.told.answers[answer.status_code] += 1
        if answer.status_code >= FAULT:
            self.told.leaks[f"a fault on {method} {path} for {visitor.name}"] += 1
        looks = self.looks()
        typed = self.planted.found(str(answer.request.url))
        for marker in self.planted.found(said_by(answer)) - typed:
            self._judge(visitor, f"{method} {path}", case, marker, looks)

    def _judge(
        self, visitor: Visitor, where: str, case: Case, marker: str, looks: Sequence[Look]
    ) -> None:
        canary = self.planted.canaries[marker]
        self.told.markers += 1
        if visitor.viewer.id in canary.always:
            self.told.fields[canary.field] += 1
            return
        if canary.for_roles:
            permitted = bool(visitor.viewer.roles & canary.for_roles)
        elif not where.partition(" ")[2].startswith(canary.only_on):
            permitted = False
        elif case.as_delivered:
            permitted = any(
                self.rule.may_read(
                    canary, Look(child, to, "family", Purpose.SUPPORT), self._family(to)
                )
                for child, to in self._sent
                if child in canary.children
            )
        else:
            permitted = any(
                self._is_permitted(visitor, case, one, marker)
                for one in looks
                if one.child in canary.children
            )
        if permitted:
            self.told.fields[canary.field] += 1
            self.told.categories.update(canary.needs)
            return
        whose = ", ".join(
            shape for shape, child in self.world.children.items() if child in canary.children
        )
        needs = ", ".join(sorted(canary.needs)) or "no category"
        looked = sorted(
            {f"{one.kind} for {one.purpose}" for one in looks if one.child in canary.children}
        )
        self.told.leaks[
            f"{canary.field} ({needs}) of {whose or 'another child'} shown to {visitor.name} on"
            f" {where}; the history says: {', '.join(looked) or 'nothing'}"
        ] += 1

    @staticmethod
    def _family(person: UUID) -> Viewer:
        return Viewer(person, ViewerKind.FAMILY)

    def _is_permitted(self, visitor: Visitor, case: Case, look: Look, marker: str) -> bool:
        canary = self.planted.canaries[marker]
        viewer = self.rule.viewer_of(look)
        ours = {visitor.viewer.id, visitor.viewer.agency}
        if viewer.id not in ours or not case.allows(viewer, look.purpose):
            return False
        if not self.rule.may_read(canary, look, viewer):
            return False
        return not case.for_the_table or self._all_may(canary, look)

    def _all_may(self, canary: Any, look: Look) -> bool:
        """Whether everybody who is at the meeting may see it from there."""
        return all(
            self.rule.may_read(
                canary,
                Look(look.child, worker.id, "worker", Purpose.PANEL),
                self.rule.viewers[worker.id],
                at_table=True,
            )
            for worker in map(self.world.workers.__getitem__, HERE)
        )

    def looks(self) -> list[Look]:
        """What the access history has gained since it was last asked."""
        rows = self._owner.execute(
            "SELECT id, child_id, viewer_id, viewer_kind, purpose FROM access_event"
            " WHERE id > %s ORDER BY id",
            [self._last],
        ).fetchall()
        if rows:
            self._last = rows[-1][0]
        return [Look(child, viewer, kind, Purpose(why)) for _, child, viewer, kind, why in rows]


def said_by(answer: httpx.Response) -> str:
    """All that an answer says: its page or file, and its headers, a file's name among them."""
    headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    if answer.headers.get("content-type", "").startswith("application/pdf"):
        return f"{headers}\n{pdf_text(answer.content)}"
    return f"{headers}\n{answer.text}"
