"""A year of life, made up from a seed: who the children are and what happened to each, by date.

Pure: the same seed, day and meetings give the same stories. Everybody is invented, and obviously
so: birds and plants for surnames, NHS numbers from the range that is never given to anybody.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

from panel.demo.places import LEADS, WARDS
from panel.demo.sentences import (
    DISCUSSIONS,
    FAMILY,
    FINANCE,
    NEEDS,
    REFERRALS,
    SAFEGUARDING,
    SOCIAL_CARE,
    Need,
)
from panel.records.dates import months_after
from panel.records.nhs_number import check_digit

GIVEN = (
    "Amina", "Theo", "Freya", "Jakub", "Sofia", "Leon", "Nia", "Omar", "Grace", "Callum",
    "Noor", "Ellis", "Priya", "Ines", "Kai", "Zofia", "Bryn", "Aoife", "Tariq", "Mabel",
    "Idris", "Wren", "Oskar", "Leila", "Huw", "Anwen", "Dawit", "Esme", "Rafael", "Mina",
    "Jonah", "Sadia", "Piotr", "Maeve", "Kwame", "Lily", "Arjun", "Tilly", "Yusra", "Finn",
)  # fmt: skip
FAMILY_NAMES = (
    "Kestrel", "Bramble", "Wagtail", "Thistledown", "Linnet", "Sorrel", "Teasel", "Plover",
    "Dunlin", "Yarrow", "Sedgewren", "Curlew", "Tansy", "Avocet", "Larchwood", "Rowanberry",
    "Fieldfare", "Whimbrel", "Burdock", "Siskin", "Campion", "Dotterel", "Fennel", "Goldcrest",
    "Harebell", "Jackdaw", "Lapwing", "Meadowsweet", "Nuthatch", "Oystercatcher", "Pipit",
    "Quince", "Redstart", "Stonechat", "Treecreeper", "Vetchling", "Wheatear", "Yellowhammer",
)  # fmt: skip
MOTHERS = ("Marta", "Salma", "Joanne", "Efua", "Kasia", "Helen", "Rukhsana", "Bethan", "Dina")
FATHERS = ("Stefan", "Karim", "Paul", "Kojo", "Marek", "David", "Imran", "Gareth", "Luis")
LANGUAGES = ("English", "English", "English", "English", "Polish", "Urdu", "Welsh", "Arabic")
ETHNICITIES = ("white_british", "white_other", "asian_pakistani", "black_african", "mixed", "any")
STREETS = ("Teasel Close", "Kingfisher Row", "Old Quarry Lane", "Osier Street", "Mill Bank")


@dataclass(frozen=True, slots=True)
class Said:
    """A dated text in a category, by an agency."""

    on: date
    category: str
    agency: str
    text: str


@dataclass(frozen=True, slots=True)
class Sharing:
    """What the family agreed to. `agencies` None: all of the panel's and those involved."""

    kind: str = "agreed"
    """agreed, basic, nothing, withdrawn."""
    refused_agency: str = ""
    named: tuple[str, ...] = ()
    objection: bool = False
    """Father objects to what mother agreed."""
    protected_from_father: bool = False
    choice_against: str = ""
    """An agency from which the family withholds social care."""
    since: date = date.min
    until: date | None = None
    withdrawn_on: date | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """One child: who, and what happened when."""

    number: int
    given: str
    family: str
    sex: str
    born: date
    nhs_number: str
    need: Need
    ward: str
    ethnicity: str
    language: str
    address: str
    postcode: str
    mother: str
    father: str
    referred_on: date
    lead: str
    at_panel: bool = True
    """False: known to the agencies, never put forward to the panel."""
    shape: str = "usual"
    """What this child shows; `usual` for most."""
    household: int = 0
    """Children of one household have the same number above 0."""
    assessed_on: date | None = None
    draft_on: date | None = None
    planned_on: date | None = None
    lead_on: date | None = None
    lead_ended_on: date | None = None
    offered_on: date | None = None
    discussions: tuple[tuple[date, str], ...] = ()
    transition: str = ""
    transition_on: date | None = None
    escalated_on: date | None = None
    escalation: str = ""
    urgent_reason: str = ""
    closed_on: date | None = None
    moved_on: date | None = None
    entries: tuple[Said, ...] = ()
    words: str = ""
    words_on: date | None = None
    sharing: Sharing = field(default_factory=Sharing)

    @property
    def interpreter(self) -> str:
        """Who speaks between the family and the workers; empty where nobody has to."""
        spoken_by_many = self.language in ("English", "Welsh") or self.number % 3
        return "" if spoken_by_many else f"{self.language} interpreter"

    @property
    def last_discussed_on(self) -> date | None:
        """The last meeting that talked about the child."""
        return self.discussions[-1][0] if self.discussions else None

    @property
    def ready_on(self) -> date | None:
        """The day on which assessment, plan and lead were all there."""
        parts = (self.assessed_on, self.planned_on, self.lead_on)
        known = [part for part in parts if part is not None]
        return max(known) if len(known) == len(parts) and self.lead_ended_on is None else None


def nhs_number(number: int) -> str:
    """An NHS number of the range kept for examples (999), with a valid check digit."""
    stem = number
    while (digit := check_digit(f"999{stem:06d}")) == 10:
        stem += 500_000  # no NHS number begins with these nine
    return f"999{stem:06d}{digit}"


def stories(seed: int, count: int, today: date, meetings: Sequence[date]) -> list[Story]:
    """So many children with their year, the scripted ones first."""
    chance = Random(seed)  # noqa: S311 - invention, not secrecy
    past = [day for day in meetings if day < today]
    told = [_begin(number, chance, today) for number in range(1, count + 1)]
    told = _script(told, today, past)
    told = [_with_path(story, chance, today) for story in told]
    told = _hold_meetings(told, chance, past)
    return [_with_texts(story, chance, today) for story in told]


def _begin(number: int, chance: Random, today: date) -> Story:
    family = FAMILY_NAMES[(number * 7 + chance.randrange(3)) % len(FAMILY_NAMES)]
    given = GIVEN[(number - 1) % len(GIVEN)] if number <= len(GIVEN) else chance.choice(GIVEN)
    born = today - timedelta(days=chance.randrange(240, 7 * 365))
    age = (today - born).days
    referred = today - timedelta(days=chance.randrange(5, min(430, max(age - 60, 6))))
    house = chance.randrange(1, 120)
    return Story(
        number=number,
        given=given,
        family=family,
        sex=chance.choice(("female", "male")),
        born=born,
        nhs_number=nhs_number(number * 37 % 499_979),
        need=chance.choice(NEEDS),
        ward=chance.choice(WARDS)[0],
        ethnicity=chance.choice(ETHNICITIES),
        language=chance.choice(LANGUAGES),
        address=f"{house} {chance.choice(STREETS)}, Wexcombe",
        postcode=f"WX{chance.randrange(1, 9)} {chance.randrange(1, 9)}ZZ",
        mother=chance.choice(MOTHERS),
        father=chance.choice(FATHERS),
        referred_on=referred,
        lead=LEADS[number % len(LEADS)] if LEADS[number % len(LEADS)] != "idris" else "beth",
        sharing=Sharing(since=referred),
    )


def newcomer(number: int, chance: Random, today: date) -> Story:
    """A child who comes to the agencies today, of whom nothing more is known yet."""
    return replace(_begin(number, chance, today), referred_on=today, sharing=Sharing(since=today))


SHAPES = (
    "escalation", "twin", "twin", "transition", "review_due", "no_plan", "nothing_shared",
    "leaver", "refused_agency", "two_parents", "protected_address", "urgent", "no_assessment",
    "offered_lead", "overdue_review", "moved", "withdrawn", "choice", "sibling", "sibling",
    "basic", "named", "young_person", "expected_school",
)  # fmt: skip
"""What the first children show, one each, in this order."""


NOT_YET_DISCUSSED = frozenset({
    "no_plan", "urgent", "no_assessment", "offered_lead", "twin", "nothing_shared", "withdrawn",
    "sibling", "protected_address", "basic", "leaver", "young_person",
})  # fmt: skip


def _script(told: list[Story], today: date, past: Sequence[date]) -> list[Story]:
    """Give the first children their parts: everything that a newcomer should be shown."""
    scripted = list(told)
    for place, shape in enumerate(SHAPES[: len(told)]):
        scripted[place] = _as_shape(told[place], shape, today, past)
    for first, second in ((1, 2), (18, 19)):
        if second < len(scripted):
            scripted[second] = _sibling_of(scripted[second], scripted[first])
    return scripted


def _as_shape(story: Story, shape: str, today: date, past: Sequence[date]) -> Story:
    recent = today - timedelta(days=24 + story.number % 12)
    shaped = replace(
        story,
        shape=shape,
        referred_on=recent,
        born=today - timedelta(days=900 + 31 * story.number),
        sharing=Sharing(since=recent),
        lead=("rosa", "hana", "tom")[story.number % 3],
    )
    due_now = shape in ("escalation", "review_due", "overdue_review")
    back = 13 if due_now else 3 + story.number % 8
    old = past[-back] if len(past) > back else today - timedelta(days=200)
    reviewed = {
        "escalation", "transition", "review_due", "overdue_review", "moved", "choice",
        "refused_agency", "two_parents", "expected_school", "named",
    }  # fmt: skip
    if shape in reviewed:
        long_ago = old - timedelta(days=30)
        shaped = replace(shaped, referred_on=long_ago, sharing=Sharing(since=long_ago))
    change = _SHAPED.get(shape)
    return shaped if change is None else change(shaped, today)


_SHAPED: dict[str, Callable[[Story, date], Story]] = {
    "escalation": lambda one, day: replace(
        one, escalated_on=day - timedelta(days=4), escalation="No equipment since September"
    ),
    "transition": lambda one, day: replace(
        one, transition="starts Reception", transition_on=day + timedelta(days=60)
    ),
    "nothing_shared": lambda one, _day: replace(one, sharing=replace(one.sharing, kind="nothing")),
    "refused_agency": lambda one, _day: replace(
        one, sharing=replace(one.sharing, refused_agency="disabled-children")
    ),
    "two_parents": lambda one, _day: replace(one, sharing=replace(one.sharing, objection=True)),
    "protected_address": lambda one, _day: replace(
        one, sharing=replace(one.sharing, protected_from_father=True)
    ),
    "withdrawn": lambda one, day: replace(
        one, sharing=replace(one.sharing, kind="withdrawn", withdrawn_on=day - timedelta(days=6))
    ),
    "choice": lambda one, _day: replace(
        one, sharing=replace(one.sharing, choice_against="together")
    ),
    "basic": lambda one, _day: replace(one, sharing=replace(one.sharing, kind="basic")),
    "named": lambda one, _day: replace(
        one, sharing=replace(one.sharing, named=("finance", "safeguarding"))
    ),
    "urgent": lambda one, _day: replace(
        one, urgent_reason="The family lose their home on Friday and the carer is ill."
    ),
    "moved": lambda one, day: replace(one, moved_on=day - timedelta(days=40)),
    "young_person": lambda one, day: replace(
        one, born=months_after(day, -16 * 12) - timedelta(days=40), given="Robin", at_panel=False
    ),
    "expected_school": lambda one, day: replace(
        one, transition="starts at Larkfield Primary", transition_on=day + timedelta(days=80)
    ),
    "twin": lambda one, _day: replace(one, household=1),
    "sibling": lambda one, _day: replace(one, household=2),
}


def _sibling_of(story: Story, first: Story) -> Story:
    born = first.born if first.shape == "twin" else first.born - timedelta(days=730)
    return replace(
        story,
        family=first.family,
        born=born,
        mother=first.mother,
        father=first.father,
        address=first.address,
        postcode=first.postcode,
        ward=first.ward,
        language=first.language,
        referred_on=first.referred_on,
        need=first.need,
        lead=first.lead,
    )


AT_PANEL = 0.23
"""Share of the children whom the panel follows now; as many again were followed and are closed."""


def _with_path(story: Story, chance: Random, today: date) -> Story:
    """Assessment, plan and lead professional, as far as the days since the referral allow."""
    assessed = story.referred_on + timedelta(days=chance.randrange(6, 14))
    planned = assessed + timedelta(days=chance.randrange(2, 9))
    led = story.referred_on + timedelta(days=chance.randrange(3, 12))
    path = replace(
        story,
        assessed_on=assessed if assessed <= today else None,
        draft_on=None if assessed <= today else story.referred_on,
        planned_on=planned if planned <= today else None,
        lead_on=led if led <= today else None,
        offered_on=None if led <= today else story.referred_on,
    )
    lacking = {
        "no_plan": replace(path, planned_on=None),
        "urgent": replace(path, planned_on=None),
        "no_assessment": replace(
            path, assessed_on=None, planned_on=None, draft_on=story.referred_on
        ),
        "offered_lead": replace(path, lead_on=None, offered_on=today - timedelta(days=3)),
        "leaver": replace(path, lead_ended_on=today - timedelta(days=7), lead="idris"),
    }
    path = lacking.get(story.shape, path)
    if story.shape == "usual":
        fate = chance.random()
        if fate > 2 * AT_PANEL:
            path = replace(path, at_panel=False)
        elif fate > AT_PANEL:
            gone = story.referred_on + timedelta(days=90)
            path = replace(path, closed_on=gone if gone < today else None)
    return path


def _hold_meetings(told: list[Story], chance: Random, past: Sequence[date]) -> list[Story]:
    """Hold every past meeting: twelve children each, the new ones first, then reviews due."""
    by_number = {story.number: story for story in told}
    for day in past:
        waiting = [
            story
            for story in by_number.values()
            if story.at_panel
            and story.shape not in NOT_YET_DISCUSSED
            and story.ready_on is not None
            and story.ready_on <= day
            and (story.closed_on is None or story.closed_on > day)
            and (story.last_discussed_on is None or _is_due(story, day))
        ]
        waiting.sort(key=lambda story: (story.last_discussed_on is not None, _waits_since(story)))
        for story in waiting[:12]:
            said = chance.choice(DISCUSSIONS)
            by_number[story.number] = replace(story, discussions=(*story.discussions, (day, said)))
    return [by_number[story.number] for story in told]


def _is_due(story: Story, day: date) -> bool:
    last = story.last_discussed_on
    if last is None or story.shape in ("overdue_review", "review_due"):
        return False
    return months_after(last, 6) - timedelta(days=13) <= day


def _waits_since(story: Story) -> date:
    return story.last_discussed_on or story.ready_on or story.referred_on


def _with_texts(story: Story, chance: Random, today: date) -> Story:
    """What was written down on the way."""
    name, need = story.given, story.need
    start = story.referred_on
    span = max((today - start).days - 1, 1)

    def some_day() -> date:
        return start + timedelta(days=chance.randrange(span))

    entries = [
        Said(start, "health", "paediatrics", need.health.format(n=name)),
        Said(some_day(), "development", "health-visiting", need.development.format(n=name)),
        Said(some_day(), "education", "early-years", need.education.format(n=name)),
        Said(some_day(), "health", "paediatrics", need.event.format(n=name)),
    ]
    if chance.random() < 0.5 or story.shape in ("choice", "refused_agency"):
        text = chance.choice(SOCIAL_CARE)
        entries.append(Said(some_day(), "social_care", "disabled-children", text))
    if chance.random() < 0.6:
        entries.append(Said(some_day(), "family", "health-visiting", chance.choice(FAMILY)))
    if chance.random() < 0.25 or story.shape == "named":
        entries.append(Said(some_day(), "finance", "together", chance.choice(FINANCE)))
    if chance.random() < 0.12 or story.shape == "named":
        text = chance.choice(SAFEGUARDING)
        entries.append(Said(some_day(), "safeguarding", "disabled-children", text))
    if story.moved_on is not None:
        text = "Moved home within the borough; the nursery stays the same."
        entries.append(Said(story.moved_on, "contact", "health-visiting", text))
    has_words = story.shape != "usual" or chance.random() < 0.6
    return replace(
        story,
        entries=tuple(sorted(entries, key=lambda one: (one.on, one.category))),
        words=need.parent.format(n=name) if has_words else "",
        words_on=today - timedelta(days=chance.randrange(1, 9)) if has_words else None,
    )


def referral_reason(story: Story) -> str:
    """Why the child was referred."""
    return REFERRALS[story.number % len(REFERRALS)]
