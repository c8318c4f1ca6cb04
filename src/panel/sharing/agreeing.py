"""A worker writes down what the family decided outside an assessment, or renews what they agreed.

What overlaps or says the same as before is refused with a sentence, unless whoever records it says
that it replaces the earlier word; then that word ends, for these agencies alone, and stays in the
history. Source: DOMAIN.md, "Agreement and the law".
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select

from consent import (
    Agreement,
    Capacity,
    Category,
    ChildStanding,
    Finding,
    Giver,
    Level,
    Purpose,
    Span,
    State,
    may_agree_to_share,
)
from panel.accounts.service import agencies
from panel.platform.problems import Gone, Invalid, NotFound
from panel.records.gate import Access
from panel.records.rehearsal import Turn
from panel.sharing.agreeing_forms import AgreementForm, RenewForm
from panel.sharing.agreeing_rules import overlaps, says_the_same
from panel.sharing.judging import judgements_of
from panel.sharing.models import SharingAgreement
from panel.sharing.objecting import is_about, open_objections
from panel.sharing.reading import Loss, differences, known_state
from panel.sharing.service import (
    Recorded,
    RecordedAs,
    SharingDecision,
    copy_of,
    live_agreements,
    one_at_a_time,
    record_agreement,
)
from panel.sharing.standing import (
    child_standing,
    family_facts,
    giver_words,
    possible_givers,
)
from panel.sharing.state import agreement_of
from panel.web.words import in_a_row, short_day, upper_first

CAPACITIES = {
    "parental_responsibility": Capacity.PARENTAL_RESPONSIBILITY,
    "own": Capacity.SELF,
    "own_competent": Capacity.SELF,
    "best_interests": Capacity.BEST_INTERESTS,
    "deputy_or_attorney": Capacity.DEPUTY,
    "deputy": Capacity.DEPUTY,
    "attorney": Capacity.ATTORNEY,
}
_JUDGED = {
    Capacity.SELF: frozenset({Finding.COMPETENT}),
    Capacity.BEST_INTERESTS: frozenset({Finding.LACKS_CAPACITY, Finding.BEST_INTERESTS}),
}


@dataclass(frozen=True, slots=True)
class GiverOption:
    """Somebody who could have decided, and whether the record says that they may."""

    person: UUID
    name: str
    relationship: str
    is_child: bool
    may_decide: bool
    why: str
    """Why they may decide today, or may not, in one sentence."""


@dataclass(frozen=True, slots=True)
class AgencyOption:
    """An agency that can be named."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Foretold:
    """What a conversation would become and change, if it were written down."""

    by_words: str
    objects: bool
    """Another parent agreed before: it becomes an objection, which is decided with both."""
    share_with: tuple[str, ...]
    not_share_with: tuple[str, ...]
    closes: tuple[Loss, ...]
    opens: tuple[Loss, ...]
    turn: Turn


async def foretell(access: Access, form: AgreementForm) -> Foretold:
    """What writing this down would change. It is done and undone, so it cannot differ.

    From its first day on, whether that is today or later. Raises as `record_conversation`.
    """
    was = await known_state(access)
    savepoint = await access.session.begin_nested()
    try:
        made = await record_conversation(access, form)
        becomes = await known_state(access)
    finally:
        await savepoint.rollback()
    starts = form.from_on or form.agreed_on
    turn = Turn(was, _from_its_day(was, becomes, starts, access.today))
    named = {*form.share_with, *form.not_share_with}
    closes, opens = await differences(access, turn, named)
    facts = await family_facts(access)
    known = {one.id: one.name for one in await agencies(access.session)}
    return Foretold(
        by_words=giver_words(access.child_id, form.by, facts, access.today) or "",
        objects=made.kind is RecordedAs.OBJECTION or made.objection is not None,
        share_with=tuple(known[one] for one in form.share_with),
        not_share_with=tuple(known[one] for one in form.not_share_with),
        closes=closes,
        opens=opens,
        turn=turn,
    )


def _from_its_day(was: State, becomes: State, starts: date, today: date) -> State:
    """The facts once the new word counts: as if its first day were today."""
    if starts <= today:
        return becomes
    known = {one.id for one in was.agreements}
    return replace(
        becomes,
        agreements=tuple(
            one if one.id in known else replace(one, span=Span(today, one.span.end))
            for one in becomes.agreements
            # What goes on until then is over by then.
            if one.id in known or one.span.end is None or one.span.end >= starts
        ),
    )


async def record_conversation(access: Access, form: AgreementForm) -> Recorded:
    """Write down what somebody decided. Raises what `record_agreement` raises, and Invalid where
    the same person said so before or agreed to something that overlaps."""
    access.require_write()
    given = form.decision == "agreed"
    await _known_agencies(access, {*form.share_with, *form.not_share_with})
    if given and form.until_on is None:
        raise Invalid.because("until", "Enter the last day on which it may be shared")
    capacity = CAPACITIES[form.capacity]
    decision = SharingDecision(
        by_person=form.by,
        capacity=capacity,
        given=given,
        agreed_on=form.agreed_on,
        agencies=frozenset(form.share_with),
        not_agencies=frozenset(form.not_share_with) if given else frozenset(),
        level=None if form.level is None else Level(form.level),
        named=frozenset(Category(one) for one in form.named),
        purposes=frozenset(Purpose(one) for one in form.purposes),
        from_on=form.from_on,
        until_on=form.until_on,
        how_explained=form.how_explained,
        evidence="\n".join(part for part in (form.judged_how, form.reasons) if part),
        interpreter=form.interpreter or None,
        judged=_JUDGED.get(capacity, frozenset()) if form.judged_how else frozenset(),
    )
    await one_at_a_time(access)
    await _clear_the_way(access, decision, replaces=form.replaces)
    return await record_agreement(access, decision)


async def renew_agreement(access: Access, agreement_id: UUID, form: RenewForm) -> Recorded:
    """The same person agrees to the same terms until a later day, in a new conversation.

    The earlier agreement gives way on the spot and stays in the history. Raises NotFound, Gone for
    one that was withdrawn or renewed, Invalid where the person may not agree (any more), where the
    end is no later, or while an objection to it is open.
    """
    access.require_write()
    await one_at_a_time(access)
    old = await renewable(access, agreement_id)
    for objection in await open_objections(access):
        if is_about(objection, old.agencies, old.purposes):
            raise Invalid.because(
                "agreed_on",
                "Somebody objected, and this is not decided yet. What was agreed goes on until its"
                " end: renew it when the objection is decided",
            )
    if old.until_on is not None and form.until_on <= old.until_on:
        raise Invalid.because(
            "until", f"The new end must be after the old one, {short_day(old.until_on)}"
        )
    terms = agreement_of(old)
    capacity = CAPACITIES[old.capacity]
    if old.until_on is None or old.until_on >= access.today:
        old.withdrawn_at = access.at
        await access.session.flush()
    return await record_agreement(
        access,
        SharingDecision(
            by_person=old.by_person_id,
            capacity=capacity,
            given=True,
            agreed_on=form.agreed_on,
            agencies=terms.agencies,
            not_agencies=terms.not_agencies | frozenset(old.objected or ()),
            level=terms.level,
            named=terms.named,
            purposes=terms.purposes,
            until_on=form.until_on,
            how_explained=form.how_explained,
            evidence=form.judged_how,
            interpreter=form.interpreter or None,
            judged=_JUDGED.get(capacity, frozenset()) if form.judged_how else frozenset(),
            renews=old.id,
        ),
    )


async def renewable(access: Access, agreement_id: UUID) -> SharingAgreement:
    """An agreement that was given and not withdrawn or renewed since. Raises NotFound, Gone."""
    access.require_write()
    row = await access.session.get(SharingAgreement, agreement_id, with_for_update=True)
    if row is None or row.child_id != access.child_id or not row.given:
        raise NotFound("There is no such agreement.")
    renewed = await access.session.scalar(
        select(SharingAgreement.id).where(SharingAgreement.renews_id == row.id)
    )
    if renewed is not None or row.withdrawn_at is not None:
        raise Gone(
            "This agreement was renewed or withdrawn already.",
            "If they agree again, record a new agreement on the sharing page.",
        )
    return row


async def giver_options(access: Access) -> tuple[GiverOption, ...]:
    """Who could have decided, each with what the record says of their standing today."""
    facts = await family_facts(access)
    standing = child_standing(access.child_id, facts, await judgements_of(access))
    options = []
    for one in await possible_givers(access):
        is_child = one.person == access.child_id
        words = giver_words(access.child_id, one.person, facts, access.today) or ""
        allowed, why = _standing_of(one.person, words, standing, access.today, is_child=is_child)
        options.append(GiverOption(one.person, one.name, one.relationship, is_child, allowed, why))
    return tuple(options)


async def agency_options(access: Access) -> tuple[AgencyOption, ...]:
    """Every agency of the authority, by name."""
    return tuple(AgencyOption(one.id, one.name) for one in await agencies(access.session))


def _standing_of(
    person: UUID, words: str, standing: ChildStanding, today: date, *, is_child: bool
) -> tuple[bool, str]:
    tried = (
        (Capacity.SELF,)
        if is_child
        else (Capacity.PARENTAL_RESPONSIBILITY, Capacity.DEPUTY, Capacity.ATTORNEY)
    )
    found = [may_agree_to_share(Giver(person, words, one), standing, today) for one in tried]
    allowed = next((one for one in found if one.allowed), None)
    return (True, allowed.why) if allowed is not None else (False, found[0].why)


async def _known_agencies(access: Access, named: set[UUID]) -> None:
    known = {one.id for one in await agencies(access.session)}
    if not named <= known:
        raise Invalid.because("share_with", "Choose agencies from the list")


async def _clear_the_way(access: Access, decision: SharingDecision, *, replaces: bool) -> None:
    """Refuse what was said before or overlaps it, or end the earlier word where it is replaced."""
    starts = decision.from_on or decision.agreed_on
    new = Agreement(
        id=access.child_id,
        given=decision.given,
        by=decision.by_person,
        by_words="",
        agencies=decision.agencies,
        not_agencies=decision.not_agencies,
        level=decision.level,
        named=decision.named,
        purposes=decision.purposes,
        span=Span(starts, decision.until_on),
    )
    for row in await live_agreements(access):
        old = agreement_of(row)
        same_words = says_the_same(new, old)
        if same_words and not new.given:
            raise Invalid.because(
                "decision", f"They refused this already, on {short_day(row.from_on)}"
            )
        if not overlaps(new, old):
            continue
        if same_words and not replaces:
            raise Invalid.because(
                "share_with",
                f"They agreed to the same already, from {short_day(row.from_on)}."
                " To give it another end, renew that agreement",
            )
        if not replaces:
            raise Invalid.because("replaces", await _overlap_words(access, row, new))
        _give_way_to(access, row, new, starts)
    await access.session.flush()


def _give_way_to(access: Access, row: SharingAgreement, new: Agreement, starts: date) -> None:
    """The earlier word ends for the agencies that are named anew, on the day the new one begins."""
    named_anew = [one for one in row.agencies if one in new.agencies]
    rest = [one for one in row.agencies if one not in new.agencies]
    still_not = [one for one in row.not_agencies if one not in new.agencies]
    row.withdrawn_at = access.at
    if rest or still_not:
        access.session.add(copy_of(row, agencies=rest, not_agencies=still_not))
    if starts > access.today and starts > row.from_on:
        until_then = copy_of(row, agencies=named_anew, not_agencies=[])
        until_then.until_on = starts - timedelta(days=1)
        access.session.add(until_then)


async def _overlap_words(access: Access, row: SharingAgreement, new: Agreement) -> str:
    known = {one.id: one.name for one in await agencies(access.session)}
    both = in_a_row(sorted(known[one] for one in row.agencies if one in new.agencies))
    return (
        f"{upper_first(row.by_words)} agreed to share with {both} before, from"
        f" {short_day(row.from_on)}. Tick that this replaces it, or choose other agencies or"
        " purposes"
    )
