"""What an administrator sets up, as tasks, each with a check that it works. No case data.

Source: PAGES.md, "Administrator".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Viewer
from panel.accounts.people_rules import looks_after_all
from panel.platform.tables import today_of
from panel.web import words

SetupTask = tuple[str, str, str, str, str]
"""For the task list: name, address, status, colour, hint."""
DONE, TO_DO = "", "yellow"
ADMINISTRATORS_NEEDED = 2


@dataclass(frozen=True, slots=True)
class _Check:
    """One task: what is set up, where, whether it works, and what the check found."""

    name: str
    href: str
    works: bool
    found: str

    def task(self) -> SetupTask:
        """For the task list."""
        status = ("Works", DONE) if self.works else ("To do", TO_DO)
        return (self.name, self.href, *status, self.found)


class SetupFacts(msgspec.Struct):
    """What there is, as counts and days."""

    agencies: int
    workers: int
    administrators: int
    managers_missing: int
    """Open agencies where practitioners work and no manager does."""
    panels: int
    panels_without: int
    """Panels without a coordinator."""
    forms: int
    agreements: int
    term_ends: date | None


_FACTS = """
WITH works AS (
  SELECT w.id, w.agency_id FROM worker w
   WHERE (w.from_on IS NULL OR w.from_on <= :today) AND (w.until_on IS NULL OR w.until_on >= :today)
), has AS (
  SELECT r.role, r.panel_id, w.id, w.agency_id FROM worker_role r JOIN works w ON w.id = r.worker_id
   WHERE (r.from_on IS NULL OR r.from_on <= :today) AND (r.until_on IS NULL OR r.until_on >= :today)
)
SELECT json_build_object(
  'agencies', (SELECT count(*) FROM agency WHERE closed_on IS NULL),
  'workers', (SELECT count(*) FROM works),
  'administrators', (SELECT count(DISTINCT id) FROM has WHERE role = 'administrator'),
  'managers_missing', (SELECT count(DISTINCT h.agency_id) FROM has h WHERE h.role = 'practitioner'
     AND NOT EXISTS (SELECT FROM has m WHERE m.agency_id = h.agency_id AND m.role = 'manager')),
  'panels', (SELECT count(*) FROM panel),
  'panels_without', (SELECT count(*) FROM panel p WHERE NOT EXISTS (
     SELECT FROM has h WHERE h.panel_id = p.id AND h.role = 'coordinator')),
  'forms', (SELECT count(DISTINCT key) FROM form),
  'agreements', (SELECT count(DISTINCT agreement_id) FROM agencies_agreement),
  'term_ends', (SELECT max(last_day) FROM term))::text
"""
_READ = msgspec.json.Decoder(SetupFacts)


async def setup_facts(session: AsyncSession) -> SetupFacts:
    """What there is now."""
    found = await session.execute(text(_FACTS), {"today": today_of(session)})
    return _READ.decode(found.scalar_one())


def setup_tasks(
    facts: SetupFacts, viewer: Viewer, authority: str, today: date, *, sends: bool
) -> Sequence[SetupTask]:
    """The tasks in the order in which they are done. `sends`: whether a mail server is set."""
    forms_href = "/forms" if looks_after_all(viewer) else ""
    term_is_known = facts.term_ends is not None and facts.term_ends >= today
    return [
        one.task()
        for one in (
            _Check("Authority", "", works=True, found=f"{authority} is served here."),
            _Check("Terms and holidays", "/calendar", term_is_known, _terms(facts, today)),
            _Check("Agencies", "/people", facts.agencies > 1, _agencies(facts, viewer)),
            _Check("People", "/people", _people_work(facts), _people(facts)),
            _Check(
                "Panels", "/panels", facts.panels > 0 and not facts.panels_without, _panels(facts)
            ),
            _Check("Forms", forms_href, facts.forms > 0, _forms(facts)),
            _Check(
                "Agreements between agencies",
                "/sharing-agreements",
                facts.agreements > 0,
                _agreed(facts),
            ),
            _Check("Messages by e-mail", "", sends, _messages(sends=sends)),
        )
    ]


def _terms(facts: SetupFacts, today: date) -> str:
    if facts.term_ends is None:
        return "No term is known, so that no panel meets. Import the term calendar."
    if facts.term_ends < today:
        return f"The last term ended on {words.day(facts.term_ends)}. Import the next calendar."
    return f"Known until {words.day(facts.term_ends)}."


def _agencies(facts: SetupFacts, viewer: Viewer) -> str:
    said = words.plural(facts.agencies, "agency is open", "agencies are open")
    return (
        f"{said}." if looks_after_all(viewer) else f"{said}. The council’s administrator adds them."
    )


def _people_work(facts: SetupFacts) -> bool:
    return facts.administrators >= ADMINISTRATORS_NEEDED and not facts.managers_missing


def _people(facts: SetupFacts) -> str:
    said = [f"{words.plural(facts.workers, 'person works', 'people work')} here."]
    if facts.administrators < ADMINISTRATORS_NEEDED:
        said.append(
            "There is one administrator: roles that take two people need a second. Whoever runs"
            " the server adds one with: panel import people."
        )
    if facts.managers_missing:
        without = words.plural(facts.managers_missing, "agency has", "agencies have")
        said.append(f"{without} practitioners and no manager, who would take over from a leaver.")
    return " ".join(said)


def _panels(facts: SetupFacts) -> str:
    if not facts.panels:
        return "There is none yet. Whoever runs the server adds one with: panel panels add."
    if facts.panels_without:
        return f"{words.plural(facts.panels_without, 'panel has', 'panels have')} no coordinator."
    return f"{words.plural(facts.panels, 'panel')}, each with a coordinator."


def _forms(facts: SetupFacts) -> str:
    return f"{words.plural(facts.forms, 'form')} to fill in." if facts.forms else "There is none."


def _agreed(facts: SetupFacts) -> str:
    if not facts.agreements:
        return "None is written down, so that nobody reads who answers for what."
    return f"{words.plural(facts.agreements, 'agreement')}."


def _messages(*, sends: bool) -> str:
    if sends:
        return "A mail server is set."
    return "No mail server is set (PANEL_SMTP_URL): invitations wait in the outbox."
