"""The same grants for consent, for cedarpy and for casbin: what each needs to decide them all.

A grant says with which agencies, how much, for what, from when until when. Each way here starts
from the grants and ends with a yes or no for every section of every child: what it builds first
(facts, policies, an enforcer) is counted.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import casbin
import cedarpy

from consent import (
    ADDITIONAL,
    BASIC,
    DEFAULT_DUTIES,
    Agreement,
    Category,
    Decision,
    Level,
    Purpose,
    Relationship,
    Role,
    Span,
    State,
    Tie,
    Viewer,
    ViewerKind,
    decide_all,
)

Answers = list[bool]

CHILDREN, GRANTS, AGENCIES = 240, 10, 8
PURPOSES = (Purpose.SUPPORT, Purpose.PANEL, Purpose.REVIEW)


@dataclass(frozen=True)
class Grant:
    """One agreement to share about one child."""

    agencies: tuple[int, ...]
    level: Level
    named: Category | None
    purposes: tuple[Purpose, ...]
    start: date
    end: date

    @property
    def categories(self) -> frozenset[Category]:
        """All that it covers."""
        covers = BASIC if self.level is Level.BASIC else BASIC | ADDITIONAL
        return covers | ({self.named} if self.named else frozenset())


def grants(today: date) -> list[list[Grant]]:
    """Ten for each child, some over, some yet to begin, some about others."""
    chance = random.Random(11)
    return [
        [
            Grant(
                tuple(sorted(chance.sample(range(AGENCIES), chance.randrange(1, 3)))),
                chance.choice((Level.BASIC, Level.BASIC, Level.ADDITIONAL)),
                chance.choice((None, None, *Category)),
                tuple(chance.sample(PURPOSES, chance.randrange(1, 4))),
                start := today - timedelta(days=chance.randrange(-30, 300)),
                start + timedelta(days=365 if chance.random() < 0.8 else 20),
            )
            for _ in range(GRANTS)
        ]
        for _ in range(CHILDREN)
    ]


# --- consent -------------------------------------------------------------------------------------

_WHO = UUID(int=1)
_MANAGER = Viewer(
    UUID(int=2), ViewerKind.WORKER, UUID(int=1000), "health", frozenset({Role.MANAGER})
)
"""A manager: the tie permits nothing by itself, so that only the grants do."""


def with_consent(all_grants: Sequence[Sequence[Grant]], today: date) -> list[Decision]:
    """Facts made from the grants, then a decision with its reasons for every section."""
    at = _morning(today)
    decided: list[Decision] = []
    for number, some in enumerate(all_grants):
        state = State(
            UUID(int=10_000 + number),
            (Relationship(Tie.MANAGER, _MANAGER.id),),
            tuple(
                Agreement(
                    id=_WHO,
                    given=True,
                    by=_WHO,
                    by_words="her mother",
                    agencies=frozenset([UUID(int=1000 + one) for one in grant.agencies]),
                    level=grant.level,
                    named=frozenset([grant.named] if grant.named else ()),
                    purposes=frozenset(grant.purposes),
                    span=Span(grant.start, grant.end),
                )
                for grant in some
            ),
            duties=DEFAULT_DUTIES,
        )
        decided += decide_all(_MANAGER, Purpose.SUPPORT, at, state).values()
    return decided


def _morning(today: date) -> datetime:
    return datetime(today.year, today.month, today.day, 9, 30, tzinfo=UTC)


# --- cedarpy -------------------------------------------------------------------------------------


def with_cedar_policies(all_grants: Sequence[Sequence[Grant]], today: date) -> Answers:
    """A policy a grant, a batch of sections a child: what Cedar's own guide would have."""
    answers: Answers = []
    for number, some in enumerate(all_grants):
        policies = "\n".join(_policy(number, grant) for grant in some)
        answers += _allowed(cedarpy.is_authorized_batch(_requests([number], today), policies, []))
    return answers


def with_cedar_at_once(all_grants: Sequence[Sequence[Grant]], today: date) -> Answers:
    """The same, with every child's policies and sections in one batch."""
    policies = "\n".join(
        _policy(number, grant) for number, some in enumerate(all_grants) for grant in some
    )
    children = range(len(all_grants))
    return _allowed(cedarpy.is_authorized_batch(_requests(children, today), policies, []))


_READERS = """
permit(principal, action == Action::"support", resource)
when { resource.readers.contains(principal) };
"""


def with_cedar_entities(all_grants: Sequence[Sequence[Grant]], today: date) -> Answers:
    """One policy, one batch; the grants stand in the entities, worked out by us beforehand."""
    entities = [
        entity
        for number, some in enumerate(all_grants)
        for entity in _sections(number, some, today)
    ]
    children = range(len(all_grants))
    return _allowed(cedarpy.is_authorized_batch(_requests(children, today), _READERS, entities))


def with_cedar_entities_by_child(all_grants: Sequence[Sequence[Grant]], today: date) -> Answers:
    """The same, a batch a child."""
    answers: Answers = []
    for number, some in enumerate(all_grants):
        entities = _sections(number, some, today)
        asked = _requests([number], today)
        answers += _allowed(cedarpy.is_authorized_batch(asked, _READERS, entities))
    return answers


def _sections(number: int, some: Sequence[Grant], today: date) -> list[dict[str, object]]:
    readers: dict[Category, set[int]] = {category: set() for category in Category}
    for grant in some:
        if Purpose.SUPPORT in grant.purposes and grant.start <= today <= grant.end:
            for category in grant.categories:
                readers[category].update(grant.agencies)
    return [
        {
            "uid": {"type": "Section", "id": f"{number}/{category}"},
            "attrs": {
                "readers": [
                    {"__entity": {"type": "Agency", "id": str(one)}} for one in sorted(agencies)
                ]
            },
            "parents": [],
        }
        for category, agencies in readers.items()
    ]


def _policy(number: int, grant: Grant) -> str:
    agencies = " || ".join(f'principal == Agency::"{one}"' for one in grant.agencies)
    actions = ", ".join(f'Action::"{purpose}"' for purpose in grant.purposes)
    sections = ", ".join(f'Section::"{number}/{category}"' for category in grant.categories)
    return (
        f"permit(principal, action in [{actions}], resource) when {{ ({agencies})"
        f" && [{sections}].contains(resource) && context.day >= {grant.start.toordinal()}"
        f" && context.day <= {grant.end.toordinal()} }};"
    )


def _requests(children: Sequence[int], today: date) -> list[dict[str, object]]:
    context = {"day": today.toordinal()}
    return [
        {
            "principal": 'Agency::"0"',
            "action": 'Action::"support"',
            "resource": f'Section::"{number}/{category}"',
            "context": context,
        }
        for number in children
        for category in Category
    ]


def _allowed(results: Sequence[cedarpy.AuthzResult]) -> Answers:
    return [result.decision is cedarpy.Decision.Allow for result in results]


# --- casbin --------------------------------------------------------------------------------------

_MODEL = """
[request_definition]
r = agency, section, purpose, day
[policy_definition]
p = agency, section, purpose, first, last
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.agency == p.agency && r.section == p.section && r.purpose == p.purpose \
 && r.day >= p.first && r.day <= p.last
"""


def with_casbin(all_grants: Sequence[Sequence[Grant]], today: date) -> Answers:
    """An enforcer a child, a line for each agency, section and purpose of a grant."""
    answers: Answers = []
    for some in all_grants:
        model = casbin.Enforcer.new_model(text=_MODEL)
        enforcer = casbin.Enforcer(model)
        enforcer.add_policies(
            sorted(
                {
                    (str(agency), str(category), str(purpose), str(grant.start), str(grant.end))
                    for grant in some
                    for agency in grant.agencies
                    for category in grant.categories
                    for purpose in grant.purposes
                }
            )
        )
        answers += enforcer.batch_enforce(
            [("0", str(category), "support", str(today)) for category in Category]
        )
    return answers
