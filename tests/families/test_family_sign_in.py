"""A family signs in with a code and what they know; whoever guesses, swaps or floods does not."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import date, timedelta

import httpx
import pytest
from sqlalchemy import event, text, update

from panel.accounts.throttle import AT_ACCOUNT_FROM_HERE, MAILS_BY_STRANGERS, MAILS_FROM_HERE
from panel.families.entering import TRIES, Typed, ask_for_code, stays_in, try_code
from panel.families.guessing import FACTS_A_DAY, GUESSED, MOST_FACTS_A_DAY
from panel.families.invitation_words import read_fact
from panel.platform.clock import FixedClock
from panel.platform.sessions import IDLE_OF_FAMILY, LONGEST, PROOF_LASTS, Way, start
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, rewrite_access
from panel.register.family_access import GUESSED as GUESSED_WORDS
from panel.register.family_access import state_words
from panel.register.models import FamilyLink
from panel.register.service import FamilyAccess
from tests.accounts.signing_in import Browse, browse, fill, hidden, words
from tests.families.household import Family, new_child, tie
from tests.families.invited import (
    BORN,
    CODE,
    EMAIL,
    SIGN_IN,
    Invited,
    ask,
    invited,
    protect,
    reach,
    sign_in,
    told_to,
    use,
)

__all__ = ["browse"]
HOME = "198.51.100.4"
ELSEWHERE = "192.0.2.77"
WRONG = "That is not right."
OVER = "This code is over."


@pytest.fixture
async def ada(gate: Gate, tenant: Tenant, family: Family) -> Invited:
    """Freya's mother, with a letter in her hand."""
    await reach(tenant, family.mother, email=EMAIL)
    return await invited(gate, family, family.mother)


@pytest.mark.parametrize(
    ("typed", "means"),
    [
        ("15 6 2022", "2022-06-15"),
        ("15/06/2022", "2022-06-15"),
        ("15th of June 2022", "2022-06-15"),
        ("15 Jun 2022", "2022-06-15"),
        ("2022-06-15", "2022-06-15"),
        ("31 2 2022", "3122022"),
        ("99999 1 1", "9999911"),
        ("Blue  Kettle!", "bluekettle"),
        ("", ""),
    ],
)
def test_what_is_known_is_read_however_it_is_typed(typed: str, means: str) -> None:
    assert read_fact(typed) == means


# --- The way in ---------------------------------------------------------------------------------


async def test_the_letter_leads_in_once_and_then_the_address_does(
    browse: Browse, ada: Invited, tenant: Tenant
) -> None:
    async with browse() as browser:
        page = await browser.get(f"{SIGN_IN}?reference={ada.reference}")
        assert f'value="{ada.reference}"' in page.text
        assert (await ask(browser, ada.reference.lower().replace("-", " "))).status_code == 303
        code = await ada.last_code()
        without = await use(browser, code)
        assert without.status_code == 422, "the code of the letter is needed"
        assert WRONG in words(without)
        assert (await use(browser, code, invitation=ada.code.upper())).status_code == 303
        home = await browser.get("/family")
        assert "Freya" in words(home)
        row = await ada.row()
        today = tenant.clock.now().date()
        assert (row.first_used_on, row.last_signed_in_on) == (today, today)
        assert row.invitation_mark is None
    async with browse() as browser:
        assert (await ask(browser, f" {EMAIL.upper()} ")).status_code == 303
        assert (await use(browser, await ada.last_code())).status_code == 303
    [letter, *codes] = await ada.told()
    assert {one.address for one in codes} == {EMAIL}
    for one in (letter, *codes):
        for told in ("Freya", "Kestrel", "Health", "Whitlow", "2022", "15 June", "panel.example/c"):
            assert told not in f"{one.subject} {one.body}", f"{told} stands in {one.subject}"


async def test_one_sign_in_leads_to_every_child_of_theirs(
    browse: Browse, ada: Invited, tenant: Tenant, family: Family
) -> None:
    async with tenant.transaction(JOB) as session:
        brother = await new_child(session, "C-1002", "Wren", date(2019, 3, 27))
        await tie(session, brother, family.mother)
        await rewrite_access(session, brother)
    async with browse() as browser:
        assert (await ask(browser, ada.reference)).status_code == 303
        # The date of either child will do.
        answer = await use(browser, await ada.last_code(), "27 March 2019", ada.code)
        assert answer.status_code == 303
        said = words(await browser.get("/family"))
        assert "Freya" in said
        assert "Wren" in said


async def test_a_young_person_signs_in_with_their_own_date(
    browse: Browse, gate: Gate, tenant: Tenant, family: Family
) -> None:
    async with tenant.transaction(JOB) as session:
        await session.execute(
            text("UPDATE child SET birth_date = '2009-06-15' WHERE id = :child"),
            {"child": family.child},
        )
        await rewrite_access(session, family.child)
    freya = await invited(gate, family, family.child, email="freya@own.example")
    async with browse() as browser:
        assert (await ask(browser, "freya@own.example")).status_code == 303
        answer = await use(browser, await freya.last_code(), "15.6.2009", freya.code)
        assert answer.status_code == 303
        assert (await browser.get("/family")).status_code == 200


async def test_a_word_that_was_agreed_is_asked_in_place_of_the_date(
    browse: Browse, gate: Gate, tenant: Tenant, family: Family
) -> None:
    await reach(tenant, family.mother, email=EMAIL)
    ada = await invited(
        gate, family, family.mother, fact="agreed_word", word="Blue kettle", way="letter"
    )
    async with browse() as browser:
        await ask(browser, ada.reference)
        code = await ada.last_code()
        assert (await use(browser, code, BORN, ada.code)).status_code == 422
        assert (await use(browser, code, "blue KETTLE", ada.code)).status_code == 303
    assert not [one for one in await ada.told() if "kettle" in one.body.casefold()]


async def test_whoever_opens_a_page_of_families_goes_on_to_it(browse: Browse, ada: Invited) -> None:
    async with browse() as browser:
        page = await browser.get("/family/sign-ins")
        assert page.status_code == 401
        assert "Sign in to your own page" in words(page)
        given = hidden(page, SIGN_IN)
        assert given["next"] == "/family/sign-ins"
        await browser.post(SIGN_IN, data=given | {"who": ada.reference})
        answer = await use(browser, await ada.last_code(), invitation=ada.code)
        assert answer.headers["location"] == "/family/sign-ins"


TOKEN = re.compile(r'(name="_csrf_token" value=")[^"]*')


def comparable(answer: httpx.Response, browser: httpx.AsyncClient) -> tuple[object, ...]:
    """What of an answer must not differ: all but what is made from the browser's own cookie."""
    cookie = browser.cookies["panel_session"]
    page = TOKEN.sub(r"\1", answer.text)
    headers = [
        (name, said.replace(cookie, ""))
        for name, said in answer.headers.items()
        if name != "set-cookie"
    ]
    return answer.status_code, headers, page


# --- Whoever is not known -----------------------------------------------------------------------


async def test_known_and_unknown_get_the_same_bytes(browse: Browse, ada: Invited) -> None:
    answers = []
    for who in (ada.reference, EMAIL, "nobody@families.example", "K7QX-M2PD", "x" * 5000, "@"):
        async with browse() as browser:
            asked = await ask(browser, who)
            page = await browser.get(CODE)
            tried = await use(browser, "000000", "1 1 2001", "river-apple-moon-1234")
            answers.append([comparable(one, browser) for one in (asked, page, tried)])
    assert all(one == answers[0] for one in answers[1:])


async def test_known_and_unknown_cost_the_same_statements(tenant: Tenant, ada: Invited) -> None:
    asked: list[list[str]] = []

    def seen(_c: object, _u: object, statement: str, *_rest: object) -> None:
        asked[-1].append(statement)

    engine = tenant.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", seen)
    try:
        for at, who in enumerate((ada.reference, "K7QX-M2PD", EMAIL, "nobody@families.example")):
            asked.append([])
            token = await ask_for_code(tenant, who, f"203.0.113.{at}", "/family", None)
            await try_code(tenant, token, Typed("000000", BORN, ""), f"203.0.113.{at}")
    finally:
        event.remove(engine, "before_cursor_execute", seen)
    counts = [len(one) for one in asked]
    assert max(counts) - min(counts) <= MAKES_A_KEY, counts


MAKES_A_KEY = 4
"""Statements: where nobody is known a key is made and thrown away, so that both seal a message."""


async def test_nobodys_code_leaves_no_row(tenant: Tenant, family: Family) -> None:
    async def rows() -> list[int]:
        async with tenant.transaction(JOB) as session:
            return [
                (await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()
                for table in ("outbox_message", "data_key")
            ]

    before = await rows()
    await ask_for_code(tenant, "nobody@families.example", HOME, "/family", None)
    assert await rows() == before


# --- Guessing -----------------------------------------------------------------------------------


async def test_after_five_tries_the_right_code_is_over(browse: Browse, ada: Invited) -> None:
    async with browse() as browser:
        await ask(browser, ada.reference)
        code = await ada.last_code()
        wrong = "000000" if code != "000000" else "111111"
        for at in range(TRIES):
            answer = await use(browser, wrong, invitation=ada.code)
            assert (WRONG if at < TRIES - 1 else OVER) in words(answer)
        answer = await use(browser, code, invitation=ada.code)
        assert answer.status_code == 422
        assert OVER in words(answer)
        assert await ada.sessions() == 0


async def test_many_tries_at_once_are_five(tenant: Tenant, ada: Invited) -> None:
    token = await ask_for_code(tenant, ada.reference, HOME, "/family", None)
    code = await ada.last_code()
    wrong = Typed("000000" if code != "000000" else "111111", BORN, ada.code)
    await asyncio.gather(
        *(try_code(tenant, token, wrong, f"203.0.113.{at}") for at in range(TRIES))
    )
    right = await try_code(tenant, token, Typed(code, BORN, ada.code), HOME)
    assert right.person is None
    assert right.is_over


async def test_two_presses_at_once_let_in_once(tenant: Tenant, ada: Invited) -> None:
    token = await ask_for_code(tenant, ada.reference, HOME, "/family", None)
    typed = Typed(await ada.last_code(), BORN, ada.code)
    tried = await asyncio.gather(*(try_code(tenant, token, typed, HOME) for _ in range(3)))
    assert [one.person for one in tried if one.person] == [ada.person]


@pytest.mark.parametrize("part", ["code", "fact", "invitation"])
async def test_which_part_was_wrong_is_not_told(browse: Browse, ada: Invited, part: str) -> None:
    async with browse() as browser:
        await ask(browser, ada.reference)
        code = await ada.last_code()
        typed = {"code": code, "fact": BORN, "invitation": ada.code}
        typed[part] = {"code": str((int(code) + 1) % 1_000_000).zfill(6), "fact": "16 6 2022"}.get(
            part, "river-apple-moon-1234"
        )
        answer = await use(browser, typed["code"], typed["fact"], typed["invitation"])
        assert answer.status_code == 422
        assert WRONG in words(answer)


async def test_whoever_guesses_is_held_back_and_she_is_not(
    browse: Browse, ada: Invited, tenant: Tenant
) -> None:
    for _ in range(AT_ACCOUNT_FROM_HERE.tries // TRIES + 1):
        async with browse(ELSEWHERE) as browser:
            await ask(browser, ada.reference)
            for _ in range(TRIES):
                answer = await use(browser, "000000")
    assert answer.status_code == 429
    assert "Try again in" in words(answer)
    async with browse(HOME) as browser:
        await sign_in(browser, ada, first=True)


async def test_what_she_knows_is_not_guessed_by_who_reads_her_mailbox(
    ada: Invited, gate: Gate, tenant: Tenant, family: Family, clock: FixedClock
) -> None:
    async def tries(who: str, fact: str, address: str, invitation: str = "") -> bool:
        token = await ask_for_code(tenant, who, address, "/family", None)
        typed = Typed(await ada.last_code(), fact, invitation)
        return (await try_code(tenant, token, typed, address)).person is not None

    assert await tries(EMAIL, BORN, HOME, ada.code)
    at = 0

    async def guess(times: int) -> None:
        nonlocal at
        for _ in range(times):
            # Each from elsewhere, and as slowly as codes are sent.
            at += 1
            clock.set(clock.now() + timedelta(minutes=15))
            assert not await tries(EMAIL, "1 1 2001", f"203.0.113.{at}")

    await guess(FACTS_A_DAY)
    assert not await tries(EMAIL, BORN, "192.0.2.1"), "the right date by the address alone"
    assert await tries(ada.reference, BORN, "192.0.2.2"), "the letter is hers"
    [told] = [one for one in await told_to(tenant, family.rosa) if one.kind == GUESSED]
    assert told.subject == "C-1001: somebody guesses at a family’s sign-in"
    assert "Kestrel" not in told.body
    row = await ada.row()
    assert GUESSED_WORDS in state_words(row, clock.now())
    await guess(MOST_FACTS_A_DAY - FACTS_A_DAY)
    assert not await tries(ada.reference, BORN, "192.0.2.3"), "nor by a letter that others read"
    assert await tries(ada.reference, BORN, HOME), "she is let in from where she was before"
    anew = await invited(gate, family, family.mother, version=row.version)
    assert await tries(anew.reference, BORN, "192.0.2.4", anew.code)
    assert GUESSED_WORDS not in state_words(await ada.row(), clock.now())
    await guess(MOST_FACTS_A_DAY)
    clock.set(clock.now() + timedelta(days=1))
    assert await tries(EMAIL, BORN, "192.0.2.5"), "nobody is locked out for good"


# --- Swapping -----------------------------------------------------------------------------------


async def test_a_code_works_only_in_the_browser_that_asked(browse: Browse, ada: Invited) -> None:
    async with browse() as hers, browse(ELSEWHERE) as other:
        await ask(hers, ada.reference)
        code = await ada.last_code()
        await ask(other, ada.reference)
        assert (await use(other, code, invitation=ada.code)).status_code == 422
        assert (await use(hers, code, invitation=ada.code)).status_code == 303


async def test_another_persons_code_lets_nobody_in(
    browse: Browse, ada: Invited, gate: Gate, tenant: Tenant, family: Family
) -> None:
    await reach(tenant, family.father, email="ben@families.example")
    ben = await invited(gate, family, family.father)
    async with browse() as hers, browse(ELSEWHERE) as his:
        await ask(hers, ada.reference)
        await ask(his, ben.reference)
        assert (await use(hers, await ben.last_code(), invitation=ada.code)).status_code == 422
        assert (await use(hers, await ada.last_code(), invitation=ben.code)).status_code == 422
        assert (await use(hers, await ada.last_code(), invitation=ada.code)).status_code == 303


async def test_an_address_of_two_sends_nothing_and_each_reference_does(
    browse: Browse, ada: Invited, gate: Gate, tenant: Tenant, family: Family
) -> None:
    await reach(tenant, family.father, email=EMAIL)
    ben = await invited(gate, family, family.father)
    async with browse() as browser:
        assert (await ask(browser, EMAIL)).status_code == 303
        assert not [one for one in await ada.told() if one.kind == "family_code"]
        assert not [one for one in await ben.told() if one.kind == "family_code"]
        await sign_in(browser, ada, first=True)


async def test_a_cookie_that_was_brought_is_not_signed_in(browse: Browse, ada: Invited) -> None:
    async with browse() as browser:
        browser.cookies.set(
            "panel_session", "chosen-by-somebody-else", domain="testshire.localhost"
        )
        await ask(browser, ada.reference)
        entry = browser.cookies["panel_session"]
        await use(browser, await ada.last_code(), invitation=ada.code)
        assert len({"chosen-by-somebody-else", entry, browser.cookies["panel_session"]}) == 3
    async with browse() as other:
        other.cookies.set("panel_session", entry)
        assert (await other.get("/family")).status_code == 401


async def test_a_used_code_is_over(browse: Browse, ada: Invited) -> None:
    async with browse() as browser, browse() as copied:
        await ask(browser, ada.reference)
        code = await ada.last_code()
        page = await browser.get(CODE)
        copied.cookies.set("panel_session", browser.cookies["panel_session"])
        assert page.status_code == 200
        assert (await use(browser, code, invitation=ada.code)).status_code == 303
        again = await use(copied, code, invitation=ada.code)
        assert again.status_code == 422
        assert OVER in words(again)


async def test_a_code_lasts_ten_minutes(browse: Browse, ada: Invited, clock: FixedClock) -> None:
    async with browse() as browser:
        await ask(browser, ada.reference)
        clock.set(clock.now() + timedelta(minutes=10))
        answer = await use(browser, await ada.last_code(), invitation=ada.code)
        assert answer.status_code == 422


async def test_an_invitation_lasts_28_days(browse: Browse, ada: Invited, clock: FixedClock) -> None:
    clock.set(clock.now() + timedelta(days=28))
    async with browse() as browser:
        await ask(browser, ada.reference)
        assert (await use(browser, await ada.last_code(), invitation=ada.code)).status_code == 422


# --- Flooding -----------------------------------------------------------------------------------


async def test_nobody_is_flooded_and_a_code_that_was_sent_still_works(
    browse: Browse, ada: Invited
) -> None:
    async with browse() as browser:
        for _ in range(MAILS_FROM_HERE.tries + 3):
            assert (await ask(browser, EMAIL)).status_code == 303
        sent = [one for one in await ada.told() if one.kind == "family_code"]
        assert len(sent) == MAILS_FROM_HERE.tries
        assert (await use(browser, await ada.last_code(), invitation=ada.code)).status_code == 303


async def test_who_floods_her_address_does_not_keep_her_out(browse: Browse, ada: Invited) -> None:
    for at in range(MAILS_BY_STRANGERS.tries * 2):
        async with browse(f"203.0.113.{at}") as browser:
            await ask(browser, EMAIL)
    sent = [one for one in await ada.told() if one.kind == "family_code"]
    assert len(sent) == MAILS_BY_STRANGERS.tries
    async with browse(HOME) as browser:
        await sign_in(browser, ada, first=True)
    async with browse(HOME) as browser:
        # From here she is known by the reference; by her address, from where she used it before.
        await sign_in(browser, ada)


# --- What ends between --------------------------------------------------------------------------


Ends = Callable[[Tenant, Family], Awaitable[None]]


async def lose_the_tie(tenant: Tenant, family: Family) -> None:
    async with tenant.transaction(JOB) as session:
        await session.execute(
            update(FamilyLink)
            .where(FamilyLink.family_member_id == family.mother)
            .values(until_on=date(2026, 11, 22))
        )
        await rewrite_access(session, family.child)


async def be_kept_from_it(tenant: Tenant, family: Family) -> None:
    await protect(tenant, family.child, family.mother)


@pytest.mark.parametrize("ends", [lose_the_tie, be_kept_from_it])
async def test_who_has_no_standing_any_more_is_not_let_in(
    browse: Browse, ada: Invited, tenant: Tenant, family: Family, ends: Ends
) -> None:
    async with browse() as browser:
        await ask(browser, ada.reference)
        code = await ada.last_code()
        await ends(tenant, family)
        answer = await use(browser, code, invitation=ada.code)
        assert answer.status_code == 422
        assert WRONG in words(answer)
    before = len(await ada.told())
    async with browse() as browser:
        assert (await ask(browser, ada.reference)).status_code == 303
    assert len(await ada.told()) == before, "nor is a code sent"


# --- Sessions -----------------------------------------------------------------------------------


async def test_a_familys_session_ends_after_half_an_hour_unused(
    browse: Browse, ada: Invited, clock: FixedClock
) -> None:
    async with browse() as browser:
        await sign_in(browser, ada, first=True)
        began = clock.now()
        while clock.now() + IDLE_OF_FAMILY < began + LONGEST:
            clock.set(clock.now() + IDLE_OF_FAMILY - timedelta(minutes=1))
            assert (await browser.get("/family/sign-ins")).status_code == 200
        clock.set(clock.now() + IDLE_OF_FAMILY)
        assert (await browser.get("/family/sign-ins")).status_code == 401
    async with browse() as browser:
        await sign_in(browser, ada)
        clock.set(clock.now() + IDLE_OF_FAMILY)
        for _ in range(2):
            assert (await browser.get("/family/sign-ins")).status_code == 401


async def test_she_reads_where_she_is_signed_in_and_ends_the_rest(
    browse: Browse, ada: Invited
) -> None:
    phone = {"user_agent": "Mozilla/5.0 (iPhone) Safari/605"}
    async with browse() as desktop, browse(ELSEWHERE, **phone) as mobile:
        await sign_in(desktop, ada, first=True)
        await sign_in(mobile, ada)
        page = await mobile.get("/family/sign-ins")
        assert "Safari on iPhone (this one)" in words(page)
        answer = await fill(mobile, "/family/sign-ins", "/family/sign-ins/end-others")
        assert answer.status_code == 303
        assert (await desktop.get("/family")).status_code == 401
        assert "Sign out" in words(await mobile.get("/family"))


async def test_who_shows_again_that_it_is_her_comes_in_by_another_code(
    browse: Browse, ada: Invited, clock: FixedClock
) -> None:
    async with browse() as browser:
        await sign_in(browser, ada, first=True)
        page = f"{SIGN_IN}?again=yes&next=/family/sign-ins"
        assert (await browser.get(page)).headers["location"] == "/family/sign-ins", "she just did"
        clock.set(clock.now() + PROOF_LASTS)
        assert "we send you another code first" in words(await browser.get(page))
        assert (await fill(browser, page, SIGN_IN, who=ada.reference)).status_code == 303
        answer = await use(browser, await ada.last_code())
        assert answer.headers["location"] == "/family/sign-ins"
        assert await ada.sessions() == 1, "what she was signed in with before is over"


async def test_what_ends_a_sign_in_while_somebody_comes_in_ends_that_too(
    tenant: Tenant, ada: Invited, clock: FixedClock
) -> None:
    token = await ask_for_code(tenant, ada.reference, HOME, "/family", None)
    typed = Typed(await ada.last_code(), BORN, ada.code)
    assert (await try_code(tenant, token, typed, HOME)).person == ada.person
    async with tenant.transaction() as session:
        await start(session, ada.person, "family", clock.now(), way=Way.FAMILY_CODE)
    assert await stays_in(tenant, ada.person)
    assert await ada.sessions() == 1
    async with tenant.transaction(JOB) as session:
        await session.execute(update(FamilyAccess).values(withdrawn_at=clock.now()))
    assert not await stays_in(tenant, ada.person)
    assert await ada.sessions() == 0
