"""Somebody of a family chooses for themselves who may see what: rehearsed, then written down.

The rules are those of a conversation that a worker writes down (`record_agreement`): who may
decide, what becomes an objection, what is never deleted. A rehearsal does it and undoes it, so it
cannot differ from what is done. Source: DOMAIN.md, "Agreement and the law".
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from uuid import UUID

from consent import Agreement, Capacity, Category
from consent.facts import covered
from panel.accounts.service import agencies
from panel.platform.problems import Invalid
from panel.records.gate import Access
from panel.records.rehearsal import Turn
from panel.sharing.asking_family import asked_purposes
from panel.sharing.choices import AgencyChoice, Choices, Voice, choices_of
from panel.sharing.choosing_rules import (
    Act,
    Change,
    Kept,
    Wish,
    Word,
    change_of,
    measured,
    usual_end,
)
from panel.sharing.models import SharingAgreement
from panel.sharing.reading import known_state
from panel.sharing.service import (
    RecordedAs,
    SharingDecision,
    copy_of,
    live_agreements,
    one_at_a_time,
    record_agreement,
)
from panel.sharing.standing import FamilyFacts, family_facts
from panel.sharing.state import agreement_of

ON_THEIR_PAGE = "Said on the family's page by themselves."
READ_THERE = "Read on the family's page before they chose."
NOT_THEIRS = "You cannot choose this here. Nothing was changed. Read below whom to ask"
UNKNOWN_AGENCY = "Choose from the list"
CHANGED_SINCE = "This has changed since you opened the page. Nothing was done. Please read it again"
WAITS = "Somebody said no, and it is not decided yet. You can choose again when it is"
NOTHING_FOR_A_SYSTEM = "They see nothing here now, so their computer gets nothing"
NOTHING_TO_KEEP = "You share nothing here now, so there is no end to change"
BEFORE_TODAY = "The last day cannot be in the past. Choose a later day"


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a choice would change, and what it would not."""

    before: AgencyChoice
    after: AgencyChoice
    elsewhere: tuple[tuple[AgencyChoice, AgencyChoice], ...]
    """Other agencies for which it changes something: before and after."""
    objects: bool
    """It is a no to what somebody else agreed, so it is decided with both."""
    takes_over: bool
    """What was said for the young person becomes their own word."""
    until: date
    mark: str
    """The same as long as the page would say the same."""
    turn: Turn | None = None
    """The facts before and after, for what other rooms say; None once it was done."""


async def foresee(access: Access, wish: Wish) -> Foreseen:
    """What would change if the viewer chose this. Raises Invalid where they cannot."""
    facts = await family_facts(access)
    before = await choices_of(access)
    wish = await _checked(access, wish, before, facts)
    was = await known_state(access)
    savepoint = await access.session.begin_nested()
    try:
        objects, takes_over = await _carry_out(access, wish, before.voice)
        after = await choices_of(access)
        turn = Turn(was, await known_state(access))
    finally:
        await savepoint.rollback()
    foreseen = _foreseen(wish, before, after, objects=objects, takes_over=takes_over)
    return replace(foreseen, turn=turn)


async def choose(access: Access, wish: Wish, mark: str) -> Foreseen:
    """The viewer chooses what they read: written down, at work from the next page.

    Raises Invalid where they may not, where a day is wrong, and where what they read has changed.
    """
    await one_at_a_time(access)
    facts = await family_facts(access)
    before = await choices_of(access)
    wish = await _checked(access, wish, before, facts)
    objects, takes_over = await _carry_out(access, wish, before.voice)
    done = _foreseen(wish, before, await choices_of(access), objects=objects, takes_over=takes_over)
    if done.mark != mark:
        raise Invalid.because("change", CHANGED_SINCE)
    return done


def _capacity_of(voice: Voice) -> Capacity:
    """In which capacity the viewer chooses. Raises Invalid for who has none."""
    if voice.capacity is None:
        raise Invalid.because("change", NOT_THEIRS)
    return voice.capacity


async def _checked(access: Access, wish: Wish, choices: Choices, facts: FamilyFacts) -> Wish:
    """The wish with its end, where the viewer may choose it. Raises Invalid."""
    voice = choices.voice
    capacity = _capacity_of(voice)
    if wish.agency not in {one.id for one in await agencies(access.session)}:
        raise Invalid.because("change", UNKNOWN_AGENCY)
    if wish.act is Act.REFUSE and voice.kept_from:
        # They are asked nothing; and whether it became an objection would tell who else agreed.
        raise Invalid.because("change", NOT_THEIRS)
    about = _of(choices, wish.agency)
    wish = _about_system(wish, about) if wish.system else wish
    if wish.act in {Act.STOP, Act.REFUSE}:
        return replace(wish, until=None)
    if about is not None and _waits(wish, about) and not voice.alone:
        raise Invalid.because("change", WAITS)
    if wish.act is Act.KEEP and (about is None or not about.mine_is_on):
        raise Invalid.because("change", NOTHING_TO_KEEP)
    parental = capacity is Capacity.PARENTAL_RESPONSIBILITY
    usual = usual_end(access.today, facts.born, parental=parental)
    if wish.act is Act.SHARE and about is not None and about.mine_until is not None:
        usual = about.mine_until
    until = wish.until or usual
    if until < access.today:
        raise Invalid.because("until", BEFORE_TODAY)
    purposes = wish.purposes | await asked_purposes(access, wish.agency, wish.what)
    return replace(wish, until=until, purposes=purposes)


def _waits(wish: Wish, about: AgencyChoice) -> bool:
    """Whether a no to what the wish shares is not decided; another last day is for both."""
    of_people = about.objection_due is not None
    of_system = about.system.objection_due is not None
    if wish.act is Act.KEEP:
        return of_people or (of_system and about.system.said_yes)
    return of_system if wish.system else of_people


def _about_system(wish: Wish, about: AgencyChoice | None) -> Wish:
    """A wish about an agency's system, with what that gets. Raises Invalid."""
    if wish.act is Act.SHARE:
        if about is None or not about.system.could:
            raise Invalid.because("change", NOTHING_FOR_A_SYSTEM)
        return replace(wish, what=about.system.could)
    if about is None or not about.system.may_stop:
        raise Invalid.because("change", NOT_THEIRS)
    return wish


async def _carry_out(access: Access, wish: Wish, voice: Voice) -> tuple[bool, bool]:
    """Write it down; whether it became an objection, and whether others' words were taken over."""
    rows = {row.id: row for row in await live_agreements(access)}
    me = access.viewer.id
    said = [agreement_of(row) for row in rows.values()]
    # To somebody from whom something is kept even an objection would tell who else agreed.
    change = change_of(wish, said, me, alone=voice.alone, says_no=not voice.kept_from)
    for kept in change.keeps:
        access.session.add(_goes_on(rows[kept.of], kept))
    for ended in change.ends:
        rows[ended].withdrawn_at = access.at
    await access.session.flush()
    recorded = [
        await record_agreement(access, _decision(access, voice, word)) for word in change.says
    ]
    objects = any(one.kind is RecordedAs.OBJECTION or one.objection for one in recorded)
    return objects, voice.alone and _others_spoke(said, me, change)


def _others_spoke(said: Sequence[Agreement], me: UUID, change: Change) -> bool:
    return bool(change.says) and any(one.by != me for one in said)


def _goes_on(row: SharingAgreement, kept: Kept) -> SharingAgreement:
    """The part of a word that stays, from the same day; said to be so by whoever chose."""
    rest = copy_of(row, agencies=sorted(kept.agencies), not_agencies=[])
    if kept.purposes is not None:
        rest.purposes = sorted(kept.purposes)
        rest.evidence = ON_THEIR_PAGE
    elif kept.agencies.isdisjoint(row.agencies) or kept.covers == covered(agreement_of(row)):
        rest.not_agencies = list(row.not_agencies)
    if kept.covers != covered(agreement_of(row)):
        level, named = measured(kept.covers)
        rest.level, rest.named = level, sorted(named)
        rest.evidence = ON_THEIR_PAGE
    return rest


def _decision(access: Access, voice: Voice, word: Word) -> SharingDecision:
    level, named = measured(word.covers)
    return SharingDecision(
        by_person=access.viewer.id,
        capacity=_capacity_of(voice),
        given=word.given,
        agreed_on=access.today,
        agencies=word.agencies,
        not_agencies=word.not_agencies,
        level=level,
        named=named,
        purposes=word.purposes,
        until_on=word.until,
        how_explained=READ_THERE,
        evidence=ON_THEIR_PAGE,
        renews=word.renews,
    )


def _foreseen(
    wish: Wish, before: Choices, after: Choices, *, objects: bool, takes_over: bool
) -> Foreseen:
    was = {one.agency_id: one for one in before.agencies}
    now = {one.agency_id: one for one in after.agencies}
    names = {**dict(before.others), **{key: one.name for key, one in was.items()}}
    blank = _nothing(wish.agency, names[wish.agency])
    elsewhere = tuple(
        (was.get(key, _nothing(key, one.name)), one)
        for key, one in now.items()
        if key != wish.agency and _opened(one) != _opened(was.get(key))
    )
    first, last = was.get(wish.agency, blank), now.get(wish.agency, blank)
    read = (
        wish.act.value, wish.agency, sorted(wish.what), first.sees, last.sees, last.by_law, objects,
        takes_over, [(one.agency_id, one.sees, other.sees) for one, other in elsewhere],
        first.system.gets, last.system.gets,
    )  # fmt: skip
    return Foreseen(
        before=first,
        after=last,
        elsewhere=elsewhere,
        objects=objects,
        takes_over=takes_over,
        until=wish.until or before.today,
        mark=sha256(repr(read).encode()).hexdigest()[:16],
    )


def _opened(one: AgencyChoice | None) -> tuple[set[Category], set[Category]]:
    """What the people of an agency see, and what its system gets."""
    return (set(), set()) if one is None else (set(one.sees), set(one.system.gets))


def _of(choices: Choices, agency: UUID) -> AgencyChoice | None:
    return next((one for one in choices.agencies if one.agency_id == agency), None)


def _nothing(agency: UUID, name: str) -> AgencyChoice:
    hidden = tuple(Category)
    return AgencyChoice(
        agency_id=agency, name=name, sees=(), hidden=hidden, by_law=(), anyway=frozenset(),
        decided=(), switches=(),
        mine_until=None, mine_is_on=False, objection_due=None, objection_is_mine=False,
        barred=frozenset(),
    )  # fmt: skip
