"""What the servers print names nobody: not the site, not PostgreSQL, whatever goes wrong."""

import os
import re
import signal
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

import httpx
import psycopg
import pytest

from panel.demo import places, sentences
from panel.platform.cluster import open_cluster
from panel.records.nhs_number import check_digit, nhs_number_words
from tests.demo.year import sealed_texts, tenant_of
from tests.durability.serving import Site
from tests.durability.test_dump import dump_of, layers
from tests.durability.test_kill import new_word

pytestmark = [
    pytest.mark.database,
    pytest.mark.skipif(
        bool(os.environ.get("PANEL_TEST_DATABASE_URL")), reason="reads the embedded server's log"
    ),
]

TYPED = ("Zebedee Quillwarden", "999 054 8609", "9990548609", "She was crying at the school gate")
HIDDEN = re.compile(r'type="hidden" name="(\w+)" value="([^"]*)"')


async def demo_texts(site: Site) -> set[str]:
    """Names, numbers and sentences of the demonstration that is served."""
    with open_cluster(None, site.data_dir) as cluster:
        tenant = tenant_of(cluster, site.data_dir)
        try:
            sealed = await sealed_texts(tenant)
        finally:
            await tenant.database.close()
    whole = {
        text for several in sealed.values() for text in several if len(re.findall(r"\w+", text)) > 1
    }
    numbers = sealed["child.nhs_number"]
    said = {text for need in sentences.NEEDS for text in (need.parent, need.child, need.event)}
    return whole | numbers | said


def cause_errors(site: Site) -> None:
    """Sign in and put names into everything that is refused or breaks."""
    name, spaced, number, sentence = TYPED
    first, last = name.split()
    with httpx.Client(base_url=site.url, timeout=20) as browser:
        browser.get("/demo/sign-in/lead-health")
        hidden = dict(HIDDEN.findall(browser.get("/children/new").text))
        child = re.search(r"/children/[0-9a-f-]{36}", browser.get("/children?show=team").text)
        assert child is not None
        form = hidden | {
            "given_name": first, "family_name": last, "birth_date": "2022-03-09", "sex": "female",
            "nhs_number": spaced, "disability": sentence,
        }  # fmt: skip
        for query in (name, number, sentence):
            assert browser.get("/children", params={"q": query}).status_code == 200
            assert browser.get(f"/children/{query}").status_code == 404
            assert browser.get("/sign-in/x", headers={"X-Name": query}).status_code == 200
        assert browser.post("/children/new", data=form | {"sex": name}).status_code == 422
        assert browser.post("/children/new", data=form | {"_csrf_token": name}).status_code == 403
        assert browser.post("/children/new", json=form).status_code in (400, 403)
        event = {"happened_on": sentence, "kind": name, "category": "health", "text": sentence}
        assert browser.post(f"{child[0]}/chronology", data=hidden | event).status_code == 422
        assert browser.post("/children/new", data=form).status_code == 303
        with open_cluster(None, site.data_dir) as cluster:
            cause_database_errors(cluster.app_url)
        # The database dies in the middle: the fault is logged, with what was being written. What
        # works for the site dies with it: left alone, it answers a moment longer.
        dying = [site.postmaster(), *site.backends()]
        for process in dying:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        answer = browser.post("/children/new", data=form | {"given_name": "Another"})
        assert answer.status_code == 500
        reference = re.search(r"give your help desk (\w+)|reference[^0-9a-f]+([0-9a-f]{8})",
                              answer.text)  # fmt: skip
        assert reference is not None
        assert (reference[1] or reference[2]) in site.log.read_text()
    site.kill()


@dataclass(frozen=True)
class Told:
    """What one family says: names, a number and sentences that nobody else says."""

    child: str
    mother: str
    number: str
    disability: str
    event: str

    @property
    def texts(self) -> tuple[str, ...]:
        """Each as it is typed, and the number as it is kept."""
        return (
            *self.child.split(), self.mother, self.number, nhs_number_words(self.number),
            self.disability, self.event,
        )  # fmt: skip


def told_by(families: int) -> list[Told]:
    """Numbers of the range that is kept for examples; the names are no words of any language."""
    stems = (f"9992{one}" for one in range(10_000, 99_999))
    numbers = (f"{one}{check_digit(one)}" for one in stems if check_digit(one) < 10)
    return [
        Told(
            child=f"{new_word()} {new_word()}",
            mother=f"{new_word()} {new_word()}",
            number=number,
            disability=f"She tires by noon and {new_word()} is a comfort to her",
            event=f"Seen at home with {new_word()} and left in good spirits",
        )
        for number in islice(numbers, families)
    ]


def tell(browser: httpx.Client, told: Told) -> None:
    """One family's journey: looked for, refused for a slip, added, written about, found, read."""
    first, last = told.child.split()
    hidden = dict(HIDDEN.findall(browser.get("/children/new").text))
    form = hidden | {
        "given_name": first, "family_name": last, "birth_date-day": "9", "birth_date-month": "3",
        "birth_date-year": "2022", "sex": "female", "nhs_number": nhs_number_words(told.number),
        "disability": told.disability, "contact_name": told.mother,
        "contact_relationship": "mother", "part": "health visiting",
    }  # fmt: skip
    assert browser.get("/children", params={"q": told.child}).status_code == 200
    assert browser.post("/children/new", data=form | {"sex": told.mother}).status_code == 422
    added = browser.post("/children/new", data=form)
    assert added.status_code == 303, added.text
    child = added.headers["location"].removesuffix("/people")
    hidden = dict(HIDDEN.findall(browser.get(f"{child}/chronology").text))
    event = hidden | {
        "happened_on-day": "20", "happened_on-month": "11", "happened_on-year": "2026",
        "kind": "health", "category": "health", "text": told.event,
    }  # fmt: skip
    assert browser.post(f"{child}/chronology", data=event).status_code == 303
    assert told.event in browser.get(f"{child}/chronology").text
    assert told.child in browser.get("/children", params={"q": told.number}).text


def test_nothing_of_what_families_say_is_in_the_clear(served: Site) -> None:
    """Names, numbers and sentences of 40 families, typed on the site: in no dump and no log."""
    families = told_by(40)
    planted = {text for told in families for text in told.texts}
    assert len(planted) == 7 * len(families) > 200
    served.start()
    with httpx.Client(base_url=served.url, timeout=20) as browser:
        browser.get("/demo/sign-in/lead-health")
        for told in families:
            tell(browser, told)
    with open_cluster(None, served.data_dir) as cluster:
        dumped = dump_of(cluster)
    served.end()
    logged = served.log.read_bytes() + served.postgres_log.read_bytes()
    for where, content in (
        *((f"layer {number} of the dump", one) for number, one in enumerate(layers(dumped))),
        ("the logs", logged.lower()),
    ):
        found = {one for one in planted if one.lower().encode() in content}
        assert found == set(), where


def cause_database_errors(app_url: str) -> None:
    """Errors whose message, detail or statement says what was typed."""
    name, _, number, sentence = TYPED
    with psycopg.connect(app_url, autocommit=True) as connection:
        for statement, given in (
            ("SELECT %s::uuid", name),
            ("SELECT %s::date", sentence),
            ("INSERT INTO authority_wexcombe.agency (name) VALUES (%s)", name),
            (f"SELECT '{name}' FROM nowhere", None),
            ("SELECT set_config('panel.now', %s, false), 1 / 0", number),
        ):
            with pytest.raises(psycopg.Error):
                connection.execute(statement, None if given is None else (given,))


async def test_no_log_names_anybody(served: Site) -> None:
    served.start()
    texts = await demo_texts(served)
    assert len(texts) > 300
    cause_errors(served)
    # The list of personas with their links is what `panel demo` is for: it is no log.
    personas = {one.name for one in places.WORKERS if one.persona}
    printed = [line for line in served.log.read_text().splitlines() if "/demo/sign-in/" not in line]
    for kind, logged in (
        ("the site", "\n".join(printed)),
        ("PostgreSQL", served.postgres_log.read_text()),
    ):
        lowered = logged.lower()
        told = {one for one in texts | set(TYPED) | personas if one.lower() in lowered}
        assert told == set(), f"the log of {kind} tells {told}"
    assert "request failed" in "\n".join(printed)
    served.start()
    served.end()
