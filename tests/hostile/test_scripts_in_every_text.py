"""Every text of every child holds what would run if it were read as anything but text.

As a page (script, attribute, link), as a template of the server's, and as typst in a PDF. People of
every side open every route; where they are shown a text, it is shown as it was written.
"""

import html
import re
from collections.abc import AsyncIterator, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from panel.platform.cluster import Cluster
from panel.platform.tenancy import Tenant
from panel.web.manifest import read_manifest
from tests.hostile import test_canaries
from tests.hostile.canary_crawl import Crawl
from tests.hostile.canary_fields import CLEAR, SEALED, Canary, Planted
from tests.hostile.canary_pdf import pdf_text
from tests.hostile.canary_year import SOAK, Made, marked_year
from tests.hostile.test_canaries import NOT_ON_A_PAGE, _visitors
from tests.hostile.test_every_route import get_paths

pytestmark = [pytest.mark.database, pytest.mark.crawl]
crawl = test_canaries.crawl

PAGE = "<script>alert(1)</script><img src=x onerror=alert(2)>\" onmouseover=alert(3) x='{{7*7}}q"
PAPER = '#panic("p") #read("/etc/passwd") $x$ *b* @ref <l> \\ ] `'
VISITORS = (
    "coordinator", "lead-health", "lead-education", "manager", "governance", "parent-1", "parent-2",
    "the safeguarding lead", "a guest",
)  # fmt: skip
LINKS = ("href", "src", "action", "formaction", "data", "poster", "srcset", "xlink:href")
SAFE_LINK = re.compile(r"(?:/|\?|#|mailto:|tel:|$|https?://)", re.IGNORECASE)


class Script(Planted):
    """Markers that begin as a link that runs and end as what a page, template or paper would run."""

    def new(self, canary: Canary) -> str:
        return f"javascript:alert(0)//{super().new(canary)} {PAGE} {PAPER}"


@pytest.fixture(scope="module")
async def canaries(cluster: Cluster, template_database: str, data_dir: Path) -> AsyncIterator[Made]:
    """The year in which every text is a script."""
    async with marked_year(cluster, template_database, data_dir, Script) as made:
        yield made


@pytest.fixture(scope="module")
def database_of_own(canaries: Made) -> Cluster:
    """The database with the scripts."""
    return canaries.cluster


class Reader(HTMLParser):
    """Reads a page as a browser does, and gathers what in it would run."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.runs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "script" and not given.get("src", "").startswith("/static/"):
            self.runs.append(f"<script> {given}")
        self.runs += [f"{name} of <{tag}>" for name in given if name.startswith("on")]
        self.runs += [
            f"{name}={given[name]!r}"
            for name in LINKS
            if name in given and not SAFE_LINK.match(given[name].strip())
        ]
        if tag in ("iframe", "object", "embed", "base") or given.get("style"):
            self.runs.append(f"<{tag}>")


def what_runs(page: str) -> list[str]:
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader.runs


def test_what_runs_is_found() -> None:
    for bad in (
        "<script>1</script>", '<a href="javascript:x">', "<p onclick=x>", '<a href=" JavaScript:x">',
        '<script src="//evil.example/x">', "<iframe>", '<p style="x">', '<a href="data:text/html,x">',
    ):  # fmt: skip
        assert what_runs(bad), bad
    assert not what_runs(
        f'<a href="/x">{html.escape(PAGE)}</a><script src="/static/a.js"></script>'
    )
    assert read_manifest().url("panel.css").startswith("/static/")


async def test_a_text_is_never_run_wherever_it_is_shown(
    crawl: Crawl,
    app: Litestar,
    client: AsyncTestClient[Litestar],
    tenant: Tenant,
) -> None:
    assert client
    paths = [one for one in get_paths(app) if not one.startswith(("/demo/sign-in", "/live"))]
    shown: set[str] = set()
    papers = 0
    for visitor in await _visitors(crawl, tenant):
        if visitor.name not in VISITORS and not SOAK:
            continue
        async with crawl.signed_in(visitor) as browser:
            for path in paths:
                crawl.turn += 1
                for url in _some(crawl.addresses(visitor, path, all_children=SOAK)):
                    answer = await browser.get(url, follow_redirects=False)
                    where = f"GET {path} as {visitor.name}"
                    assert answer.status_code < 500, where
                    kind = answer.headers.get("content-type", "")
                    if kind.startswith("application/pdf"):
                        said = pdf_text(answer.content)
                        papers += 1
                        assert "root:" not in said, f"{where} reads a file of ours"
                    elif kind.startswith("text/html"):
                        said = answer.text
                        assert not what_runs(said), f"{where}: {what_runs(said)[:3]}"
                    else:
                        assert not kind.startswith(("application/xhtml", "image/svg", "text/xml"))
                        continue
                    assert "'49q" not in html.unescape(said), f"{where} reads it as a template"
                    found = crawl.planted.found(said)
                    shown |= {crawl.planted.canaries[one].field for one in found}
    assert papers >= 2, "no paper was read"
    missed = (SEALED.keys() | CLEAR.keys()) - shown - NOT_ON_A_PAGE.keys()
    assert len(shown) > 50, f"too little is shown to tell: {sorted(missed)}"


def _some(urls: Iterator[str]) -> list[str]:
    return list(urls) if SOAK else [url for _, url in zip(range(3), urls, strict=False)]
