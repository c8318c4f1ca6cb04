"""The pages on which a family chooses who may see what."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from panel.families.choice_forms import Asked
from panel.families.choice_words import (
    KINDS,
    THINGS,
    asked_words,
    decided_words,
    law_words,
    sees_words,
    sentences,
    system_waits_words,
    system_words,
    things,
    waits_words,
    why_not_words,
)
from panel.sharing.asking_family import AskedOfFamily
from panel.sharing.choice_views import HowFar
from panel.sharing.choices import AgencyChoice, Choices, Switch
from panel.sharing.choosing import Foreseen
from panel.sharing.choosing_rules import COVERS, Act, Kind
from panel.web import words

AT_ONCE_FOR_A_SYSTEM = "It works at once, when the computer asks the next time."
SAID = {HowFar.ON: "Yes", HowFar.PART: "Some of it", HowFar.OFF: "No"}
STOP, SHARE, SHARE_REST = "Stop sharing this", "Share this", "Share all of this"


@dataclass(frozen=True, slots=True)
class Button:
    """A button: what it sends, what it says, and about whom for those who do not see the page."""

    change: str
    text: str
    about: str


@dataclass(frozen=True, slots=True)
class SwitchLine:
    """One kind of information: its name, what it is, whether it is shared, what can be pressed."""

    name: str
    what: str
    state: str
    buttons: Sequence[Button]
    why_none: str


@dataclass(frozen=True, slots=True)
class AgencyPart:
    """One agency on the page."""

    anchor: str
    name: str
    sees: str
    system: str
    """Whether its own computer system gets it, too; empty where nothing is agreed."""
    decided: Sequence[str]
    by_law: Sequence[str]
    waits: Sequence[str]
    switches: Sequence[SwitchLine]
    whole: Sequence[Button]
    one_by_one: str
    """What opens the switches."""
    action: str


@dataclass(frozen=True, slots=True)
class AskedPart:
    """Somebody asks to see more: what is answered with yes, no, or a call."""

    anchor: str
    said: Sequence[str]
    reason: str
    action: str
    yes: Button
    no: Button
    call_action: str
    """Empty where the family asked for it already."""
    about: str


@dataclass(frozen=True, slots=True)
class ChoicesPage:
    """Who may see what, and what can be chosen."""

    title: str
    lead: str
    why_not: Sequence[str]
    tel: str
    phone: str
    asked: Sequence[AskedPart]
    agencies: Sequence[AgencyPart]
    panel: Sequence[str]
    new_href: str
    looks_href: str


@dataclass(frozen=True, slots=True)
class ChoicePage:
    """One choice, rehearsed before it is made."""

    title: str
    changes: Sequence[str]
    at_once: str
    keeps: str
    next: Sequence[str]
    """What happens next where it is not settled at once."""
    either_way: Sequence[tuple[str, str]]
    asks_until: bool
    button: str
    is_stop: bool
    change: str
    mark: str
    action: str
    back_href: str
    back_words: str


def choices_page(
    choices: Choices,
    asked: Sequence[AskedOfFamily],
    child: str,
    *,
    is_self: bool,
    base: str,
    ask: str,
    phone: str,
    tel: str,
) -> ChoicesPage:
    """The page of a child's choices; `base` is its address, `ask` the sentence of whom to ask."""
    why_not = choices.voice.why_not
    may = choices.voice.capacity is not None
    return ChoicesPage(
        title=_about(child, is_self=is_self),
        lead="You choose. You can change your mind at any time, and you will still get help."
        if may
        else "",
        why_not=() if why_not is None else why_not_words(why_not, child or "your child", ask),
        phone=phone,
        tel=tel,
        asked=[_asked_part(one, base) for one in asked],
        agencies=[
            _agency_part(one, base, ask, may=may, is_self=is_self) for one in choices.agencies
        ],
        panel=[law_words("The people who run the panel", one) for one in choices.panel],
        new_href=f"{base}/new" if may and choices.others else "",
        looks_href=base.removesuffix("/choices") + "/looks",
    )


def _asked_part(one: AskedOfFamily, base: str) -> AskedPart:
    about = f": {THINGS[one.category]}, {one.agency}"
    family = base.removesuffix("/choices")
    return AskedPart(
        anchor=f"asked-{one.id}",
        said=asked_words(one),
        reason=one.reason,
        action=f"{base}/{one.agency_id}",
        yes=Button(Asked(Act.SHARE, one.category).word, "Yes", about),
        no=Button(Asked(Act.REFUSE, one.category).word, "No", about),
        call_action="" if one.wants_a_call else f"{family}/requests/{one.id}",
        about=about,
    )


def _about(child: str, *, is_self: bool) -> str:
    title = "Who may see what"
    whom = "you" if is_self else child
    return f"{title} about {whom}" if whom else title


def _agency_part(one: AgencyChoice, base: str, ask: str, *, may: bool, is_self: bool) -> AgencyPart:
    return AgencyPart(
        anchor=f"agency-{one.agency_id}",
        name=one.name,
        sees=sees_words(one),
        system=system_words(one),
        decided=[decided_words(said, is_self=is_self) for said in one.decided],
        by_law=[law_words(one.name, law) for law in one.by_law],
        waits=()
        if one.objection_due is None
        else waits_words(one.objection_due, by_me=one.objection_is_mine),
        switches=list(_switch_lines(one, ask)) if may else (),
        whole=list(_whole(one)) if may else (),
        one_by_one=f"Choose what {one.name} may see",
        action=f"{base}/{one.agency_id}",
    )


def _whole(one: AgencyChoice) -> Iterator[Button]:
    said_no = one.objection_is_mine and not one.mine_is_on
    if not said_no and any(switch.state is not HowFar.OFF for switch in one.switches):
        change = Asked(Act.STOP, Kind.EVERYTHING).word
        yield Button(change, f"Stop sharing with {one.name}", "")
    system_waits = one.system.objection_due is not None and one.system.said_yes
    if one.mine_is_on and one.objection_due is None and not system_waits:
        change = Asked(Act.KEEP, Kind.EVERYTHING).word
        yield Button(change, "Change the last day", f" for {one.name}")


def _switch_lines(one: AgencyChoice, ask: str) -> Iterator[SwitchLine]:
    for switch in one.switches:
        yield _switch_line(switch, one, ask)
    if one.system.could or one.system.gets:
        yield _system_line(one, ask)


def _system_line(one: AgencyChoice, ask: str) -> SwitchLine:
    """The switch of the agency's own computer system."""
    (name, what), state = KINDS[Kind.SYSTEM], one.system.state
    about = f": {words.lower_first(name)}, {one.name}"
    buttons: list[Button] = []
    why_none = ""
    if one.system.may_stop:
        buttons.append(Button(Asked(Act.STOP, Kind.SYSTEM).word, STOP, about))
    if state is not HowFar.ON:
        if one.system.is_barred:
            why_none = f"Somebody else said no to this. {ask}"
        elif one.system.objection_due is None:
            text = SHARE_REST if state is HowFar.PART else SHARE
            buttons.append(Button(Asked(Act.SHARE, Kind.SYSTEM).word, text, about))
    due = one.system.objection_due
    if due is not None and one.objection_due is None:
        why_none = system_waits_words(due, by_me=one.system.objection_is_mine)
    return SwitchLine(name, what, SAID[state], buttons, why_none)


def _switch_line(switch: Switch, one: AgencyChoice, ask: str) -> SwitchLine:
    name, what = KINDS[switch.kind]
    about = f": {words.lower_first(name)}, {one.name}"
    stop = Button(Asked(Act.STOP, switch.kind).word, STOP, about)
    text = SHARE_REST if switch.state is HowFar.PART else SHARE
    share = Button(Asked(Act.SHARE, switch.kind).word, text, about)
    if COVERS[switch.kind] <= one.anyway:
        return SwitchLine(name, what, SAID[HowFar.ON], (), "The law says that they may see this.")
    why_none = ""
    buttons: list[Button] = []
    if switch.state is not HowFar.OFF and (one.mine_is_on or not one.objection_is_mine):
        buttons.append(stop)
    if switch.state is not HowFar.ON:
        if COVERS[switch.kind] & one.barred:
            why_none = f"Somebody else said no to this. {ask}"
        elif one.objection_due is None:
            buttons.append(share)
    return SwitchLine(name, what, SAID[switch.state], buttons, why_none)


def choice_page(foreseen: Foreseen, asked: Asked, base: str) -> ChoicePage:
    """A choice before it is made."""
    name = foreseen.after.name
    stops, of_system = asked.act is Act.STOP, asked.about is Kind.SYSTEM
    says_no = asked.act in {Act.STOP, Act.REFUSE}
    return ChoicePage(
        title=_title(asked, name),
        changes=list(_changes(foreseen, asked)),
        at_once=""
        if asked.act in {Act.KEEP, Act.REFUSE}
        else AT_ONCE_FOR_A_SYSTEM
        if of_system
        else "It works at once: on the next page they open, in the next papers for a meeting and"
        " in the next message.",
        keeps=_keeps(name, of_system=of_system) if stops else "",
        next=list(_next(foreseen, of_system=of_system)),
        either_way=_either_way(foreseen, asked),
        asks_until=not says_no,
        button={
            Act.STOP: "Yes, stop sharing",
            Act.SHARE: "Yes, share this",
            Act.KEEP: "Yes, go on sharing",
            Act.REFUSE: "I say no",
        }[asked.act],
        is_stop=says_no,
        change=asked.word,
        mark=foreseen.mark,
        action=f"{base}/{foreseen.after.agency_id}",
        back_href=f"{base}#agency-{foreseen.after.agency_id}",
        back_words="Go back" if asked.act is Act.REFUSE else "No, leave it as it is",
    )


def _keeps(name: str, *, of_system: bool) -> str:
    if of_system:
        return f"What the computer of {name} has now, it keeps."
    return f"What people at {name} wrote themselves, they keep."


def _title(asked: Asked, name: str) -> str:
    if asked.act is Act.KEEP:
        return f"Go on sharing with {name}?"
    verb = {Act.STOP: "Stop sharing", Act.REFUSE: "Say no to sharing"}.get(asked.act, "Share")
    if asked.about is Kind.EVERYTHING:
        return f"{verb} with {name}?"
    if asked.about is Kind.SYSTEM:
        return f"{verb} with the computer of {name}?"
    if isinstance(asked.about, Kind):
        what = words.lower_first(KINDS[asked.about][0])
    else:
        what = words.in_a_row(things([asked.about]))
    return f"{verb} {what} with {name}?"


def _changes(foreseen: Foreseen, asked: Asked) -> Iterator[str]:
    pairs = ((foreseen.before, foreseen.after), *foreseen.elsewhere)
    said = [sentence for before, after in pairs for sentence in _change(before, after)]
    yield from said
    name = foreseen.after.name
    if asked.act is Act.KEEP:
        yield f"{name} sees the same as now, until the day that you choose."
        if foreseen.after.system.gets:
            yield "Its computer gets the same as now, until that day."
    elif not said and not foreseen.objects:
        sees = f"The computer of {name} gets" if asked.about is Kind.SYSTEM else f"{name} sees"
        yield f"{sees} nothing more and nothing less than now."
    for law in foreseen.after.by_law:
        yield law_words(name, law, "can still see")


def _change(before: AgencyChoice, after: AgencyChoice) -> Iterator[str]:
    lost = [one for one in before.sees if one not in after.sees]
    won = [one for one in after.sees if one not in before.sees]
    if lost:
        opening = f"{after.name} no longer sees"
        yield sentences(opening, "It no longer sees", lost, "or")
    if won:
        yield sentences(f"{after.name} may see", "It may also see", won, "and")
    lost = [one for one in before.system.gets if one not in after.system.gets]
    won = [one for one in after.system.gets if one not in before.system.gets]
    whose = f"{after.name} has its own computer."
    if lost:
        yield f"{whose} {sentences('It no longer gets', 'It no longer gets', lost, 'or')}"
    if won:
        yield f"{whose} {sentences('It gets', 'It also gets', won, 'and')}"


def _next(foreseen: Foreseen, *, of_system: bool) -> Iterator[str]:
    if foreseen.objects:
        yield "Somebody else who may choose said yes here. So your no is not the last word."
        yield "The people who run the panel ask both of you why. Then they decide."
        before, after = foreseen.before, foreseen.after
        due = after.system.objection_due if of_system else after.objection_due
        if due is not None:
            yield f"You should know by {words.day(due)}."
        # What was agreed on the very day of a no waits with it.
        waits = (
            set(before.system.gets) - set(after.system.gets)
            if of_system
            else set(before.sees) - set(after.sees)
        )
        yield (
            "Until then it is not shared." if waits else ("Until then what is shared now goes on.")
        )
    if foreseen.takes_over:
        yield "You choose alone now. What you leave as it is goes on as your own choice."


def _either_way(foreseen: Foreseen, asked: Asked) -> Sequence[tuple[str, str]]:
    if asked.about is Kind.SYSTEM and asked.act in {Act.STOP, Act.SHARE}:
        return _either_way_of_system(foreseen, stops=asked.act is Act.STOP)
    match asked.act:
        case Act.STOP:
            until = foreseen.before.mine_until
            leave = (
                "It goes on as it is."
                if until is None
                else (f"It goes on until {words.short_day(until)}.")
            )
            return (
                ("If you stop", "They know less when they help. They may ask you more."),
                ("If you leave it", leave),
            )
        case Act.SHARE:
            return (
                ("If you share", "They know more when they help. They need to ask you less."),
                ("If you do not", "Nothing changes. You still get help."),
            )
        case Act.REFUSE:
            return (
                ("If you say no", "They do not see it. You still get help."),
                ("If you leave it", "If nobody answers in time, that is a no too."),
            )
        case Act.KEEP:
            return (
                ("If you go on", "They see it until the day that you choose."),
                ("If you do not", "It ends on the day that was set. You still get help."),
            )


def _either_way_of_system(foreseen: Foreseen, *, stops: bool) -> Sequence[tuple[str, str]]:
    people = f"People at {foreseen.after.name}"
    if stops:
        return (
            ("If you stop", f"{people} still see it here. They may have to type more."),
            ("If you leave it", "It goes on as it is."),
        )
    return (
        ("If you share", f"{people} find it in their own notes. They need to type less."),
        ("If you do not", f"Nothing changes. {people} still see it here."),
    )


def agency_options(choices: Choices) -> list[tuple[str, str]]:
    """The other agencies, for a list to choose from."""
    return [(str(one), name) for one, name in choices.others]


def kind_options() -> list[tuple[str, str, str]]:
    """What can be shared with a new agency: value, label, hint."""
    return [
        (Asked(Act.SHARE, kind).word, KINDS[kind][0], KINDS[kind][1])
        for kind in (Kind.BASIC, Kind.MORE)
    ]
