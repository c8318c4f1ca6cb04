"""No address of the site tells of what is true under figures that are the same.

Two truths are counted, released and served, one after the other (tests/insight/two_truths.py). All
that an answer has is held against the other's: status, headers, bytes, the statements that the
database was asked (what an answer's time hangs on), and what was logged.
"""

import os

import httpx
import pytest

from tests.insight.attack.addresses import addresses, ask, numbers_hidden
from tests.insight.attack.leaks import differences
from tests.insight.two_truths import Authority, authority

__all__ = ["authority"]
SOAK = "PANEL_SOAK" in os.environ
pytestmark = pytest.mark.database

OTHERWISE_IN_TRUTH = (
    "known_by_need", "unmet_by_reason", "cost_by_kind", "wait_place", "decisions_by_need",
)  # fmt: skip
"""Tables that are others in truth; with PANEL_SOAK all are asked for."""


async def test_another_truth_under_the_same_figures_is_told_by_no_address(
    authority: Authority, client: httpx.AsyncClient
) -> None:
    keys = authority.keys if SOAK else OTHERWISE_IN_TRUTH
    client.cookies.set("panel_session", await authority.signed_in())
    one, other = authority.truths()
    assert len(set(one) ^ set(other)) > 10
    published = authority.comes_true(one)
    await authority.publishes(published)
    answers = await ask(client, addresses(keys))
    assert authority.comes_true(other) == published
    others = await ask(client, addresses(keys))
    print(f"{len(answers)} addresses")
    assert differences(answers, others) == []
    assert {answer.status for answer in answers.values()} == {200, 204, 400, 404, 405}
    assert [path for path, answer in answers.items() if answer.logged] == []
    pages = {
        path: answer.body.decode()
        for path, answer in answers.items()
        if dict(answer.headers).get("content-type", "").startswith("text/html")
    }
    assert len(pages) > 20
    assert {path: said for path, page in pages.items() if (said := numbers_hidden(page))} == {}


async def test_releasing_another_truth_writes_the_same_ledger(authority: Authority) -> None:
    """The whole way of a release, with its own attack: the same files, lines and signatures."""
    if SOAK:
        made = []
        for facts in authority.truths():
            authority.comes_true(facts)
            made.append(await authority.releases())
        assert made[0] == made[1]
