"""You said, we did: commissioners' pages, and the one that families read."""

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from consent import Role
from panel.accounts.desk import FOR_FAMILIES, READING_FIGURES, Desk
from panel.accounts.taking import Transaction, take_here
from panel.insight.voice import said
from panel.insight.voice.forms import MOST_SAID, SaidForm, VersionForm
from panel.insight.voice.said import SaidWords
from panel.platform.problems import Invalid
from panel.web.forms import FieldErrors, Filled
from panel.web.paging import read_cursor

HOME = "/commissioning/said"
FOR_A_FAMILY = "/family/said"
_KEY = (datetime, UUID)
UNREAD = "Read it once more, and tick that nobody can be recognised in it"


@get(FOR_A_FAMILY, include_in_schema=False, opt=FOR_FAMILIES)
async def said_to_families(desk: NamedDependency[Desk], page: FromQuery[str] = "") -> Response[str]:
    """What families said and what was done, newest first."""
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await said.for_families(session, read_cursor(page, _KEY))
    return desk.page(
        "insight/family_said.html",
        found=found,
        previous=f"{FOR_A_FAMILY}?page={found.previous}" if found.previous else "",
        next=f"{FOR_A_FAMILY}?page={found.next}" if found.next else "",
    )


@get(HOME, include_in_schema=False)
async def said_page(desk: NamedDependency[Desk], page: FromQuery[str] = "") -> Response[str]:
    """Every entry, with what became of it."""
    who = desk.require(*READING_FIGURES)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await said.for_commissioners(session, read_cursor(page, _KEY))
    return desk.page(
        "insight/said.html",
        found=found,
        states=said.STATE_WORDS,
        may_write=Role.COMMISSIONER in who.viewer.roles,
        home=HOME,
        previous=f"{HOME}?page={found.previous}" if found.previous else "",
        next=f"{HOME}?page={found.next}" if found.next else "",
    )


@get(f"{HOME}/new", include_in_schema=False)
async def new_entry(desk: NamedDependency[Desk]) -> Response[str]:
    """The form for an entry."""
    return await _form(desk, None)


@post(f"{HOME}/new", include_in_schema=False)
async def write_entry(desk: NamedDependency[Desk]) -> Response[Any]:
    """Keep a draft."""
    desk.require(Role.COMMISSIONER)

    async def work(here: Transaction, form: SaidForm) -> None:
        await said.write(here.session, _words(form))

    return await take_here(desk, SaidForm, work, HOME, again=partial(_form, desk, None))


@get(f"{HOME}/{{saying_id:uuid}}", include_in_schema=False)
async def entry_page(desk: NamedDependency[Desk], saying_id: FromPath[UUID]) -> Response[str]:
    """One entry: as families read it, what became of it, and what can be done with it."""
    who = desk.require(*READING_FIGURES)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await said.entry(session, saying_id)
    return desk.page(
        "insight/said_entry.html",
        entry=found,
        state=said.STATE_WORDS[found.state],
        may_write=Role.COMMISSIONER in who.viewer.roles,
        home=HOME,
    )


@get(f"{HOME}/{{saying_id:uuid}}/change", include_in_schema=False)
async def change_form(desk: NamedDependency[Desk], saying_id: FromPath[UUID]) -> Response[str]:
    """The form of a draft."""
    return await _form(desk, saying_id)


@post(f"{HOME}/{{saying_id:uuid}}/change", include_in_schema=False)
async def change_entry(desk: NamedDependency[Desk], saying_id: FromPath[UUID]) -> Response[Any]:
    """Keep a draft in other words."""
    desk.require(Role.COMMISSIONER)

    async def work(here: Transaction, form: SaidForm) -> None:
        await said.change(here.session, saying_id, form.version, _words(form))

    to = f"{HOME}/{saying_id}"
    return await take_here(desk, SaidForm, work, to, again=partial(_form, desk, saying_id))


@post(f"{HOME}/{{saying_id:uuid}}/publish", include_in_schema=False)
async def publish_entry(desk: NamedDependency[Desk], saying_id: FromPath[UUID]) -> Response[Any]:
    """Families read it from now on."""
    desk.require(Role.COMMISSIONER)

    async def work(here: Transaction, form: VersionForm) -> None:
        await said.publish(here.session, saying_id, form.version)

    return await take_here(desk, VersionForm, work, f"{HOME}/{saying_id}")


@post(f"{HOME}/{{saying_id:uuid}}/take-back", include_in_schema=False)
async def take_entry_back(desk: NamedDependency[Desk], saying_id: FromPath[UUID]) -> Response[Any]:
    """Families read it no more."""
    desk.require(Role.COMMISSIONER)

    async def work(here: Transaction, form: VersionForm) -> None:
        await said.take_back(here.session, saying_id, form.version)

    return await take_here(desk, VersionForm, work, f"{HOME}/{saying_id}")


def _words(form: SaidForm) -> SaidWords:
    if not form.is_about_nobody:
        raise Invalid.because("is_about_nobody", UNREAD)
    return SaidWords(form.said, form.done, form.area_code, form.table_key)


async def _form(
    desk: Desk, saying_id: UUID | None, errors: FieldErrors | None = None
) -> Response[str]:
    desk.require(Role.COMMISSIONER)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = None if saying_id is None else await said.entry(session, saying_id)
        areas = await said.areas(session)
        tables = await said.published_tables(session)
    stored: dict[str, object] = {}
    if found is not None:
        words = found.words
        stored = {
            "said": words.said,
            "done": words.done,
            "area_code": words.area_code,
            "table_key": words.table_key,
        }
        if words.table_key and words.table_key not in dict(tables):
            tables = [*tables, (words.table_key, found.table)]
    return desk.page(
        "insight/said_form.html",
        status=200 if errors is None else 422,
        filled=Filled(stored, errors),
        areas=areas,
        tables=tables,
        at_most=MOST_SAID,
        version="" if found is None else found.version,
        action=f"{HOME}/new" if saying_id is None else f"{HOME}/{saying_id}/change",
        back=HOME if saying_id is None else f"{HOME}/{saying_id}",
    )


HANDLERS = [
    said_to_families,
    said_page,
    new_entry,
    write_entry,
    entry_page,
    change_form,
    change_entry,
    publish_entry,
    take_entry_back,
]
