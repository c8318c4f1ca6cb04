"""The pages that compare a form's versions, and that set its time limits. Nothing is changed."""

import datetime as dt
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from panel.accounts.desk import Desk
from panel.accounts.step_pages import Field, Shown, Step, step_page
from panel.accounts.taking import Transaction, take_here
from panel.assessments import comparing, form_versions
from panel.assessments.clock_routes import LIST, support_first
from panel.assessments.comparing import VersionCounts, about
from panel.assessments.editor_pages import FORMS, form_href
from panel.assessments.editor_routes import FORM, require_keeper
from panel.assessments.limits import MOST_DAYS, Limit, RunsFrom, limit_on, limits_of, set_limit
from panel.assessments.service import forms_to_start
from panel.platform.problems import Invalid, NotFound
from panel.records.child_scoped import JOB
from panel.register.service import child_header
from panel.web import words
from panel.web.forms import FieldErrors, amount, chosen, line, on_day

LIMITS = f"{FORMS}/time-limits"


class LimitForm(msgspec.Struct, forbid_unknown_fields=True):
    """A form's time limit from a day on."""

    form: Annotated[str, line("Form", missing="Choose the form")]
    from_on: Annotated[dt.date, on_day("First day")]
    runs_from: Annotated[RunsFrom, chosen("From what", missing="Say what the time runs from")]
    source: Annotated[str, line("Source", missing="Say where the limit comes from")]
    working_days: Annotated[int | None, amount("Working days", at_least=1, at_most=MOST_DAYS)] = (
        None
    )


@get(f"{FORM}/versions", include_in_schema=False)
async def versions_page(desk: NamedDependency[Desk], form_id: FromPath[UUID]) -> Response[str]:
    """What is asked in which version, and how much was filled in on each, rounded."""
    require_keeper(desk)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        one = await form_versions.one_version(session, form_id)
        versions = await form_versions.published_versions(session, one.form.key)
    # Nobody's record is opened: how many there are is a fact of the process.
    async with desk.tenant.transaction(JOB) as session:
        counts = await comparing.counts_over_versions(session, one.form.key)
    asked = comparing.asked_over_versions([each.form for each in versions])
    return desk.page(
        "assessments/versions.html",
        form_title=one.form.title,
        columns=[f"Version {each.form.version}" for each in versions],
        asked=asked,
        counts=_count_rows(counts),
        sections=_section_rows(counts),
        back_href=form_href(form_id),
    )


def _count_rows(counts: Sequence[VersionCounts]) -> list[tuple[str, str, str]]:
    return [(f"Version {one.number}", about(one.drafts), about(one.signed_off)) for one in counts]


def _section_rows(counts: Sequence[VersionCounts]) -> list[tuple[str, ...]]:
    keys = dict.fromkeys(key for one in counts for key in one.complete)
    return [(key, *(about(one.complete.get(key, 0)) for one in counts)) for key in keys]


@get(f"{LIST}/over-versions/{{form_key:str}}", include_in_schema=False)
async def answered_page(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], form_key: FromPath[str]
) -> Response[str]:
    """Which questions one child's assessments of a form answer, whatever their versions."""
    async with desk.gate.open(
        child_id, desk.viewer, support_first(desk), "compared the versions of an assessment"
    ) as access:
        records, rows = await comparing.answered_over_versions(access, form_key)
        if not records:
            raise NotFound("This child has no assessment of that form.")
        base = f"/children/{child_id}/assessments"
        return desk.page(
            "assessments/over_versions.html",
            header=await child_header(access),
            here="assessment",
            form_title=records[-1].form.title,
            columns=[
                (f"Assessment {one.number}, form version {one.form.version}", f"{base}/{one.id}")
                for one in records
            ],
            rows=[(row, comparing.counted(row.states)) for row in rows],
            back_href=base,
        )


# Time limits -------------------------------------------------------------------------------------


@get(LIMITS, include_in_schema=False)
async def limits_page(desk: NamedDependency[Desk]) -> Response[str]:
    """Every time limit with its first day and its source."""
    require_keeper(desk)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        titles = dict(await forms_to_start(session))
        limits = await limits_of(session)
    now = {key: limit_on(limits, key, desk.today) for key in titles}
    return desk.page(
        "assessments/limits.html",
        now=[(titles[key], _limit_words(limit)) for key, limit in now.items()],
        rows=[
            (titles.get(one.form_key, one.form_key), words.day(one.from_on), _days(one), one.source)
            for one in sorted(limits, key=lambda one: one.from_on, reverse=True)
        ],
        back_href=FORMS,
    )


@get(f"{LIMITS}/set", include_in_schema=False)
async def limit_page(desk: NamedDependency[Desk]) -> Response[str]:
    """The form of a time limit."""
    return await _limit_page(desk)


async def _limit_page(desk: Desk, errors: FieldErrors | None = None) -> Response[str]:
    require_keeper(desk)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        forms = await forms_to_start(session)
    fields = (
        Field("select", "form", "Which form?", choices=forms),
        Field("day", "from_on", "From which day?", "It counts for what is started from then on."),
        Field("line", "working_days", "How many working days?", "Empty for no time limit."),
        Field(
            "radios",
            "runs_from",
            "From what does the time run?",
            choices=(("referral", "From the referral"), ("start", "From its start")),
        ),
        Field("line", "source", "Where does it come from?", "A law, guidance, a local agreement."),
    )
    lead = "What was started before keeps the limit that it had."
    step = Step("Set a time limit", lead, "Set it", fields)
    return step_page(desk, step, Shown(f"{LIMITS}/set", LIMITS), errors)


@post(f"{LIMITS}/set", include_in_schema=False)
async def save_limit(desk: NamedDependency[Desk]) -> Response[Any]:
    """Set a time limit from a day on."""
    require_keeper(desk)

    async def work(here: Transaction, form: LimitForm) -> None:
        if form.form not in dict(await forms_to_start(here.session)):
            raise Invalid.because("form", "Choose one of the forms")
        limit = Limit(form.form, form.from_on, form.working_days, form.runs_from, form.source)
        await set_limit(here.session, limit)

    return await take_here(desk, LimitForm, work, LIMITS, again=partial(_limit_page, desk))


def _limit_words(limit: Limit | None) -> str:
    return "No time limit" if limit is None else _days(limit)


def _days(limit: Limit) -> str:
    if limit.working_days is None:
        return "No time limit"
    what = "the referral" if limit.runs_from is RunsFrom.REFERRAL else "its start"
    return f"{words.plural(limit.working_days, 'working day')} from {what}"


HANDLERS = [versions_page, answered_page, limits_page, limit_page, save_limit]
