"""The family's page says how far each form is, with the dates that the workers have."""

from datetime import date

import pytest
from sqlalchemy import update

from panel.assessments.for_family import FormForFamily
from panel.assessments.limits import KNOWN, Clock, LateReason, Stop
from panel.assessments.models import Assessment, ClockStop, StopReason
from panel.assessments.service import ensure_forms
from panel.families.form_words import LATE, WAITS, form_words
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.sharing.models import SharingRestriction
from tests.families.conftest import SignInFamily
from tests.families.household import REFERRED, Client, Family, words

BEGAN, DUE = date(2026, 11, 2), date(2026, 12, 4)

MADE = "A form: being made since Monday 2 November 2026."
FINISHED = "A form: finished on Friday 4 December 2026."


def clock(left: int, stopped: Stop | None = None) -> Clock:
    return Clock(BEGAN, DUE, left, KNOWN[0], stopped)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (
            FormForFamily("A form", BEGAN, None, None, None),
            MADE,
        ),
        (
            FormForFamily("A form", BEGAN, None, clock(3), None),
            f"{MADE} It is due on Friday 4 December 2026.",
        ),
        (
            FormForFamily("A form", BEGAN, None, clock(-1), None),
            f"{MADE} It was due on Friday 4 December 2026 and is late. You can ask us why.",
        ),
        (
            FormForFamily(
                "A form", BEGAN, None, clock(3, Stop(StopReason.FAMILY_AWAY, BEGAN, None)), None
            ),
            f"{MADE} It waits since Monday 2 November 2026, because you are away.",
        ),
        (
            FormForFamily("A form", BEGAN, DUE, clock(-3), LateReason.NO_WORKER),
            f"{FINISHED} It was late, because we had nobody free to do it.",
        ),
    ],
)
def test_how_far_a_form_is_in_plain_words(form: FormForFamily, said: str) -> None:
    assert form_words(form) == said


def test_every_reason_has_words_for_families() -> None:
    assert WAITS.keys() == set(StopReason)
    assert LATE.keys() == set(LateReason)


async def begin(tenant: Tenant, family: Family, key: str) -> None:
    async with tenant.transaction(JOB) as session:
        forms = await ensure_forms(session)
        made = Assessment(
            child_id=family.child,
            form_id=forms[key],
            form_key=key,
            author_id=family.rosa,
            author_agency_id=family.agency,
            started_on=BEGAN,
            referred_on=BEGAN,
        )
        session.add(made)
        await session.flush()
        if key == "cin_core":
            session.add(
                ClockStop(
                    child_id=family.child,
                    assessment_id=made.id,
                    reason="child_in_hospital",
                    from_on=date(2026, 11, 20),
                )
            )


async def test_a_parent_reads_what_is_made_and_what_waits(
    client: Client, tenant: Tenant, family: Family, sign_in_family: SignInFamily
) -> None:
    for key in ("cin_initial", "cin_core", "carers_assessment"):
        await begin(tenant, family, key)
    async with tenant.transaction(JOB) as session:
        finished = {"state": "signed_off", "signed_off_on": BEGAN, "signed_off_by": family.rosa}
        of_carer = Assessment.form_key == "carers_assessment"
        await session.execute(update(Assessment).where(of_carer).values(finished))
    await sign_in_family(family.mother)
    # It is about one of them: neither page tells the others that there is such a thing.
    for address in ("/family", f"/family/{family.child}/chronology"):
        assert "Carer" not in (await client.get(address)).text
    said = words((await client.get("/family")).text)
    # 45 working days from 2 November, over Christmas and the new year.
    assert "Child in need: initial assessment: being made since Monday 2 November 2026." in said
    assert "It is due on Thursday 7 January 2027." in said
    assert "It waits since Friday 20 November 2026, because your child is in hospital." in said
    await sign_in_family(family.grandmother)
    assert "Child in need" not in (await client.get("/family")).text


async def test_what_is_kept_from_somebody_is_not_there(
    client: Client, tenant: Tenant, family: Family, sign_in_family: SignInFamily
) -> None:
    await begin(tenant, family, "cin_initial")
    async with tenant.transaction(JOB) as session:
        session.add(
            SharingRestriction(
                child_id=family.child,
                kind="protection",
                categories=[
                    "views", "social_care", "network", "development", "family", "safeguarding",
                    "plan",
                ],
                against=[family.father],
                from_on=REFERRED,
                silent=True,
                by_words="The court papers",
            )
        )  # fmt: skip
    await sign_in_family(family.father)
    page = await client.get("/family")
    assert page.status_code == 200
    assert "Child in need" not in page.text
