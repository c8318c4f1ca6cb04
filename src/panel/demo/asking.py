"""Who asks the invented allocation panel for what, when, and what the panel makes of it.

Pure: the same seed, children and meetings give the same requests.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from random import Random

from consent import Category
from panel.allocation.criteria_service import CriterionWords
from panel.allocation.rules import Grounds, Kind, LegalBasis, NeedCode, Unit, Urgency
from panel.demo.story import Story
from panel.records.dates import working_days_before

ONE_IN = 6
"""One child of so many asks for something over the year."""
AT_LEAST = 9
"""Requests, however few children there are: so that each kind of outcome is there."""
PAPERS = 6
"""Working days before a meeting until which its requests come in: it is settled a day later."""
SETTLED = 8
"""Days after which a letter was read and the family may ask again."""
SOON = 75
"""Days after the assessment within which a request is sent."""
SHOWN = frozenset({
    "usual", "transition", "review_due", "overdue_review", "moved", "expected_school",
    "offered_lead", "twin", "sibling", "no_plan",
})  # fmt: skip
"""Shapes of children who may ask; the others show something else."""
NEED_CODES = {
    "speech_language_communication": NeedCode.SLCN,
    "autistic_spectrum_disorder": NeedCode.ASD,
    "physical_disability": NeedCode.PD,
    "hearing_impairment": NeedCode.HI,
    "global_delay": NeedCode.SLD,
    "complex_medical": NeedCode.PMLD,
}


class Fate(StrEnum):
    """What becomes of a request."""

    MEETING = "meeting"
    """The panel decides at a meeting."""
    CHAIR = "chair"
    """The chair acts between meetings, and it waits to be ratified."""
    WAITS = "waits"
    """Sent, and before the next meeting."""
    DRAFT = "draft"
    """Begun, and not sent."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Something that families ask for, what it costs, and who pays."""

    service: str
    """Which of the directory's services it is: that has words of its own, for everybody."""
    name: str
    """What it is called in a package."""
    asked_for: str
    need: str
    outcome: str
    tried: str
    wishes: str
    basis: LegalBasis
    category: Category
    units: int
    part: int
    """How much of it is agreed where a part is."""
    unit: Unit
    price: Decimal
    law: str | None
    payers: tuple[tuple[str, int, str], ...]
    """Agency, parts of a hundred, and the pot."""
    criterion: str
    why: str
    """In the words of a letter to the family: why it is needed."""


SHORT_BREAKS, POOLED = "Short breaks", "Joint care and equipment"
TEAM, BOARD, EARLY_YEARS = "disabled-children", "icb", "early-years"


WISHES = (
    Wish(
        "saturdays",
        "Saturday club with one helper for each child",
        "Forty-eight Saturday sessions a year at a club with one helper for each child",
        "There is no day of the week on which anybody else looks after {n}.",
        "{n} plays with other children each Saturday, and the family has a morning.",
        "The open play session, four times: too loud, and nobody knew how to help.",
        "We would like Saturdays, and the same person each time.",
        LegalBasis.S17, Category.SOCIAL_CARE, 48, 24, Unit.SESSION, Decimal("38.00"), "s17",
        ((TEAM, 100, SHORT_BREAKS),), "D1",
        "A day with other children helps, and you need time to rest",
    ),
    Wish(
        "care_at_home",
        "Help at home, mornings and evenings",
        "Three hours of help at home each week, 156 hours a year",
        "Two adults are needed at bath time and bedtime, and one is at work then.",
        "{n} is washed and in bed by eight without anybody being hurt.",
        "A bath seat and lifting lessons. It is still too much for one.",
        "Somebody we know, who comes at six.",
        LegalBasis.CSDPA2, Category.SOCIAL_CARE, 156, 104, Unit.HOUR, Decimal("21.40"), None,
        ((TEAM, 100, SHORT_BREAKS),), "D2",
        "Bath time and bedtime take two people",
    ),
    Wish(
        "overnight",
        "Nights away from home with the same carer",
        "Twenty-four nights a year away from home",
        "{n} wakes five times a night, and nobody has slept through since the spring.",
        "Both parents sleep two nights each month.",
        "The sleep clinic for ten weeks, and the hints of the health visitor.",
        "One weekend a month, with a room of the same carer.",
        LegalBasis.S20, Category.SOCIAL_CARE, 24, 12, Unit.NIGHT, Decimal("295.00"), "s20",
        ((TEAM, 60, POOLED), (BOARD, 40, POOLED)), "D1",
        "You have not slept well for a long time",
    ),
    Wish(
        "waking_nights",
        "A night carer at home",
        "A night carer on two nights a week, 104 nights a year",
        "{n} needs somebody awake at night who can give the rescue medicine.",
        "{n} is safe at night, and both parents sleep four nights a week.",
        "Alarms and a shared rota with the grandmother, who is ill now.",
        "A carer who has been trained by the ward.",
        LegalBasis.CONTINUING_CARE, Category.HEALTH, 104, 52, Unit.NIGHT, Decimal("148.50"), None,
        ((BOARD, 75, POOLED), (TEAM, 25, POOLED)), "D3",
        "Somebody has to be awake at night to keep your child safe",
    ),
    Wish(
        "therapy",
        "Therapy at nursery",
        "Thirty-six sessions of therapy a year at nursery",
        "The six sessions that are usual have ended, and the new words are going again.",
        "{n} asks for help with a word or a sign at nursery.",
        "Six sessions at the centre, and the picture book at home.",
        "At nursery, so that the staff see how it is done.",
        LegalBasis.EHCP, Category.EDUCATION, 36, 24, Unit.SESSION, Decimal("62.00"), None,
        ((EARLY_YEARS, 50, POOLED), (BOARD, 50, POOLED)), "D4",
        "The plan says that your child needs this help",
    ),
    Wish(
        "swimming",
        "Swimming lessons with somebody who signs",
        "Ten swimming lessons with somebody who signs",
        "{n} is happy in water, and cannot follow the teacher of the group.",
        "{n} swims with other children.",
        "The usual lessons, twice.",
        "Anything in the holidays would do.",
        LegalBasis.LOCAL_OFFER, Category.EDUCATION, 10, 5, Unit.SESSION, Decimal("12.50"), None,
        ((TEAM, 100, SHORT_BREAKS),), "P1",
        "Your child learns a lot in water",
    ),
)  # fmt: skip
CRITERIA = (
    CriterionWords("D1", "A break from caring is needed", "Caring goes on day and night, or there"
                   " is nobody else at home to help.", is_duty=True),
    CriterionWords("D2", "Help at home is needed", "Washing, eating, moving or going to bed takes"
                   " more than a parent of any child of this age can give.", is_duty=True),
    CriterionWords("D3", "Health needs go beyond usual services", "The checklist for continuing"
                   " care was filled in and says so.", is_duty=True),
    CriterionWords("D4", "It stands in an EHC plan", "Section F names it, or the plan is being"
                   " changed so that it will.", is_duty=True),
    CriterionWords("P1", "The child would gain from it", "Any child with a disability; the panel"
                   " looks at what there is and at who has had least.", is_duty=False),
)  # fmt: skip
LESS = {
    Kind.IN_PART: (Grounds.NO_CAPACITY, "There is room for a part of it now"),
    Kind.DEFERRED: (Grounds.OTHER, "We need the report of the visit to your home first"),
    Kind.DECLINED: (Grounds.NOT_ELIGIBLE, "Your child has this help already in another way"),
}
"""Why less is agreed, and in the words of the letter."""
NO_MONEY = "There is not enough money for this now. Children who must have help come first"
MET = (
    "The nursery gives the same help under its own plan since September.",
    "What there is now goes on until the panel has decided.",
)
"""Why nothing stays unmet: of what is declined, and of what is deferred."""
IN_THEIR_WORDS = {
    Kind.IN_PART: (
        "Half of it is better than nothing, but we are still tired.",
        "Nobody told us that there would be a list.",
    ),
    Kind.DEFERRED: (
        "We do not know how to go on until then.",
        "We told all of this to the health visitor in the spring.",
    ),
    Kind.DECLINED: (
        "The help that there is ends at four o’clock. The evenings are what is hard.",
        "We would have to give up work.",
    ),
}
CONDITION_MET = "Settled on the telephone, and the letter is on the file."
VISITOR = "Ida Marsh, social worker"
VISIT = "The room is the same as last time. The carer knows the signs for eat, home and enough."
GROUNDS_OF_APPEAL = "The panel did not know that the place at nursery ends at Christmas."


@dataclass(frozen=True, slots=True)
class Ask:
    """One child's request."""

    story: Story
    wish: Wish
    sent_on: date
    """Or begun, while it is a draft."""
    fate: Fate
    kinds: tuple[Kind, ...] = ()
    """What is decided, first and each later time."""
    leaves_unmet: bool = True
    appeals: bool = False
    reference: str = ""
    urgency: Urgency = Urgency.ROUTINE


@dataclass(frozen=True, slots=True)
class Asked:
    """The requests of the year, by the child's number, with the panel's days."""

    days: tuple[date, ...]
    """The meetings that were held."""
    by_number: dict[int, Ask] = field(default_factory=dict)

    def for_meeting(self, day: date) -> list[Ask]:
        """What is sent since the papers of the meeting before closed, in order."""
        closes = working_days_before(day, PAPERS)
        before = [working_days_before(one, PAPERS) for one in self.days if one < day]
        opens = max(before, default=date.min)
        return self._sent(
            one for one in self.by_number.values()
            if one.fate is Fate.MEETING and opens < one.sent_on <= closes
        )  # fmt: skip

    def of(self, fate: Fate) -> list[Ask]:
        """Those of one fate, in order."""
        return self._sent(one for one in self.by_number.values() if one.fate is fate)

    @property
    def placed(self) -> Ask | None:
        """Whose request is for a place out of the area: nights, if there are any, and the first."""
        agreed = [
            one
            for one in self.by_number.values()
            if one.fate is Fate.MEETING and one.kinds == (Kind.AGREED,)
        ]
        order = (LegalBasis.S20, LegalBasis.S17)
        return min(
            agreed,
            key=lambda one: (
                order.index(one.wish.basis) if one.wish.basis in order else len(order),
                one.sent_on,
                one.story.number,
            ),
            default=None,
        )

    @staticmethod
    def _sent(found: Iterable[Ask]) -> list[Ask]:
        return sorted(found, key=lambda one: (one.sent_on, one.story.number))


def asked(seed: int, told: Sequence[Story], days: Sequence[date], today: date) -> Asked:
    """Who asks, for what and when; `days` are all meetings of the allocation panel."""
    luck = Random(f"{seed}|asking")  # noqa: S311 - invention, not secrecy
    held = tuple(day for day in days if day < today)
    if len(held) < 2:
        return Asked(held)
    able = [
        one
        for one in told
        if one.shape in SHOWN
        and one.assessed_on is not None
        and one.closed_on is None
        and one.lead_ended_on is None
        and one.sharing.kind == "agreed"
        and one.assessed_on < today - timedelta(days=4)
    ]
    wanted = max(AT_LEAST, len(told) // ONE_IN)
    shown = [one for one in able if one.shape != "usual"]
    usual = [one for one in able if one.shape == "usual"]
    chosen = (shown + luck.sample(usual, min(len(usual), max(wanted - len(shown), 0))))[:wanted]
    chosen.sort(key=lambda one: (one.assessed_on, one.number))
    return Asked(held, {one.story.number: one for one in _asks(luck, chosen, held, today)})


OPENING = (Kind.DECLINED, Kind.IN_PART, Kind.DEFERRED, Kind.AGREED)
"""What the first four are told, all at the last meetings, so that each is there to be seen."""
USUALLY = (
    Kind.AGREED, Kind.IN_PART, Kind.AGREED, Kind.DECLINED, Kind.AGREED, Kind.DEFERRED, Kind.AGREED,
    Kind.IN_PART,
)  # fmt: skip


def _asks(
    luck: Random, chosen: Sequence[Story], held: tuple[date, ...], today: date
) -> Iterator[Ask]:
    late = max(2, len(chosen) // 12)
    still = [Fate.DRAFT, Fate.CHAIR, *[Fate.WAITS] * late]
    earlier, recent = chosen[: -len(still)], chosen[-len(still) :]
    last = working_days_before(held[-1], PAPERS)
    # An appeal needs a decision that was read; everything else may be of the last meeting.
    read = [day for day in held if day <= today - timedelta(days=SETTLED)] or held[:1]
    for place, story in enumerate(earlier):
        ready = _ready(story)
        opening = place < len(OPENING)
        kind = OPENING[place] if opening else USUALLY[place % len(USUALLY)]
        closes = working_days_before(read[-1] if place == 0 else held[-1], PAPERS)
        first = max(ready, closes - timedelta(days=20) if opening else ready)
        span = min((closes - first).days, SOON)
        if span < 0:
            continue
        yield replace(
            _ask(luck, story, first + timedelta(days=luck.randrange(span + 1)), Fate.MEETING),
            kinds=(kind, Kind.AGREED) if kind is Kind.DEFERRED else (kind,),
            leaves_unmet=kind is Kind.IN_PART or place % 3 > 0,
            appeals=place == 0,
        )
    for fate, story in zip(still, recent, strict=False):
        first = max(_ready(story), last + timedelta(days=1))
        span = max((today - timedelta(days=2) - first).days, 0)
        yield _ask(luck, story, first + timedelta(days=luck.randrange(span + 1)), fate)


def _ready(story: Story) -> date:
    """From when on the child's assessment is there."""
    return (story.assessed_on or story.referred_on) + timedelta(days=2)


def _ask(luck: Random, story: Story, sent_on: date, fate: Fate) -> Ask:
    medical = story.need.key == "complex_medical"
    could = [
        one
        for one in WISHES
        if (one.basis is LegalBasis.CONTINUING_CARE) == medical or one.basis is LegalBasis.S17
    ]
    return Ask(
        story,
        luck.choice(could),
        sent_on,
        fate,
        reference=f"R-{luck.getrandbits(32):08X}",
        urgency=Urgency.URGENT if fate is Fate.CHAIR else luck.choice(_URGENCIES),
    )


_URGENCIES = (Urgency.ROUTINE, Urgency.ROUTINE, Urgency.SOON)
