"""What fits a child and why, and what would but for one thing: the rules, without a database."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from panel.directory.matching import Candidate, Count, Reason, Wanted, match
from panel.directory.vocabulary import EVERYWHERE, Status

TODAY = date(2026, 11, 23)
SAID = date(2026, 11, 2)
AUTISM, SPEECH = "autistic_spectrum_disorder", "speech_language_communication"


def service(number: int, **said: Any) -> Candidate:
    known: dict[str, Any] = {
        "name": f"Service {number}", "needs": (AUTISM,), "min_age": 5, "max_age": 11,
        "areas": ("W1",), "languages": ("en", "ur"), "access": ("hoist",), "places_free": 2,
        "places_as_of": SAID, "points": ((51.5, -1.0),),
    }  # fmt: skip
    return Candidate(id=UUID(int=number), **(known | said))


WANTED = Wanted(
    age=7, needs=(AUTISM,), ward="W1", languages=("ur",), access=("hoist",),
    near=(51.5, -1.0), within_km=10,
)  # fmt: skip

WHY_NOT = {
    Reason.CAPACITY: ({"places_free": 0}, "Full (said 2 November 2026)"),
    Reason.CLOSED: (
        {"status": Status.CLOSED_FOR_NOW, "closed_until": date(2026, 12, 24)},
        "Closed until 24 December 2026",
    ),
    Reason.DISTANCE: ({"points": ((51.7, -1.0),)}, "22.2 km away: further than 10 km"),
    Reason.AREA: ({"areas": ("W2",)}, "Serves other wards"),
    Reason.LANGUAGE: ({"languages": ("en",)}, "Does not say that it speaks Urdu"),
    Reason.ACCESS: ({"access": ()}, "Does not say that it has: hoist"),
    Reason.AGE: ({"min_age": 8}, "Takes ages 8 to 11"),
    Reason.NEED: (
        {"needs": (SPEECH,)},
        "For speech, language and communication",
    ),
}


@pytest.mark.parametrize("reason", list(Reason))
def test_it_says_the_one_thing_for_which_a_service_does_not_fit(reason: Reason) -> None:
    said, words = WHY_NOT[reason]
    found = match(WANTED, [service(1, **said)], TODAY)
    assert found.fitting == Count(0)
    assert found.but_for == {reason: Count(1)}
    assert (found.found[0].obstacle, found.found[0].why_not) == (reason, words)


def test_it_says_why_a_service_fits() -> None:
    found = match(WANTED, [service(1)], TODAY)
    assert found.fitting == Count(1)
    assert found.found[0].why == (
        "For autism",
        "Takes ages 5 to 11",
        "Serves this ward",
        "0.0 km away",
        "Speaks Urdu",
        "Hoist",
        "2 places free (said 2 November 2026)",
    )
    old = match(WANTED, [service(1, places_as_of=date(2026, 5, 1))], TODAY).found[0].why[-1]
    assert old == "2 places free (said 1 May 2026, which is long ago: ask)"


def test_the_best_comes_first_and_what_ended_or_fails_twice_not_at_all() -> None:
    services = [
        service(1, status=Status.ENDED),
        service(2, places_free=0, areas=("W2",)),
        service(3, places_free=0),
        service(4, places_free=None, places_as_of=None),
        service(5, areas=(EVERYWHERE,), points=((51.51, -1.0),)),
        service(6, needs=()),
        service(7, needs=(AUTISM, SPEECH)),
        service(8, status=Status.CLOSED_FOR_NOW, closed_until=date(2026, 11, 22)),
    ]
    wanted = Wanted(age=7, needs=(AUTISM, SPEECH), ward="W1", near=(51.5, -1.0))
    found = match(wanted, services, TODAY)
    # Both needs; one need near, then the same further off; no word on places; any need; full.
    assert [one.service.id.int for one in found.found] == [7, 8, 5, 4, 6, 3]
    assert [one.service.id.int for one in match(wanted, services, TODAY, 2).found] == [7, 8]
    assert found.fitting == Count(5)
    assert found.found[4].why[0] == "For any need"
    assert str(Count(200, more=True)) == "more than 200"
