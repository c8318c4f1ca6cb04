"""Breaking in by the notes to parents: the marks asked as an oracle, what is typed so that nothing is
marked, and what its log and its draft tell."""

import re
import time
from dataclasses import replace
from datetime import UTC, date, datetime
from random import Random
from string import ascii_lowercase
from typing import Any

import pytest

from consent import Category, Purpose
from panel.panels.models import DeclaredInterest
from panel.panels.note_answers import answer_note, note_log, recall, reply_to
from panel.panels.note_context import gather
from panel.panels.note_marks import MarkKind, NoteContext, OtherChild, marks
from panel.panels.note_models import NoteAnswer, NoteDelivery
from panel.panels.note_rules import Answer, IncidentKind
from panel.panels.notes import keep_mark, note_of, read_note, save_note, sign_off
from panel.plans.models import Action
from panel.platform.problems import Invalid, NotAllowed
from panel.records.gate import rewrite_access
from panel.sharing.models import SharingRestriction
from tests.conftest import SignIn
from tests.panels.conftest import AddChild, House
from tests.panels.note_sentences import CLEAN, CONTEXT
from tests.panels.note_world import (
    HELD,
    PLAIN,
    Client,
    Held,
    every,
    held_meeting,
    protect,
    rows_of,
    signed,
    words,
)

pytestmark = pytest.mark.database

PURPOSES = (Purpose.SUPPORT, Purpose.PANEL)


@pytest.fixture
async def held(house: House, add_child: AddChild) -> Held:
    return await held_meeting(house, add_child)


async def marked(held: Held, said: str, who: str = "lead") -> dict[str, tuple[str, str, bool]]:
    """What is marked in these words, as somebody who writes the note sees it."""
    gathered = await gather(held.house.tenant, held.child, "contacts", HELD)
    runs = () if who == "lead" else (held.house.panel_id,)
    viewer = held.house.viewers[who]
    async with held.house.gate.open(held.child, viewer, PURPOSES, "tried it") as access:
        of = await note_of(access, gathered, "contacts", HELD, runs)
        await save_note(of, said, (await read_note(of)).note.version)
        found = (await read_note(of)).marks
        return {one.words: (one.kind.value, one.reason, one.may_be_kept) for one in found}


async def withhold(held: Held, agency: str, *categories: str) -> None:
    """The family does not share something with an agency."""
    async with held.house.as_("job") as session:
        session.add(
            SharingRestriction(
                child_id=held.child,
                kind="choice",
                categories=list(categories),
                against=[held.house.agencies[agency]],
                from_on=date(2026, 1, 1),
                by_words="Her mother",
            )
        )
        await rewrite_access(session, held.child)


# The marks as an oracle -------------------------------------------------------------------------


async def test_the_marks_do_not_tell_who_else_was_talked_about(held: Held) -> None:
    # Theo Kestrel was on the same agenda; nobody knows a Felix Fox there.
    said = "It was Theo and Felix. So theo and felix. Like T and F too. Then TK and FF go."
    told = await marked(held, said)
    assert len(told) >= 7
    assert len(set(told.values())) == 1
    for there, elsewhere in (("Theo", "Felix"), ("theo", "felix"), ("T", "F"), ("TK", "FF")):
        assert told[there] == told[elsewhere]
    # Who runs the panel knows the agenda, and is told which it may be.
    runs = await marked(held, said, "coordinator")
    assert runs["Theo"][0] == MarkKind.OTHER_CHILD
    assert runs["Felix"][0] == MarkKind.THIRD_PARTY


async def test_no_false_alarm_for_who_does_not_know_the_agenda() -> None:
    blind = replace(CONTEXT, asked_blind=True)
    assert [sentence for sentence in CLEAN if marks(sentence, blind)] == []


async def test_a_reason_to_keep_a_name_holds_whoever_reads_it(held: Held) -> None:
    told = await marked(held, "Theo will come.")
    assert told["Theo"][0] == MarkKind.THIRD_PARTY
    gathered = await gather(held.house.tenant, held.child, "contacts", HELD)
    viewer = held.house.viewers["lead"]
    async with held.house.gate.open(held.child, viewer, PURPOSES, "tried it") as access:
        of = await note_of(access, gathered, "contacts", HELD, ())
        await keep_mark(of, "third_party", "Theo", "Her brother: they asked for it", 1)
    viewer = held.house.viewers["coordinator"]
    async with held.house.gate.open(held.child, viewer, PURPOSES, "tried it") as access:
        of = await note_of(access, gathered, "contacts", HELD, (held.house.panel_id,))
        page = await read_note(of)
        assert [one.kind for one in page.marks] == [MarkKind.OTHER_CHILD]
        assert page.open_marks == []


async def test_the_marks_do_not_tell_a_protected_address_to_who_writes(held: Held) -> None:
    await protect(held, held.father, "contact")
    guesses = ("WX3 9QR", "WX3 9QS", "14 Tern Street", "15 Tern Street", "01632 960 999")
    said = f"Is it {', or '.join(guesses)}?"
    # Whoever sees the address is told what is protected.
    seen = await marked(held, said)
    assert (seen["WX3 9QR"][0], seen["WX3 9QS"][0]) == (MarkKind.PROTECTED, MarkKind.ADDRESS)
    # It is kept from who writes the note as well: no guess is answered, and none may stay.
    await protect(held, held.house.viewers["lead"].id, "contact")
    told = await marked(held, said)
    assert set(told) == set(guesses)
    assert len(set(told.values())) == 1
    assert not next(iter(told.values()))[2]
    with pytest.raises(Invalid) as refused:
        await signed_as_it_is(held)
    asked = [one.sentence for one in refused.value.errors if one.sentence.startswith("“")]
    assert len(asked) == len(guesses)
    assert len({one.partition("”")[2] for one in asked}) == 1


async def signed_as_it_is(held: Held) -> None:
    gathered = await gather(held.house.tenant, held.child, "contacts", HELD)
    viewer = held.house.viewers["lead"]
    async with held.house.gate.open(held.child, viewer, PURPOSES, "tried it") as access:
        of = await note_of(access, gathered, "contacts", HELD, ())
        await sign_off(of, (), (await read_note(of)).note.version)


# Typed so that nothing is marked ----------------------------------------------------------------


@pytest.mark.parametrize(
    "hidden",
    ["14 T\u00adern Street", "14 T\u200bern Street", "WX\u20603 9QR", "\uff11\uff14 Tern Street",
     "14\u00a0Tern\u2011Street", "14 Tèrn Street"],
)  # fmt: skip
async def test_what_is_not_seen_hides_no_address(hidden: str) -> None:
    said = f"She is at {hidden} now."
    [mark] = marks(said, NoteContext(protected=("14 Tern Street", "WX3 9QR")))
    assert (mark.kind, mark.may_be_kept) == (MarkKind.PROTECTED, False)
    assert said[mark.start : mark.end] == hidden


async def test_what_is_not_seen_hides_no_name() -> None:
    context = NoteContext(others=(OtherChild(("Theo",), "Kestrel"),))
    said = "She sat with Th\u00adeo."
    [mark] = marks(said, context)
    assert (mark.words, said[mark.start : mark.end]) == ("Theo", "Th\u00adeo")


@pytest.mark.parametrize(
    "leak", ["Rosa will ring you.", "Ask Mrs Whitlow.", "They moved to Harrow Mill."]
)
async def test_a_part_of_what_could_tell_is_marked(held: Held, leak: str) -> None:
    assert await marked(held, leak) == {}
    await protect(held, held.father, "contact", "network")
    [told] = (await marked(held, leak)).values()
    assert (told[0], told[2]) == (MarkKind.PROTECTED, True)


async def test_random_words_do_not_keep_everybody_waiting() -> None:
    random = Random(1)  # noqa: S311 - the same words each time

    def word() -> str:
        return "".join(random.choice(ascii_lowercase) for _ in range(6))

    others = tuple(OtherChild((f"na{a}me{b}",), f"fa{b}mi{a}ly") for a, b in zip(
        ascii_lowercase, reversed(ascii_lowercase), strict=True
    ))  # fmt: skip
    compared = NoteContext(others=others)
    said = " ".join(word() for _ in range(2_800))
    plain = _seconds(said, NoteContext())
    # No limit in seconds: a few times what words cost that are compared with nobody.
    assert _seconds(said, compared) < 12 * plain


def _seconds(said: str, context: NoteContext) -> float:
    began = time.process_time()
    marks(said, context)
    return time.process_time() - began


# What the log tells -----------------------------------------------------------------------------


async def log_of(held: Held, who: str) -> Any:
    viewer = held.house.viewers[who]
    async with held.house.gate.open(held.child, viewer, PURPOSES, "tried it") as access:
        return await note_log(access, held.meeting, {})


async def test_an_incident_is_not_read_by_an_agency_from_which_it_is_withheld(held: Held) -> None:
    await signed(held)
    async with held.house.as_("job") as session:
        copy = (await session.scalars(every(NoteDelivery))).first()
        assert copy is not None
    viewer = held.house.viewers["coordinator"]
    async with held.house.gate.open(held.child, viewer, PURPOSES, "tried it") as access:
        await recall(
            access, held.meeting, copy.id, IncidentKind.WRONG_PERSON, "It went to her aunt"
        )
    assert [one.what for one in (await log_of(held, "lead")).incidents] == ["It went to her aunt"]
    await withhold(held, "health", "panel")
    assert [one.what for one in (await log_of(held, "lead")).incidents] == [""]
    assert [one.what for one in (await log_of(held, "coordinator")).incidents] != [""]


async def test_a_reply_is_not_read_where_the_question_is_withheld(held: Held) -> None:
    note = await signed(held)
    async with held.house.gate.open(
        held.child, held.family(held.mother), (Purpose.SUPPORT,), "asked"
    ) as access:
        await answer_note(access, note, Answer.QUESTION, "Is it about the shelter?")
    [row] = await rows_of(held, NoteAnswer)
    await withhold(held, "health", "views")
    lead, coordinator = held.house.viewers["lead"], held.house.viewers["coordinator"]
    async with held.house.gate.open(held.child, lead, PURPOSES, "tried it") as access:
        assert not access.may(Category.VIEWS)
        with pytest.raises(NotAllowed):
            await reply_to(access, held.meeting, row.id, "Yes")
    async with held.house.gate.open(held.child, coordinator, PURPOSES, "tried it") as access:
        await reply_to(access, held.meeting, row.id, "Yes, about the shelter.")
    assert [(one.text, one.reply) for one in (await log_of(held, "lead")).answers] == [(None, None)]
    [seen] = (await log_of(held, "coordinator")).answers
    assert seen.reply == "Yes, about the shelter."


async def test_whoever_declared_an_interest_does_not_read_the_note(
    client: Client, held: Held, sign_in: SignIn
) -> None:
    async with held.house.as_("job") as session:
        session.add(
            DeclaredInterest(
                child_id=held.child,
                meeting_id=held.meeting,
                worker_id=held.house.viewers["chair"].id,
                declared_at=datetime(2026, 11, 19, 10, 0, tzinfo=UTC),
                reason="She is my niece",
            )
        )
    await sign_in(held.house.viewers["chair"].id)
    answer = await client.get(held.page)
    assert answer.status_code == 403
    assert "You declared an interest in this child" in words(answer)
    assert "owes rent" not in answer.text


# What is drafted --------------------------------------------------------------------------------


async def test_nothing_is_drafted_that_is_withheld_from_a_reader(held: Held) -> None:
    async with held.house.as_("job") as session:
        session.add(
            Action(
                child_id=held.child,
                meeting_id=held.meeting,
                text="Find a place at the shelter",
                owner_words="Mum",
                due_on=date(2026, 12, 10),
                state="to_do",
            )
        )
    assert "shelter" in await drafted(held)
    await protect(held, held.father, "plan")
    assert not re.search("shelter|Mum", await drafted(held))


async def drafted(held: Held) -> str:
    gathered = await gather(held.house.tenant, held.child, "contacts", HELD)
    viewer = held.house.viewers["lead"]
    async with held.house.gate.open(held.child, viewer, PURPOSES, "tried it") as access:
        of = await note_of(access, gathered, "contacts", HELD, ())
        page = await read_note(of)
        assert "She sleeps well now." in page.note.text
        assert PLAIN not in page.note.text
        return page.note.text
