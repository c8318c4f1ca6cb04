"""What is withheld is opened for safety: for a day, with a reason, reviewed, never a protection."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from consent import Category, Purpose, Role, Viewer, ViewerKind
from panel.accounts.figures import kept_figures, set_figures
from panel.accounts.service import add_worker, agency_by_key, give_role
from panel.platform.clock import FixedClock
from panel.platform.problems import NotFound
from panel.platform.tenancy import Tenant
from panel.platform.work_tables import Setting
from panel.records.access_check import differences
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.register.history import note_event
from panel.register.models import Child
from panel.sharing.spans import FIGURES, spans
from tests.sharing.family import TODAY, Family, agreed, hold_the_plan, record, refused, sees
from tests.sharing.restricted import Client, Guardians, confirm, fill, plain, with_social_care

ADDRESS = "9 Hiding Lane"
SECRET = "A bruise on her arm"
WHY = "She told me that she is afraid to go home tonight"


@pytest.fixture
async def guardians(tenant: Tenant, family: Family, gate: Gate) -> Guardians:
    """Health wrote about her health; the school is refused all."""
    made = await with_social_care(tenant, family)
    both = frozenset({family.health, made.social_care.agency})
    await record(gate, family, agreed(family, agencies=both))
    await record(gate, family, refused(family, agencies=frozenset({family.school})))
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "wrote") as access:
        await note_event(
            access.session, family.child, happened_on=TODAY, kind="other",
            category=Category.HEALTH, author_agency_id=family.health, text=SECRET,
        )  # fmt: skip
    async with tenant.transaction(JOB) as session:
        (await session.get_one(Child, family.child)).address = ADDRESS
    return made


@pytest.fixture
def page(family: Family) -> str:
    return f"/children/{family.child}/sharing"


@pytest.fixture
async def stranger(tenant: Tenant, family: Family) -> Viewer:
    """A teacher of the same school who has nothing to do with the child."""
    async with tenant.transaction(JOB) as session:
        school = await agency_by_key(session, "school")
        assert school is not None
        worker = await add_worker(session, school, name="Una Pike", email="una@demo.example")
        await give_role(session, worker, Role.PRACTITIONER)
    roles = frozenset({Role.PRACTITIONER})
    return Viewer(worker.id, ViewerKind.WORKER, family.school, "school", roles)


async def open_health(client: Client, page: str, **typed: Any) -> None:
    given = {"what": "health", "reason": WHY} | typed
    answer = await fill(client, f"{page}/override", **given)
    assert answer.status_code == 303, plain(answer)


async def only_override(tenant: Tenant) -> UUID:
    async with tenant.transaction(JOB) as session:
        found: UUID = (await session.execute(text("SELECT id FROM sharing_override"))).scalar_one()
        return found


def known(family: Family, **typed: Any) -> dict[str, Any]:
    assert family.child
    return {
        "reference": "c-1001", "born-day": "9", "born-month": "3", "born-year": "2022",
        "reason": WHY,
    } | typed  # fmt: skip


# --- Opening ------------------------------------------------------------------------------------


async def test_what_was_refused_opens_for_a_day_and_closes_by_itself(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, gate: Gate,
    clock: FixedClock, tenant: Tenant,
) -> None:  # fmt: skip
    await sign_in(family.tom.id)
    chronology = f"/children/{family.child}/chronology"
    assert SECRET not in (await client.get(chronology)).text
    assert "open it now" in plain(await client.get(page))
    await open_health(client, page)
    assert SECRET in (await client.get(chronology)).text
    assert not await sees(gate, family, family.tom, Category.FAMILY)
    clock.set(clock.now() + timedelta(hours=23, minutes=59))
    assert await sees(gate, family, family.tom)
    clock.set(clock.now() + timedelta(minutes=2))
    assert not await sees(gate, family, family.tom)
    async with tenant.transaction(JOB) as session:
        looks = await session.execute(
            text(
                "SELECT purpose, decisions ->> 'health' FROM access_event"
                " WHERE doing = 'opened what was withheld, for safety'"
            )
        )
        assert [tuple(row) for row in looks] == [("safeguarding", "safeguarding")]


async def test_it_never_opens_what_is_protected_or_forbidden(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, gate: Gate
) -> None:
    await sign_in(guardians.social_care.id)
    protect = f"{page}/restrictions/protect"
    typed = {"told": "told", "reason": "x", "against": str(family.school)}
    await confirm(client, protect, await fill(client, protect, what="contact", **typed))
    await sign_in(family.tom.id)
    offered = plain(await client.get(f"{page}/override"))
    assert "Health" in offered
    assert "Contact details" not in offered.split("What do you need to see?", 1)[1]
    refused_one = await fill(client, f"{page}/override", what="contact", reason=WHY)
    assert refused_one.status_code == 422
    await open_health(client, page, what="everything")
    assert await sees(gate, family, family.tom, Category.SAFEGUARDING)
    assert not await sees(gate, family, family.tom, Category.CONTACT)
    assert ADDRESS not in (await client.get(f"/children/{family.child}/people")).text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"what": []}, "Select"),
        ({"what": "gossip"}, "Select what you need to see"),
        ({"reason": " "}, "Say who is at risk"),
        ({"kept_from_family": "yes"}, "Say whom it would put at risk"),
        ({"until": "2030"}, "Nothing was saved"),
    ],
)
async def test_without_a_reason_nothing_opens(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, tenant: Tenant,
    typed: dict[str, Any], said: str,
) -> None:  # fmt: skip
    await sign_in(family.tom.id)
    answer = await fill(client, f"{page}/override", **({"what": "health", "reason": WHY} | typed))
    assert answer.status_code == 422
    assert said in plain(answer)
    async with tenant.transaction(JOB) as session:
        assert await session.scalar(text("SELECT count(*) FROM sharing_override")) == 0


async def test_a_record_is_opened_by_what_is_known_of_the_child_and_misses_say_nothing(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, tenant: Tenant,
    stranger: Viewer,
) -> None:  # fmt: skip
    await sign_in(stranger.id)
    record_of = f"/children/{family.child}"
    assert (await client.get(record_of)).status_code == 404
    answers = []
    for wrong in ({"reference": "C-9999"}, {"born-day": "10"}, {"reference": "'; DROP"}):
        answer = await fill(client, "/safeguarding/open", **known(family, **wrong))
        assert answer.status_code == 303
        answers.append(answer.headers["location"])
        assert "Nothing is open to you this way" in plain(await client.get(answers[-1]))
    assert (await client.get(record_of)).status_code == 404
    right = await fill(client, "/safeguarding/open", **known(family))
    assert {*answers, right.headers["location"]} == {"/safeguarding/opened"}
    assert "C-1001" in plain(await client.get("/safeguarding/opened"))
    opened = await client.get(f"{record_of}/chronology")
    assert SECRET in opened.text
    async with tenant.transaction(JOB) as session:
        assert await session.scalar(text("SELECT count(*) FROM override_attempt")) == 3


async def test_a_sealed_record_answers_as_none_does(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, tenant: Tenant,
    stranger: Viewer,
) -> None:  # fmt: skip
    await sign_in(guardians.social_care.id)
    protect = f"{page}/restrictions/protect"
    typed = {"told": "silent", "reason": "x", "against": str(family.school), "what": "everything"}
    await confirm(client, protect, await fill(client, protect, **typed))
    await sign_in(stranger.id)
    sealed = await fill(client, "/safeguarding/open", **known(family))
    seen = plain(await client.get(sealed.headers["location"]))
    nobody = await fill(client, "/safeguarding/open", **known(family, reference="C-7777"))
    assert sealed.status_code == nobody.status_code == 303
    assert plain(await client.get(nobody.headers["location"])) == seen
    assert (await client.get(f"/children/{family.child}")).status_code == 404
    async with tenant.transaction(JOB) as session:
        assert await session.scalar(text("SELECT count(*) FROM sharing_override")) == 0


async def test_nobody_tries_out_references(
    client: Client, family: Family, guardians: Guardians, sign_in: Any, stranger: Viewer
) -> None:
    await sign_in(stranger.id)
    for number in range(5):
        typed = known(family, reference=f"C-{2000 + number}")
        assert (await fill(client, "/safeguarding/open", **typed)).status_code == 303
    answer = await fill(client, "/safeguarding/open", **known(family))
    assert answer.status_code == 403
    assert "You tried too often today" in plain(answer)
    empty = await fill(client, "/safeguarding/open", reference="", reason="")
    assert empty.status_code == 422
    assert "Enter the reference" in plain(empty)
    assert "date of birth" in plain(empty)


# --- Reviewing ----------------------------------------------------------------------------------


async def test_the_safeguarding_lead_finds_it_at_home_and_judges_it(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, tenant: Tenant,
    gate: Gate, clock: FixedClock,
) -> None:  # fmt: skip
    await sign_in(family.tom.id)
    await open_health(client, page)
    override = f"{page}/overrides/{await only_override(tenant)}"
    assert (await client.get(override)).status_code == 403
    await sign_in(family.rosa.id)
    assert (await client.get(override)).status_code == 403
    assert "Opened for safety, to review" not in plain(await client.get("/"))
    await sign_in(guardians.lead.id)
    home = plain(await client.get("/"))
    assert "C-1001 Tom Arden" in home
    assert "To review Review by Wednesday 25 November 2026 (in 2 days)" in home
    clock.set(datetime(2026, 11, 26, 9, 0, tzinfo=UTC))
    await sign_in(guardians.lead.id)
    assert "Overdue Review by" in plain(await client.get("/"))
    assert "Of them overdue 1" in plain(await client.get("/safeguarding/reviews"))
    opened = await client.get(override)
    assert WHY in plain(opened)
    nothing = await fill(client, override, note=" ")
    assert nothing.status_code == 422
    assert "Say why it was, or was not, justified" in plain(nothing)
    stale = await fill(client, override, justified="yes", note="It was", version="9")
    assert stale.status_code == 409
    done = await fill(client, override, justified="yes", note="It could not wait")
    assert done.status_code == 303
    said = plain(await client.get(override))
    assert "Judged Justified" in said
    assert "It could not wait" in said
    assert "C-1001" not in plain(await client.get("/"))
    clock.set(datetime(2026, 11, 27, 9, 0, tzinfo=UTC))
    await sign_in(guardians.lead.id)
    assert (await client.get(override)).status_code == 404, "the reviewer's tie ends with it"


async def test_one_that_was_not_justified_ends_at_once_and_steps_follow(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, tenant: Tenant,
    gate: Gate, stranger: Viewer,
) -> None:  # fmt: skip
    await sign_in(stranger.id)
    await fill(client, "/safeguarding/open", **known(family))
    assert await sees(gate, family, stranger)
    override = f"{page}/overrides/{await only_override(tenant)}"
    await sign_in(guardians.lead.id)
    done = await fill(client, override, justified="no", note="She was only curious")
    assert done.status_code == 303
    with pytest.raises(NotFound):
        await sees(gate, family, stranger)
    assert "Not justified" in plain(await client.get("/"))
    for step in ("told_manager", "told_governance", "told_family", "decided_ico"):
        shown = await client.get(override)
        fields = shown.text.split(f'value="{step}"', 1)[0].rsplit("<form", 1)[1]
        token = fields.split('name="_csrf_token" value="', 1)[1].split('"')[0]
        form_id = fields.split('name="_form_id" value="', 1)[1].split('"')[0]
        answer = await client.post(
            f"{override}/steps",
            data={"_csrf_token": token, "_form_id": form_id, "step": step},
            follow_redirects=False,
        )
        assert answer.status_code == 303
    assert "Closed 23 November 2026" in plain(await client.get(override))
    assert "Not justified" not in plain(await client.get("/"))


async def test_nobody_reviews_their_own(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, tenant: Tenant
) -> None:
    await sign_in(guardians.lead.id)
    await fill(client, "/safeguarding/open", **known(family))
    override = f"{page}/overrides/{await only_override(tenant)}"
    answer = await client.get(override)
    assert answer.status_code == 403
    assert "did not open it themselves" in plain(answer)
    assert "to review" not in plain(await client.get("/"))


# --- What the authority set ---------------------------------------------------------------------


async def set_to(tenant: Tenant, **figures: int) -> None:
    async with tenant.transaction(JOB) as session:
        kept = await kept_figures(session, FIGURES.values())
        wanted = {FIGURES[name].key: figure for name, figure in figures.items()}
        await set_figures(session, FIGURES.values(), wanted, kept.version, "The partners agreed")


async def test_how_long_it_lasts_and_until_when_it_is_reviewed_are_settings(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, gate: Gate,
    clock: FixedClock, tenant: Tenant,
) -> None:  # fmt: skip
    await set_to(tenant, override_hours=2, review_working_days=1)
    await sign_in(family.tom.id)
    for address in (f"{page}/override", "/safeguarding/open"):
        assert "open to you alone, for 2 hours." in plain(await client.get(address))
    await open_health(client, page)
    await set_to(tenant, override_hours=48)
    clock.set(clock.now() + timedelta(hours=1, minutes=59))
    assert await sees(gate, family, family.tom)
    clock.set(clock.now() + timedelta(minutes=2))
    assert not await sees(gate, family, family.tom), "it keeps the time it was opened for"
    await sign_in(guardians.lead.id)
    assert "Review by Tuesday 24 November 2026 (tomorrow)" in plain(await client.get("/"))
    assert "reviewed within 1 working day." in plain(await client.get("/safeguarding/reviews"))


async def test_how_often_somebody_may_miss_is_a_setting(
    client: Client, family: Family, guardians: Guardians, sign_in: Any, stranger: Viewer,
    tenant: Tenant,
) -> None:  # fmt: skip
    await set_to(tenant, override_misses=1)
    await sign_in(stranger.id)
    assert "After 1 miss in a day" in plain(await client.get("/safeguarding/open"))
    typed = known(family, reference="C-2000")
    assert (await fill(client, "/safeguarding/open", **typed)).status_code == 303
    assert (await fill(client, "/safeguarding/open", **known(family))).status_code == 403


async def test_for_how_long_a_reviewer_follows_up_is_a_setting_as_it_was_at_the_review(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, tenant: Tenant,
    clock: FixedClock,
) -> None:  # fmt: skip
    await set_to(tenant, follow_up_days=3)
    await sign_in(family.tom.id)
    await open_health(client, page)
    override = f"{page}/overrides/{await only_override(tenant)}"
    await sign_in(guardians.lead.id)
    done = await fill(client, override, justified="no", note="She was only curious")
    assert done.status_code == 303
    clock.set(datetime(2026, 11, 26, 12, 0, tzinfo=UTC))
    await set_to(tenant, follow_up_days=90)
    assert await differences(tenant) == (), "what was reviewed before keeps its days"
    await sign_in(guardians.lead.id)
    assert (await client.get(override)).status_code == 200
    clock.set(datetime(2026, 11, 27, 9, 0, tzinfo=UTC))
    await sign_in(guardians.lead.id)
    assert (await client.get(override)).status_code == 404


@pytest.mark.parametrize("value", ["900", "0", "1.5", '"many"', "true", "null", "[3]"])
async def test_a_figure_that_cannot_be_counts_for_nothing_here_or_in_the_database(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, tenant: Tenant,
    clock: FixedClock, value: str,
) -> None:  # fmt: skip
    async with tenant.transaction(JOB) as session:
        session.add(Setting(key="sharing.follow_up_days", value=json.loads(value), from_on=None))
    await sign_in(family.tom.id)
    await open_health(client, page)
    override = f"{page}/overrides/{await only_override(tenant)}"
    await sign_in(guardians.lead.id)
    await fill(client, override, justified="no", note="She was only curious")
    async with tenant.transaction(JOB) as session:
        assert (await spans(session)).follow_up_days == 28
    for day, answer in ((21, 200), (22, 404)):
        clock.set(datetime(2026, 12, day, 9, 0, tzinfo=UTC))
        await sign_in(guardians.lead.id)
        assert (await client.get(override)).status_code == answer


# --- The family, and the history ----------------------------------------------------------------


@pytest.mark.parametrize("hidden_by", ["author", "reviewer", "nobody"])
async def test_the_family_is_told_unless_that_would_put_someone_at_risk(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, tenant: Tenant,
    gate: Gate, hidden_by: str,
) -> None:  # fmt: skip
    risk = {"kept_from_family": "yes", "family_risk": "He would hurt her"}
    await sign_in(family.tom.id)
    await open_health(client, page, **(risk if hidden_by == "author" else {}))
    override = f"{page}/overrides/{await only_override(tenant)}"
    if hidden_by == "reviewer":
        await sign_in(guardians.lead.id)
        done = await fill(client, override, justified="yes", note="It was", **risk)
        assert done.status_code == 303
        assert "He would hurt her" in plain(await client.get(override))
    async with tenant.transaction(JOB) as session:
        kept = await session.scalar(text("SELECT kept_from_family FROM sharing_override"))
    assert kept is (hidden_by != "nobody")
    await hold_the_plan(tenant, family)
    await sign_in(family.rosa.id)
    history = plain(await client.get(f"{page}/history"))
    assert "For safeguarding Opened what was withheld, for safety" in history


async def test_a_worker_without_such_a_role_opens_nothing(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, tenant: Tenant,
    gate: Gate,
) -> None:  # fmt: skip
    async with tenant.transaction(JOB) as session:
        council = await agency_by_key(session, "care")
        assert council is not None
        worker = await add_worker(session, council, name="Gus Hale", email="gus@demo.example")
        await give_role(session, worker, Role.GOVERNANCE_LEAD)
    await sign_in(worker.id)
    for address in ("/safeguarding/open", "/safeguarding/opened"):
        assert (await client.get(address)).status_code == 403
    figures = plain(await client.get("/safeguarding/reviews"))
    assert "Overrides to review 0" in figures
    await sign_in(family.rosa.id)
    assert (await client.get("/safeguarding/reviews")).status_code == 403
    with pytest.raises(NotFound):
        async with gate.open(family.child, guardians.lead, Purpose.SAFEGUARDING, "looked"):
            pass
