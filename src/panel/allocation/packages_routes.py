"""The pages of a child's packages and inclusion grants."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from panel.accounts.desk import Desk
from panel.accounts.service import agencies
from panel.accounts.step_pages import Shown, Step, step_page
from panel.accounts.taking import take
from panel.allocation import grants, package_requests, packages, payments, pots
from panel.allocation import packages_forms as forms
from panel.allocation import packages_pages as pages
from panel.allocation.contracts_routes import HANDLERS as CONTRACTS
from panel.allocation.costing import Every
from panel.allocation.interests import has_left, not_shown, require_stayed
from panel.allocation.money import FinancialYear, pounds
from panel.allocation.package_models import PackageChange, PackageKind, PackageState, Unit
from panel.allocation.package_signing import Signing, signing_of
from panel.allocation.packages_settings import limits
from panel.allocation.pots_routes import HANDLERS as POTS
from panel.allocation.pots_routes import year_named
from panel.allocation.request_service import services_asked_for
from panel.allocation.services_routes import services_address
from panel.directory.service import Named, named
from panel.platform.problems import Invalid, NotAllowed, NotFound
from panel.records.gate import Access, Withheld
from panel.register.service import child_header
from panel.web import words
from panel.web.forms import FieldErrors

READING = "read the packages"
CHANGING = "changed a package"
PACKAGES = "/children/{child_id:uuid}/packages"
PACKAGE = PACKAGES + "/{package_id:uuid}"
STEP = PACKAGE + "/steps/{slug:str}"
GRANTS = "/children/{child_id:uuid}/grants"

Work = Callable[[Access, UUID, Any], Awaitable[object]]


def _base(child_id: UUID) -> str:
    return f"/children/{child_id}/packages"


def _opens(desk: Desk, child_id: UUID, doing: str) -> AbstractAsyncContextManager[Access]:
    purposes = packages.money_purposes(desk.viewer, desk.purposes)
    return desk.open(child_id, doing, purposes)


@get(PACKAGES, include_in_schema=False)
async def packages_page(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """The child's packages and inclusion grants."""
    async with _opens(desk, child_id, READING) as access:
        found, withheld = await packages.packages_for_reading(access)
        asked = await grants.grants_for_reading(access)
        return desk.page(
            "allocation/packages.html",
            header=await child_header(access),
            here="packages",
            base=_base(child_id),
            lines=[pages.package_line(_base(child_id), one) for one in found],
            grants=[pages.grant_line(child_id, one) for one in asked],
            withheld=str(withheld or ""),
            left=str(await not_shown(access) or ""),
            may_prepare=packages.may_prepare(access) and not await has_left(access),
            year=FinancialYear.of(access.today).name,
        )


@get(f"{PACKAGES}/new", include_in_schema=False)
async def new_package(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], answers: FromQuery[UUID | None] = None
) -> Response[Any]:
    """The form of a new package; `answers` is the request of which something was agreed."""
    return await _new_package(desk, child_id, answers)


async def _new_package(
    desk: Desk, child_id: UUID, answers: UUID | None, errors: FieldErrors | None = None
) -> Response[Any]:
    async with _opens(desk, child_id, READING) as access:
        await _require_part(access)
        action, facts = f"{_base(child_id)}/new", []
        if answers is not None:
            request = await package_requests.require_agreed(access, answers)
            action = f"{action}?answers={answers}"
            facts = [("Answers request", request.reference)]
        return await _step_page(desk, access, pages.NEW_PACKAGE, action, errors, facts=facts)


@post(f"{PACKAGES}/new", include_in_schema=False)
async def plan_package(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], answers: FromQuery[UUID | None] = None
) -> Response[Any]:
    """Plan a package."""

    async def work(access: Access, form: forms.NewPackage) -> None:
        await package_requests.start_from(access, _words(form), answers)

    again = partial(_new_package, desk, child_id, answers)
    opens = partial(_opens, desk, child_id, CHANGING)
    return await take(desk, forms.NewPackage, opens, work, _base(child_id), again=again)


def _words(form: forms.NewPackage) -> packages.PackageWords:
    return packages.PackageWords(form.name, PackageKind(form.kind), form.from_on, form.until_on)


async def _require_part(access: Access) -> None:
    if not packages.may_prepare(access):
        raise NotAllowed("You can read this record and cannot plan packages.")
    await require_stayed(access)


async def _step_page(
    desk: Desk,
    access: Access,
    step: Step,
    action: str,
    errors: FieldErrors | None,
    one: packages.PackageReading | None = None,
    stored: dict[str, object] | None = None,
    facts: Sequence[tuple[str, str]] = (),
    notes: Sequence[str] = (),
    link: tuple[str, str] | None = None,
) -> Response[Any]:
    header = await child_header(access)
    facts = [("Child", header.name), *facts]
    warnings = [*notes]
    if one is not None:
        year = FinancialYear.of(max(one.today, one.from_on))
        facts += [("Package", one.name), (f"Cost in {year.name}", pounds(one.cost(year).total))]
        warnings += [each.sentence for each in one.warnings(await limits(access.session))]
    shown = Shown(
        action,
        _base(access.child_id) if one is None else f"{_base(access.child_id)}/{one.id}",
        None if one is None else one.version,
        facts,
        link=link,
        stored=stored or {},
        warnings=warnings,
    )
    return step_page(desk, step, shown, errors)


@get(PACKAGE, include_in_schema=False)
async def package_page(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], package_id: FromPath[UUID]
) -> Response[Any]:
    """A package: its services, its cost in each year, who pays, the account, what can be done."""
    async with _opens(desk, child_id, READING) as access:
        header = await child_header(access)
        one = await packages.package_for_reading(access, package_id)
        if isinstance(one, Withheld):
            return desk.page(
                "allocation/packages.html",
                header=header,
                here="packages",
                base=_base(child_id),
                lines=[],
                grants=[],
                withheld=str(one),
                left=str(await not_shown(access) or ""),
                may_prepare=False,
                year="",
            )
        account = await _account(access, one)
        signing = await signing_of(access, one)
        own = [packages.OWN_PLAN] if _is_own_plan(access, one) else []
        page = pages.package_page(
            _base(child_id),
            one,
            account,
            await limits(access.session),
            () if await has_left(access) else _steps(access, one, account, signing),
            await package_requests.answered_by(access, one),
            [*own, *pages.signing_notes(signing)],
        )
        return desk.page("allocation/package.html", header=header, here="packages", page=page)


async def _account(
    access: Access, one: packages.PackageReading
) -> payments.Account | Withheld | None:
    if one.kind is PackageKind.IN_KIND:
        return None
    return await payments.account_for_reading(access, one.id, one.author_agency_id)


def _steps(
    access: Access,
    one: packages.PackageReading,
    account: payments.Account | Withheld | None,
    signing: Signing,
) -> Sequence[str]:
    may_sign = packages.may_sign(access) and not signing.has_signed
    return pages.steps_of(
        one,
        may_prepare=packages.may_prepare(access),
        may_sign=packages.may_sign(access),
        may_approve=may_sign and not _is_own_plan(access, one),
        may_see_account=isinstance(account, payments.Account),
        of_change=_steps_of_change(access, signing.change, may_sign=may_sign),
    )


def _steps_of_change(
    access: Access, change: PackageChange | None, *, may_sign: bool
) -> Sequence[str]:
    """What a budget holder may do with a change that waits."""
    if change is None:
        return ()
    is_own = change.created_by == access.viewer.id
    return ["approve-change", "take-back"] if may_sign and not is_own else ["take-back"]


def _is_own_plan(access: Access, one: packages.PackageReading) -> bool:
    """Whether it waits for a signature that this budget holder cannot give."""
    own = access.viewer.id in one.planned_by | {one.changed_by}
    return own and one.state is PackageState.PLANNED and packages.may_sign(access)


@get(STEP, include_in_schema=False)
async def step_form(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    package_id: FromPath[UUID],
    slug: FromPath[str],
    service: FromQuery[UUID | None] = None,
) -> Response[Any]:
    """The form of one step of a package; `service` is the one that was found for a line."""
    return await _step(desk, child_id, package_id, slug, service=service)


async def _step(
    desk: Desk,
    child_id: UUID,
    package_id: UUID,
    slug: str,
    errors: FieldErrors | None = None,
    service: UUID | None = None,
) -> Response[Any]:
    async with _opens(desk, child_id, READING) as access:
        await require_stayed(access)
        one = await packages.package_for_reading(access, package_id)
        if isinstance(one, Withheld) or slug not in STEPS:
            raise NotFound
        signing = await signing_of(access, one)
        if slug not in _steps(access, one, await _account(access, one), signing):
            raise NotAllowed("This cannot be done with this package now, or not by you.")
        every = await agencies(access.session)
        known = await pots.pots(access.session)
        is_line = slug == "line"
        typed = () if errors is None else errors.typed.get("service_id", ())
        found = service if service is not None or not typed else _read_id(typed[0])
        services = await _services_for(access, found) if is_line else ()
        names = {each.id: each.name for each in every}
        step = pages.package_step(
            slug,
            one,
            [(str(each.id), each.name) for each in every],
            [
                (str(each.id), f"{each.name} {each.financial_year}, {names[each.agency_id]}")
                for each in known
            ],
            [(str(each.id), each.words) for each in services],
        )
        if step is None:
            raise NotFound
        action = f"{_base(child_id)}/{package_id}/steps/{slug}"
        stored = pages.stored_of(slug, one)
        if is_line and found in {each.id for each in services}:
            stored |= {"service_id": found}
        find = f"{services_address(child_id)}?package={package_id}"
        link = ("Find a service in the directory", find) if is_line else None
        notes = pages.signing_notes(signing)
        return await _step_page(
            desk, access, step, action, errors, one, stored, notes=notes, link=link
        )


async def _services_for(access: Access, found: UUID | None) -> Sequence[Named]:
    """What a line may name: what the child's requests ask for, and what was found for it."""
    services = list(await services_asked_for(access))
    if found is not None and found not in {each.id for each in services}:
        services += (await named(access.session, [found])).values()
    return services


def _read_id(typed: str) -> UUID | None:
    try:
        return UUID(typed)
    except ValueError:
        return None


@post(STEP, include_in_schema=False)
async def take_step(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    package_id: FromPath[UUID],
    slug: FromPath[str],
) -> Response[Any]:
    """Do one step of a package."""
    if slug not in STEPS:
        async with _opens(desk, child_id, READING):
            raise NotFound
    kind, does = STEPS[slug]

    async def work(access: Access, form: msgspec.Struct) -> None:
        await does(access, package_id, form)

    again = partial(_step, desk, child_id, package_id, slug)
    opens = partial(_opens, desk, child_id, CHANGING)
    return await take(desk, kind, opens, work, f"{_base(child_id)}/{package_id}", again=again)


# What each step does ------------------------------------------------------------------------------


async def _change(access: Access, package_id: UUID, form: forms.ChangedPackage) -> None:
    await packages.change_package(access, package_id, form.version, _words(form))


async def _spending(access: Access, package_id: UUID, form: forms.SpendingForm) -> None:
    said = packages.Spending(form.plan, form.agreed_on, form.broker, form.broker_holds)
    await packages.plan_spending(access, package_id, form.version, said)


async def _line(access: Access, package_id: UUID, form: forms.LineForm) -> None:
    said = packages.LineWords(
        form.what,
        form.units,
        Unit(form.unit),
        Every(form.every),
        form.from_on,
        form.price,
        form.until_on,
        form.law,
        form.service_id,
    )
    await packages.add_line(access, package_id, form.version, said)


async def _price(access: Access, package_id: UUID, form: forms.PriceForm) -> None:
    await packages.change_price(
        access, package_id, form.version, form.line_id, form.price, form.from_on
    )


async def _end_line(access: Access, package_id: UUID, form: forms.EndLineForm) -> None:
    await packages.end_line(access, package_id, form.version, form.line_id, form.until_on)


async def _share(access: Access, package_id: UUID, form: forms.ShareForm) -> None:
    payers = []
    given = (
        (form.agency_1, form.parts_1, form.pot_1),
        (form.agency_2, form.parts_2, form.pot_2),
        (form.agency_3, form.parts_3, form.pot_3),
    )
    for place, (agency, parts, pot) in enumerate(given, start=1):
        if agency is not None:
            if parts is None:
                raise Invalid.because(f"parts_{place}", "Enter the parts of this payer")
            payers.append(packages.Payer(agency, parts, pot))
        elif parts or pot is not None:
            raise Invalid.because(f"agency_{place}", "Choose who pays this part")
    year = year_named(form.year)
    await packages.share_cost(access, package_id, form.version, payers, form.shared_by, year)


async def _approve(access: Access, package_id: UUID, form: forms.VersionForm) -> None:
    await packages.approve(access, package_id, form.version)


async def _approve_change(access: Access, package_id: UUID, form: forms.VersionForm) -> None:
    await packages.approve_change(access, package_id, form.version)


async def _take_back(access: Access, package_id: UUID, form: forms.VersionForm) -> None:
    await packages.take_change_back(access, package_id, form.version)


async def _bill_back(access: Access, package_id: UUID, form: forms.BillBackForm) -> None:
    await packages.take_bill_back(access, package_id, form.version, form.bill_id)


async def _bill(access: Access, package_id: UUID, form: forms.BillForm) -> None:
    days = form.from_on, form.until_on
    await packages.bill(
        access, package_id, form.version, form.line_id, days, form.units, form.amount
    )


async def _stay(access: Access, package_id: UUID, form: forms.StayForm) -> None:
    days = form.from_on, form.until_on
    await packages.plan_stay(
        access, package_id, form.version, form.line_id, days, knowing=form.knowing
    )


async def _cancel(access: Access, package_id: UUID, form: forms.CancelForm) -> None:
    await packages.cancel_stay(access, package_id, form.version, form.stay_id)


async def _review(access: Access, package_id: UUID, form: forms.ReviewForm) -> None:
    await packages.note_review(access, package_id, form.version, form.on)


async def _end(access: Access, package_id: UUID, form: forms.EndForm) -> None:
    await packages.end_package(access, package_id, form.version, form.until_on)


async def _pay(access: Access, package_id: UUID, form: forms.PayForm) -> None:
    days = form.from_on, form.until_on
    await payments.pay(access, package_id, form.version, form.paid_to, form.amount, form.on, days)


async def _return(access: Access, package_id: UUID, form: forms.ReturnForm) -> None:
    days = form.from_on, form.until_on
    await payments.take_return(access, package_id, form.version, days, form.spent, form.note)


async def _reconcile(access: Access, package_id: UUID, form: forms.ReconcileForm) -> None:
    await payments.reconcile(
        access, package_id, form.version, form.until_on, form.outcome, form.note
    )


STEPS: dict[str, tuple[type[msgspec.Struct], Work]] = {
    "change": (forms.ChangedPackage, _change),
    "spending": (forms.SpendingForm, _spending),
    "line": (forms.LineForm, _line),
    "price": (forms.PriceForm, _price),
    "end-line": (forms.EndLineForm, _end_line),
    "share": (forms.ShareForm, _share),
    "approve": (forms.VersionForm, _approve),
    "approve-change": (forms.VersionForm, _approve_change),
    "take-back": (forms.VersionForm, _take_back),
    "bill": (forms.BillForm, _bill),
    "bill-back": (forms.BillBackForm, _bill_back),
    "stay": (forms.StayForm, _stay),
    "cancel-stay": (forms.CancelForm, _cancel),
    "review": (forms.ReviewForm, _review),
    "end": (forms.EndForm, _end),
    "pay": (forms.PayForm, _pay),
    "return": (forms.ReturnForm, _return),
    "reconcile": (forms.ReconcileForm, _reconcile),
}


# Inclusion grants ---------------------------------------------------------------------------------


@get(f"{GRANTS}/new", include_in_schema=False)
async def new_grant(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """The form on which a grant is asked for."""
    return await _new_grant(desk, child_id)


async def _new_grant(
    desk: Desk, child_id: UUID, errors: FieldErrors | None = None
) -> Response[Any]:
    async with _opens(desk, child_id, READING) as access:
        await _require_part(access)
        return await _step_page(
            desk, access, pages.NEW_GRANT, f"/children/{child_id}/grants/new", errors
        )


@post(f"{GRANTS}/new", include_in_schema=False)
async def ask_for_grant(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Ask for a grant."""

    async def work(access: Access, form: forms.NewGrant) -> None:
        await grants.ask_for_grant(access, form.amount, form.what_for)

    again = partial(_new_grant, desk, child_id)
    opens = partial(_opens, desk, child_id, "asked for an inclusion grant")
    return await take(desk, forms.NewGrant, opens, work, _base(child_id), again=again)


@get(f"{GRANTS}/{{grant_id:uuid}}", include_in_schema=False)
async def grant_page(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], grant_id: FromPath[UUID]
) -> Response[Any]:
    """A grant, to be decided by a budget holder."""
    return await _grant(desk, child_id, grant_id)


async def _grant(
    desk: Desk, child_id: UUID, grant_id: UUID, errors: FieldErrors | None = None
) -> Response[Any]:
    async with _opens(desk, child_id, READING) as access:
        await require_stayed(access)
        one = await grants.grant_for_reading(access, grant_id)
        pots.require_signature(access.viewer)
        if one.state != "asked":
            raise NotAllowed("This grant is decided already.", "Go back to the packages.")
        year = FinancialYear.of(access.today)
        known = await pots.pots(access.session, year)
        step = pages.grant_step(
            [(str(each.id), f"{each.name}, {pounds(each.left)} left") for each in known]
        )
        header = await child_header(access)
        shown = Shown(
            f"/children/{child_id}/grants/{grant_id}",
            _base(child_id),
            one.version,
            [
                ("Child", header.name),
                ("Amount", pounds(one.amount)),
                ("Asked for on", words.short_day(one.asked_on)),
            ],
            one.what_for,
        )
        return step_page(desk, step, shown, errors)


@post(f"{GRANTS}/{{grant_id:uuid}}", include_in_schema=False)
async def decide_grant(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], grant_id: FromPath[UUID]
) -> Response[Any]:
    """Approve it or decline it."""

    async def work(access: Access, form: forms.GrantAnswer) -> None:
        approves = form.decision == "approve"
        if approves and form.pot_id is None:
            raise Invalid.because("pot_id", "Choose out of which pot it is paid")
        await grants.decide_grant(
            access,
            grant_id,
            form.version,
            pot_id=form.pot_id if approves else None,
            answer=form.answer,
        )

    again = partial(_grant, desk, child_id, grant_id)
    opens = partial(_opens, desk, child_id, "decided about an inclusion grant")
    return await take(desk, forms.GrantAnswer, opens, work, _base(child_id), again=again)


HANDLERS = [
    packages_page,
    new_package,
    plan_package,
    package_page,
    step_form,
    take_step,
    new_grant,
    ask_for_grant,
    grant_page,
    decide_grant,
    *POTS,
    *CONTRACTS,
]
