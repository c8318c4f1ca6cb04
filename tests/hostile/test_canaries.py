"""The canary crawl: each text of each child carries a marker, and everybody looks everywhere.

What a page tells somebody is compared with what `consent.decide` permits them, worked out from the
database's rows without the gate (`canary_rule`). Twelve children, one for each way in which sharing
differs; every persona and six others; every route of the route table. Everybody opens the fullest
pages for every child whom they are tied to, and every other route for one of them, another at each
turn; and, at each other turn, for a child whom they are not tied to. Lists, searches and packs name
everybody. `make soak` opens everything for every child (PANEL_SOAK).
"""

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
from click.testing import CliRunner
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import text

from consent import Category, Purpose, Role, Viewer, ViewerKind
from panel.cli import commands
from panel.platform.cluster import Cluster
from panel.platform.ids import new_id
from panel.platform.outbox import BY_POST
from panel.platform.rotation import sealed_fields
from panel.platform.tenancy import Tenant
from panel.platform.work_tables import OutboxMessage
from panel.records.child_scoped import JOB
from panel.register.models import Child
from tests.demo.year import rows_of
from tests.durability.test_dump import dump_of, layers
from tests.hostile.canary_crawl import Crawl, Visitor
from tests.hostile.canary_fields import (
    CLEAR,
    RESTRICTIONS,
    SEALED,
    Part,
    stale_columns,
    unknown_columns,
)
from tests.hostile.canary_pdf import pdf_text
from tests.hostile.canary_routes import CASES, WHAT_TO_ADD, filled
from tests.hostile.canary_rule import Look, read_rule
from tests.hostile.canary_system import look_round, systems
from tests.hostile.canary_year import SOAK, Made
from tests.hostile.conftest import hidden_of
from tests.hostile.test_every_route import get_paths, post_paths

pytestmark = [pytest.mark.database, pytest.mark.crawl]


@pytest.fixture(scope="module")
def database_of_own(canaries: Made) -> Cluster:
    """The database with the markers."""
    return canaries.cluster


@pytest.fixture
async def crawl(
    canaries: Made, app: Litestar, client: AsyncTestClient[Litestar], tenant: Tenant
) -> AsyncIterator[Crawl]:
    """A crawl of the site that knows every child and every fact of their sharing.

    `client` starts and ends the site.
    """
    made = canaries
    assert client
    assert made.cluster.owner_url is not None
    crawl = Crawl(app, tenant, made.cluster.owner_url, made.world, made.planted)
    crawl.rule = await read_rule(tenant, made.cluster.owner_url)
    for child, link in made.world.guests.items():
        agency = made.world.agencies["mill-lane"]
        assert child
        crawl.rule.viewers[link.link_id] = Viewer(
            link.link_id, ViewerKind.GUEST, agency.id, agency.kind
        )
    crawl.names = made.names
    await crawl.know(made.names if SOAK else made.world.children.values())
    yield crawl
    crawl.close()


async def test_a_dump_holds_no_marker_of_what_is_sealed(canaries: Made) -> None:
    """Of every column that is declared sealed, over the year's whole journey, agenda to letter."""
    sealed = {f"{one.table}.{one.column}" for one in sealed_fields()}
    planted = {
        marker for marker, canary in canaries.planted.canaries.items() if canary.field in sealed
    }
    numbers = {marker for marker in planted if marker.isdecimal()}
    assert len(planted) > 1_000
    assert len(numbers) >= 12
    assert len({canaries.planted.canaries[one].field for one in planted}) > 40
    dumped = list(layers(dump_of(canaries.cluster)))
    found = {one for layer in dumped for one in planted if one.encode() in layer}
    assert found == set()
    # What is in the clear on purpose is found: the search does search.
    clear = canaries.planted.canaries.keys() - planted
    assert any(one.encode() in layer for layer in dumped for one in clear)


async def _visitors(crawl: Crawl, tenant: Tenant) -> list[Visitor]:
    """Every persona; and who is easily forgotten."""
    world = crawl.world
    async with tenant.transaction(JOB) as session:
        rows = (
            await session.execute(
                text("SELECT key, viewer_id, kind FROM demo_persona ORDER BY key")
            )
        ).all()
    found = [
        Visitor(
            key,
            crawl.rule.viewers.get(viewer) or Viewer(viewer, ViewerKind.FAMILY),
            kind,
        )
        for key, viewer, kind in rows
    ]
    others = {
        "sian": "a worker of the team whose family withdrew", "beth": "a worker who was offered",
        "idris": "a worker who left", "viv": "the safeguarding lead",
        "lena": "a worker whom a court named", "kofi": "a member of the panel who is not here",
        world.sealed_from: "a worker from whom a record is sealed",
        world.opened_by: "a worker outside the team who opened a record for safety",
    }  # fmt: skip
    found += [
        Visitor(words, crawl.rule.viewers[world.workers[key].id], "worker")
        for key, words in others.items()
    ]
    of = {shape: world.parents[child] for shape, child in world.children.items()}
    for words, person in (
        ("a father from whom the address is protected", of["protected_address"]["father"]),
        ("a mother whose address is protected", of["protected_address"]["mother"]),
        ("a grandmother", of["named"]["grandmother"]),
    ):
        found.append(Visitor(words, Viewer(person, ViewerKind.FAMILY), "family"))
    link = next(iter(world.guests.values()))
    found.append(Visitor("a guest", crawl.rule.viewers[link.link_id], "guest"))
    return found


NOT_ON_A_PAGE: dict[str, str] = {
    "action.moved_why": "is kept for the trail; the page of a move says what and when, not why",
    "discussion.moved_why": "is kept for the trail, as an action's",
    "declared_interest.reason": "is kept for the minutes' sake, and only that there is one is said",
    "discussion.taken_back_why": "is kept for the trail, and only that it was taken back is said",
    "family_clearance.words": "is what the line's words are compared with, to see that they still are",
    "family_clearance.marked": "is what the marks of a line are compared with",
    "family_clearance.why": "is shown where the cleared words still stand, and planted ones differ:"
    " tests/families/test_words_about_others.py",
    "family_note.kept": "is kept with the note; what stays marked is shown from its own words",
    "case_closure.left_with": "is shown once a case is closed, and those of the crawl are open:"
    " tests/casework/test_refer_and_close.py",
    "case_closure.reopened_because": "is kept for the trail; that the case goes on is said",
    "impact_invitation.address": "is written to; a guest is told apart by their name",
    "impact_meeting.cancelled_why": "is shown of a meeting that is cancelled, and the crawl's is to"
    " come: tests/impact/test_meetings_around_a_family.py",
    "impact_minutes.kept": "as family_note.kept",
    "former_identity.ended_why": "is kept for the trail; once ended, no page shows the name at all",
    "order_to_confirm.evidence": "is kept for the trail: what was seen before the order counted",
    "listed_child.address": "is never told out of a list, only whether it is the same as here",
    "listed_child.postcode": "as the address",
    "guest_link.name": "is kept; a link is told apart by the agency",
    "access_file.made": "is handed out once, and was",
    "processing_restriction.why": "is kept for the trail; that the use is restricted is said",
    "processing_restriction.ended_why": "is kept for the trail",
}
"""Columns that no page shows to anybody, each with why that is right."""
BY_TURNS = {
    "access_file.pieces", "redaction.words", "redaction.reason", "redaction.second_note",
    "right_request.who", "right_request.about", "right_request.proof",
}  # fmt: skip
"""Of a copy that is looked through and of a request while it is open: the visit opens one of several
copies and requests, by turns."""
GARBAGE = {
    "name": "x", "text": "x", "version": "0", "on-day": "31", "on-month": "2", "on-year": "20x6",
    "unknown": "y", "reason": "",
}  # fmt: skip
POSTING = (
    "coordinator", "lead-health", "lead-education", "manager", "voluntary", "parent-1", "parent-2",
    "a worker of the team whose family withdrew", "the safeguarding lead",
    "a worker outside the team who opened a record for safety",
)  # fmt: skip
"""Who sends forms that are refused: one of each kind of those who have forms."""
TOKEN = re.compile(r'name="_csrf_token" value="([^"]*)"')


def test_every_column_with_free_text_is_planted() -> None:
    assert not unknown_columns(), "\n".join(unknown_columns())
    assert not stale_columns()


def test_every_route_has_a_case(app: Litestar) -> None:
    paths = {*get_paths(app), *post_paths(app), "/sign-out"}
    new = sorted(paths - CASES.keys())
    assert not new, "\n".join(WHAT_TO_ADD.format(path=one) for one in new)
    assert not CASES.keys() - paths, "an address that is not there any more has a case"


async def test_everybody_is_shown_what_is_permitted_and_nothing_else(
    crawl: Crawl,
    app: Litestar,
    tenant: Tenant,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The crawl: pages, lists, searches, packs, files, letters, refusals, and what is logged."""
    caplog.set_level(logging.INFO)
    worked = time.process_time()
    paths = [one for one in get_paths(app) if not one.startswith(("/demo/sign-in", "/live"))]
    for visitor in await _visitors(crawl, tenant):
        await crawl.visit(visitor, paths, all_children=SOAK)
    told = crawl.told
    # What the visitors' own browser logs of its requests is not the product's.
    lines = [one.getMessage() for one in caplog.records if not one.name.startswith("http")]
    logged = "\n".join([*capfd.readouterr(), *lines])
    with capfd.disabled():
        figures = f"{len(crawl.known)} children, {told.figures()}, {crawl.rule.asked} decisions"
        print(f"\nThe crawl: {figures}, {time.process_time() - worked:.0f} seconds of work")
    assert not told.leaks, told.in_words()
    assert not crawl.planted.found(logged), "a log line tells what a record says"
    assert set(told.categories) == set(Category), "a category was shown to nobody"
    unseen = (SEALED.keys() | CLEAR.keys()) - set(told.fields)
    assert sorted(unseen - NOT_ON_A_PAGE.keys() - BY_TURNS) == [], (
        "shown to nobody who may see them"
    )
    assert sorted(NOT_ON_A_PAGE.keys() - unseen) == [], (
        "shown, although it is said that they are not"
    )


async def test_systems_are_sent_what_is_permitted_and_nothing_else(
    crawl: Crawl, tenant: Tenant, canaries: Made
) -> None:
    """Three agencies' systems: each whole record, each type, and the past of all they find."""
    for visitor in await systems(crawl, tenant, canaries.world):
        await look_round(crawl, visitor)
    told = crawl.told
    print(f"\nSystems: {told.figures()}")
    assert not told.leaks, told.in_words()
    assert told.markers > 500, told.figures()
    assert set(told.categories) >= {Category.IDENTITY, Category.PLAN, Category.FAMILY}


def _may_read(crawl: Crawl, marker: str, viewer: Viewer, purpose: Purpose) -> bool:
    canary = crawl.planted.canaries[marker]
    return any(
        crawl.rule.may_read(canary, Look(child, viewer.id, viewer.kind, purpose), viewer)
        for child in canary.children
    )


async def test_a_message_tells_its_reader_what_is_permitted_and_nothing_else(
    crawl: Crawl, tenant: Tenant
) -> None:
    """Everything that waits in the outbox: e-mails, letters, their subjects and addresses."""
    read = 0
    async with tenant.transaction(JOB) as session:
        rows = await rows_of(session, OutboxMessage)
        for row in rows:
            assert isinstance(row, OutboxMessage)
            said = f"{row.address}\n{row.subject}\n{row.body}\n{row.facts}\n{row.once}"
            assert row.to_viewer_id is not None
            reader = crawl.rule.viewers.get(row.to_viewer_id) or Viewer(
                row.to_viewer_id, ViewerKind.FAMILY
            )
            for marker in crawl.planted.found(said):
                where = crawl.planted.canaries[marker].field
                # Whoever sits beside the reader sees an e-mail: it holds nothing but its address.
                allowed = row.kind == BY_POST or where == "family_member.email"
                assert allowed, f"an e-mail tells {where}"
                assert _may_read(crawl, marker, reader, Purpose.SUPPORT), where
                read += 1
    assert len(rows) > 8
    assert read > 8


@pytest.mark.parametrize("agency", ["health-visiting", "together", "early-help"])
async def test_commands_print_what_is_permitted_and_nothing_else(
    crawl: Crawl, data_dir: Path, canaries: Made, tmp_path: Path, agency: str
) -> None:
    """What commands print that read records, and the paper that one of them writes."""
    environment = {
        "PANEL_DATA_DIR": str(data_dir), "PANEL_DATABASE_URL": canaries.cluster.app_url,
        "PANEL_OWNER_DATABASE_URL": canaries.cluster.owner_url, "PANEL_AS_OF": "2026-11-23",
    }  # fmt: skip
    world, paper = canaries.world, tmp_path / "pack.pdf"
    on = ("--panel", "contacts", "--date", world.coming.isoformat())
    child = canaries.names[world.children["nothing_shared"]][2]

    async def ran(*words: str) -> str:
        result = await asyncio.to_thread(CliRunner().invoke, commands, words, env=environment)
        assert result.exit_code == 0, result.output
        return result.output

    for printed in (
        await ran("agenda", "prepare", *on, "--json"),
        await ran("agenda", "prepare", *on),
        await ran("meetings", *on[:2], "--from", "2026-11-01", "--to", "2026-12-20", "--json"),
        await ran("access", "explain", "--child", child, "--viewer", f"{WHO[agency]}.example",
                  "--category", "health", "--purpose", "panel", "--json"),
    ):  # fmt: skip
        shown = {crawl.planted.canaries[one].field for one in crawl.planted.found(printed)}
        assert shown <= PROCESS, f"a command prints {shown}"
    await ran("agenda", "pack", *on, "--agency", agency, "--pdf", str(paper))
    viewer = crawl.rule.viewers[world.agencies[agency].id]
    found = crawl.planted.found(pdf_text(paper.read_bytes()))
    assert found, "the paper tells nothing: it was not read"
    for marker in found:
        where = crawl.planted.canaries[marker].field
        assert _may_read(crawl, marker, viewer, Purpose.PANEL), f"{where} is in the paper"


WHO = {
    "health-visiting": "rosa@health-visiting", "together": "yusuf@together",
    "early-help": "grace@early-help",
}  # fmt: skip
PROCESS = {
    "sharing_agreement.by_words", "sharing_objection.by_words", "sharing_restriction.by_words",
    "sharing_order.reference",
}  # fmt: skip
"""Who decided, as the reasons say it."""


def test_nothing_that_is_sealed_stands_in_the_clear(canaries: Made) -> None:
    """Every column of the database as it lies there, history and indexes among them."""
    _nothing_lies_open(canaries)


def _nothing_lies_open(canaries: Made) -> None:
    assert canaries.cluster.owner_url is not None
    with psycopg.connect(canaries.cluster.owner_url) as owner:
        owner.execute("SET search_path TO authority_testshire")
        names = owner.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = 'authority_testshire'::regnamespace ORDER BY 1"
        ).fetchall()
        for (name,) in names:
            lying = owner.execute(f"SELECT string_agg(t::text, ' ') FROM {name} t").fetchone()
            assert lying is not None
            for marker in canaries.planted.found(lying[0] or ""):
                where = canaries.planted.canaries[marker].field
                assert where in CLEAR, f"{where} stands in the clear in {name}"


async def test_a_refused_form_shows_what_is_permitted_and_nothing_else(
    crawl: Crawl, app: Litestar, tenant: Tenant, canaries: Made
) -> None:
    """Every form sent with rubbish: the page that comes again, and the conflict's two texts."""
    assert canaries.cluster.owner_url is not None
    for visitor in await _visitors(crawl, tenant):
        if visitor.name not in POSTING and not SOAK:
            continue
        crawl.told.visitors += 1
        async with crawl.signed_in(visitor) as browser:
            home = await browser.get("/family" if visitor.kind == "family" else "/")
            found = TOKEN.search(home.text)
            assert found is not None, home.text
            crawl.looks()
            for path in post_paths(app):
                crawl.turn += 1
                for url in list(crawl.addresses(visitor, path, all_children=False))[:2]:
                    form = GARBAGE | {"_csrf_token": found[1]}
                    answer = await crawl.post(browser, visitor, path, url, form)
                    if answer.is_redirect:
                        # Something was done after all: what is permitted may be another thing now.
                        guests = {
                            one: known
                            for one, known in crawl.rule.viewers.items()
                            if known.kind is ViewerKind.GUEST
                        }
                        crawl.rule = await read_rule(tenant, canaries.cluster.owner_url)
                        crawl.rule.viewers.update(guests)
    told = crawl.told
    assert not told.leaks, told.in_words()
    assert told.answers[422] > 50, told.answers
    assert told.markers > 500, told.figures()


WHY = "Somebody rang: he is at the door"


async def _token(browser: httpx.AsyncClient, page: str = "/") -> str:
    home = await browser.get(page)
    found = TOKEN.search(home.text)
    assert found is not None, home.text
    return found[1]


async def test_reference_and_birth_date_tell_nothing_of_a_record_that_is_sealed(
    crawl: Crawl, tenant: Tenant
) -> None:
    """Whom it is sealed from is answered as if there were no such child."""
    world = crawl.world
    child, who = world.children["transition"], world.workers[world.sealed_from]
    visitor = Visitor("sealed out", crawl.rule.viewers[who.id], "worker")
    async with tenant.transaction(JOB) as session:
        born = (await session.get_one(Child, child)).birth_date
        assert born is not None
    told = set()
    async with crawl.signed_in(visitor) as browser:
        token = await _token(browser)
        crawl.looks()
        for reference, day in (
            (crawl.names[child][2], born),
            (crawl.names[child][2], born - timedelta(days=1)),
            ("C-999999", born),
        ):
            form = {
                "_csrf_token": token, "reference": reference, "reason": WHY,
                "born-day": day.day, "born-month": day.month, "born-year": day.year,
            }  # fmt: skip
            path = "/safeguarding/open"
            answer = await crawl.post(browser, visitor, path, path, form)
            assert answer.status_code == 303, answer.text
            path = answer.headers["location"]
            opened = await crawl.get(browser, visitor, path, path)
            told.add((opened.status_code, opened.text))
            theirs = await browser.get(f"/children/{child}")
            nobodys = await browser.get(f"/children/{new_id()}")
            assert (theirs.status_code, theirs.text) == (nobodys.status_code, nobodys.text)
    assert len(told) == 1, "the answer tells whether there is such a child"
    assert not crawl.told.leaks, crawl.told.in_words()


async def test_a_record_that_was_opened_for_safety_shows_what_is_not_protected(
    crawl: Crawl, tenant: Tenant
) -> None:
    """By reference and birth date, as somebody who is not of the team."""
    world = crawl.world
    child, who = world.children["refused_agency"], world.workers[world.opened_by]
    visitor = Visitor("opened for safety", crawl.rule.viewers[who.id], "worker")
    async with crawl.signed_in(visitor) as browser:
        crawl.looks()
        opened = await browser.get("/safeguarding/opened")
        assert crawl.names[child][2] in opened.text
        path = "/children/{child_id:uuid}/chronology"
        await crawl.get(browser, visitor, path, f"/children/{child}/chronology")
    assert crawl.told.fields["significant_event.text"] > 0
    assert not crawl.told.leaks, crawl.told.in_words()


async def test_a_former_name_is_on_no_page_but_its_own_and_in_no_search(
    crawl: Crawl, app: Litestar, tenant: Tenant, canaries: Made, caplog: pytest.LogCaptureFixture
) -> None:
    """A child is adopted: the name that stood on every page is kept for two of those who knew it."""
    caplog.set_level(logging.INFO)
    world = crawl.world
    child = world.children["escalation"]
    async with tenant.transaction(JOB) as session:
        row = next(one for one in await rows_of(session, Child) if getattr(one, "id", 0) == child)
        assert isinstance(row, Child)
        was = (row.given_name, row.family_name)
    knows = frozenset({world.agencies["disabled-children"].id, world.workers["rosa"].id})
    visitors = [
        one
        for one in await _visitors(crawl, tenant)
        if one.name in POSTING or one.kind == "guest" or Role.SAFEGUARDING_LEAD in one.viewer.roles
    ]
    grace = next(one for one in visitors if one.name == "coordinator")
    async with crawl.signed_in(grace) as browser:
        page = f"/children/{child}/sharing/restrictions/former-name"
        answer = await browser.post(
            page,
            data=hidden_of(await browser.get(page))
            | {
                "given_name": was[0], "family_name": was[1], "reason": "Adopted",
                "open_to": [str(one) for one in knows],
                "new_given_name": "Marigold", "new_family_name": "Fenn",
            },
        )  # fmt: skip
        assert answer.status_code == 303, answer.text
    for marker in crawl.planted.found(" ".join(was)):
        crawl.planted.canaries[marker] = replace(
            crawl.planted.canaries[marker], field="the former name", part=Part.KNOWS_FORMER,
            named=knows, only_on=RESTRICTIONS, always=frozenset(),
        )  # fmt: skip
    guests = {
        one: known for one, known in crawl.rule.viewers.items() if known.kind is ViewerKind.GUEST
    }
    assert canaries.cluster.owner_url is not None
    crawl.rule = await read_rule(tenant, canaries.cluster.owner_url)
    crawl.rule.viewers.update(guests)
    crawl.known = {child: crawl.known[child]}
    paths = [one for one in get_paths(app) if not one.startswith(("/demo", "/live"))]
    caplog.clear()
    for visitor in visitors:
        await crawl.visit(visitor, paths, all_children=True)
        if visitor.kind != "worker":
            continue
        async with crawl.signed_in(visitor) as browser:
            for words in (*was, *crawl.names[child][:2], crawl.names[child][4], " ".join(was)):
                found = await browser.get("/children", params={"q": words})
                assert f"/children/{child}" not in found.text, f"{visitor.name} finds it by {words}"
    # Each letter on paper, the one to the child among them.
    path = "/panels/{key:str}/{held_on:date}/notes/{child_id:uuid}/deliveries/{delivery_id:uuid}/letter"
    async with crawl.signed_in(grace) as browser:
        for url in filled(path, crawl.known[child], 99, 0):
            await crawl.get(browser, grace, path, url)
    told = crawl.told
    assert not told.leaks, told.in_words()
    assert told.fields["the former name"] > 0, "nobody reads it who may"
    lines = [one.getMessage() for one in caplog.records if not one.name.startswith("http")]
    assert not crawl.planted.found("\n".join(lines))
    _nothing_lies_open(canaries)
