"""The pages of court orders and of safeguarding enquiries about one child."""

from typing import Any

from panel.platform.problems import NotAllowed
from panel.records.gate import Access
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
from panel.sharing.fact_routes import (
    Check,
    Ending,
    FactList,
    Recording,
    cards_of,
    ends_by,
    pages_of,
    shown_by,
)
from panel.sharing.named import Kind, who_can_be_named, worker_with_email
from panel.sharing.restrict_forms import EnquiryForm, OrderForm
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


ORDERS = FactList(
    path="orders",
    looked="looked at court orders",
    title="Court orders",
    lead="What a court says goes before everything else. Its no goes before its yes.",
    empty="No order is recorded. What you record appears here.",
    cards=cards_of(orders_of, pages.order_card),
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
ORDER_ENDS = Ending(
    kept=ORDERS,
    which="order_id",
    title="End this order",
    confirm="It has ended",
    doing="recorded that a court order ended",
    look=ends_by(order_of, pages.order_card),
    end=end_order,
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
ENQUIRY_ENDS = Ending(
    kept=ENQUIRIES,
    which="enquiry_id",
    title="End this enquiry",
    confirm="It has ended",
    doing="ended a safeguarding enquiry",
    look=ends_by(enquiry_of, pages.enquiry_card),
    end=end_enquiry,
)

HANDLERS = pages_of(ORDERS, ORDER, ORDER_ENDS, ENQUIRIES, ENQUIRY, ENQUIRY_ENDS)
