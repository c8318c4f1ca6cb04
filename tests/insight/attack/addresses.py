"""Everything that an answer of the site tells: of each address asked, what came back and what it took."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any, Final

import httpx
from sqlalchemy import Engine, event
from structlog.testing import capture_logs

HOME: Final = "/commissioning"
DATA: Final = "/api/v1/releases"
TERM: Final = "2026-summer"
ONCE: Final = re.compile(rb'name="_csrf_token" value="[^"]*"|form-[0-9a-f]{32}')
"""Words against forgery, of each answer anew."""
OF_THE_SESSION: Final = frozenset({"set-cookie"})
HIDDEN_IN: Final = frozenset({"alt", "title", "placeholder", "value", "content", "summary"})
"""Attributes with words that nobody sees without asking for them; `aria-` and `data-` too."""
PAGES: Final = (
    "", "/unmet-need", "/unmet-need?kind=therapy", "/unmet-need?kind=equipment",
    "/unmet-need?kind=transport", "/waits", "/outcome-cost", "/gap", "/tables", "/methods",
    "/releases",
)  # fmt: skip
ENDINGS: Final = ("csv", "csv-metadata.json", "ods", "parquet")
WRONG: Final = (
    f"{HOME}/tables/nonsense", f"{HOME}/tables/nonsense/{TERM}.csv",
    f"{HOME}/tables/known_by_need/{TERM}.xls", f"{HOME}/tables/known_by_need/2020-autumn.csv",
    f"{HOME}/tables/known_by_need?term=2020-autumn", f"{HOME}/tables/known_by_need?start=-1",
    f"{HOME}/tables/known_by_need?start=gdd", f"{HOME}/tables/known_by_need?start=99999999999999",
    f"{HOME}/tables/known_by_need?term=%00", f"{HOME}/tables/%00", f"{HOME}/tables/{'x' * 3_000}",
    f"{HOME}/tables/known_by_need'--/{TERM}.csv", f"{HOME}/waits?term='", f"{HOME}/unmet-need?kind=%ff",
    f"{DATA}/2/catalogue", f"{DATA}/-1/catalogue", f"{DATA}/{2**70}/catalogue", f"{DATA}/x/catalogue",
    f"{DATA}/1/tables/nonsense", f"{DATA}/1/tables/%00",
)  # fmt: skip
"""Addresses of what is not there, or is no address."""


def addresses(keys: Iterable[str]) -> Iterator[tuple[str, str]]:
    """A way of asking and what for: every page, and these tables in every form."""
    for path in (*(HOME + page for page in PAGES), DATA, f"{DATA}/1/catalogue", *WRONG):
        yield "GET", path
    for number, key in enumerate(keys):
        table = f"{HOME}/tables/{key}"
        ways = (
            table,
            *(f"{table}/{TERM}.{ending}" for ending in ENDINGS),
            f"{DATA}/1/tables/{key}",
        )
        yield from (("GET", way) for way in ways)
        if not number:
            yield from ((way, path) for path in ways[:2] for way in ("HEAD", "OPTIONS", "POST"))


@dataclass(frozen=True)
class Answer:
    """What came back, what the database was asked for it, and what was logged."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    statements: tuple[str, ...]
    logged: tuple[str, ...]


async def ask(browser: httpx.AsyncClient, ways: Iterable[tuple[str, str]]) -> dict[str, Answer]:
    """What each address answers."""
    found = {}
    for way, path in ways:
        with _asked_of_the_database() as statements, capture_logs() as events:
            answer = await browser.request(way, path)
        found[f"{way} {path}"] = Answer(
            answer.status_code,
            tuple(
                sorted(
                    (name, value)
                    for name, value in answer.headers.items()
                    if name not in OF_THE_SESSION
                )
            ),
            ONCE.sub(b"", answer.content),
            tuple(statements),
            tuple(map(repr, events)),
        )
    return found


@contextmanager
def _asked_of_the_database() -> Iterator[list[str]]:
    asked: list[str] = []

    def seen(_c: Any, _u: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", seen)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", seen)


class _Page(HTMLParser):
    """What a page says openly, and what it says to those who look for it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.hidden: list[str] = []
        self._within = [""]
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Its attributes with words."""
        self._within.append(tag)
        if ("name", "viewport") not in attrs:
            self.hidden += [
                said
                for name, said in attrs
                if said and (name in HIDDEN_IN or name.startswith(("aria-", "data-")))
            ]

    def handle_endtag(self, tag: str) -> None:
        """Its end."""
        while self._within.pop() != tag and self._within:
            pass
        self._within = self._within or [""]

    def handle_data(self, data: str) -> None:
        """Its words: those of a title or a description of a drawing are not seen."""
        hidden = {"title", "desc", "script", "style"} & set(self._within)
        (self.hidden if hidden else self.open).append(data)

    def handle_comment(self, data: str) -> None:
        """What nobody sees."""
        self.hidden.append(data)


def numbers_hidden(page: str) -> set[str]:
    """Numbers that a page says in no text that is seen, but in an attribute, title or comment."""
    read = _Page(page)
    return _numbers(read.hidden) - _numbers(read.open)


def _numbers(texts: Iterable[str]) -> set[str]:
    return {one.replace(",", "") for text in texts for one in re.findall(r"\d[\d,]*", text)}
