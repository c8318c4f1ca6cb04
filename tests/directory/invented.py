"""Invented services as Open Referral UK 3.0 tells them: the same for the same seed."""

from random import Random
from typing import Any
from uuid import UUID

from panel.directory.vocabulary import ACCESS, BREAKS, KINDS, LANGUAGES, NEEDS, TAXONOMIES

Json = dict[str, Any]
WARDS = ("Marlow", "Upper Wex", "Lower Wex", "St Osyth", "Quarry Hill", "Fenside")
WORDS = [
    "Saturday",
    "swimming",
    "club",
    "sensory",
    "play",
    "holiday",
    "overnight",
    "sitting",
    "music",
    "riding",
    "sailing",
    "art",
    "youth",
    "drama",
    "cooking",
    "forest",
    "outdoor",
    "family",
    "weekend",
    "evening",
    "friends",
    "bowling",
    "gym",
    "dance",
    "trampoline",
]


def invented_services(seed: int, number: int) -> list[Json]:
    """So many services of a twelfth as many providers, with all that the profile has."""
    chance = Random(seed)  # noqa: S311 - the same services every time, no secret
    organizations = [_organization(chance, place) for place in range(max(number // 12, 1))]
    return [_service(chance, place, chance.choice(organizations)) for place in range(number)]


def as_page(services: list[Json]) -> Json:
    """They all on one page."""
    return {
        "total_items": len(services),
        "total_pages": 1,
        "page_number": 1,
        "size": len(services),
        "first_page": True,
        "last_page": True,
        "empty": not services,
        "contents": services,
    }


def _id(chance: Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))


def _some(chance: Random, names: tuple[str, ...], most: int) -> list[str]:
    return chance.sample(names, chance.randint(0, most))


def _organization(chance: Random, place: int) -> Json:
    return {
        "id": _id(chance),
        "name": f"{chance.choice(WORDS).title()} Trust {place}",
        "description": "An invented charity.\nIt has two lines.",
        "email": f"office@trust{place}.example.org",
        "website": f"https://trust{place}.example.org/a?b=c",
        "uri": "https://example.org/uri",
        "organization_identifiers": [
            {"id": _id(chance), "identifier_type": "Charity number", "identifier": str(place)}
        ],
        "local_note": {"deep": [1, 2.5, True]},
    }


def _service(chance: Random, place: int, organization: Json) -> Json:
    youngest = chance.randint(0, 16)
    attributes = [
        {
            "id": _id(chance),
            "taxonomy_term": {
                "id": str(taxonomy.term_id(code)),
                "name": taxonomy.words[code],
                "description": taxonomy.words[code],
            },
        }
        for taxonomy, codes in zip(
            TAXONOMIES,
            (
                _some(chance, tuple(NEEDS), 3),
                [chance.choice(tuple(KINDS))],
                _some(chance, tuple(BREAKS), 2),
                _some(chance, tuple(ACCESS), 3),
            ),
            strict=True,
        )
        for code in codes
    ]
    foreign = {
        "id": _id(chance),
        "link_type": "esdServiceType",
        "taxonomy_term": {
            "id": _id(chance),
            "name": "Leisure",
            "description": "",
            "taxonomy_id": "5c4d79d7-cc55-470e-9f1f-8cad074e4892",
        },
    }
    capacity = chance.choice((None, 6, 12, 40))
    service = {
        "id": _id(chance),
        "name": f"{' '.join(chance.sample(WORDS, 2)).capitalize()} {place}",
        "description": f"  {' '.join(chance.sample(WORDS, 8))} – für alle\r\nLine two. ",
        "status": chance.choice(("active",) * 6 + ("temporarily closed", "inactive", "defunct")),
        "minimum_age": chance.choice((youngest, float(youngest), youngest + 0.5)),
        "maximum_age": chance.choice((youngest + chance.randint(1, 9), 100, 999)),
        "url": f"https://example.org/services/{place}",
        "email": f"service{place}@example.org",
        "fees": "Ask",
        "alert": "Mind the step",
        "last_modified": "2026-03-15T10:30:45.123Z",
        "organization": organization,
        "attributes": [*attributes, foreign],
        "schedules": [
            {
                "id": _id(chance),
                "freq": "WEEKLY",
                "byday": ",".join(chance.sample(("MO", "TU", "WE", "TH", "FR", "SA"), 2)),
                "opens_at": f"{chance.randint(7, 12):02}:30:00",
                "closes_at": f"{chance.randint(13, 19):02}:00:00",
            }
        ],
        "service_areas": [
            {"id": _id(chance), "name": name, "extent_type": "ward"}
            for name in _some(chance, WARDS, 3)
        ],
        "service_at_locations": [
            {"id": _id(chance), "location": _location(chance, place)}
            for _ in range(chance.randint(0, 2))
        ],
        "languages": [
            {"id": _id(chance), "code": code, "name": LANGUAGES[code]}
            for code in _some(chance, tuple(LANGUAGES), 2)
        ],
        "cost_options": [
            {"id": _id(chance), "option": "A session", "amount": chance.choice((0, 3.5, 12))}
        ],
        "contacts": [{"id": _id(chance), "name": "The office", "title": "Reception"}],
        "funding": [{"id": _id(chance), "source": "A grant"}],
        "supplier_rating": chance.random(),
    }
    if capacity is not None:
        service["panel_capacity"] = capacity
        service["panel_places_free"] = chance.randint(0, capacity)
        service["panel_places_as_of"] = "2026-11-02"
    if not service["service_at_locations"]:
        del service["service_at_locations"]
    return service


def _location(chance: Random, place: int) -> Json:
    return {
        "id": _id(chance),
        "location_type": "physical",
        "name": f"Hall {place}",
        "latitude": round(51 + chance.random(), 5),
        "longitude": round(-1 - chance.random(), 5),
        "addresses": [
            {
                "id": _id(chance),
                "address_1": f"{place} High Street",
                "city": "Marlow",
                "state_province": "Wexshire",
                "postal_code": "WX1 1AA",
                "country": "GB",
                "address_type": "physical",
            }
        ],
        "accessibility": [{"id": _id(chance), "description": "A ramp", "panel_level": 2}],
    }
