"""The documents, written from an authority's facts. Pure: equal facts, equal documents.

Their words stand in texts/, as Markdown: `{authority}` is a fact within a sentence, `{{parties}}` a
table or list made from facts, and a quotation what is for the authority's lawyers to fill in. Not
legal advice. Sources: UK GDPR Articles 13, 14, 26, 30 and 35; DOMAIN.md, "Agreement and the law".
"""

import re
from collections.abc import Callable, Mapping
from importlib import resources

from consent import (
    ADDITIONAL,
    BASIC,
    DEFAULT_LAW,
    SPECIAL,
    Basis,
    Category,
    Lawful,
    LawRule,
    Purpose,
    ViewerKind,
    lawful_words,
)
from consent.words import SECTION_WORDS
from panel.accounts.throttle import KNOWN_FOR
from panel.governance.document_facts import DocumentFacts
from panel.governance.document_text import (
    MARK,
    Grid,
    Heading,
    Part,
    Points,
    ToFill,
    Words,
)
from panel.governance.models import DocumentKind
from panel.sharing.pages import FOR_WORDS
from panel.web import words

SLUGS: Mapping[DocumentKind, str] = {
    DocumentKind.JOINT_CONTROLLERS: "joint-controller-agreement",
    DocumentKind.PROCESSING_RECORD: "record-of-processing",
    DocumentKind.IMPACT_ASSESSMENT: "impact-assessment",
    DocumentKind.NOTICE_FOR_FAMILIES: "notice-for-families",
    DocumentKind.NOTICE_FOR_WORKERS: "notice-for-workers",
}
KIND_WORDS = {
    "health": "Health",
    "education": "Education",
    "social_care": "Social care",
    "council": "Council",
    "voluntary": "Voluntary organisation",
    "gp": "GP practice",
    "school": "School or nursery",
    "icb": "Integrated care board",
}
FAMILY_WORDS: Mapping[Category, str] = {
    Category.IDENTITY: "Names, birth dates and numbers such as the NHS number",
    Category.CONTACT: "Where you live and how to reach you",
    Category.NETWORK: "Who works with you",
    Category.HEALTH: "Your child’s health",
    Category.DEVELOPMENT: "How your child grows and learns to do things",
    Category.EDUCATION: "Nursery, school and learning",
    Category.SOCIAL_CARE: "Help from social workers",
    Category.FAMILY: "Your family and home",
    Category.FINANCE: "Money, such as benefits",
    Category.VIEWS: "What you and your child say",
    Category.PLAN: "The plan, and who does what by when",
    Category.PANEL: "What the panel talked about",
    Category.SAFEGUARDING: "What we need to know to keep a child safe",
}
"""The categories for a family's notice."""

BASIS_WORDS: Mapping[Basis, str] = {
    Basis.COURT_ORDER: "A court’s order",
    Basis.OWN_RECORD: "One’s own record",
    Basis.SAFEGUARDING: "A safeguarding enquiry or override",
    Basis.DUTY: "A duty or power",
    Basis.AGREEMENT: "The family’s agreement",
}

_MADE = re.compile(r"\{\{(\w+)\}\}")


def written(facts: DocumentFacts) -> dict[DocumentKind, tuple[Part, ...]]:
    """Every document, in the order in which they are listed."""
    return {kind: tuple(_parts(_TEXTS[kind], facts)) for kind in DocumentKind}


# The text, part by part.


def _text(name: str) -> str:
    return resources.files("panel.governance").joinpath("texts", f"{name}.md").read_text("utf-8")


def _title(text: str) -> str:
    return text.partition("\n")[0].removeprefix("# ")


_TEXTS: Mapping[DocumentKind, str] = {kind: _text(kind.value) for kind in DocumentKind}
_MEASURES = _text("measures")

TITLES: Mapping[DocumentKind, str] = {kind: _title(text) for kind, text in _TEXTS.items()}


def _parts(text: str, facts: DocumentFacts) -> list[Part]:
    said = _said(facts)
    parts: list[Part] = []
    for block in text.strip().split("\n\n")[1:]:
        made = _MADE.fullmatch(block.strip())
        if made is not None:
            parts += _MAKERS[made[1]](facts)
        else:
            parts.append(_part(block.strip().format_map(said)))
    return parts


def _part(block: str) -> Part:
    if block.startswith("## "):
        return Heading(block[3:])
    if block.startswith("> "):
        return ToFill(_one_line(block.replace("\n> ", "\n")[2:]))
    if block.startswith("- "):
        return Points(tuple(_one_line(item) for item in block[2:].split("\n- ")))
    if block.startswith("|"):
        columns, _, *rows = (_cells(line) for line in block.split("\n"))
        return Grid(columns, tuple(rows))
    return Words(_one_line(block))


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip("|").split("|"))


def _one_line(block: str) -> str:
    return " ".join(block.split())


def _said(facts: DocumentFacts) -> dict[str, str]:
    """What stands within a sentence."""
    waits = dict(facts.spans)
    return {
        "authority": facts.authority,
        "contact": facts.contact or "The information governance lead",
        "organisations": words.upper_first(words.plural(len(facts.agencies), "organisation")),
        **{name: words.number(figure) for name, figure in facts.thresholds},
        "override_lasts": words.plural(waits["override_hours"], "hour"),
        "review_within": words.plural(waits["review_working_days"], "working day"),
        "known_for": words.plural(KNOWN_FOR.days, "day"),
        "decided_within": words.plural(waits["objection_working_days"], "working day"),
    }


# What is made from facts.


def _agency_names(facts: DocumentFacts) -> list[Part]:
    return [Points(tuple(one.name for one in facts.agencies))]


def _parties(facts: DocumentFacts) -> list[Part]:
    rows = tuple(
        (one.name, KIND_WORDS.get(one.kind, one.kind), "Yes" if one.on_panel else "No")
        for one in facts.agencies
    )
    return [Grid(("Party", "Kind", "Member of a panel"), rows)]


def _panels(facts: DocumentFacts) -> list[Part]:
    said = (f"{one}: the agencies that sit on it, each its own pack" for one in facts.panels)
    return [Points(tuple(said))] if facts.panels else [Words("No panel meets yet.")]


def _purposes(_facts: DocumentFacts) -> list[Part]:
    rows = tuple((words.upper_first(FOR_WORDS[one]), one.value) for one in Purpose)
    return [Grid(("Purpose", "Code"), rows)]


def _purpose_list(_facts: DocumentFacts) -> list[Part]:
    return [Points(tuple(words.upper_first(FOR_WORDS[one]) for one in Purpose))]


def _categories(_facts: DocumentFacts) -> list[Part]:
    rows = tuple((words.upper_first(SECTION_WORDS[one]), _level(one)) for one in Category)
    return [Grid(("Information", "In an agreement"), rows)]


def _level(category: Category) -> str:
    if category in BASIC:
        return "Basic"
    return "Additional" if category in ADDITIONAL else "Only where it is named"


def _family_categories(_facts: DocumentFacts) -> list[Part]:
    return [Points(tuple(FAMILY_WORDS[one] for one in Category))]


def _duties(facts: DocumentFacts) -> list[Part]:
    rows = []
    for one in facts.duties:
        since = "Not in force" if one.from_on is None else f"From {words.short_day(one.from_on)}"
        until = "" if one.until_on is None else f" until {words.short_day(one.until_on)}"
        rows.append((words.upper_first(one.words), since + until, one.source))
    return [Grid(("Duty or power", "In force", "Source"), tuple(rows))]


def _law(_facts: DocumentFacts) -> list[Part]:
    rows = tuple(
        (
            _law_of(rule),
            lawful_words(Lawful(rule.article6, rule.article9, rule.condition, rule.confidence)),
            rule.condition,
            rule.source,
        )
        for rule in DEFAULT_LAW
    )
    special = words.in_a_row([SECTION_WORDS[one] for one in Category if one in SPECIAL])
    return [
        Grid(("What permits it", "Under what law", "Condition", "Source"), rows),
        Words(f"Article 9 matters to these kinds of information: {special}."),
    ]


def _law_of(rule: LawRule) -> str:
    of = [
        *sorted(rule.gateways),
        *(KIND_WORDS.get(one, one).lower() for one in sorted(rule.agency_kinds)),
        *("the family’s own" for one in rule.kinds if one is ViewerKind.FAMILY),
    ]
    said = BASIS_WORDS[rule.basis]
    return f"{said} ({', '.join(of)})" if of else said


def _retention(facts: DocumentFacts) -> list[Part]:
    rows = tuple((what, how_long or MARK) for what, how_long in facts.retention)
    return [Grid(("What", "How long"), rows)]


def _forms(facts: DocumentFacts) -> list[Part]:
    if not facts.forms:
        return [Words("No form is in use yet.")]
    return [Words(f"Forms in use: {words.in_a_row(facts.forms)}.")]


def _jobs(facts: DocumentFacts) -> list[Part]:
    return [Points(tuple(words.upper_first(one) for one in facts.jobs))]


def _measures(facts: DocumentFacts) -> list[Part]:
    return _parts(_MEASURES, facts)


_MAKERS: Mapping[str, Callable[[DocumentFacts], list[Part]]] = {
    "agency_names": _agency_names,
    "categories": _categories,
    "duties": _duties,
    "family_categories": _family_categories,
    "forms": _forms,
    "jobs": _jobs,
    "law": _law,
    "measures": _measures,
    "panels": _panels,
    "parties": _parties,
    "purpose_list": _purpose_list,
    "purposes": _purposes,
    "retention": _retention,
}
