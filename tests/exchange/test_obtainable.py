"""What a client can obtain, by any way at all, is what `consent.decide` permits: no more, no less.

A random sharing state, a record with something of every type, and one client, who tries: search of
every type with and without the patient, by identifier through a chain, with every modifier;
totals; every include and its reverse, also through a worker, an agency or a carer of two children;
read, version and history of every id there is; the whole record; the Group of the panel, its
members and its export; and this of what the systems of two agencies sent as of what was written
here. Each finds exactly the same. What is withheld in silence, or while the record's use is
restricted, is not told by a label either.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Purpose, Question, State, Viewer, ViewerKind, decide
from interop.scopes import read_scopes
from interop.search import Search, parse
from interop.served import SERVED, includes, revincludes
from panel.accounts.service import add_agency
from panel.assessments.service import ensure_forms
from panel.exchange import reading, searching
from panel.exchange.entering import Client
from panel.exchange.exporting import Asking, ask, cancel, lines_of, make_waiting, parts_of
from panel.exchange.history import keep_versions
from panel.exchange.resources import Name, Told, references
from panel.exchange.sources import OF_CHILDREN
from panel.exchange.telling_models import ExportJob
from panel.plans.models import Plan
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, rewrite_access
from panel.records.restricted_use import ProcessingRestriction
from panel.sharing.models import SharingRestriction
from panel.sharing.state import SharingFacts
from tests.exchange.content import Authors, Content, Rule, write_content
from tests.exchange.sent_content import put_away
from tests.exchange.sibling import write_sibling
from tests.sharing.test_access_is_a_superset import FACTS, PLACE, World, world, write

__all__ = ["world"]

BASE = "http://testshire.localhost/fhir/R4"
EXAMPLES = 400 if "PANEL_SOAK" in os.environ else 7
SINCE = (date(2026, 11, 1), None)
CATEGORY = st.sampled_from(list(Category))
CLIENT = st.tuples(
    PLACE,
    st.sampled_from([True, True, True, False]),
    st.sampled_from(["additional", "basic"]).flatmap(
        lambda level: st.tuples(st.just(level), st.lists(CATEGORY, max_size=3, unique=True))
    )
    | st.none(),
)
"""Whose system it is, whether its agency is involved, and to what a family agreed."""
SOMEBODY = st.none() | PLACE
AUTHORS = st.builds(
    Authors,
    child=SOMEBODY,
    family=SOMEBODY,
    plan=PLACE,
    sections=st.tuples(PLACE, PLACE, PLACE, PLACE),
    request=st.tuples(PLACE, CATEGORY),
    note=st.tuples(PLACE, st.lists(CATEGORY, max_size=2, unique=True).map(tuple)),
    sitting=SOMEBODY,
    episode=SOMEBODY,
    senders=st.tuples(PLACE, PLACE),
)


NOTHING: dict[str, Any] = {
    "involved": [], "lead": None, "referred": None, "agenda": None,
    "family": (True, (date(2021, 3, 9), None)), "guest": None, "agreements": [],
    "objection": None, "restrictions": [], "orders": [], "override": None, "enquiry": None,
    "client": None,
}  # fmt: skip
REFERRED = NOTHING | {"referred": SINCE[0]}
ALL_THEIR_OWN = Authors(
    child=0, family=0, plan=0, sections=(0, 0, 0, 0), request=(0, Category.HEALTH),
    note=(0, (Category.SAFEGUARDING,)), sitting=0, episode=0,
)  # fmt: skip
"""Nothing is agreed, and the client's own agency wrote everything."""
NOBODYS = Authors(
    child=None, family=None, plan=1, sections=(1, 2, 3, 1), request=(2, Category.FINANCE),
    note=(3, ()), sitting=None, episode=None,
)  # fmt: skip


@dataclass(frozen=True)
class Besides:
    """What else there is: of what silence is kept, whether use is restricted, who knows a sibling."""

    silent: tuple[Category, ...] = ()
    restricted: bool = False
    sibling: tuple[int, ...] = ()


BESIDES = st.builds(
    Besides,
    silent=st.lists(CATEGORY, max_size=3, unique=True).map(tuple),
    restricted=st.sampled_from([False, False, False, False, True]),
    sibling=st.lists(PLACE, max_size=3, unique=True).map(tuple),
)


@dataclass
class Permits:
    """`consent.decide`, asked of one state for one client now."""

    viewer: Viewer
    state: State
    at: datetime
    tied: bool

    @property
    def agency(self) -> UUID | None:
        return self.viewer.agency

    def __call__(self, category: Category, *authors: UUID | None) -> bool:
        return self.tied and any(
            decide(
                Question(self.viewer, category, Purpose.EXCHANGE, self.at, author_agency=author),
                self.state,
            ).permitted
            for author in (None, *authors)
        )

    def is_silent(self, category: Category) -> bool:
        """Whether not even that it is withheld is said."""
        return decide(Question(self.viewer, category, Purpose.EXCHANGE, self.at), self.state).silent


@dataclass
class Tries:
    """One client, trying."""

    gate: Gate
    session: AsyncSession
    client: Client

    async def search(self, resource: str, *pairs: tuple[str, str]) -> searching.Found:
        asked = parse(resource, pairs, BASE)
        assert isinstance(asked, Search), asked
        return await searching.run(self.gate, self.session, self.client, asked)

    async def all_of(self, resource: str, *pairs: tuple[str, str]) -> set[Name]:
        """Every page, in pages of three."""
        found: list[Name] = []
        more: tuple[tuple[str, str], ...] = ()
        while True:
            page = await self.search(resource, *pairs, ("_count", "3"), *more)
            found += names(page.matches)
            if page.cursor is None:
                assert len(found) == len(set(found))
                return set(found)
            more = (("_cursor", page.cursor),)

    async def total(self, resource: str, *pairs: tuple[str, str]) -> int:
        counted = await self.search(resource, *pairs, ("_summary", "count"))
        assert counted.total is not None
        assert not counted.matches
        return counted.total


def names(found: Iterable[Told]) -> list[Name]:
    return [one.name for one in found]


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(facts=NOTHING, client=(0, True, None), authors=ALL_THEIR_OWN, besides=Besides())
@example(
    facts=REFERRED,
    client=(0, True, ("basic", [])),
    authors=NOBODYS,
    besides=Besides((Category.CONTACT,), sibling=(1, 2)),
)
@example(
    facts=REFERRED,
    client=(1, True, ("additional", [])),
    authors=NOBODYS,
    besides=Besides((Category.HEALTH, Category.CONTACT), sibling=(0, 1)),
)
@example(
    facts=NOTHING,
    client=(0, True, ("additional", [])),
    authors=ALL_THEIR_OWN,
    besides=Besides(restricted=True),
)
@example(
    facts=NOTHING | {"objection": ([0], date(2026, 10, 30), ["exchange"])},
    client=(0, True, ("additional", [])),
    authors=NOBODYS,
    besides=Besides(),
)
@example(
    facts=NOTHING,
    client=(3, True, ("basic", [Category.HEALTH])),
    authors=NOBODYS,
    besides=Besides(),
)
@example(
    facts=NOTHING,
    client=(3, True, None),
    authors=NOBODYS,
    besides=Besides(),
)
@given(facts=FACTS, client=CLIENT, authors=AUTHORS, besides=BESIDES)
async def test_obtainable_is_what_is_permitted(
    tenant: Tenant,
    world: World,
    gate: Gate,
    facts: dict[str, Any],
    client: tuple[int, bool, tuple[str, list[Category]] | None],
    authors: Authors,
    besides: Besides,
) -> None:
    place, involved, agreed = client
    facts = facts | {"client": (place, SINCE, False)}
    if involved:
        facts["involved"] = [*facts["involved"], (place, False, SINCE)]
    if agreed:
        facts["agreements"] = [*facts["agreements"], (True, [place], [], *agreed, SINCE, False)]
    async with tenant.transaction(JOB) as session:
        if "council" not in world.kinds:
            await add_agency(session, key="council", name="Council", kind="council")
            await ensure_forms(session)
            world.kinds.append("council")
    child, _member, _guest, client_id = await write(tenant, world, facts)
    async with tenant.transaction(JOB) as session:
        # Whoever is searched for by an agency alone is looked for among what all of these sent.
        await put_away(session)
        content = await write_content(session, world, child, authors)
        sibling = await write_sibling(session, world, child, besides.sibling)
        await _keep_back(session, world.agencies[place], child, besides)
    async with tenant.transaction(JOB) as session:
        await keep_versions(session, datetime.now(UTC))
        plan = await session.scalar(
            select(Plan).where(Plan.child_id == child, Plan.state == "agreed")
        )
        assert plan is not None
        plan.summary = "Something else"
    viewer = Viewer(client_id, ViewerKind.CLIENT, world.agencies[place], world.kinds[place])
    system = Client(viewer, read_scopes(["system/*.rs"]), "tries", "A system")
    async with tenant.transaction(client_id) as session:
        known = await SharingFacts().known(session, [child, sibling.child], viewer)
        may, of_sibling = (
            Permits(
                viewer, known[one].state if one in known else State(one), tenant.clock.now(),
                one in known,
            )
            for one in (child, sibling.child)
        )  # fmt: skip
        if besides.restricted:
            assert not content.permitted(may) or any(one.permits for one in may.state.orders)
        tries = Tries(gate, session, system)
        await _tries_everything(tries, content, may, content.permitted(may))
        await _groups(tries, world.panel, content, may)
        await _through_others(
            tries,
            world,
            everything_of(content) | everything_of(sibling),
            content.permitted(may) | sibling.permitted(of_sibling),
        )

    there = everything_of(content) | everything_of(sibling)
    found = await _exported(gate, tenant, system, Asking("", (*EXPORTED, "Group"), None))
    assert names_of(found) & there == content.permitted(may) | sibling.permitted(of_sibling)
    assert (str(child) in members_of(found)) == content.before_panel(may)
    found = await _exported(gate, tenant, system, Asking("", EXPORTED, None, world.panel))
    in_group = content.permitted(may) if content.before_panel(may) else set()
    assert names_of(found) & there == in_group


EXPORTED = tuple(kind for kind in OF_CHILDREN if kind != "AuditEvent")


def names_of(resources: Iterable[dict[str, Any]]) -> set[Name]:
    return {(one["resourceType"], one["id"]) for one in resources}


def members_of(resources: Iterable[dict[str, Any]]) -> set[str]:
    """Who stands in groups; as many as they count."""
    groups = [one for one in resources if one["resourceType"] == "Group"]
    assert all(one["quantity"] == len(one["member"]) for one in groups)
    return {to for one in groups for _, to in references(one["member"])}


async def _groups(tries: Tries, panel: UUID, content: Content, may: Permits) -> None:
    """The child in the Group of the panel, by every way: there, or not even counted."""
    child, expected = str(content.child), content.before_panel(may)
    mine = {("Group", str(panel))} if expected else set()
    assert await tries.all_of("Group", ("member", child)) == mine
    assert await tries.total("Group", ("member", child)) == len(mine)
    back = await tries.search("Patient", ("_id", child), ("_revinclude", "Group:member"))
    if ("Patient", child) in content.permitted(may):
        assert set(names(back.included)) == mine
    found = await tries.search("Group", ("_id", str(panel)), ("_include", "Group:member"))
    told = [*found.matches, *back.included]
    told += await reading.versions(tries.gate, tries.session, tries.client, "Group", panel)
    one = await reading.read(tries.gate, tries.session, tries.client, "Group", panel)
    told += [] if one is None else [one]
    assert (one is not None) == bool(found.matches)
    for group in told:
        assert (child in members_of([group.content])) == expected
    assert (("Patient", child) in names(found.included)) == expected


async def _exported(
    gate: Gate, tenant: Tenant, client: Client, asking: Asking
) -> list[dict[str, Any]]:
    """All that comes in the files of an export."""
    async with tenant.transaction(client.viewer.id) as session:
        job_id = await ask(session, client, asking)
        assert job_id is not None
    await make_waiting(gate)
    async with tenant.transaction(client.viewer.id) as session:
        job = await session.get_one(ExportJob, job_id)
        parts = [part.id for part in await parts_of(session, job)]
    found: list[dict[str, Any]] = []
    for part in parts:
        async for some in lines_of(gate, client, job_id, part):
            found += [msgspec.json.decode(line) for line in some.splitlines()]
    async with tenant.transaction(client.viewer.id) as session:
        await cancel(session, client, await session.get_one(ExportJob, job_id))
    return found


async def _keep_back(session: AsyncSession, agency: UUID, child: UUID, besides: Besides) -> None:
    """Withhold something in silence, and restrict the use of the record."""
    if besides.silent:
        session.add(
            SharingRestriction(
                child_id=child, kind="protection", against=[agency], silent=True,
                categories=[one.value for one in besides.silent], from_on=SINCE[0],
            )
        )  # fmt: skip
        await session.flush()
        await rewrite_access(session, child)
    if besides.restricted:
        session.add(ProcessingRestriction(child_id=child, from_on=SINCE[0], why="They say no"))
        await session.flush()


async def _through_others(
    tries: Tries, world: World, there: set[Name], permitted: set[Name]
) -> None:
    """What is found of two children through who works with both, who cares for both, and at all."""
    for kind in OF_CHILDREN:
        if kind != "AuditEvent":
            found = await tries.all_of(kind) & there
            assert found == {name for name in permitted if name[0] == kind}, kind
    shared = [("Practitioner", one) for one in world.workers]
    shared += [("Organization", one) for one in world.agencies]
    for kind, row in shared:
        back = [("_revinclude", f"{other}:{param.name}") for other, param in revincludes(kind)]
        found = await tries.search(kind, ("_id", str(row)), *back)
        assert set(names(found.included)) & there <= permitted, kind
    for kind, row in sorted(there):
        if kind in ("RelatedPerson", "Patient"):
            back = [("_revinclude", f"{other}:{param.name}") for other, param in revincludes(kind)]
            found = await tries.search(kind, ("_id", row), *back[:20])
            assert set(names([*found.matches, *found.included])) & there <= permitted, kind


async def _tries_everything(
    tries: Tries, content: Content, may: Permits, permitted: set[Name]
) -> None:
    child = str(content.child)
    by_type = {
        kind: {name for name in permitted if name[0] == kind}
        for kind in OF_CHILDREN
        if kind != "AuditEvent"
    }
    for kind, expected in by_type.items():
        mine = {name for name in await tries.all_of(kind) if name in everything_of(content)}
        assert mine == expected, kind
        if kind == "Patient":
            assert await tries.all_of(kind, ("_id", child)) == expected
            continue
        whose = ("patient", child)
        assert await tries.all_of(kind, whose) == expected, kind
        assert await tries.total(kind, whose) == len(expected), kind
        await _by_modifiers(tries, kind, whose, expected)
        await _by_includes(tries, kind, whose, permitted)
    await _one_by_one(tries, content, may, permitted)
    whole = await reading.everything(tries.gate, tries.session, tries.client, content.child)
    of_child = {one.name for one in whole if one.resource in by_type}
    assert of_child == (permitted if ("Patient", child) in permitted else set())
    _says_no_more(whole, content, may)
    await _looks(tries, content, may)


async def _looks(tries: Tries, content: Content, may: Permits) -> None:
    """Who looked, of the client's own agency alone."""
    whose = ("patient", str(content.child))
    looks = await tries.search("AuditEvent", whose)
    assert not looks.matches or may(Category.IDENTITY)
    agencies = {to for one in looks.matches for kind, to in references(one.content["agent"])}
    assert agencies <= {str(may.agency)}


def everything_of(content: Content) -> set[Name]:
    return {(kind, str(row)) for kind, row in content.rules} | content.never


async def _by_modifiers(
    tries: Tries, kind: str, whose: tuple[str, str], expected: set[Name]
) -> None:
    for param in SERVED[kind].params:
        if param.name[0] == "_":
            continue
        there = await tries.all_of(kind, whose, (f"{param.name}:missing", "false"))
        absent = await tries.all_of(kind, whose, (f"{param.name}:missing", "true"))
        assert there | absent == expected, (kind, param.name)
        assert not there & absent, (kind, param.name)
        if param.kind == "token":
            none = await tries.all_of(kind, whose, (f"{param.name}:not", "nothing-has-this"))
            if not param.codes:
                assert none == expected, (kind, param.name)


async def _by_includes(
    tries: Tries, kind: str, whose: tuple[str, str], permitted: set[Name]
) -> None:
    asked = [("_include", f"{kind}:{param.name}") for param in includes(kind)]
    asked += [
        ("_revinclude", f"{other}:{param.name}")
        for other, param in revincludes(kind)
        if other in OF_CHILDREN
    ]
    found = await tries.search(kind, whose, *asked[:20])
    for name in names(found.included):
        if name[0] == "AuditEvent" or name[0] not in OF_CHILDREN:
            continue
        assert name in permitted, (kind, name)


async def _one_by_one(tries: Tries, content: Content, may: Permits, permitted: set[Name]) -> None:
    for name in sorted(everything_of(content)):
        kind, row = name[0], UUID(name[1])
        found = await reading.read(tries.gate, tries.session, tries.client, kind, row)
        assert (found is not None) == (name in permitted), name
        past = await reading.versions(tries.gate, tries.session, tries.client, kind, row)
        assert bool(past) == (name in permitted), name
        _says_no_more(past, content, may)
        if found is not None:
            assert past[0].stamped.version == found.stamped.version, name


def _labels(content: Content, kind: str, may: Permits) -> bool:
    """Whether it is to be said that parts are withheld: not of what is withheld in silence."""
    rules: list[tuple[Category, Rule]] = []
    if kind == "Patient":
        rules = [(Category.CONTACT, content.contact), (Category.FAMILY, content.family)]
    elif kind == "RelatedPerson":
        rules = [(Category.CONTACT, lambda may: may(Category.CONTACT))]
    elif kind == "QuestionnaireResponse":
        rules = [(content.categories[key], rule) for key, rule in content.sections.items()]
    return any(
        not rule(may) and not may(category) and not may.is_silent(category)
        for category, rule in rules
    )


def _says_no_more(whole: Iterable[Told], content: Content, may: Permits) -> None:
    """Within a resource: what it refers to, an address, sections, and that parts are withheld."""
    tellable = content.permitted(may) | {("Patient", str(content.child))}
    for one in whole:
        referred = {name for name in references(one.content) if name[0] in OF_CHILDREN}
        sender = content.sent.get(one.name)
        if sender is not None:
            _says_what_was_sent(one, may, sender, referred - tellable)
            continue
        assert referred <= tellable, one.name
        labels = {label["code"] for label in one.content["meta"].get("security", ())}
        assert ("REDACTED" in labels) == _labels(content, one.resource, may), one.resource
        if one.resource == "RelatedPerson":
            assert ("address" in one.content) == may(Category.CONTACT)
        if one.resource == "Patient":
            assert ("address" in one.content) == content.contact(may)
        if one.resource == "QuestionnaireResponse":
            shown = {item["linkId"] for item in one.content["item"]}
            assert shown == {key for key, rule in content.sections.items() if rule(may)}


def _says_what_was_sent(one: Told, may: Permits, sender: UUID, untold: set[Name]) -> None:
    """Its sender's agency is told all of it; others nothing that leads to what is withheld."""
    assert [tag["code"] for tag in one.content["meta"]["tag"]] == ["another-system"]
    whole = str(one.content)
    if may.agency == sender:
        return
    assert not untold, one.name
    assert "What stays with its sender" not in whole
    if one.resource == "RelatedPerson":
        labels = {label["code"] for label in one.content["meta"].get("security", ())}
        told = may(Category.CONTACT, sender)
        assert ("address" in one.content) == told
        assert ("REDACTED" in labels) == (not told and not may.is_silent(Category.CONTACT))
        assert one.changed_at is None
