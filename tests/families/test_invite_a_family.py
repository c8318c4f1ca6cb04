"""A family is invited by who leads or runs the panel; what ends, ends everything that was sent."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from consent import Purpose, Role
from panel.accounts.service import add_worker, agency_by_key
from panel.families.entering import ask_for_code
from panel.families.invitation_words import (
    CODE_SUBJECT,
    INVITATION_SUBJECT,
    code_words,
    invitation_words,
    new_invitation_code,
    new_reference,
)
from panel.families.inviting import (
    CANNOT_REACH,
    KEPT_FROM,
    NO_CONTACT,
    TIE_ENDED,
    TOO_YOUNG,
    Foreseen,
    foresee,
    invitee_of,
    withdraw,
)
from panel.panels.reading_age import reading_age
from panel.panels.still_may_go import still_may_go
from panel.platform.clock import FixedClock
from panel.platform.outbox import send_due
from panel.platform.problems import Conflict, Invalid, NotAllowed
from panel.platform.tenancy import Tenant
from panel.platform.work_tables import Setting
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, rewrite_access
from panel.register.family import change_family_member, family_member_details
from panel.register.family_access import (
    CHANGED_SUBJECT,
    CHANGED_WORDS,
    NOT_IN_FORCE,
    Fact,
    forget_codes,
    may_invite,
)
from panel.register.models import FamilyLink, Involvement
from tests.accounts.signing_in import Browse, browse, fill, words
from tests.conftest import SignIn
from tests.families.household import Client, Family
from tests.families.invited import (
    EMAIL,
    SITE,
    Invited,
    as_invited,
    ask,
    form,
    invite_as,
    invited,
    link_of,
    protect,
    reach,
    rosa_of,
    sign_in,
    told_to,
    use,
    written_by,
)

__all__ = ["browse"]
NEW = "new@families.example"


@pytest.fixture
async def ada(gate: Gate, tenant: Tenant, family: Family) -> Invited:
    """Freya's mother, with a letter in her hand."""
    await reach(tenant, family.mother, email=EMAIL, address="4 Mill Lane")
    return await invited(gate, family, family.mother)


class Mailbox:
    """Takes everything."""

    async def send(self, _message: object) -> None:
        """Take it."""


async def send(tenant: Tenant) -> None:
    """What the scheduler does each minute."""
    async with tenant.transaction(JOB) as session:
        await send_due(session, Mailbox(), tenant.clock.now(), may_go=still_may_go(tenant, SITE))


async def foreseen(gate: Gate, family: Family, person: str) -> Foreseen:
    """What a page foresees of one of the family."""
    who = getattr(family, person)
    link = who if person == "child" else await link_of(gate.tenant, family.child, who)
    async with gate.open(family.child, rosa_of(family), Purpose.SUPPORT, "read") as access:
        return await foresee(gate.tenant, access, await invitee_of(access, link))


# --- Whom ---------------------------------------------------------------------------------------


async def test_what_they_would_see_is_said_before(
    gate: Gate, tenant: Tenant, family: Family
) -> None:
    await reach(tenant, family.mother, email=EMAIL)
    await written_by(tenant, family.rosa)
    told = await foreseen(gate, family, "mother")
    assert told.why_not == ""
    assert "Plan" in told.sees
    await protect(tenant, family.child, family.mother, categories=("contact",))
    less = await foreseen(gate, family, "mother")
    assert "Contact details" not in less.sees
    assert "Contact details" not in less.sees_not, "it is silent"


async def test_who_may_not_be_invited_is_refused_with_a_sentence(
    gate: Gate, tenant: Tenant, family: Family
) -> None:
    await written_by(tenant, family.rosa)
    assert (await foreseen(gate, family, "mother")).why_not == NO_CONTACT
    await reach(tenant, family.mother, email=EMAIL)
    await reach(tenant, family.father, email="ben@families.example")
    assert (await foreseen(gate, family, "child")).why_not == TOO_YOUNG
    await protect(tenant, family.child, family.mother)
    assert (await foreseen(gate, family, "mother")).why_not == KEPT_FROM
    async with tenant.transaction(JOB) as session:
        link = await session.scalar(
            select(FamilyLink).where(FamilyLink.family_member_id == family.father)
        )
        assert link is not None
        link.until_on = tenant.clock.now().date() - timedelta(days=1)
        await rewrite_access(session, family.child)
    assert (await foreseen(gate, family, "father")).why_not == TIE_ENDED
    link_id = await link_of(tenant, family.child, family.mother)
    with pytest.raises(Invalid) as refused:
        await invite_as(gate, rosa_of(family), family.child, link_id, form())
    assert refused.value.errors[0].sentence == KEPT_FROM


async def test_who_does_not_know_how_to_reach_them_does_not_invite(
    gate: Gate, tenant: Tenant, family: Family
) -> None:
    await reach(tenant, family.mother, email=EMAIL)
    await written_by(tenant, family.rosa)
    await protect(tenant, family.child, family.agency, categories=("contact",))
    assert (await foreseen(gate, family, "mother")).why_not == CANNOT_REACH


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"asked": False}, "asked"),
        ({"fact": "agreed_word", "word": "cat"}, "word"),
        ({"fact": "agreed_word", "word": "-----------"}, "word"),
    ],
)
async def test_a_wrong_answer_is_told_beside_its_field(
    gate: Gate, tenant: Tenant, family: Family, given: dict[str, object], field: str
) -> None:
    await reach(tenant, family.mother, email=EMAIL)
    with pytest.raises(Invalid) as refused:
        await invited(gate, family, family.mother, **given)
    assert [one.field for one in refused.value.errors] == [field]


async def test_who_wants_letters_gets_no_e_mail(gate: Gate, tenant: Tenant, family: Family) -> None:
    await reach(tenant, family.mother, email=EMAIL, safe_contact="Letter")
    with pytest.raises(Invalid, match="another look"):
        await invited(gate, family, family.mother, way="email")
    await invited(gate, family, family.mother)


async def test_only_who_leads_or_runs_the_panel_invites(
    gate: Gate, tenant: Tenant, family: Family
) -> None:
    await reach(tenant, family.mother, email=EMAIL)
    await written_by(tenant, family.rosa)
    async with tenant.transaction(JOB) as session:
        agency = await agency_by_key(session, "hv")
        assert agency is not None
        colleague = await add_worker(session, agency, name="Tess Ho", email="tess@demo.example")
        session.add(
            Involvement(
                child_id=family.child,
                agency_id=agency.id,
                worker_id=colleague.id,
                from_on=tenant.clock.now().date(),
            )
        )
        await rewrite_access(session, family.child)
    link = await link_of(tenant, family.child, family.mother)
    with pytest.raises(NotAllowed, match="lead professional or the panel’s coordinator"):
        await invite_as(gate, replace(rosa_of(family), id=colleague.id), family.child, link, form())
    viewer = replace(rosa_of(family), id=family.coordinator, roles=frozenset({Role.COORDINATOR}))
    async with gate.open(family.child, viewer, Purpose.PANEL, "read") as access:
        assert may_invite(access)


# --- What is sent -------------------------------------------------------------------------------


@pytest.mark.parametrize("fact", Fact)
@pytest.mark.parametrize("on_paper", [True, False])
def test_what_is_sent_is_for_eleven_and_names_nobody(fact: Fact, *, on_paper: bool) -> None:
    reference, code = new_reference(), new_invitation_code()
    said = invitation_words(SITE, reference, code, fact, date(2026, 12, 21), on_paper=on_paper)
    texts = (said, CHANGED_WORDS, code_words("123456"))
    for one in (*texts, CODE_SUBJECT, INVITATION_SUBJECT, CHANGED_SUBJECT):
        plain = one.replace(code, "").replace(f"{SITE}/family/sign-in", "the page")
        assert reading_age(plain) <= 11, f"{reading_age(plain)}: {plain}"
    assert "Monday 21 December 2026" in said
    assert (f"?reference={reference}" in said) is not on_paper


async def test_the_letter_is_printed_until_it_is_used(
    client: Client, browse: Browse, sign_in_worker: SignIn, ada: Invited, family: Family
) -> None:
    await sign_in_worker(family.rosa)
    page = f"/children/{family.child}/people/{await link_of(ada.tenant, family.child, ada.person)}"
    people = await client.get(f"/children/{family.child}/people")
    assert "Invited on 23 November 2026, not used yet. It works until 21 December 2026." in words(
        people
    )
    letter = await client.get(f"{page}/sign-in/letter")
    assert letter.headers["content-type"] == "application/pdf"
    assert b"%PDF" in letter.content
    assert letter.headers["content-disposition"] == 'inline; filename="your-own-page.pdf"'
    answer = await fill(client, f"{page}/sign-in", f"{page}/sign-in/posted")
    assert answer.status_code == 200
    assert (await told_to(ada.tenant, ada.person))[0].sent
    async with browse() as browser:
        await sign_in(browser, ada, first=True)
    assert (await client.get(f"{page}/sign-in/letter")).status_code == 410
    said = words(await client.get(f"{page}/sign-in"))
    assert "first used on 23 November 2026. Last signed in on 23 November 2026." in said


@pytest.fixture
def sign_in_worker(sign_in: SignIn) -> SignIn:
    """Under a name of its own: a family signs in too."""
    return sign_in


async def test_an_invitation_by_e_mail_goes_once_to_her_address(
    gate: Gate, tenant: Tenant, family: Family
) -> None:
    await reach(tenant, family.mother, email=EMAIL)
    ada = await invited(gate, family, family.mother, way="email")
    await send(tenant)
    [told] = await ada.told()
    assert (told.kind, told.address, told.sent) == ("family_invitation", EMAIL, True)


async def test_the_days_of_an_invitation_are_a_setting(
    gate: Gate, tenant: Tenant, family: Family
) -> None:
    async with tenant.transaction(JOB) as session:
        session.add(Setting(key="family.invitation_days", value=7, source="the authority"))
        session.add(Setting(key="family.contact_hours", value=9_999, source="too much"))
    await reach(tenant, family.mother, email=EMAIL)
    ada = await invited(gate, family, family.mother)
    row = await ada.row()
    assert row.invitation_ends_at - row.invited_at == timedelta(days=7)


# --- What ends ----------------------------------------------------------------------------------


async def test_who_is_invited_anew_needs_the_new_code(
    browse: Browse, gate: Gate, ada: Invited, family: Family
) -> None:
    async with browse() as browser, browse() as second:
        await sign_in(browser, ada, first=True)
        await ask(second, ada.reference)
        code = await ada.last_code()
        anew = await invited(gate, family, family.mother, version=(await ada.row()).version)
        assert (await browser.get("/family")).status_code == 401
        assert (await use(second, code, invitation=anew.code)).status_code == 422
        await ask(second, ada.reference)
        assert (await use(second, code)).status_code == 422
        await sign_in(second, anew, first=True)


async def test_two_who_invite_at_once_are_told(gate: Gate, ada: Invited, family: Family) -> None:
    with pytest.raises(Conflict):
        await invited(gate, family, family.mother, version=0)
    assert await as_invited(ada.tenant, ada.person) == ada


async def test_what_is_ended_ends_at_once(
    client: Client, browse: Browse, sign_in_worker: SignIn, ada: Invited, family: Family
) -> None:
    await sign_in_worker(family.rosa)
    link = await link_of(ada.tenant, family.child, ada.person)
    page = f"/children/{family.child}/people/{link}/sign-in"
    async with browse() as browser, browse() as second:
        await sign_in(browser, ada, first=True)
        await ask(second, ada.reference)
        waiting = await ada.last_code()
        answer = await fill(client, page, f"{page}/end")
        assert answer.status_code == 200
        assert "Ended on 23 November 2026." in words(await client.get(page))
        assert (await browser.get("/family")).status_code == 401
        assert (await use(second, waiting)).status_code == 422
        before = len(await ada.told())
        assert (await ask(second, ada.reference)).status_code == 303
        assert len(await ada.told()) == before


# --- A changed contact --------------------------------------------------------------------------


async def change(gate: Gate, family: Family, **contact: str) -> None:
    """Rosa changes how the mother is reached."""
    link_id = await link_of(gate.tenant, family.child, family.mother)
    async with gate.open(family.child, rosa_of(family), Purpose.SUPPORT, "changed") as access:
        read = await family_member_details(access, link_id)
        member = replace(read.member, **contact)
        version = read.link_version + read.member_version
        await change_family_member(access, link_id, member, read.link, version)


async def test_a_changed_address_waits_a_day_and_both_are_told(
    browse: Browse, gate: Gate, ada: Invited, family: Family, clock: FixedClock, tenant: Tenant
) -> None:
    async with browse() as browser, browse() as second:
        await sign_in(browser, ada, first=True)
        await ask(second, EMAIL)
        code = await ada.last_code()
        await change(gate, family, email=NEW)
        assert (await use(second, code)).status_code == 422, "an open code ends"
        await send(tenant)
        told = [one for one in await ada.told() if one.kind == "family_contact_changed"]
        assert [(one.address, one.sent) for one in told] == [(EMAIL, True), (NEW, True)]
        for one in told:
            assert EMAIL not in one.body
            assert NEW not in one.body
        before = len(await ada.told())
        for who in (EMAIL, NEW, ada.reference):
            assert (await ask(second, who)).status_code == 303
        assert len(await ada.told()) == before, "nothing goes to either"
        clock.set(clock.now() + timedelta(hours=24))
        await ask(second, NEW)
        assert (await ada.told())[-1].address == NEW
        assert (await use(second, await ada.last_code())).status_code == 303


async def test_the_lead_confirms_a_changed_address(
    client: Client, browse: Browse, sign_in_worker: SignIn, gate: Gate, ada: Invited, family: Family
) -> None:
    await change(gate, family, email=NEW)
    await sign_in_worker(family.rosa)
    link = await link_of(ada.tenant, family.child, ada.person)
    page = f"/children/{family.child}/people/{link}/sign-in"
    assert "Codes go to their new address from 24 November 2026" in words(await client.get(page))
    assert (await fill(client, page, f"{page}/confirm")).status_code == 200
    async with browse() as browser:
        await ask(browser, NEW)
        assert (await ada.told())[-1].address == NEW


async def test_inviting_anew_does_not_shorten_the_wait(
    gate: Gate, ada: Invited, family: Family
) -> None:
    await change(gate, family, email=NEW)
    was = await ada.row()
    with pytest.raises(Invalid):
        await invited(gate, family, family.mother, version=was.version, way="email")
    await invited(gate, family, family.mother, version=was.version)
    assert (await ada.row()).contact_from == was.contact_from


async def test_a_changed_address_waits_before_a_first_invitation_too(
    gate: Gate, tenant: Tenant, family: Family, clock: FixedClock
) -> None:
    await reach(tenant, family.mother, email=EMAIL)
    await written_by(tenant, family.rosa)
    # Taken away and written anew is changed, too.
    await change(gate, family, email="")
    await change(gate, family, email=NEW)
    until = clock.now() + timedelta(hours=24)
    with pytest.raises(Invalid) as refused:
        await invited(gate, family, family.mother, way="email")
    assert "was changed not long ago" in refused.value.errors[0].sentence
    ada = await invited(gate, family, family.mother)
    assert (await ada.row()).contact_from == until
    await ask_for_code(tenant, ada.reference, "198.51.100.4", "/family", None)
    assert "family_code" not in {one.kind for one in await ada.told()}
    # Ended and begun again, it waits as long.
    link = await link_of(tenant, family.child, family.mother)
    async with gate.open(family.child, rosa_of(family), Purpose.SUPPORT, "ended") as access:
        await withdraw(access, await invitee_of(access, link), (await ada.row()).version)
    ada = await invited(gate, family, family.mother, version=(await ada.row()).version)
    assert (await ada.row()).contact_from == until
    clock.set(until)
    again = await invited(
        gate, family, family.mother, way="email", version=(await ada.row()).version
    )
    assert (await again.row()).contact_from == until


async def test_where_somebody_is_protected_the_old_address_is_told_nothing(
    gate: Gate, ada: Invited, family: Family, tenant: Tenant
) -> None:
    await protect(tenant, family.child, family.father, categories=("contact",))
    await change(gate, family, email=NEW)
    await send(tenant)
    told = [one for one in await ada.told() if one.kind == "family_contact_changed"]
    assert [(one.address, one.sent) for one in told] == [(EMAIL, False), (NEW, True)]


async def test_a_changed_telephone_ends_codes_and_is_told(
    browse: Browse, gate: Gate, ada: Invited, family: Family
) -> None:
    async with browse() as browser:
        await ask(browser, ada.reference)
        code = await ada.last_code()
        await change(gate, family, phone="01632 960 999")
        assert (await use(browser, code, invitation=ada.code)).status_code == 422
        told = [one for one in await ada.told() if one.kind == "family_contact_changed"]
        assert [one.address for one in told] == [EMAIL]
        await sign_in(browser, ada, first=True)


async def test_a_code_whose_address_changed_before_it_went_does_not_go(
    gate: Gate, ada: Invited, family: Family, tenant: Tenant, clock: FixedClock
) -> None:
    await ask_for_code(tenant, ada.reference, "198.51.100.4", "/family", None)
    await change(gate, family, email=NEW)
    await send(tenant)
    [code] = [one for one in await ada.told() if one.kind == "family_code"]
    assert (code.sent, code.failure) == (False, NOT_IN_FORCE)
    clock.set(clock.now() + timedelta(hours=2))
    async with tenant.transaction(JOB) as session:
        await forget_codes(session)
    assert "family_code" not in {one.kind for one in await ada.told()}
