"""Whether what a family reads on their own page is what the workers read on theirs.

Compared is whatever both show: who leads, what happens next and when, each desired outcome with how
far it is, each open action with its day, and the words that a step of the case is about.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from playwright.async_api import expect

from tests.journeys.person import Person

_DAY = re.compile(
    r"\b\d{1,2} (?:January|February|March|April|May|June|July|August|September|October|November"
    r"|December) \d{4}\b"
)
_FAMILY = "/family"
STATES = {
    "Getting better": "It is closer than at the start",
    "Not better yet": "It is where it was at the start",
    "Harder than before": "It is further away than at the start",
}
"""How far an outcome is, in the family's words and in the workers'."""
MEETINGS = {
    "We are planning this meeting with you.": "Being planned",
    "This meeting will take place.": "People are invited",
    "This meeting took place.": "Held",
    "This meeting does not take place.": "Cancelled",
}
"""How far a meeting around the family is, in the family's words and in the workers'."""
WHERE = {"(IMPACT)": "IMPACT", "social care works with you": "Social care"}
"""Where the child is, in the family's words and in the workers'. CONTACTS goes without saying."""


@dataclass(frozen=True)
class Line:
    """One entry of a list: its text and every day in it."""

    text: str
    days: frozenset[str]


def days_in(text: str) -> frozenset[str]:
    """Every day that a text names, as "3 December 2026"."""
    return frozenset(_DAY.findall(text))


async def _main(person: Person, path: str) -> str:
    # Not looked at each time: a journey keeps a picture of what is new.
    await person.page.goto(path)
    return await person.page.locator("main").inner_text()


async def _under(family: Person, heading: str) -> str:
    """The first paragraph under a heading of the family's page; "" where there is none."""
    found = family.page.locator(
        f"xpath=//h2[normalize-space()='{heading}']/following-sibling::*[1]"
    )
    return await found.first.inner_text() if await found.count() else ""


async def agree(family: Person, worker: Person, child: str, *said: str) -> None:
    """Fail with the first thing that the two do not say alike; `said` stands on both besides.

    `child` is the path of the record. Both are left on the first of the pages compared.
    """
    theirs = {part: await _main(worker, f"{child}{part}") for part in ("/plan", "/panels", "")}
    theirs["/meetings"] = await _main(worker, f"{child}/meetings")
    where = await worker.page.locator("#where").inner_text()
    held = await worker.page.locator(".panel-log__item").all_inner_texts()
    everything = "\n".join(theirs.values())
    ours = await _main(family, _FAMILY)
    await _same_lead(family, everything)
    await _same_next_step(family, everything)
    await _same_outcomes(family, theirs["/plan"])
    await _same_actions(family, worker, child)
    await _same_meetings(family, held)
    await _same_place(family, where)
    for words in said:
        assert words in ours, f"The family does not read “{words}”."
        assert words in everything, f"The workers do not read “{words}”."


async def _same_lead(family: Person, everything: str) -> None:
    who = (await _under(family, "Who to ring")).split("\n")[0].strip()
    lead = re.search(r"Lead professional\s+([^,\n]+)", everything)
    assert lead is not None, "The workers read of no lead professional."
    assert who == lead[1].strip(), f"The family is to ring {who}; {lead[1]} leads."


async def _same_next_step(family: Person, everything: str) -> None:
    told = await _under(family, "What happens next")
    assert told, "The family does not read what happens next."
    missing = days_in(told) - days_in(everything)
    assert not missing, f"“{told}”: the workers read nothing of {', '.join(missing)}."


async def _same_outcomes(family: Person, plan: str) -> None:
    lines = family.page.locator("p:has-text('What we want to be different:') + ul > li")
    for line in await lines.all():
        text = (await line.locator(".panel-plain__text").inner_text()).strip()
        state = (await line.locator("strong").first.inner_text()).strip().rstrip(".")
        assert text in plan, f"The workers’ plan does not have “{text}”."
        block = plan.partition(text)[2].partition("Say where things stand")[0]
        theirs = STATES.get(state)
        assert theirs is None or theirs in block, f"“{text}”: {state}, and the workers read {block}"


async def _same_meetings(family: Person, held: Sequence[str]) -> None:
    for line in await family.page.get_by_role("link", name=re.compile("^Meeting on ")).all():
        (day,) = days_in(await line.inner_text())
        more = await line.locator("xpath=ancestor::li").inner_text()
        state = next(theirs for ours, theirs in MEETINGS.items() if ours in more)
        row = next((one for one in held if day in days_in(one.split("Next meeting")[0])), "")
        assert state.lower() in row.lower(), f"“{more}”, and the workers read “{row}”."


async def _same_place(family: Person, where: str) -> None:
    told = await _under(family, "Meetings with you")
    theirs = next((said for ours, said in WHERE.items() if ours in told), "CONTACTS")
    place, _, since = where.partition(", ")
    assert place == theirs, f"“{told}”, and the workers read “{where}”."
    if theirs != "CONTACTS":
        assert days_in(told) == days_in(since), f"“{told}”, and the workers read “{where}”."


async def _same_actions(family: Person, worker: Person, child: str) -> None:
    lines = family.page.locator("p:has-text('Who does what:') + ul > li")
    told = []
    for line in await lines.all():
        text = (await line.locator(".panel-plain__text").inner_text()).strip()
        told.append(Line(text, days_in(await line.inner_text())))
    await worker.page.goto(f"{child}/plan")
    for one in told:
        row = worker.page.locator("tr", has_text=one.text).first
        await expect(row, f"the workers’ plan has “{one.text}”").to_be_visible()
        read = days_in(await row.inner_text())
        assert one.days == read, f"“{one.text}” is by {one.days} for the family, else by {read}."
