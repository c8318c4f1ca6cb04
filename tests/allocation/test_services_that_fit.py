"""What of the directory fits a child, asked for in a request, waited for and put into a package."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from litestar.testing import AsyncTestClient
from sqlalchemy import select

from consent import Category
from panel.allocation.looking import Said, looked_for
from panel.allocation.models import ServiceRequest, Waiting
from panel.allocation.package_models import PackageKind, ServiceLine, Unit, UnitPrice
from panel.allocation.packages import Every, LineWords, PackageWords, add_line, start_package
from panel.directory.models import Service
from panel.directory.service import end_service
from panel.platform.problems import Invalid
from panel.records.gate import rewrite_access
from panel.register.models import Area, Child
from panel.sharing.models import SharingRestriction
from tests.allocation.conftest import Board, listed
from tests.allocation.test_pages import Browser, mistakes
from tests.conftest import SignIn

AUTISM = "autistic_spectrum_disorder"


async def test_what_fits_is_found_asked_for_and_waited_for(
    board: Board, client: AsyncTestClient[Any], sign_in: SignIn
) -> None:
    async with board.house.as_("job") as session:
        session.add(Area(id="W90000001", name="Marlow", boundary=None))
        child = await session.get_one(Child, board.child)
        child.primary_need, child.ward_code = "ASD", "W90000001"
        child.first_language, child.interpreter = "Polish", "BSL signer"
        child.disability = "Uses a wheelchair out of doors"
        fits = await listed(
            session, 3, 8, name="Kestrel House", needs_met=(AUTISM,), languages=("pl",),
            accessibility=("step_free", "sign_language"), unit="night", unit_cost=Decimal("140.50"),
        )  # fmt: skip
        old = await listed(session, 11, 15, name="Heron Lodge", needs_met=(AUTISM,))
    browser = Browser(client)
    await sign_in(board.house.viewers["lead"].id)
    page = f"/children/{board.child}/services"
    assert page in await browser.get(f"/children/{board.child}/requests")
    shown = await browser.get(page)
    for said in ("Autism", "Marlow", "Polish", "Step-free and British", "1 service fits"):
        assert said in shown, said
    assert "Takes ages 3 to 8" in shown
    # Nothing is left out by words; what is not as wanted is said, all of it.
    found = await browser.get(f"{page}?words=Heron")
    assert "Takes ages 11 to 15" in found
    assert "Does not say that it speaks Polish" in found
    assert "Ask for this service" not in found
    assert "No service has these words" in await browser.get(f"{page}?words=nonsense")
    looser = await browser.get(f"{page}?said=yes&need={AUTISM}")
    assert "Takes ages 11 to 15" in looser
    # It is asked for in a new request; what does not take the child is refused with why.
    asks = f"/children/{board.child}/requests"
    made = await browser.send(page, asks, {"service_id": str(fits)})
    draft = str(made.url.path)
    assert "Kestrel House, Kestrel House Trust" in made.text
    refused = await browser.send(page, asks, {"service_id": str(old)})
    assert refused.status_code == 422
    assert "This service is for children from 11 on" in mistakes(refused)
    request = UUID(draft.rpartition("/")[2])
    beside = f"{page}?asking={request}"
    assert beside in made.text
    refused = await browser.send(beside, f"{draft}/service", {"service_id": str(old)})
    assert "This service is for children from 11 on" in mistakes(refused)
    chosen = await browser.send(beside, f"{draft}/service", {"service_id": str(fits)})
    assert chosen.url.path == draft
    # The lists say what is waited for.
    async with board.house.opened("Amina", "lead") as access:
        row = await access.session.get_one(ServiceRequest, request)
        assert row.service_id == fits
    waits = await board.sent(service_id=fits)
    async with board.house.opened("Amina", "lead") as access:
        access.session.add(
            Waiting(child_id=board.child, service_id=fits, request_id=waits,
                    since_on=access.today, priority="routine")
        )  # fmt: skip
    await sign_in(board.house.viewers["coordinator"].id)
    assert "Kestrel House" in await browser.get("/panels/allocation/waiting")
    await sign_in(board.house.viewers["lead"].id)
    # A line of a package takes name and price from the directory.
    days = date(2026, 12, 1)
    said = LineWords("", Decimal(2), Unit.NIGHT, Every.MONTH, days, None, service_id=fits)
    async with board.house.opened("Amina", "lead") as access:
        package = await start_package(access, PackageWords("Nights", PackageKind.IN_KIND, days))
        line = await add_line(access, package.id, package.version, said)
        assert (line.what, line.service_id) == ("Kestrel House", fits)
        assert await access.session.scalar(select(UnitPrice.amount)) == Decimal("140.50")
        for wrong, field in (
            (replace(said, unit=Unit.HOUR), "price"),
            (replace(said, service_id=old), "service_id"),
            (replace(said, service_id=None), "what"),
        ):
            with pytest.raises(Invalid) as why:
                await add_line(access, package.id, package.version, wrong)
            assert field in {one.field for one in why.value.errors}
        assert len(list(await access.session.scalars(select(ServiceLine)))) == 1
    # Whoever plans the package finds a service that no request asks for, without a script.
    steps = f"/children/{board.child}/packages/{package.id}/steps/line"
    async with board.house.as_("job") as session:
        other = await listed(
            session, 3, 8, name="Osprey Club", unit="session", unit_cost=Decimal(9)
        )
    form = await browser.get(steps)
    assert "Osprey Club" not in form
    find = f"{page}?package={package.id}"
    assert find in form
    for words, which in (("", fits), ("&words=Osprey", other)):
        shown = await browser.get(f"{find}{words}")
        assert f"{steps}?service={which}" in shown
        assert "Ask for this service" not in shown
    assert f'value="{other}" selected' in await browser.get(f"{steps}?service={other}")
    nothing = await browser.send(steps, steps, {"service_id": str(other), "units": ""})
    assert f'value="{other}" selected' in nothing.text
    said = {"service_id": str(other), "units": "2", "unit": "session", "every": "week",
            "from_on-day": "1", "from_on-month": "12", "from_on-year": "2026"}  # fmt: skip
    assert "Osprey Club" in (await browser.send(steps, steps, said)).text
    # What ended is asked for no more.
    async with board.house.as_("job") as session:
        await end_service(session, fits, (await session.get_one(Service, fits)).version)
    await sign_in(board.house.viewers["lead"].id)
    assert "No service fits" in await browser.get(page)


async def test_what_is_withheld_is_neither_used_nor_told(board: Board) -> None:
    async with board.house.as_("job") as session:
        child = await session.get_one(Child, board.child)
        child.primary_need, child.first_language = "Something rare", "Polish"
    async with board.house.opened("Amina", "lead") as access:
        looked = await looked_for(access, Said())
        assert looked.language == "pl"
        assert "Something rare" in looked.unknown
        assert not looked.withheld
        assert looked.wanted.age == 4
    async with board.house.as_("job") as session:
        session.add_all(
            SharingRestriction(
                child_id=board.child, kind="protection", categories=[category.value], silent=silent,
                against=[board.house.viewers["assessor"].id], from_on=date(2026, 1, 1),
                by_words="the court",
            )
            for category, silent in ((Category.HEALTH, False), (Category.FAMILY, True))
        )  # fmt: skip
        await rewrite_access(session, board.child)
    async with board.house.opened("Amina", "assessor") as access:
        looked = await looked_for(access, Said())
        assert (looked.wanted.age, looked.language, looked.wanted.needs) == (4, "", ())
        # What is kept in silence is not even said to be kept.
        (told,) = looked.withheld
        assert not looked.unknown
        assert "What fits is shown without the main need" in told
        assert not any("rare" in one or "Polish" in one for one in (told, str(looked.facts)))
