"""What cannot be a file of services, or one of its services, is said in a sentence."""

import json
from typing import Any

import pytest

from panel.directory.importing import import_services
from panel.directory.open_referral import LARGEST, UnreadableServices, read_services
from panel.platform.tenancy import Tenant
from tests.directory.invented import as_page, invented_services

Json = dict[str, Any]


def said_of_file(content: bytes) -> str:
    with pytest.raises(UnreadableServices) as refused:
        list(read_services(content))
    return str(refused.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "This is not JSON. Export the services as Open Referral UK 3.0."),
        (b"name,age\nSwimming,7\n", "This is not JSON. Export the services as Open Referral UK 3.0."),
        (b'{"contents": [NaN]}', "This is not JSON. Export the services as Open Referral UK 3.0."),
        (b"[" * 100_000, "This is not JSON. Export the services as Open Referral UK 3.0."),
        (b"\xff\xfe\x00", "This is not JSON. Export the services as Open Referral UK 3.0."),
        (b"7", "There are no services in this file."),
        (
            b'{"totalElements": 1, "content": []}',
            "This file is Open Referral version 1. Export the services as Open Referral UK 3.0.",
        ),
        (
            b'{"version": "HSDS-2.0", "contents": []}',
            (
                "This file is Open Referral version HSDS-2.0. Export the services as Open Referral"
                " UK 3.0."
            ),
        ),
        (b"x" * (50 * 2**20), "This file is larger than 40 MB. Split it into several."),
    ],
    ids=lambda one: str(one[:24]),
)  # fmt: skip
def test_a_file_that_is_none(content: bytes, sentence: str) -> None:
    assert said_of_file(content) == sentence
    assert LARGEST == 40 * 2**20


WRONG: list[tuple[Json, str]] = [
    ({"cost_options": [{"id": "1fdf4d39-3d80-484d-9f92-a8ffa08621e7", "amount": -1}]},
     "cost_options: A cost is below nothing."),
    ({"minimum_age": 12, "maximum_age": 5},
     "min_age: The youngest age must not be above the oldest age."),
    ({"minimum_age": -1}, "min_age: The youngest age must be 0 or more."),
    ({"panel_capacity": 3, "panel_places_free": 4},
     "places_free: There cannot be more free places than places there are."),
    ({"panel_capacity": "many"}, "panel_capacity: It must be a whole number."),
    ({"panel_closed_until": "soon"}, "panel_closed_until: It must be a date, like 2026-11-28."),
    ({"id": "7"}, "id: It must be a UUID."),
    ({"status": "open"},
     "status: It must be one of: active, inactive, defunct, temporarily closed."),
    ({"name": ["a"]}, "name: It must be text."),
    ({"name": None}, "name: It is missing."),
    ({"email": "a..b@example.org"}, "email: It must be an e-mail address."),
    ({"url": "java script"}, "url: It must be a web address."),
    ({"last_modified": "2026-02-30T10:00:00Z"},
     "last_modified: It must be a date with a time and its zone."),
    ({"schedules": {"id": 1}}, "schedules: It must be a list."),
    ({"service_areas": [{"name": "x"}]}, "service_areas.id: It is missing."),
    ({"organization": {"id": "d9d5e0f5-d3ce-4f73-9a2f-4dd0ecc6c610", "name": "x"}},
     "organization.description: It is missing."),
    ({"organization": None}, "organization: It does not say who provides it."),
    ({"eligibilitys": []}, "This service is of version 1. Export version 3.0."),
    ({"description": "a\0b"}, "It holds a character that cannot be kept."),
    ({"description": "\ud800"}, "It holds a character that cannot be kept."),
    ({"deep": json.loads("[" * 60 + "]" * 60)}, "It is nested too deeply."),
]  # fmt: skip


async def test_a_bad_service_is_reported_and_no_other_is_lost(tenant: Tenant) -> None:
    good, *others = invented_services(seed=1, number=len(WRONG) + 3)
    bad = [one | wrong for one, (wrong, _) in zip(others, WRONG, strict=False)]
    twice, same_place = dict(good), dict(others[-1])
    same_place["service_at_locations"] = good["service_at_locations"] = [
        {"id": "e94c9f38-1e8f-4564-91d4-d53501ab1765"}
    ]
    unknown = others[-2] | {"organization_id": "cd09a387-91f4-4555-94ec-e799c35344cd"}
    del unknown["organization"]
    services: list[Any] = ["no service", good, *bad, twice, same_place, unknown]
    report = await import_services(tenant, json.dumps(as_page(services)).encode(), "bad.json")
    told = [str(one) for one in report.problems]
    first = len(WRONG) + 3
    joined = [
        f"service {place}{', ' if ':' in said.split(' ')[0] else ': '}{said}"
        for place, (_, said) in enumerate(WRONG, 3)
    ]
    assert sorted(told) == sorted(
        [
            "service 1: This is no service.",
            *joined,
            f"service {first}, id: This id stands at service 2 already, which was taken.",
            f"service {first + 1}, service_at_locations: A place has the id of a place of service 2.",
            f"service {first + 2}, organization_id: This organisation is not known here.",
        ]
    )
    assert (report.added, report.changed, report.known) == (1, 0, 0)
