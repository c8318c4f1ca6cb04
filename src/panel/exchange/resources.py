"""Messages as resources: written, stamped with the version that is this reader's, and found again.

Everything that leaves goes through `shown`, whoever asked for it and by whichever way.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from msgspec import Raw

from interop.bundle import Shown
from interop.messages import Message
from interop.outgoing import Json, Stamped, stamped
from interop.served import Param
from panel.exchange.sender_sources import written

Name = tuple[str, str]
"""A resource's type and id."""


@dataclass(frozen=True, slots=True)
class Told:
    """One resource as one reader is shown it."""

    resource: str
    id: str
    changed_at: datetime | None
    content: Json
    stamped: Stamped

    @property
    def name(self) -> Name:
        """Its type and id."""
        return self.resource, self.id

    def shown(self, mode: str = "match") -> Shown:
        """In a bundle."""
        return Shown(
            self.resource,
            self.id,
            Raw(self.stamped.body),
            "include" if mode == "include" else "match",
        )


def told(resource: str, message: Message) -> Told:
    """A message as it is sent."""
    content = written(resource, message)
    return Told(resource, message.id, message.changed_at, content, stamped(content))


_ELEMENTS: Mapping[str, tuple[str, ...]] = {
    "patient": ("subject", "patient", "for", "entity", "participant", "extension"),
    "subject": ("subject", "for"),
    "organization": ("organization", "managingOrganization", "providedBy"),
    "activity-reference": ("activity",),
    "care-team": ("careTeam",),
    "based-on": ("basedOn",),
    "actor": ("provision",),
}
"""Where a resource refers to what a parameter is about, where that has another name."""


def referred(content: Json, param: Param, only: str | None = None) -> set[Name]:
    """What a resource refers to by a parameter, of the types that the parameter is for."""
    kinds = param.targets if only is None else (only,)
    found: set[Name] = set()
    for element in _ELEMENTS.get(param.name, (param.name,)):
        found |= {name for name in references(content.get(element)) if name[0] in kinds}
    return found


_REFERENCE = re.compile(rb'"reference":"([A-Za-z]{1,64})/([^"/\\\\]{1,64})"')
"""As it is written: within a text the quotes would be escaped, so no text can look like one."""


def references_in(body: bytes) -> set[Name]:
    """As `references`, of a resource's bytes: ten times as fast on a form that was answered."""
    return {(kind.decode(), to.decode()) for kind, to in _REFERENCE.findall(body)}


def references(value: object) -> Iterable[Name]:
    """Every reference within a value to a resource of this server."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            if key == "reference" and isinstance(one, str):
                kind, slash, to = one.partition("/")
                if slash:
                    yield kind, to
            else:
                yield from references(one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)
