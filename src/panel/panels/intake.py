"""A referral that comes from outside: the child is added and put before the panel in one step."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from panel.panels import forms
from panel.panels.models import Panel
from panel.panels.referring import refer_from_outside
from panel.register.service import NewChild, add_involvement, open_record


def new_child(form: forms.IntakeForm) -> NewChild:
    """The child of a referral, as far as a letter or a call tells."""
    return NewChild(form.given_name, form.family_name, birth_date=form.birth_date)


async def take_in(session: AsyncSession, panel: Panel, form: forms.IntakeForm) -> UUID:
    """Add a child with the agency that refers, and the referral.

    The caller has looked for a child who is here already.
    """
    child = await open_record(session, new_child(form))
    # The referral first: it is what ties the panel to the record, and lets it write the rest.
    await refer_from_outside(
        session,
        child.id,
        panel,
        way="letter",
        referred_on=form.referred_on,
        agency_id=form.agency,
        reason=form.reason,
        category=Category(form.category),
    )
    await add_involvement(session, child.id, agency_id=form.agency, from_on=form.referred_on)
    return child.id
