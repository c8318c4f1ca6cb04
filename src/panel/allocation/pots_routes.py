"""The pages of pots and of the calculator, for those who sit on the allocation panel."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from panel.accounts.desk import Desk, refused_by_rule
from panel.accounts.service import agencies
from panel.accounts.step_pages import Shown, step_page
from panel.accounts.taking import Transaction, take_here
from panel.allocation import packages_forms as forms
from panel.allocation import packages_pages as pages
from panel.allocation import packages_settings as settings
from panel.allocation import pots
from panel.allocation.interests import left_by
from panel.allocation.money import NOTHING, FinancialYear, pounds
from panel.allocation.package_models import EntryKind, Package, PotEntry, PotKind
from panel.allocation.packages import money_purposes
from panel.allocation.packages_calculator import Group, WhatIf, calculate, counted_lines
from panel.allocation.short_breaks import Limits
from panel.platform.problems import Invalid
from panel.records.child_scoped import JOB
from panel.web.forms import FieldErrors, Filled, read_form

POTS = "/allocation/pots"
POT = POTS + "/{pot_id:uuid}"
LIMITS = "/allocation/limits"
CALCULATOR = "/allocation/calculator"


def year_named(name: str) -> FinancialYear:
    """The financial year that somebody typed. Raises Invalid."""
    try:
        year = FinancialYear.named(name)
    except ValueError:
        raise Invalid.because("year", "Write the financial year as 2026-27") from None
    if not 1990 <= year.starts_in <= 2100:
        raise Invalid.because("year", "The financial year must lie between 1990 and 2100")
    return year


@get(POTS, include_in_schema=False)
async def pots_page(desk: NamedDependency[Desk]) -> Response[Any]:
    """Every pot with what is in it, promised, paid and left."""
    desk.require(*pots.MAY_READ)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        known = await pots.pots(session)
        names = await _names(session)
    return desk.page(
        "allocation/pots.html",
        lines=[pages.pot_line(POTS, one, names) for one in known],
        aligned=pages.aligned(known),
        may_sign=pots.SIGN in desk.viewer.roles,
    )


async def _names(session: AsyncSession) -> dict[UUID, str]:
    return {one.id: one.name for one in await agencies(session)}


@get(f"{POTS}/new", include_in_schema=False)
async def new_pot(desk: NamedDependency[Desk]) -> Response[Any]:
    """The form of a new pot."""
    return await _new_pot(desk)


async def _new_pot(desk: Desk, errors: FieldErrors | None = None) -> Response[Any]:
    desk.require(pots.SIGN)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        names = await _names(session)
    step = pages.new_pot_step([(str(one), name) for one, name in names.items()])
    stored: dict[str, object] = {"year": FinancialYear.of(desk.today).name}
    return step_page(desk, step, Shown(f"{POTS}/new", POTS, stored=stored), errors)


@post(f"{POTS}/new", include_in_schema=False)
async def make_pot(desk: NamedDependency[Desk]) -> Response[Any]:
    """Open a pot."""
    desk.require(pots.SIGN)

    async def work(here: Transaction, form: forms.NewPotForm) -> None:
        new = pots.NewPot(
            form.name,
            PotKind(form.kind),
            form.agency_id,
            year_named(form.year),
            form.amount,
            form.law,
        )
        await pots.make_pot(here.session, desk.viewer, new)

    again = partial(_new_pot, desk)
    return await take_here(desk, forms.NewPotForm, work, POTS, again=again)


@get(POT, include_in_schema=False)
async def pot_page(
    desk: NamedDependency[Desk], pot_id: FromPath[UUID], before: FromQuery[str] = ""
) -> Response[Any]:
    """A pot with its ledger; a package is named for whoever may see it."""
    desk.require(*pots.MAY_READ)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        pot = await pots.pot_of(session, pot_id)
        names = await _names(session)
        entries, more = await pots.ledger(session, pot_id, _key(before))
        known = await _named_packages(desk, session, entries)
        paid = await pots.paid_in(session, pot_id)
    return desk.page(
        "allocation/pot.html",
        pot=pages.pot_line(POTS, pot, names),
        law=pages.POOL_LAW_WORDS.get(pot.law or "", ""),
        rows=[pages.entry_row(one, names, known) for one in entries],
        paid=[(names.get(one, ""), pounds(amount)) for one, amount in paid.items()],
        more=f"{POTS}/{pot_id}?before={more}" if more else "",
        may_sign=pots.SIGN in desk.viewer.roles,
        base=POTS,
    )


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def _named_packages(
    desk: Desk, session: AsyncSession, entries: Sequence[PotEntry]
) -> dict[UUID, tuple[str, str]]:
    """The packages of a page of the ledger that the viewer may see, with their addresses."""
    wanted = {one.package_id for one in entries if one.package_id is not None}
    # The second fence leaves those of children whom the viewer reaches; the gate decides.
    rows = list(await session.scalars(select(Package).where(Package.id.in_(wanted))))
    purposes = money_purposes(desk.viewer, desk.purposes)
    opened = await desk.gate.open_here(
        session,
        {row.child_id for row in rows},
        desk.viewer,
        purposes,
        "read the ledger of a pot",
        frozenset({Category.PLAN}),
    )
    left = await left_by(session, desk.viewer.id, opened.keys())
    return {
        row.id: (row.name, f"/children/{row.child_id}/packages/{row.id}")
        for row in rows
        if (access := opened.get(row.child_id)) is not None
        and row.child_id not in left
        and access.may(Category.PLAN, row.author_agency_id)
    }


@get(f"{POT}/pay-in", include_in_schema=False)
async def pay_in_form(desk: NamedDependency[Desk], pot_id: FromPath[UUID]) -> Response[Any]:
    """The form on which money comes into a pot or leaves it."""
    return await _pay_in(desk, pot_id)


async def _pay_in(desk: Desk, pot_id: UUID, errors: FieldErrors | None = None) -> Response[Any]:
    desk.require(pots.SIGN)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        pot = await pots.pot_of(session, pot_id)
        names = await _names(session)
    step = pages.pay_in_step([(str(one), name) for one, name in names.items()])
    facts = [
        ("Pot", f"{pot.name} {pot.financial_year}"),
        ("In it", pounds(pot.amount)),
        ("Left", pounds(pot.left)),
    ]
    shown = Shown(f"{POTS}/{pot_id}/pay-in", f"{POTS}/{pot_id}", pot.version, facts)
    return step_page(desk, step, shown, errors)


@post(f"{POT}/pay-in", include_in_schema=False)
async def pay_in(desk: NamedDependency[Desk], pot_id: FromPath[UUID]) -> Response[Any]:
    """Pay into a pot, or take out of it."""
    desk.require(pots.SIGN)

    async def work(here: Transaction, form: forms.PayInForm) -> None:
        kind = EntryKind(form.kind)
        await pots.pay_in(
            here.session, desk.viewer, pot_id, form.version, kind, form.amount, form.agency_id
        )

    again = partial(_pay_in, desk, pot_id)
    return await take_here(desk, forms.PayInForm, work, f"{POTS}/{pot_id}", again=again)


@get(LIMITS, include_in_schema=False)
async def limits_page(desk: NamedDependency[Desk]) -> Response[Any]:
    """The limits of short breaks and of inclusion grants."""
    return await _limits(desk)


async def _limits(desk: Desk, errors: FieldErrors | None = None) -> Response[Any]:
    desk.require(pots.SIGN)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        stored: dict[str, object] = asdict(await settings.limits(session))
        stored["grant_limit"] = await settings.grant_limit(session)
        version = await settings.version_of_settings(session)
    shown = Shown(LIMITS, POTS, version, stored=stored)
    return step_page(desk, pages.LIMITS, shown, errors)


@post(LIMITS, include_in_schema=False)
async def set_limits(desk: NamedDependency[Desk]) -> Response[Any]:
    """Set them from now on."""
    desk.require(pots.SIGN)

    async def work(here: Transaction, form: forms.LimitsForm) -> None:
        wanted = Limits(
            form.stretch,
            form.in_a_year,
            form.several_settings,
            form.review_months,
            form.warn_days,
            form.count_nights,
        )
        await settings.set_limits(here.session, form.version, wanted, form.grant_limit, form.source)

    again = partial(_limits, desk)
    return await take_here(desk, forms.LimitsForm, work, POTS, again=again)


@get(CALCULATOR, include_in_schema=False)
async def calculator(desk: NamedDependency[Desk]) -> Response[Any]:
    """What all packages together would cost if prices, units or numbers changed."""
    desk.require(*pots.MAY_READ)
    stored: dict[str, object] = {"year": FinancialYear.of(desk.today).name, "from_on": desk.today}
    asked = list(desk.request.query_params.multi_items())
    errors: FieldErrors | None = None
    groups: list[Group] | None = None
    read = read_form(forms.WhatIfForm, asked) if asked else None
    if isinstance(read, FieldErrors):
        errors = read
    elif read is not None:
        try:
            groups = await _what_if(desk, read)
        except Invalid as refused:
            errors = refused_by_rule(asked, refused.errors)
        else:
            stored = {
                "year": read.year,
                "from_on": read.from_on or desk.today,
                "unit": read.unit or "",
                "price": pages.plain(read.price),
                "units": pages.plain(read.units),
                "number": pages.plain(read.number),
            }
    return desk.page(
        "allocation/calculator.html",
        status=200 if errors is None else 422,
        filled=Filled(stored, errors),
        units=pages.UNITS,
        rows=None if groups is None else _group_rows(groups),
        total=None if not groups else _total_row(groups),
    )


async def _what_if(desk: Desk, form: forms.WhatIfForm) -> list[Group]:
    year = year_named(form.year)
    change = WhatIf(
        form.from_on or year.first, form.unit or "", form.price, form.units, form.number
    )
    # As scheduled work: sums over children whom the viewer need not reach, and no text.
    async with desk.tenant.transaction(JOB) as session:
        lines = await counted_lines(session)
    return list(calculate(lines, year, change))


def _group_rows(groups: list[Group]) -> list[tuple[str, ...]]:
    said = dict(pages.UNITS) | {"other": "Everything else together"}
    return [
        (
            said[one.unit],
            str(one.children),
            pounds(one.now),
            pounds(one.then),
            pounds(one.difference),
        )
        for one in groups
    ]


def _total_row(groups: list[Group]) -> tuple[str, ...]:
    now = sum((one.now for one in groups), NOTHING)
    then = sum((one.then for one in groups), NOTHING)
    return ("Together", pounds(now), pounds(then), pounds(then - now))


HANDLERS = [
    limits_page,
    set_limits,
    pots_page,
    new_pot,
    make_pot,
    pot_page,
    pay_in_form,
    pay_in,
    calculator,
]
