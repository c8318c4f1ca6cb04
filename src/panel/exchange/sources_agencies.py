"""Agencies, their workers, and the services of the directory: about no child."""

from collections.abc import Iterable
from datetime import date
from typing import Literal
from uuid import UUID

from interop import systems
from interop.messages import Agency, Message, Service, Worker
from panel.exchange.columns import Code, Identifier, SealedWords, Words, to
from panel.exchange.source import Line, OpenSource, hex_of, plain
from panel.platform.crypto import Keys


def _name_of(message: Message) -> Iterable[str]:
    return (message.name,) if isinstance(message, Worker) else ()


class WorkerRow(Line):
    """A worker, sealed with the agency's key."""

    agency_id: UUID
    job_title: str
    name: str | None
    email: str | None
    phone: str | None
    from_on: date | None
    until_on: date | None


def _worker(row: WorkerRow, keys: Keys) -> Message:
    def text(column: str) -> str | None:
        sealed = getattr(row, column)
        if sealed is None:
            return None
        return keys.open(row.agency_id, f"worker.{column}", row.id, bytes.fromhex(sealed)) or None

    return Worker(
        id=str(row.id),
        changed_at=row.changed_at,
        name=text("name") or "",
        agency=str(row.agency_id),
        job_title=row.job_title,
        phone=text("phone"),
        email=text("email"),
        from_on=row.from_on,
        until_on=row.until_on,
    )


def _workers(resource: Literal["Practitioner", "PractitionerRole"]) -> OpenSource[WorkerRow]:
    return OpenSource(
        resource=resource,
        line=WorkerRow,
        rows="worker r",
        fields=", ".join(
            (
                plain("agency_id", "job_title", "from_on", "until_on"),
                hex_of("name", "email", "phone"),
            )
        ),
        columns={
            "name": SealedWords(_name_of),
            "practitioner": to("r.id"),
            "organization": to("r.agency_id"),
        },
        holders=lambda row: (row.agency_id,),
        message=_worker,
    )


PRACTITIONER = _workers("Practitioner")
PRACTITIONER_ROLE = _workers("PractitionerRole")


class AgencyRow(Line):
    """An agency, or a provider of the directory."""

    name: str
    kind: str
    ods_code: str | None
    closed_on: date | None


def _agency(row: AgencyRow, _keys: Keys) -> Message:
    return Agency(
        id=str(row.id),
        changed_at=row.changed_at,
        name=row.name,
        kind=row.kind,
        ods_code=row.ods_code,
        closed_on=row.closed_on,
    )


ORGANIZATION = OpenSource(
    resource="Organization",
    line=AgencyRow,
    rows="""(SELECT id, changed_at, name, kind, ods_code, closed_on FROM agency
      UNION ALL SELECT p.id, p.changed_at, p.name, 'provider', NULL, NULL::date FROM provider p
       WHERE EXISTS (SELECT FROM service s WHERE s.provider_id = p.id AND s.published)) r""",
    fields=plain("name", "kind", "ods_code", "closed_on"),
    columns={
        "identifier": Identifier(
            of=((systems.ODS_CODE, "r.ods_code = ANY({values})"),), missing="r.ods_code IS NULL"
        ),
        "name": Words("r.name"),
        "type": Code("r.kind", systems.AGENCY_KIND),
    },
    message=_agency,
)


class ServiceRow(Line):
    """A service that the directory publishes."""

    provider_id: UUID
    name: str
    description: str
    kind: str
    status: str
    url: str
    email: str
    phone: str
    min_age: int | None
    max_age: int | None
    referral_route: str


def _service(row: ServiceRow, _keys: Keys) -> Message:
    return Service(
        id=str(row.id),
        changed_at=row.changed_at,
        provider=str(row.provider_id),
        name=row.name,
        description=row.description,
        kind=row.kind,
        running=row.status == "active",
        url=row.url,
        email=row.email,
        phone=row.phone,
        min_age=row.min_age,
        max_age=row.max_age,
        referral_route=row.referral_route,
    )


HEALTHCARE_SERVICE = OpenSource(
    resource="HealthcareService",
    line=ServiceRow,
    rows="service r",
    where="r.published",
    fields=plain(
        "provider_id", "name", "description", "kind", "status", "url", "email", "phone",
        "min_age", "max_age", "referral_route",
    ),
    columns={
        "organization": to("r.provider_id"),
        "name": Words("r.name"),
        "active": Code("(CASE WHEN r.status = 'active' THEN 'true' ELSE 'false' END)"),
    },
    message=_service,
)  # fmt: skip
