"""What may come in on the pages of people and agencies."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from consent import Role
from panel.accounts.people_joining import NewWorker
from panel.accounts.people_roles import NewRole
from panel.web.forms import chosen, line, on_day

RoleName = Literal[
    "practitioner",
    "manager",
    "coordinator",
    "chair",
    "panel_member",
    "budget_holder",
    "allocation_member",
    "commissioner",
    "governance_lead",
    "caldicott_guardian",
    "safeguarding_lead",
    "parents_representative",
    "administrator",
]
Kind = Literal["health", "education", "social_care", "council", "voluntary", "gp", "school", "icb"]


class InviteForm(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody new at an agency."""

    name: Annotated[str, line("Name", at_most=100, missing="Enter their name")]
    email: Annotated[str, line("Work e-mail", at_most=254, missing="Enter their work e-mail")]
    job_title: Annotated[str, line("Job title", at_most=100)] = ""
    roles: Annotated[list[RoleName], chosen("Roles")] = []
    panel_id: Annotated[UUID | None, chosen("Panel")] = None
    from_on: Annotated[date | None, on_day("First day")] = None
    until_on: Annotated[date | None, on_day("Last day of these roles")] = None

    def wanted(self) -> NewWorker:
        """Who is invited."""
        return NewWorker(
            self.name,
            self.email,
            self.job_title,
            self.from_on,
            [Role(one) for one in self.roles],
            self.panel_id,
            self.until_on,
        )


class RoleForm(msgspec.Struct, forbid_unknown_fields=True):
    """A role for somebody; `version` is that of the worker as they were read."""

    version: int
    role: Annotated[RoleName, chosen("Role", missing="Select the role")]
    panel_id: Annotated[UUID | None, chosen("Panel")] = None
    from_on: Annotated[date | None, on_day("First day")] = None
    until_on: Annotated[date | None, on_day("Last day")] = None

    def wanted(self) -> NewRole:
        """The role."""
        return NewRole(Role(self.role), self.panel_id, self.from_on, self.until_on)


class EndRoleForm(msgspec.Struct, forbid_unknown_fields=True):
    """A role ends; `version` is that of the role."""

    version: int
    last_day: Annotated[date, on_day("Last day", missing="Enter the last day")]


class LeaveForm(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody leaves."""

    version: int
    when: Annotated[
        Literal["day", "now"],
        chosen("When", missing="Select whether they leave on a day or at once"),
    ]
    last_day: Annotated[date | None, on_day("Last day")] = None


class VersionForm(msgspec.Struct, forbid_unknown_fields=True):
    """Something about what was read."""

    version: int


class AddressForm(msgspec.Struct, forbid_unknown_fields=True):
    """Where the link of somebody who never came in goes; `version` is that of the worker."""

    version: int
    email: Annotated[str, line("Work e-mail", at_most=254, missing="Enter their work e-mail")]


class AnswerForm(msgspec.Struct, forbid_unknown_fields=True):
    """A second person answers."""

    version: int
    answer: Annotated[Literal["confirm", "refuse"], chosen("Answer", missing="Select an answer")]


class AgencyForm(msgspec.Struct, forbid_unknown_fields=True):
    """A new agency."""

    name: Annotated[str, line("Name", at_most=120, missing="Enter the agency’s name")]
    kind: Annotated[Kind, chosen("Kind", missing="Select what kind of agency it is")]
    ods_code: Annotated[str, line("ODS code", at_most=12)] = ""


class RenameForm(msgspec.Struct, forbid_unknown_fields=True):
    """An agency is called otherwise."""

    version: int
    name: Annotated[str, line("Name", at_most=120, missing="Enter the agency’s name")]
