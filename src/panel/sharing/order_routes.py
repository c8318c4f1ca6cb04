"""The pages of court orders and of safeguarding enquiries about one child."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from panel.platform.problems import NotAllowed
from panel.records.gate import Access
from panel.sharing import restrict_pages as pages
from panel.sharing.confirming import answer_order, waiting_order, waiting_orders
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
from panel.sharing.fact_routes import (
    Check,
    FactList,
    Later,
    Recording,
    cards_of,
    end_by,
    found_by,
    pages_of,
    shown_by,
)
from panel.sharing.named import Kind, who_can_be_named, worker_with_email
from panel.sharing.restrict_forms import ConfirmForm, EndForm, EnquiryForm, OrderForm
from panel.sharing.restrict_rules import (
    WHO_MAY_ENQUIRE,
    WHO_MAY_PROTECT,
    may_enquire,
    may_protect,
)

COURT_CHOICES = (
    ("permits", "It lets somebody see something"),
    ("forbids", "It forbids telling somebody something"),
)

CONFIRM_CHOICES = (
    ("confirmed", "Yes, I have seen it, and it says this"),
    ("not_confirmed", "No, or I could not see it"),
)


# --- Court orders -------------------------------------------------------------------------------


async def _order_choices(access: Access) -> dict[str, Any]:
    if not may_protect(access.viewer, access.ties):
        raise NotAllowed(WHO_MAY_PROTECT)
    named = await who_can_be_named(access)
    return {
        "permits": COURT_CHOICES,
        "what": pages.what_choices(everything=True),
        "to": [*pages.named_choices(named), pages.EVERYONE_CHOICE],
        "told": pages.TOLD_CHOICES,
    }


async def _new_order(access: Access, form: OrderForm) -> NewOrder:
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


async def _order_cards(
    access: Access, base: str, today: date
) -> Iterable[tuple[bool, pages.FactCard]]:
    counting = await cards_of(orders_of, pages.order_card)(access, base, today)
    waiting = await cards_of(waiting_orders, pages.waiting_card)(access, base, today)
    return [*waiting, *counting]


async def _answer(access: Access, waiting_id: UUID, form: ConfirmForm) -> None:
    is_so = form.answer == "confirmed"
    await answer_order(access, waiting_id, form.version, form.reason, confirmed=is_so)


ORDERS = FactList(
    path="orders",
    looked="looked at court orders",
    title="Court orders",
    lead="What a court says goes before everything else. Its no goes before its yes.",
    empty="No order is recorded. What you record appears here.",
    cards=_order_cards,
    steps=lambda _access: [("Record an order", "new")],
)
ORDER = Recording(
    kept=ORDERS,
    step="new",
    form=OrderForm,
    template="sharing/order.html",
    choices=_order_choices,
    doing="recorded a court order",
    new=_new_order,
    save=record_order,
    check=Check(
        title="Check what the order changes",
        lead="Read what changes, for whom. It works at once.",
        confirm="Record the order",
        shown=shown_by(plan_order, pages.planned_order_lines),
    ),
)
ORDER_ENDS = Later(
    kept=ORDERS,
    which="order_id",
    title="End this order",
    confirm="It has ended",
    doing="recorded that a court order ended",
    look=found_by(order_of, pages.order_card),
    form=EndForm,
    save=end_by(end_order),
)
ORDER_CONFIRMED = Later(
    kept=ORDERS,
    which="waiting_id",
    title="Confirm this order",
    confirm="Save my answer",
    doing="answered whether a court order is as recorded",
    form=ConfirmForm,
    look=found_by(waiting_order, pages.waiting_card),
    save=_answer,
    step="confirm",
    template="sharing/confirm_order.html",
    lead="Whoever recorded it gains by it, so it counts once somebody else has seen it. Have the"
    " sealed order in front of you.",
    answers=CONFIRM_CHOICES,
)


# --- Safeguarding enquiries ---------------------------------------------------------------------


async def _enquiry_choices(access: Access) -> dict[str, Any]:
    if not may_enquire(access.viewer, access.ties):
        raise NotAllowed(WHO_MAY_ENQUIRE)
    return {"agencies": pages.named_choices(await who_can_be_named(access), Kind.AGENCY)}


async def _new_enquiry(_access: Access, form: EnquiryForm) -> NewEnquiry:
    return NewEnquiry(form.agencies, form.reason, form.from_on, form.until_on)


ENQUIRIES = FactList(
    path="enquiries",
    looked="looked at safeguarding enquiries",
    title="Safeguarding enquiries",
    lead="Children Act 1989 section 47. An enquiry opens what the family chose not to"
    " share, to the agencies that make it, and never what is protected.",
    empty="No enquiry is recorded. What you record appears here.",
    cards=cards_of(enquiries_of, pages.enquiry_card),
    steps=lambda _access: [("Begin an enquiry", "new")],
)
ENQUIRY = Recording(
    kept=ENQUIRIES,
    step="new",
    form=EnquiryForm,
    template="sharing/enquiry.html",
    choices=_enquiry_choices,
    doing="began a safeguarding enquiry",
    new=_new_enquiry,
    save=begin_enquiry,
    check=Check(
        title="Check what the enquiry opens",
        lead="Read what opens, to whom. What is protected stays closed.",
        confirm="Begin the enquiry",
        shown=shown_by(plan_enquiry, pages.planned_enquiry_lines),
    ),
)
ENQUIRY_ENDS = Later(
    kept=ENQUIRIES,
    which="enquiry_id",
    title="End this enquiry",
    confirm="It has ended",
    doing="ended a safeguarding enquiry",
    look=found_by(enquiry_of, pages.enquiry_card),
    form=EndForm,
    save=end_by(end_enquiry),
)

HANDLERS = pages_of(ORDERS, ORDER, ORDER_ENDS, ORDER_CONFIRMED, ENQUIRIES, ENQUIRY, ENQUIRY_ENDS)
