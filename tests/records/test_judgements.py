"""What the access history keeps of a look: what was decided, and under what law."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec

from consent import (
    Agreement,
    Category,
    Purpose,
    Relationship,
    Role,
    State,
    Tie,
    Viewer,
    ViewerKind,
    stand,
)
from panel.records.judgements import Judgement

AGENCY = UUID(int=21)
WORKER = Viewer(UUID(int=11), ViewerKind.WORKER, AGENCY, "health", frozenset({Role.PRACTITIONER}))
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def logged(state: State, about: frozenset[Category]) -> object:
    judgement = Judgement(Purpose.SUPPORT, stand(WORKER, Purpose.SUPPORT, NOW, state))
    return msgspec.json.decode(judgement.logged(about))


def test_a_look_is_logged_with_its_law() -> None:
    agreement = Agreement(
        id=UUID(int=31),
        given=True,
        by=UUID(int=2),
        by_words="her mother",
        agencies=frozenset({AGENCY}),
    )
    state = State(UUID(int=1), (Relationship(Tie.TEAM, WORKER.id),), agreements=(agreement,))
    assert logged(state, frozenset({Category.IDENTITY, Category.PLAN, Category.HEALTH})) == {
        "health": "withheld: nothing",
        "identity": "own_record",
        "plan": "agreement",
        "law": {
            "own_record": "6(1)(e) 9(2)(h) direct_care",
            "agreement": "6(1)(e) 9(2)(h) agreement",
        },
    }


def test_a_look_that_saw_nothing_has_no_law() -> None:
    state = State(UUID(int=1), (Relationship(Tie.TEAM, WORKER.id),))
    assert logged(state, frozenset({Category.HEALTH})) == {"health": "withheld: nothing"}
