"""The invented authority's directory: twenty providers and some sixty services of theirs."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from sqlalchemy.ext.asyncio import AsyncSession

from panel.demo import places
from panel.demo.asking import WISHES, Wish
from panel.directory.facts import AreaFacts, PlaceFacts, ProviderFacts, ServiceFacts
from panel.directory.service import add_provider, add_service
from panel.directory.statement import NewStatement, publish
from panel.directory.vocabulary import Route, Status
from panel.platform.clock import at_nine
from panel.records.dates import months_after

PROVIDERS = (
    ("Wexcombe Together", "voluntary"), ("Marlow Riding Group", "voluntary"),
    ("Fenside Community Centre", "voluntary"), ("The Willow Trust", "voluntary"),
    ("Larkfield Out of School", "private"), ("Open Door Play", "voluntary"),
    ("Wexcombe Council Short Breaks", "council"), ("Quarry Hill Leisure", "council"),
    ("Wex Valley Sitters", "private"), ("Bright Steps Therapy", "private"),
    ("Community Children’s Nursing", "health"), ("Speech and Language Therapy", "health"),
    ("St Osyth Youth Club", "voluntary"), ("Stepping Stones Nursery", "education"),
    ("Wexcombe Parent Carer Forum", "voluntary"), ("Wexshire Deaf Children’s Society", "voluntary"),
    ("Sounds and Signs", "voluntary"), ("Rowan House", "private"),
    ("Wexcombe Information and Advice", "voluntary"), ("Downs Adventure Base", "voluntary"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of service that several providers have, each in its own way."""

    name: str
    what: str
    kind: str
    breaks: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    ages: tuple[int, int] = (0, 18)
    route: Route = Route.SELF
    unit: str | None = "session"
    access: tuple[str, ...] = ()


LEARNING = ("severe_learning_difficulty", "moderate_learning_difficulty", "down_syndrome")
KINDS = (
    Kind("Saturday club", "Games, cooking and a quiet room, with one helper for two children.",
         "short_break", ("activities", "evenings_weekends_holidays"),
         ("autistic_spectrum_disorder",), (5, 11), access=("quiet_space",)),
    Kind("Swimming", "A warm pool and a trained helper in the water.", "play_and_leisure",
         ("activities",), ("physical_disability", "global_delay"), (4, 16),
         access=("hoist", "changing_places")),
    Kind("Overnight stay", "One night or two in a small house with its own garden.", "short_break",
         ("overnight",), ("profound_multiple_learning_difficulty", "complex_medical"), (8, 18),
         Route.PANEL, "night", ("hoist", "step_free")),
    Kind("Sitting at home", "A trained sitter comes, so that you can go out.", "short_break",
         ("daytime", "evenings_weekends_holidays"), (), (0, 18), Route.WORKER, "hour",
         ("comes_to_you",)),
    Kind("Holiday scheme", "Five days in the school holidays, with outings.", "short_break",
         ("activities", "evenings_weekends_holidays"), LEARNING, (5, 15), access=("step_free",)),
    Kind("Youth evening", "Music, pool and a café, once a week.", "play_and_leisure",
         ("activities", "evenings_weekends_holidays"), (), (12, 25)),
    Kind("Communication group", "Six weeks with a therapist and other families.", "therapy",
         (), ("speech_language_communication", "autistic_spectrum_disorder"), (2, 7),
         Route.WORKER, access=("quiet_space",)),
    Kind("Signing for families", "Learn to sign together with your child.", "family_support",
         (), ("hearing_impairment",), (0, 11), access=("sign_language", "hearing_loop")),
    Kind("Advice and a listening ear", "By telephone or over a cup of tea.", "information",
         (), (), (0, 25), unit=None, access=("online",)),
    Kind("Day nursery place", "A place with a key person who knows your child’s needs.",
         "childcare", ("daytime",), (), (0, 4), access=("step_free",)),
)  # fmt: skip
HOW_MANY = 60


@dataclass(frozen=True, slots=True)
class Granted:
    """A service that the allocation panel grants, as its provider tells everybody of it.

    Not in the words of a request: those are about a child, and sealed.
    """

    name: str
    what: str


GRANTED = {
    "saturdays": Granted("One-to-one Saturdays",
                         "Games and outings. A worker stays beside your child all the time."),
    "care_at_home": Granted("Personal care at home",
                            "Trained carers wash, dress and settle a child."),
    "overnight": Granted("Breaks with a host family",
                         "A child stays with an approved carer, who gets to know them first."),
    "waking_nights": Granted("Waking night care",
                             "A trained worker sits up with a child who is ill or not safe alone."),
    "therapy": Granted("Therapy in early years settings",
                       "Speech, occupational and physiotherapy where young children play."),
    "swimming": Granted("Signed swimming",
                        "Small groups in a warm pool. The teacher signs and speaks."),
}  # fmt: skip
"""By the key that a wish names it by."""


async def write_directory(session: AsyncSession, seed: int, today: date) -> None:
    """Write it: the same for the same seed."""
    # Services are older than the terms of which figures say how many places there were.
    began = at_nine(months_after(today, -14))
    chance = Random(f"directory {seed}")  # noqa: S311 - an invented directory, no secret
    made = []
    for number, (name, kind) in enumerate(PROVIDERS):
        key = f"provider{number}"
        made.append(
            await add_provider(
                session,
                ProviderFacts(
                    name,
                    "An invented provider of the demonstration.",
                    kind,
                    f"office@{key}.example",
                    # 01632 960000 to 960999 are kept for stories and belong to nobody.
                    f"01632 9608{number:02}",
                    f"https://{key}.example/",
                ),
            )
        )
    for number in range(HOW_MANY):
        kind_of = KINDS[number % len(KINDS)]
        provider = made[(number * 7) % len(made)]
        service = await add_service(session, provider.id, _facts(chance, number, kind_of, today))
        service.created_at = began
        if service.places_free is not None:
            service.places_as_of = today - timedelta(days=chance.randint(0, 130))
    for number, wish in enumerate(WISHES):
        provider = made[(number * 3) % len(made)]
        await add_service(session, provider.id, _granted(wish))
    await publish(session, _statement(today), 0)


def _facts(chance: Random, number: int, kind: Kind, today: date) -> ServiceFacts:
    ward = chance.choice(places.WARDS)
    served = chance.sample(places.WARDS, chance.randint(0, 3))
    capacity = chance.choice((6, 8, 12, 20)) if kind.unit else None
    closed = number % 13 == 12
    youngest, oldest = kind.ages
    price = chance.choice(("Free", "£3.50 a session", "£12 a day", "What you can give"))
    return ServiceFacts(
        name=f"{kind.name} at {ward[1]}",
        description=kind.what,
        kind=kind.kind,
        status=Status.CLOSED_FOR_NOW if closed else Status.ACTIVE,
        closed_until=today + timedelta(days=40) if closed else None,
        phone=f"01632 9607{number:02}",
        min_age=youngest,
        max_age=oldest,
        needs_met=kind.needs,
        accessibility=kind.access,
        languages=("en", *chance.sample(("ur", "pl", "bn", "so"), chance.randint(0, 1))),
        breaks=kind.breaks,
        cost="" if price == "Free" else price,
        free=price == "Free",
        referral_route=kind.route,
        capacity=capacity,
        places_free=None if capacity is None else chance.choice((0, 0, 1, 2, 4)),
        unit=kind.unit,
        unit_cost=None,
        places=(PlaceFacts(f"{ward[1]} Hall", f"High Street, {ward[1]}, Wexshire", "WX1 1AA"),),
        areas=tuple(AreaFacts(name, code) for code, name in sorted(served)),
    )


def _granted(wish: Wish) -> ServiceFacts:
    """What the allocation panel is asked for: its price is for the authority's eyes."""
    service = GRANTED[wish.service]
    return ServiceFacts(
        name=service.name,
        description=f"{service.what} The allocation panel decides who gets it.",
        kind="short_break",
        min_age=0,
        max_age=25,
        languages=("en",),
        referral_route=Route.PANEL,
        unit=wish.unit.value,
        unit_cost=wish.price,
    )


def _statement(today: date) -> NewStatement:
    return NewStatement(
        "Any disabled child or young person who lives in Wexcombe can use the clubs and groups."
        " Just ask.\nFor help at home a worker asks for you. For a night away we look at how your"
        " family manages, and the allocation panel decides.",
        "Carers told us that they need rest at weekends and in the holidays, near home. So most of"
        " our breaks are then, and each part of Wexcombe has one.",
        "Carers asked for more breaks for teenagers. We started two youth evenings.",
        today - timedelta(days=80),
        today + timedelta(days=285),
    )
