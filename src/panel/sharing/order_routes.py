"""The pages of court orders and of safeguarding enquiries about one child."""

from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from panel.accounts.desk import Desk
from panel.accounts.taking import take
from panel.platform.problems import NotAllowed
from panel.records.gate import Access
from panel.register.service import child_header
from panel.sharing import restrict_pages as pages
from panel.sharing.court_orders import (
    NewOrder,
    end_order,
    order_of,
    orders_of,
    plan_order,
    record_order,
)
from panel.sharing.enquiring import (
    NewEnquiry,
    begin_enquiry,
    end_enquiry,
    enquiries_of,
    enquiry_of,
    plan_enquiry,
)
from panel.sharing.named import Kind, who_can_be_named, worker_with_email
from panel.sharing.rehearsed import Typed, rehearsed
from panel.sharing.restrict_forms import EndForm, EnquiryForm, OrderForm
from panel.sharing.restrict_routes import purposes_of
from panel.sharing.restrict_rules import (
    WHO_MAY_ENQUIRE,
    WHO_MAY_PROTECT,
    may_enquire,
    may_protect,
)
from panel.web.forms import FieldErrors, Filled

LOOKED_AT_ORDERS = "looked at court orders"
LOOKED_AT_ENQUIRIES = "looked at safeguarding enquiries"
COURT_CHOICES = (
    ("permits", "It lets somebody see something"),
    ("forbids", "It forbids telling somebody something"),
)


# --- Court orders -------------------------------------------------------------------------------


@get("/children/{child_id:uuid}/sharing/orders", include_in_schema=False)
async def orders(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
    """What courts have ordered about this child's record."""
    async with desk.open(child_id, LOOKED_AT_ORDERS, purposes_of(desk)) as access:
        base = _orders(child_id)
        found = await orders_of(access)
        cards = [(one.is_over, pages.order_card(one, base, desk.today)) for one in found]
        return desk.page(
            "sharing/facts.html",
            header=await child_header(access),
            here="sharing",
            title="Court orders",
            lead="What a court says goes before everything else. Its no goes before its yes.",
            empty="No order is recorded. What you record appears here.",
            cards=[card for is_over, card in cards if not is_over],
            over=[card for is_over, card in cards if is_over],
            former=(),
            steps=[("Record an order", f"{base}/new")],
            base=base,
            back_href=f"/children/{child_id}/sharing",
        )


@get("/children/{child_id:uuid}/sharing/orders/new", include_in_schema=False)
async def order_page(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
    """What a court ordered."""
    async with desk.open(child_id, LOOKED_AT_ORDERS, purposes_of(desk)) as access:
        return await _order(desk, access, None)


@post("/children/{child_id:uuid}/sharing/orders/new", include_in_schema=False)
async def order(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Show what an order would change; record it once that is confirmed."""

    async def new(access: Access, form: OrderForm) -> NewOrder:
        email = form.worker_email
        return NewOrder(
            permits=form.permits == "permits",
            what=form.what,
            to=form.to,
            worker=await worker_with_email(access, email) if email else None,
            reference=form.reference,
            reason=form.reason,
            from_on=form.from_on,
            until_on=form.until_on,
            silent=form.told == "silent",
        )

    async def show(access: Access, form: OrderForm, typed: Typed) -> Response[Any]:
        planned = await plan_order(access, await new(access, form))
        return desk.page(
            "sharing/check.html",
            header=await child_header(access),
            here="sharing",
            title="Check what the order changes",
            lead="Read what changes, for whom. It works at once.",
            lines=pages.planned_order_lines(planned),
            changes=pages.change_words(planned.changes),
            rooms=await desk.site.rehearsal.asked(access, planned.turn),
            typed=typed,
            action=f"{_orders(child_id)}/new",
            confirm="Record the order",
            back_href=f"{_orders(child_id)}/new",
        )

    async def work(access: Access, form: OrderForm) -> None:
        await record_order(access, await new(access, form))

    async def again(errors: FieldErrors) -> Response[Any]:
        async with desk.open(child_id, LOOKED_AT_ORDERS, purposes_of(desk)) as access:
            return await _order(desk, access, errors)

    opens = partial(desk.open, child_id, "recorded a court order", purposes_of(desk))
    return await rehearsed(desk, OrderForm, opens, show, work, _orders(child_id), again=again)


async def _order(desk: Desk, access: Access, errors: FieldErrors | None) -> Response[str]:
    if not may_protect(access.viewer, access.ties):
        raise NotAllowed(WHO_MAY_PROTECT)
    named = await who_can_be_named(access)
    return desk.page(
        "sharing/order.html",
        status=200 if errors is None else 422,
        header=await child_header(access),
        here="sharing",
        filled=Filled({}, errors),
        permits=COURT_CHOICES,
        what=pages.what_choices(everything=True),
        to=[*pages.named_choices(named), pages.EVERYONE_CHOICE],
        told=pages.TOLD_CHOICES,
        action=f"{_orders(access.child_id)}/new",
        back_href=_orders(access.child_id),
    )


@get("/children/{child_id:uuid}/sharing/orders/{order_id:uuid}/end", include_in_schema=False)
async def end_order_page(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], order_id: FromPath[UUID]
) -> Response[str]:
    """What would change if an order ended now."""
    async with desk.open(child_id, LOOKED_AT_ORDERS, purposes_of(desk)) as access:
        return await _end_order(desk, access, order_id, None)


@post("/children/{child_id:uuid}/sharing/orders/{order_id:uuid}/end", include_in_schema=False)
async def end_an_order(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], order_id: FromPath[UUID]
) -> Response[Any]:
    """End an order, at once, with a reason."""

    async def work(access: Access, form: EndForm) -> None:
        await end_order(access, order_id, form.version, form.reason)

    async def again(errors: FieldErrors) -> Response[Any]:
        async with desk.open(child_id, LOOKED_AT_ORDERS, purposes_of(desk)) as access:
            return await _end_order(desk, access, order_id, errors)

    opens = partial(desk.open, child_id, "recorded that a court order ended", purposes_of(desk))
    return await take(desk, EndForm, opens, work, _orders(child_id), again=again)


async def _end_order(
    desk: Desk, access: Access, order_id: UUID, errors: FieldErrors | None
) -> Response[str]:
    line, changed, turn = await order_of(access, order_id)
    base = _orders(access.child_id)
    return desk.page(
        "sharing/end.html",
        status=200 if errors is None else 422,
        header=await child_header(access),
        here="sharing",
        title="End this order",
        card=pages.order_card(line, base, desk.today),
        changes=pages.change_words(changed),
        rooms=await desk.site.rehearsal.asked(access, turn),
        filled=Filled({}, errors),
        version=line.version,
        action=f"{base}/{order_id}/end",
        confirm="It has ended",
        back_href=base,
    )


# --- Safeguarding enquiries ---------------------------------------------------------------------


@get("/children/{child_id:uuid}/sharing/enquiries", include_in_schema=False)
async def enquiries(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
    """The safeguarding enquiries about this child."""
    async with desk.open(child_id, LOOKED_AT_ENQUIRIES, purposes_of(desk)) as access:
        base = _enquiries(child_id)
        found = await enquiries_of(access)
        cards = [(one.is_over, pages.enquiry_card(one, base, desk.today)) for one in found]
        return desk.page(
            "sharing/facts.html",
            header=await child_header(access),
            here="sharing",
            title="Safeguarding enquiries",
            lead="Children Act 1989 section 47. An enquiry opens what the family chose not to"
            " share, to the agencies that make it, and never what is protected.",
            empty="No enquiry is recorded. What you record appears here.",
            cards=[card for is_over, card in cards if not is_over],
            over=[card for is_over, card in cards if is_over],
            former=(),
            steps=[("Begin an enquiry", f"{base}/new")],
            base=base,
            back_href=f"/children/{child_id}/sharing",
        )


@get("/children/{child_id:uuid}/sharing/enquiries/new", include_in_schema=False)
async def enquiry_page(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
    """Who makes the enquiry, and why."""
    async with desk.open(child_id, LOOKED_AT_ENQUIRIES, purposes_of(desk)) as access:
        return await _enquiry(desk, access, None)


@post("/children/{child_id:uuid}/sharing/enquiries/new", include_in_schema=False)
async def enquiry(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Show what an enquiry would open; begin it once that is confirmed."""

    def new(form: EnquiryForm) -> NewEnquiry:
        return NewEnquiry(form.agencies, form.reason, form.from_on, form.until_on)

    async def show(access: Access, form: EnquiryForm, typed: Typed) -> Response[Any]:
        planned = await plan_enquiry(access, new(form))
        return desk.page(
            "sharing/check.html",
            header=await child_header(access),
            here="sharing",
            title="Check what the enquiry opens",
            lead="Read what opens, to whom. What is protected stays closed.",
            lines=pages.planned_enquiry_lines(planned),
            changes=pages.change_words(planned.changes),
            rooms=await desk.site.rehearsal.asked(access, planned.turn),
            typed=typed,
            action=f"{_enquiries(child_id)}/new",
            confirm="Begin the enquiry",
            back_href=f"{_enquiries(child_id)}/new",
        )

    async def work(access: Access, form: EnquiryForm) -> None:
        await begin_enquiry(access, new(form))

    async def again(errors: FieldErrors) -> Response[Any]:
        async with desk.open(child_id, LOOKED_AT_ENQUIRIES, purposes_of(desk)) as access:
            return await _enquiry(desk, access, errors)

    opens = partial(desk.open, child_id, "began a safeguarding enquiry", purposes_of(desk))
    return await rehearsed(desk, EnquiryForm, opens, show, work, _enquiries(child_id), again=again)


async def _enquiry(desk: Desk, access: Access, errors: FieldErrors | None) -> Response[str]:
    if not may_enquire(access.viewer, access.ties):
        raise NotAllowed(WHO_MAY_ENQUIRE)
    return desk.page(
        "sharing/enquiry.html",
        status=200 if errors is None else 422,
        header=await child_header(access),
        here="sharing",
        filled=Filled({}, errors),
        agencies=pages.named_choices(await who_can_be_named(access), Kind.AGENCY),
        action=f"{_enquiries(access.child_id)}/new",
        back_href=_enquiries(access.child_id),
    )


@get("/children/{child_id:uuid}/sharing/enquiries/{enquiry_id:uuid}/end", include_in_schema=False)
async def end_enquiry_page(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], enquiry_id: FromPath[UUID]
) -> Response[str]:
    """What would close if an enquiry ended now."""
    async with desk.open(child_id, LOOKED_AT_ENQUIRIES, purposes_of(desk)) as access:
        return await _end_enquiry(desk, access, enquiry_id, None)


@post("/children/{child_id:uuid}/sharing/enquiries/{enquiry_id:uuid}/end", include_in_schema=False)
async def end_an_enquiry(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], enquiry_id: FromPath[UUID]
) -> Response[Any]:
    """End an enquiry, at once, with a reason."""

    async def work(access: Access, form: EndForm) -> None:
        await end_enquiry(access, enquiry_id, form.version, form.reason)

    async def again(errors: FieldErrors) -> Response[Any]:
        async with desk.open(child_id, LOOKED_AT_ENQUIRIES, purposes_of(desk)) as access:
            return await _end_enquiry(desk, access, enquiry_id, errors)

    opens = partial(desk.open, child_id, "ended a safeguarding enquiry", purposes_of(desk))
    return await take(desk, EndForm, opens, work, _enquiries(child_id), again=again)


async def _end_enquiry(
    desk: Desk, access: Access, enquiry_id: UUID, errors: FieldErrors | None
) -> Response[str]:
    line, changed, turn = await enquiry_of(access, enquiry_id)
    base = _enquiries(access.child_id)
    return desk.page(
        "sharing/end.html",
        status=200 if errors is None else 422,
        header=await child_header(access),
        here="sharing",
        title="End this enquiry",
        card=pages.enquiry_card(line, base, desk.today),
        changes=pages.change_words(changed),
        rooms=await desk.site.rehearsal.asked(access, turn),
        filled=Filled({}, errors),
        version=line.version,
        action=f"{base}/{enquiry_id}/end",
        confirm="It has ended",
        back_href=base,
    )


def _orders(child_id: UUID) -> str:
    return f"/children/{child_id}/sharing/orders"


def _enquiries(child_id: UUID) -> str:
    return f"/children/{child_id}/sharing/enquiries"


HANDLERS = [
    orders,
    order_page,
    order,
    end_order_page,
    end_an_order,
    enquiries,
    enquiry_page,
    enquiry,
    end_enquiry_page,
    end_an_enquiry,
]
