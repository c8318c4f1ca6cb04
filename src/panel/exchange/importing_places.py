"""Agencies, workers, services and panels that a record names: those that are here, or new ones.

An agency is known by its ODS code or name, a worker by e-mail address or name at the agency, a
provider, service and panel by name. What is here is never changed.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import cast
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from interop.messages import Agency as AgencyTold
from interop.messages import Service as ServiceTold
from interop.messages import Sitting
from interop.messages import Worker as WorkerTold
from panel.accounts.models import AGENCY_KINDS, Agency, Worker
from panel.accounts.people_rules import agency_key
from panel.accounts.service import add_agency, add_worker, email_index, worker_by_email
from panel.directory.facts import ProviderFacts, ServiceFacts
from panel.directory.models import Provider, Service
from panel.directory.service import add_provider, add_service
from panel.directory.vocabulary import KINDS, Route, Status
from panel.exchange.importing_file import RecordsFile
from panel.exchange.importing_report import Tally
from panel.panels.calendar import add_panel
from panel.panels.models import Meeting, Panel, PanelAgency
from panel.platform.clock import LONDON, day_of
from panel.platform.crypto import Keys
from panel.platform.problems import Invalid
from panel.platform.tables import KEYS
from panel.platform.tenancy import load_keys
from panel.register.names import folded_words


@dataclass(slots=True)
class PanelTold:
    """A panel as the sittings of the whole file tell of it."""

    name: str
    starts_at: time
    agencies_on: dict[date, set[str]] = field(default_factory=dict)
    """Who sat on it, by day."""
    states: dict[date, str] = field(default_factory=dict)
    """Of its meetings: held, cancelled or planned."""

    def span_of(self, agency: str) -> tuple[date | None, date | None]:
        """From when until when an agency sat on it; None where it always did, or still does."""
        days = sorted(self.agencies_on)
        sat = [on for on in days if agency in self.agencies_on[on]]
        return (
            None if sat[0] == days[0] else sat[0],
            None if sat[-1] == days[-1] else sat[-1],
        )


def panels_of(file: RecordsFile, now: datetime) -> dict[str, PanelTold]:
    """The panels that a file tells of, by name in small letters."""
    found: dict[str, PanelTold] = {}
    sittings = [one.message for child in file.children for one in child.of("Appointment", Sitting)]
    for sitting in sorted(sittings, key=lambda one: one.starts_at):
        local = sitting.starts_at.astimezone(LONDON)
        told = found.setdefault(
            sitting.panel.casefold(), PanelTold(sitting.panel, local.time().replace(tzinfo=None))
        )
        told.agencies_on.setdefault(local.date(), set()).update(sitting.agencies)
        if sitting.state == "cancelled":
            state = "cancelled"
        else:
            is_over = sitting.state in {"discussed", "not_reached"} or sitting.starts_at < now
            state = "held" if is_over else "planned"
        if told.states.get(local.date()) != "held":
            told.states[local.date()] = state
    return found


@dataclass(slots=True)
class Places:
    """What the resources of a file are here, looked up or made once in one transaction."""

    session: AsyncSession
    file: RecordsFile
    panels: dict[str, PanelTold]
    tally: Tally
    _agencies: dict[str, UUID | None] = field(default_factory=dict)
    _workers: dict[str, UUID | None] = field(default_factory=dict)
    _services: dict[str, UUID | None] = field(default_factory=dict)

    # Agencies -------------------------------------------------------------------------------------

    async def agency(self, told_id: str | None) -> UUID | None:
        """The agency that an Organization is here; None for one that the file does not hold."""
        if told_id is None:
            return None
        if told_id not in self._agencies:
            told = self.file.agencies.get(told_id)
            self._agencies[told_id] = None if told is None else await self._an_agency(told)
        return self._agencies[told_id]

    async def _an_agency(self, told: AgencyTold) -> UUID | None:
        if told.kind not in AGENCY_KINDS:
            return None
        by = [func.lower(Agency.name) == told.name.lower()]
        if told.ods_code:
            by.append(Agency.ods_code == told.ods_code)
        here = list(await self.session.scalars(select(Agency).where(or_(*by)).order_by(Agency.id)))
        # Two agencies of one name and different codes are two.
        fitting = [one for one in here if _same_code(one.ods_code, told.ods_code)]
        if fitting:
            coded = [one for one in fitting if one.ods_code and one.ods_code == told.ods_code]
            return (coded or fitting)[0].id
        taken = set(await self.session.scalars(select(Agency.key)))
        made = await add_agency(
            self.session,
            key=agency_key(told.name, taken),
            name=told.name,
            kind=told.kind,
            ods_code=told.ods_code,
        )
        made.closed_on = told.closed_on
        await self.session.flush()
        self.tally.made["Organization"] += 1
        return made.id

    # Workers --------------------------------------------------------------------------------------

    async def worker(self, told_id: str | None) -> UUID | None:
        """The worker that a Practitioner is here; None where the file does not say who or where."""
        if told_id is None:
            return None
        if told_id not in self._workers:
            told = self.file.workers.get(told_id)
            self._workers[told_id] = None if told is None else await self._a_worker(told)
        return self._workers[told_id]

    async def _a_worker(self, told: WorkerTold) -> UUID | None:
        agency_id = await self.agency(told.agency)
        if agency_id is None or not told.name:
            return None
        by_address = await worker_by_email(self.session, told.email) if told.email else None
        if by_address is not None and by_address.agency_id == agency_id:
            return by_address.id
        await load_keys(self.session, {agency_id})
        here = await self.session.scalars(
            select(Worker).where(Worker.agency_id == agency_id).order_by(Worker.id)
        )
        wanted = folded_words(told.name)
        named = [one for one in here if folded_words(one.name) == wanted]
        if len(named) == 1 and not (told.email and named[0].email):
            return named[0].id
        made = await self._new_worker(
            agency_id, told, "" if by_address is not None else told.email or ""
        )
        self.tally.made["Practitioner"] += 1
        return made.id

    async def _new_worker(self, agency_id: UUID, told: WorkerTold, email: str) -> Worker:
        agency = await self.session.get_one(Agency, agency_id)
        job = told.job_title
        if email:
            made = await add_worker(
                self.session, agency, name=told.name, email=email, job_title=job
            )
        else:
            ring = cast("Keys", self.session.info[KEYS]).ring
            made = Worker(agency_id=agency_id, name=told.name, job_title=job)
            # Nobody is found by it: there is no such address.
            made.email_index = email_index(ring, str(made.id))
            self.session.add(made)
        made.phone = told.phone or ""
        made.from_on, made.until_on = told.from_on, told.until_on
        await self.session.flush()
        return made

    # Services -------------------------------------------------------------------------------------

    async def service(self, told_id: str | None) -> UUID | None:
        """The service of the directory that a HealthcareService is here."""
        if told_id is None:
            return None
        if told_id not in self._services:
            told = self.file.services.get(told_id)
            self._services[told_id] = None if told is None else await self._a_service(told)
        return self._services[told_id]

    async def _a_service(self, told: ServiceTold) -> UUID | None:
        provider = self.file.agencies.get(told.provider)
        if provider is None:
            return None
        provider_id = await self._provider(provider.name)
        here = await self.session.scalar(
            select(Service.id)
            .where(
                Service.provider_id == provider_id, func.lower(Service.name) == told.name.lower()
            )
            .order_by(Service.id)
            .limit(1)
        )
        if here is not None:
            return here
        routes = set(Route)
        route = told.referral_route
        facts = ServiceFacts(
            name=told.name,
            description=told.description,
            kind=told.kind if told.kind in KINDS else "other",
            status=Status.ACTIVE if told.running else Status.ENDED,
            url=told.url,
            email=told.email,
            phone=told.phone,
            min_age=told.min_age,
            max_age=told.max_age,
            referral_route=Route(route) if route in routes else Route.SELF,
        )
        try:
            made = await add_service(self.session, provider_id, facts)
        except Invalid:
            # The directory takes no such service; whoever asks for one is told so.
            return None
        self.tally.made["HealthcareService"] += 1
        return made.id

    async def _provider(self, name: str) -> UUID:
        here = await self.session.scalar(
            select(Provider.id)
            .where(func.lower(Provider.name) == name.lower())
            .order_by(Provider.id)
            .limit(1)
        )
        if here is not None:
            return here
        made = await add_provider(self.session, ProviderFacts(name, kind="other"))
        self.tally.made["Provider"] += 1
        return made.id

    # Panels ---------------------------------------------------------------------------------------

    async def meeting(self, sitting: Sitting) -> Meeting:
        """The meeting of a sitting, on its day, of the panel of that name."""
        told = self.panels[sitting.panel.casefold()]
        panel = await self._panel(told)
        day = day_of(sitting.starts_at)
        here = await self.session.scalar(
            select(Meeting)
            .where(Meeting.panel_id == panel.id, Meeting.held_on == day)
            .order_by(Meeting.state == "cancelled", Meeting.id)
            .limit(1)
        )
        if here is not None:
            return here
        made = Meeting(
            panel_id=panel.id, slot_on=day, held_on=day, state=told.states[day], change_reason=""
        )
        self.session.add(made)
        await self.session.flush()
        return made

    async def _panel(self, told: PanelTold) -> Panel:
        panel = await self.session.scalar(
            select(Panel)
            .where(func.lower(Panel.name) == told.name.lower())
            .order_by(Panel.id)
            .limit(1)
        )
        if panel is None:
            taken = set(await self.session.scalars(select(Panel.key)))
            panel = await add_panel(
                self.session,
                key=agency_key(told.name, taken),
                kind="contacts",
                name=told.name,
                first_on=min(told.agencies_on),
                starts_at=told.starts_at,
            )
            self.tally.made["Panel"] += 1
            for agency in sorted(set().union(*told.agencies_on.values())):
                await self._seat(panel, told, agency)
        return panel

    async def _seat(self, panel: Panel, told: PanelTold, agency: str) -> None:
        agency_id = await self.agency(agency)
        if agency_id is not None:
            from_on, until_on = told.span_of(agency)
            self.session.add(
                PanelAgency(
                    panel_id=panel.id, agency_id=agency_id, from_on=from_on, until_on=until_on
                )
            )
            await self.session.flush()


def _same_code(here: str | None, told: str | None) -> bool:
    return not here or not told or here == told
