"""The whole way through the pages: step up, plan, ask, invite, hold, minutes, signature, step down."""

import re
from datetime import timedelta

import httpx
import pytest

from tests.conftest import SignIn
from tests.impact.conftest import TODAY, SignInFamily, World
from tests.panels.note_world import Client, form_of, words


async def send(
    client: Client, page: str, action: str, expect: int = 303, /, **fields: object
) -> httpx.Response:
    """Fill a form of a page in and send it."""
    hidden = await form_of(client, page, action)
    answer = await client.post(action, data=hidden | fields, follow_redirects=False)
    assert answer.status_code == expect, words(answer)
    return answer


def on(name: str, days: int = 0) -> dict[str, str]:
    """A date field, so many days from today."""
    day = TODAY + timedelta(days=days)
    return {
        f"{name}-day": str(day.day),
        f"{name}-month": str(day.month),
        f"{name}-year": str(day.year),
    }


async def test_from_step_up_to_step_down(
    world: World, client: Client, sign_in: SignIn, sign_in_family: SignInFamily
) -> None:
    meetings = f"/children/{world.child}/meetings"
    step = f"/children/{world.child}/step"
    await sign_in(world.lead.id)
    assert "CONTACTS, since 1 September 2026" in words(await client.get(meetings))
    refused = await send(client, f"{step}?to=impact", step, 422, reasons="", **on("from_on", 1))
    assert "Write down why" in words(refused)
    await send(client, f"{step}?to=impact", step, reasons="Four services", **on("from_on"))
    overview = words(await client.get(meetings))
    assert "IMPACT, since 23 November 2026" in overview
    assert "Reviews of CONTACTS rest until the child steps down" in overview
    assert "No meeting has been planned yet." in overview
    assert "Key worker" in overview

    await send(
        client, f"{meetings}/new", f"{meetings}/new", starts_at="08:30", minutes="60",
        format="in_person", place="Marlow Centre", **on("held_on"),
    )  # fmt: skip
    found = re.search(rf"{meetings}/[0-9a-f-]{{36}}", (await client.get(meetings)).text)
    assert found is not None
    one = found[0]
    page = words(await client.get(one))
    assert "Ask the family first how they want this meeting" in page
    await send(client, one, f"{one}/people", people=[str(world.mother), str(world.assessor.id)])
    refused = await send(client, one, f"{one}/guests", 422, name="Pia", address="pia@example.org")
    assert "Say that this address is safe to write to" in words(refused)
    refused = await send(client, one, f"{one}/send", 422)
    assert "Ask the family first" in words(refused)

    home = "/family"
    own = f"/family/{world.child}/meetings/{one.rpartition('/')[2]}"
    await sign_in_family(world.mother)
    assert "Meeting on Monday 23 November 2026" in words(await client.get(home))
    await send(
        client, own, f"{own}/wishes", who_comes="My sister", interpreter="Polish",
        child_joins="no", wishes="",
    )  # fmt: skip
    await send(client, own, f"{own}/answer", answer="yes", said="")
    await send(client, own, f"{own}/views", words="She needs her own room.")
    assert "You said that you can come." in words(await client.get(own))

    await sign_in(world.lead.id)
    assert "The family wrote this on 23 November 2026." in words(await client.get(one))
    await send(client, one, f"{one}/send")
    assert "E-mail put out on" in words(await client.get(one))
    await send(
        client, f"{one}/views", f"{one}/views", person=str(world.lead.id),
        words="She does not.", outcome_id=str(world.outcome), category="health",
    )  # fmt: skip
    await send(
        client, f"{one}/decisions", f"{one}/decisions", outcome_id=str(world.outcome),
        decision="Try a night light", action="Bring a night light", owner_words="Mum",
        **on("due_on", 14),
    )  # fmt: skip
    page = words(await client.get(one))
    for said in ("She needs her own room.", "She does not.", "Decided: Try a night light"):
        assert said in page
    await send(client, f"{one}/held", f"{one}/held", **on("next_on", 28))
    minutes = f"{one}/minutes"
    await send(client, minutes, minutes, text="We met to talk about Amina.")
    await send(
        client, f"{minutes}/send", f"{minutes}/send", people=[str(world.mother), str(world.father)]
    )
    assert (await client.get(f"{minutes}/print")).headers["content-type"] == "application/pdf"

    await sign_in_family(world.mother)
    link = re.search(
        rf"/family/{world.child}/minutes/[0-9a-f-]{{36}}", (await client.get(home)).text
    )
    assert link is not None
    refused = await send(client, link[0], f"{link[0]}/sign", 422, name="", agrees="agree")
    assert "Tick the box to sign" in words(refused)
    await send(client, link[0], f"{link[0]}/comment", comment="Thank you")
    await send(
        client, link[0], f"{link[0]}/sign", name="Marta Kestrel", agrees="disagree",
        words="She needs a room", is_ticked="yes",
    )  # fmt: skip
    assert "Signed as Marta Kestrel on 23 November 2026" in words(await client.get(link[0]))
    assert (await client.get(f"{link[0]}/print")).headers["content-type"] == "application/pdf"

    await sign_in(world.assessor.id)
    assert "Signed as Marta Kestrel" in words(await client.get(minutes))
    await send(client, f"{step}?to=contacts", step, reasons="It is calmer", **on("from_on"))
    assert "CONTACTS, since 23 November 2026" in words(await client.get(meetings))


@pytest.mark.parametrize("who", ["member", "administrator"])
async def test_nobody_reads_meetings_by_sitting_on_a_panel(
    world: World, client: Client, sign_in: SignIn, who: str
) -> None:
    await sign_in(world.house.viewers[who].id)
    answer = await client.get(f"/children/{world.child}/meetings")
    assert answer.status_code in (403, 404)
