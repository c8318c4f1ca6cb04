"""The database cuts the candidates; what is ranked from them is what the rules rank from all."""

import json
from dataclasses import replace
from datetime import timedelta
from random import Random

from sqlalchemy import func, select, update

from panel.directory.candidates import MOST_COUNTED
from panel.directory.importing import import_services
from panel.directory.matching import Candidate, Count, Matches, Wanted
from panel.directory.matching import match as match_all
from panel.directory.models import Service
from panel.directory.service import Whole, match, wholes
from panel.directory.vocabulary import ACCESS, LANGUAGES, NEEDS, Status
from panel.platform.tables import today_of
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from tests.directory.conftest import WARDS, Keepers
from tests.directory.invented import as_page, invented_services

LIMIT = 40


async def test_it_ranks_and_counts_as_the_rules_do(tenant: Tenant, keepers: Keepers) -> None:
    sent = invented_services(seed=3, number=300)
    await import_services(tenant, json.dumps(as_page(sent)).encode(), "ours.json")
    chance = Random(5)  # noqa: S311 - the same questions every time, no secret
    async with tenant.transaction(JOB) as session:
        today = today_of(session)
        # Some were closed until yesterday: they are open again, though nobody wrote it.
        closed = await session.scalars(
            select(Service.id).where(Service.status == "closed_for_now").order_by(Service.id)
        )
        for place, service_id in enumerate(closed.all()):
            until = today + timedelta(days=(place % 3 - 1) * 5)
            await session.execute(
                update(Service).where(Service.id == service_id).values(closed_until=until)
            )
        # Who serves many wards has one word for all of them.
        many = [*WARDS, *(f"W9999999{number}" for number in range(8))]
        a_fifth = select(Service.id).where(func.mod(func.length(Service.name), 5) == 0)
        await session.execute(
            update(Service).where(Service.id.in_(a_fifth)).values(area_codes=many)
        )
    async with tenant.transaction(keepers.rosa.id) as session:
        services = await session.scalars(select(Service))
        every = [_candidate(one) for one in await wholes(session, services.all())]
        fitted = bounded = 0
        for _ in range(60):
            wanted = _wanted(chance)
            expected = match_all(wanted, every, today, LIMIT)
            found = await match(session, wanted, LIMIT)
            assert found.fitting == expected.fitting
            fitted += bool(found.fitting.number)
            # What would fit but for one thing is counted up to a bound, and says so. Of a reason
            # that has more, any so many are ranked.
            counts = {reason: _bounded(one) for reason, one in expected.but_for.items()}
            assert found.but_for == counts, wanted
            beyond = {reason for reason, one in counts.items() if one.more}
            bounded += bool(beyond)
            same = [one for one in _said(expected) if one[1] not in beyond]
            assert [one for one in _said(found) if one[1] not in beyond] == same, wanted
        assert fitted > 10
        assert bounded


def _bounded(count: Count) -> Count:
    return Count(MOST_COUNTED, more=True) if count.number > MOST_COUNTED else count


def _said(found: Matches) -> list[tuple[object, ...]]:
    return [(one.service.id, one.obstacle, one.why, one.why_not) for one in found.found]


def _candidate(read: Whole) -> Candidate:
    service, places = read.service, read.places
    return Candidate(
        id=service.id,
        name=service.name,
        provider=read.provider.name,
        needs=tuple(service.needs_met),
        min_age=service.min_age,
        max_age=service.max_age,
        status=Status(service.status),
        closed_until=service.closed_until,
        areas=tuple(service.area_codes),
        languages=tuple(service.languages),
        access=tuple(service.accessibility),
        places_free=service.places_free,
        places_as_of=service.places_as_of,
        points=tuple((one.latitude, one.longitude) for one in places),
    )


def _wanted(chance: Random) -> Wanted:
    wanted = Wanted(
        age=chance.choice((None, 0, 4, 7, 12, 17, 25)),
        needs=tuple(chance.sample(tuple(NEEDS), chance.randint(0, 2))),
        ward=chance.choice((None, *WARDS)),
        languages=tuple(chance.sample(tuple(LANGUAGES), chance.choice((0, 0, 0, 1)))),
        access=tuple(chance.sample(tuple(ACCESS), chance.choice((0, 0, 1)))),
    )
    if chance.random() < 0.4:
        near = (51.5, -1.5)
        return replace(wanted, near=near, within_km=chance.choice((None, 20.0, 60.0)))
    return wanted
