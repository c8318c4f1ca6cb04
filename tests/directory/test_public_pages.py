"""What anybody reads without signing in: open data, its questions, and the short-breaks statement."""

from datetime import date
from uuid import UUID

from litestar import Litestar
from litestar.testing import AsyncTestClient

from panel.directory.facts import PlaceFacts, ProviderFacts, ServiceFacts
from panel.directory.open_referral import VERSION
from panel.directory.service import add_provider, add_service
from panel.directory.statement import NewStatement, publish
from panel.directory.vocabulary import TAXONOMIES
from panel.platform.tenancy import Tenant
from tests.directory.conftest import Keepers
from tests.directory.test_open_referral_round_trip import SHARED, validator, walked

Browser = AsyncTestClient[Litestar]
SWIM = ServiceFacts(
    name="Saturday swimming",
    description="Swimming with a trained helper.",
    kind="short_break",
    needs_met=("autistic_spectrum_disorder",),
    breaks=("activities",),
    min_age=5,
    max_age=11,
    url="https://example.org/swim",
    email="swim@example.org",
    cost="£3.50 a session",
    capacity=8,
    places_free=2,
    accessibility=("hoist",),
    languages=("en", "ur"),
    places=(PlaceFacts("Pool", "1 High Street, Marlow, Wexshire", "WX1 1AA", 51.5, -1.0),),
)


async def some(tenant: Tenant, keepers: Keepers) -> dict[str, UUID]:
    async with tenant.transaction(keepers.grace.id) as session:
        provider = await add_provider(session, ProviderFacts("Wexcombe Together"))
        hidden = await add_provider(session, ProviderFacts("Hidden"))
        swim = await add_service(session, provider.id, SWIM)
        other = await add_service(
            session, provider.id, ServiceFacts(name="Advice line", min_age=0, max_age=25)
        )
        statutory = ServiceFacts(name="Social work", statutory=True, breaks=("overnight",))
        await add_service(session, hidden.id, statutory)
        await add_service(session, hidden.id, ServiceFacts(name="Kept back", published=False))
        return {
            "swim": swim.external_id,
            "other": other.external_id,
            "provider": provider.organization_id,
            "hidden": hidden.organization_id,
        }


async def test_what_was_written_here_goes_out_by_the_standard(
    client: Browser, tenant: Tenant, keepers: Keepers
) -> None:
    ids = await some(tenant, keepers)
    listed = await walked(client, "/open-referral/services", per_page=1)
    assert {one["id"] for one in listed} == {str(ids["swim"]), str(ids["other"])}
    answer = await client.get(f"/open-referral/services/{ids['swim']}")
    service = answer.json()
    organizations = await walked(client, "/open-referral/organizations")
    assert [one["name"] for one in organizations] == ["Wexcombe Together"]
    whole = (await client.get(f"/open-referral/organizations/{ids['provider']}")).json()
    assert len(whole["services"]) == 2
    (at,) = await walked(client, "/open-referral/service_at_locations")
    place = (await client.get(f"/open-referral/service_at_locations/{at['id']}")).json()
    if SHARED.is_dir():
        validator("service.json").validate(service)
        validator("organization.json").validate(whole)
        validator("service_at_location.json").validate(place)
        for one in listed:
            validator("service_list.json").validate(one)
    assert "unit_cost" not in answer.text
    assert service["panel_places_free"] == 2
    assert service["panel_places_as_of"] == "2026-11-23"
    hidden = await client.get(f"/open-referral/organizations/{ids['hidden']}")
    assert hidden.status_code == 404
    assert hidden.json()["detail"] == "There is nothing published under this address."
    details = (await client.get("/open-referral")).json()
    assert details["version"] == VERSION
    taxonomies = await walked(client, "/open-referral/taxonomies")
    assert [one["name"] for one in taxonomies] == [one.name for one in TAXONOMIES]
    terms = await walked(client, "/open-referral/taxonomy_terms")
    for path, one in (("taxonomies", taxonomies[0]), ("taxonomy_terms", terms[-1])):
        found = (await client.get(f"/open-referral/{path}/{one['id']}")).json()
        assert found["id"] == one["id"]
    # Any site may read it, and whoever has it already is told so in a line.
    assert answer.headers["access-control-allow-origin"] == "*"
    assert hidden.headers["access-control-allow-origin"] == "*"
    assert "set-cookie" not in answer.headers
    again = await client.get(
        f"/open-referral/services/{ids['swim']}", headers={"If-None-Match": answer.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


async def test_every_question_of_the_standard_is_answered_or_refused(
    client: Browser, tenant: Tenant, keepers: Keepers
) -> None:
    ids = await some(tenant, keepers)
    need, kind = TAXONOMIES[0], TAXONOMIES[1]
    autism = need.term_id("autistic_spectrum_disorder")
    for question, expected in {
        "search=helper swimming": ["swim"],
        "search=social work": [],
        f"taxonomy_term_id={autism}": ["swim"],
        f"taxonomy_id={need.id}": ["swim"],
        f"taxonomy_id={kind.id}": ["swim", "other"],
        "taxonomy_id=5c4d79d7-cc55-470e-9f1f-8cad074e4892": [],
        "minimum_age=5": ["swim"],
        "maximum_age=11": ["swim"],
        "maximum_age=25&minimum_age=0": ["swim", "other"],
        "day=monday&start_time=09:00&end_time=18:00": [],
        "modified_after=2026-11-01T00:00:00Z": ["swim", "other"],
        "modified_after=2027-11-01T00:00:00Z": [],
        f"organization_id={ids['provider']}": ["swim", "other"],
        "per_page=100000": ["swim", "other"],
        "page=9": [],
    }.items():
        answer = await client.get(f"/open-referral/services?{question}")
        assert answer.status_code == 200, (question, answer.text)
        found = {one["id"] for one in answer.json()["contents"]}
        assert found == {str(ids[one]) for one in expected}, question
    for question, sentence in {
        "page=0": "“page” must be a whole number from 1 on.",
        "per_page=-1": "“per_page” must be a whole number from 1 on.",
        "colour=red": "“colour” is not a parameter of this list.",
        "page=1&page=2": "“page” was given twice.",
        "taxonomy_id=x": "“taxonomy_id” must be a UUID.",
        "minimum_age=young": "“minimum_age” must be an age in years.",
        "start_time=9": "“start_time” must be a time, like 09:30.",
        "day=someday": "“day” must be a day of the week, like MO or Monday.",
        "modified_after=2026-11-01": "“modified_after” must be a date with a time and its zone.",
        "full=perhaps": "“full” must be true or false.",
    }.items():
        answer = await client.get(f"/open-referral/services?{question}")
        assert (answer.status_code, answer.json()["detail"]) == (400, sentence), question


async def test_the_statement_says_what_the_regulations_ask_for(
    client: Browser, tenant: Tenant, keepers: Keepers
) -> None:
    before = await client.get("/short-breaks")
    assert "The council has not yet written here who can have short breaks" in before.text
    await some(tenant, keepers)
    new = NewStatement(
        "Any disabled child can ask.",
        "Breaks are near home.",
        "Carers asked for more Saturdays.",
        date(2026, 9, 1),
        date(2027, 9, 1),
    )
    async with tenant.transaction(keepers.grace.id) as session:
        await publish(session, new, 0)
    page = (await client.get("/short-breaks")).text
    for words in (
        "Any disabled child can ask.",
        "Breaks are near home.",
        "Carers asked for more Saturdays.",
        "Saturday swimming",
        "Educational or leisure activities outside the home",
        "It will be reviewed by 1 September 2027.",
        "There is no such short break in the directory now.",
    ):
        assert words in page
    assert "Social work" not in page
