"""The joint report of a release for the health and wellbeing board: one PDF/UA file.

Made of published cells alone, as the pages are, and dated when the release was made: the same
release gives the same bytes, so a board's copy can be compared with what is signed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncSession

from panel.insight import methods, pages, release_store
from panel.insight.blocks import Block
from panel.insight.core.ledger import FIRST
from panel.insight.core.released import Entry, PublishedError, PublishedRules
from panel.insight.core.written import methods_from
from panel.insight.reading import Head, Seen, look, look_back, methods_of
from panel.insight.saying import BANNER, WHY_NOT
from panel.platform.clock import LONDON
from panel.platform.pdf import render
from panel.web.words import short_day

TEMPLATE = "insight/templates/report.typ"
FONT = "Libertinus Serif"
"""Of the fonts that come with the compiler, the one that charts are lettered in."""
_PIECE = 40
"""Letters of a drawing that stand together: longer words of text would be broken for the line."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a report is made of."""

    authority: str
    invented: str
    """That the figures are a demonstration's; else ""."""
    seen: Seen
    rules: PublishedRules
    error: PublishedError
    entry: Entry

    @property
    def title(self) -> str:
        """As the file is called by whoever lists it."""
        return f"What families need and do not get: {self.seen.head.term}"

    @property
    def file_name(self) -> str:
        """Of the download."""
        return f"panel-report-{self.seen.head.period}.pdf"


async def read(
    session: AsyncSession,
    published: Sequence[Head],
    head: Head,
    authority: str,
    invented: str,
) -> Report:
    """The report of a release. `published`: all releases, the newest first."""
    seen = await look_back(session, published, await look(session, head, pages.EVERYTHING))
    rules, error = methods_from(await methods_of(session, head))
    [entry] = [one for one in await release_store.entries(session) if one.number == head.number]
    return Report(authority, invented, seen, rules, error, entry)


def pdf(report: Report) -> bytes:
    """The file; takes seconds. Raises panel.platform.pdf.PdfNotMade with a sentence."""
    return render(
        TEMPLATE,
        content(report),
        title=report.title,
        created=report.seen.head.made_at,
    )


def content(report: Report) -> dict[str, object]:
    """What the template sets."""
    seen, entry = report.seen, report.entry
    made = seen.head.made_at
    questions = (
        ("Where is need not met?", pages.unmet_need(seen, pages.MOST_ASKED_FOR)),
        ("Who waits longest?", pages.waits(seen)),
        ("What does an outcome cost?", pages.outcome_cost(seen)),
        ("Which gap would a new service fill?", pages.gap(seen)),
    )
    return {
        "authority": report.authority,
        "notice": BANNER,
        "invented": report.invented,
        "published": f"Release {entry.number}, published {_day(made)}.",
        "questions": [
            {"title": title, "blocks": [_block(one) for one in blocks]}
            for title, blocks in questions
        ],
        "methods": [_block(one) for one in methods.blocks(report.rules, report.error, seen.areas)],
        "why_not": [said for _, said in WHY_NOT],
        "ledger": [
            {"label": label, "value": value}
            for label, value in (
                ("Release", str(entry.number)),
                ("Published", _day(made)),
                ("Digest of its files", entry.cells),
                ("Line before it", "None" if entry.previous == FIRST else entry.previous),
                ("Signature", entry.signature),
                ("Public key", entry.key),
            )
        ],
    }


def _day(moment: datetime) -> str:
    return short_day(moment.astimezone(LONDON).date())


def _block(block: Block) -> Mapping[str, object]:
    key = in_the_key(block)
    return {
        "heading": block.heading,
        "sentences": [*block.sentences, *([key] if key else [])],
        "chart": [] if block.chart is None else _pieces(block.chart),
        "alt": block.alt,
        "caption": block.caption,
        "columns": list(block.columns),
        "rows": [list(row) for row in block.rows],
        "numeric": list(block.numeric),
    }


def in_the_key(block: Block) -> str:
    """The classes of a map in a sentence, from light to dark; "" where there is no map."""
    words = [said for _, said in block.key if said != "Not shown"]
    if not words:
        return ""
    hidden = " Crosses: not shown." if len(words) < len(block.key) else ""
    return f"On the map, from light to dark: {'; '.join(words)} children.{hidden}"


def _pieces(chart: Markup) -> list[str]:
    """A drawing in pieces that are put together again; lettered in a font of the compiler's."""
    lettered = str(chart).replace("<svg ", f'<svg font-family="{FONT}" ', 1)
    return [lettered[at : at + _PIECE] for at in range(0, len(lettered), _PIECE)]
