"""Under what law a disclosure is made: three things stand on each (DOMAIN.md, "the law").

The UK GDPR Article 6 basis; the Article 9 condition where the category may hold special data; and
what lifts the common-law duty of confidence. Not legal advice: every rule is dated, has its source
and is a setting for the authority's lawyers. An agreement to share is not the Article 6 basis: a
family's agreement lifts confidence, and the work itself is a public task.

Criminal offence data (Article 10) are not told apart; a safeguarding section may hold some.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache

from consent.model import (
    Arrangement,
    Basis,
    Category,
    Decision,
    Purpose,
    Span,
    Viewer,
    ViewerKind,
)
from consent.reach import agency_of


class Article6(StrEnum):
    """What makes the processing lawful (UK GDPR Article 6(1))."""

    LEGAL_OBLIGATION = "6(1)(c)"
    PUBLIC_TASK = "6(1)(e)"


class Article9(StrEnum):
    """On what condition health and other special data are processed (UK GDPR Article 9(2))."""

    COURTS = "9(2)(f)"
    SUBSTANTIAL_PUBLIC_INTEREST = "9(2)(g)"
    CARE = "9(2)(h)"


class Confidence(StrEnum):
    """What lifts the common-law duty of confidence."""

    AGREEMENT = "agreement"
    DIRECT_CARE = "direct_care"
    STATUTE = "statute"
    COURT = "court"
    PUBLIC_INTEREST = "public_interest"
    OWN = "own"
    """Nothing has to: it is theirs, or their child's."""


SPECIAL: dict[Category, str] = {
    Category.HEALTH: "data concerning health",
    Category.DEVELOPMENT: "a delay or an impairment is data concerning health",
    Category.EDUCATION: "special educational needs tell of a disability",
    Category.SOCIAL_CARE: "services for disabled children tell of a disability",
    Category.FAMILY: "ethnicity and religion stand here, and the parents' health",
    Category.FINANCE: "disability benefits tell of a disability",
    Category.NETWORK: "who is involved tells for what: a speech therapist, a children's hospice",
    Category.VIEWS: "their own words are about all of it",
    Category.PLAN: "what is to change is mostly about health and disability",
    Category.PANEL: "what was said is about all of it",
    Category.SAFEGUARDING: "harm to somebody is about their health",
}
"""The categories that may hold special data, and why. A setting for the authority's lawyers.

Not names, birth dates and identifiers, nor addresses and telephones: the form keeps ethnicity,
religion and disability elsewhere.
"""

_EVER: frozenset[str] = frozenset()
_A_SETTING = " A setting for the authority's lawyers."
_GDPR = date(2018, 5, 25)
"""The Data Protection Act 2018 is in force; what became the UK GDPR applies from the same day."""
_SINCE_GDPR = Span(_GDPR)


@dataclass(frozen=True, slots=True)
class LawRule:
    """Under what law a permission on one basis is used; of several the first that fits counts."""

    basis: Basis
    article6: Article6
    article9: Article9
    condition: str
    """What else the Article 9 condition rests on, for a page."""
    confidence: Confidence
    source: str
    gateways: frozenset[str] = _EVER
    """Codes of duties (`Decision.gateway`); empty: whatever permits."""
    agency_kinds: frozenset[str] = _EVER
    """Empty: every kind of agency, and none."""
    kinds: frozenset[ViewerKind] = frozenset()
    """Empty: every kind of viewer."""
    purposes: frozenset[Purpose] = frozenset()
    """Empty: every purpose."""
    span: Span = _SINCE_GDPR


_CARE = "health or social care (Data Protection Act 2018 Schedule 1 paragraph 2)"
_STATUTORY = "statutory purposes (Data Protection Act 2018 Schedule 1 paragraph 6)"
_PROTECTING = "safeguarding of children (Data Protection Act 2018 Schedule 1 paragraph 18)"
_JUDICIAL = "courts acting in their judicial capacity"

_FAMILY = frozenset({ViewerKind.FAMILY})
_SCHOOLS = frozenset({"education"})

DEFAULT_LAW: tuple[LawRule, ...] = (
    LawRule(
        Basis.COURT_ORDER,
        Article6.LEGAL_OBLIGATION,
        Article9.COURTS,
        _JUDICIAL,
        Confidence.COURT,
        "UK GDPR Articles 6(1)(c) and 9(2)(f)." + _A_SETTING,
    ),
    LawRule(
        Basis.OWN_RECORD,
        Article6.PUBLIC_TASK,
        Article9.SUBSTANTIAL_PUBLIC_INTEREST,
        _STATUTORY,
        Confidence.OWN,
        "UK GDPR Articles 6(1)(e) and 9(2)(g); Data Protection Act 2018 (c. 12), Schedule 1 "
        "paragraph 6. Nobody's confidence is broken towards the person it is about or, for a "
        "child, somebody with parental responsibility." + _A_SETTING,
        kinds=_FAMILY,
    ),
    LawRule(
        Basis.OWN_RECORD,
        Article6.PUBLIC_TASK,
        Article9.SUBSTANTIAL_PUBLIC_INTEREST,
        _STATUTORY,
        Confidence.DIRECT_CARE,
        "UK GDPR Articles 6(1)(e) and 9(2)(g); Data Protection Act 2018 (c. 12), Schedule 1 "
        "paragraph 6: a school or nursery that uses its own record." + _A_SETTING,
        agency_kinds=_SCHOOLS,
    ),
    LawRule(
        Basis.OWN_RECORD,
        Article6.PUBLIC_TASK,
        Article9.CARE,
        _CARE,
        Confidence.DIRECT_CARE,
        "UK GDPR Articles 6(1)(e) and 9(2)(h); Data Protection Act 2018 (c. 12), sections 10 and "
        "11 and Schedule 1 paragraph 2: those who work with a child use what their own agency "
        "wrote, as the family expects." + _A_SETTING,
    ),
    LawRule(
        Basis.SAFEGUARDING,
        Article6.PUBLIC_TASK,
        Article9.SUBSTANTIAL_PUBLIC_INTEREST,
        _PROTECTING,
        Confidence.STATUTE,
        "UK GDPR Articles 6(1)(e) and 9(2)(g); Data Protection Act 2018 (c. 12), Schedule 1 "
        "paragraph 18; Children Act 1989 (c. 41), section 47." + _A_SETTING,
        gateways=frozenset({"children-act-1989-s47"}),
    ),
    LawRule(
        Basis.SAFEGUARDING,
        Article6.PUBLIC_TASK,
        Article9.SUBSTANTIAL_PUBLIC_INTEREST,
        _PROTECTING,
        Confidence.PUBLIC_INTEREST,
        "UK GDPR Articles 6(1)(e) and 9(2)(g); Data Protection Act 2018 (c. 12), Schedule 1 "
        "paragraph 18: an override, with its reason, for as long as it lasts." + _A_SETTING,
    ),
    LawRule(
        Basis.DUTY,
        Article6.LEGAL_OBLIGATION,
        Article9.SUBSTANTIAL_PUBLIC_INTEREST,
        _STATUTORY,
        Confidence.STATUTE,
        "UK GDPR Articles 6(1)(c), 9(2)(g) and 15; Data Protection Act 2018 (c. 12), Schedule 1 "
        "paragraph 6: whoever prepares the answer has to." + _A_SETTING,
        gateways=frozenset({"uk-gdpr-article-15"}),
    ),
    LawRule(
        Basis.DUTY,
        Article6.LEGAL_OBLIGATION,
        Article9.SUBSTANTIAL_PUBLIC_INTEREST,
        _PROTECTING,
        Confidence.STATUTE,
        "UK GDPR Articles 6(1)(c) and 9(2)(g); Data Protection Act 2018 (c. 12), Schedule 1 "
        "paragraph 18; the Children's Wellbeing and Schools Act 2026 (c. 21), section 4: present, "
        "and used by nothing until it is commenced." + _A_SETTING,
        gateways=frozenset({"children-act-2004-s16la", "children-act-2004-s16lc"}),
    ),
    LawRule(
        Basis.DUTY,
        Article6.PUBLIC_TASK,
        Article9.SUBSTANTIAL_PUBLIC_INTEREST,
        _STATUTORY,
        Confidence.STATUTE,
        "UK GDPR Articles 6(1)(e) and 9(2)(g); Data Protection Act 2018 (c. 12), section 8 and "
        "Schedule 1 paragraph 6: functions that an enactment gives." + _A_SETTING,
    ),
    LawRule(
        Basis.AGREEMENT,
        Article6.PUBLIC_TASK,
        Article9.SUBSTANTIAL_PUBLIC_INTEREST,
        _STATUTORY,
        Confidence.AGREEMENT,
        "UK GDPR Articles 6(1)(e) and 9(2)(g); Data Protection Act 2018 (c. 12), Schedule 1 "
        "paragraph 6: a school's or nursery's part." + _A_SETTING,
        agency_kinds=_SCHOOLS,
    ),
    LawRule(
        Basis.AGREEMENT,
        Article6.PUBLIC_TASK,
        Article9.CARE,
        _CARE,
        Confidence.AGREEMENT,
        "UK GDPR Articles 6(1)(e) and 9(2)(h); Data Protection Act 2018 (c. 12), sections 10 and "
        "11 and Schedule 1 paragraph 2. The agreement lifts confidence; it is not the basis."
        + _A_SETTING,
    ),
)
"""What a new authority starts with, the narrower rule before the wider."""


@dataclass(frozen=True, slots=True)
class Lawful:
    """The three things that stand on a disclosure, and what else it went by."""

    article6: Article6
    article9: Article9 | None
    """None where the category holds no special data."""
    condition: str
    confidence: Confidence
    gateway: str = ""
    """The code of the duty, or of the enquiry's section."""
    under: tuple[str, ...] = ()
    """References of the agencies' own agreements that name it."""


def lawful(
    decision: Decision,
    category: Category,
    viewer: Viewer,
    purpose: Purpose,
    day: date,
    rules: tuple[LawRule, ...] = DEFAULT_LAW,
    under: tuple[str, ...] = (),
) -> Lawful | None:
    """Under what law a permission is used on a day; None where it is withheld or has no rule."""
    if not decision.permitted:
        return None
    rule = _rule(
        decision.basis, decision.gateway, viewer.kind, viewer.agency_kind, purpose, day, rules
    )
    if rule is None:
        return None
    special = category in SPECIAL
    return Lawful(
        rule.article6,
        rule.article9 if special else None,
        rule.condition if special else "",
        rule.confidence,
        decision.gateway,
        under,
    )


@lru_cache(maxsize=4096)
def _rule(
    basis: Basis,
    gateway: str,
    kind: ViewerKind,
    agency_kind: str | None,
    purpose: Purpose,
    day: date,
    rules: tuple[LawRule, ...],
) -> LawRule | None:
    for rule in rules:
        if (
            rule.basis is basis
            and rule.span.holds(day)
            and (not rule.gateways or gateway in rule.gateways)
            and (not rule.agency_kinds or agency_kind in rule.agency_kinds)
            and (not rule.kinds or kind in rule.kinds)
            and (not rule.purposes or purpose in rule.purposes)
        ):
            return rule
    return None


def arrangements_for(
    arrangements: tuple[Arrangement, ...],
    viewer: Viewer,
    category: Category,
    purpose: Purpose,
    day: date,
) -> tuple[Arrangement, ...]:
    """The agencies' own agreements that name this; they open nothing (see `Arrangement`)."""
    agency = agency_of(viewer)
    return tuple(
        sorted(
            (
                each
                for each in arrangements
                if agency in each.parties
                and category in each.categories
                and purpose in each.purposes
                and each.span.holds(day)
            ),
            key=lambda each: each.reference,
        )
    )


# As the access history keeps it: one short text for each basis that permitted something.


def recorded(
    decisions: Mapping[Category, Decision],
    viewer: Viewer,
    purpose: Purpose,
    day: date,
    arrangements: tuple[Arrangement, ...] = (),
    rules: tuple[LawRule, ...] = DEFAULT_LAW,
) -> dict[str, str]:
    """The law of a look, for the access event: a basis → its law, and what differs by category.

    `{"agreement": "6(1)(e) 9(2)(h) agreement"}`; a category that went by another duty, or whose
    agencies had an agreement of their own, stands beside it as `duty/network`. Whether Article 9
    matters to a category says `SPECIAL`.
    """
    law: dict[str, str] = {}
    for category, decision in decisions.items():
        if not decision.permitted:
            continue
        text = _text(category, decision, viewer, purpose, day, arrangements, rules)
        if text and law.setdefault(decision.basis.value, text) != text:
            law[f"{decision.basis.value}/{category.value}"] = text
    return law


def _text(
    category: Category,
    decision: Decision,
    viewer: Viewer,
    purpose: Purpose,
    day: date,
    arrangements: tuple[Arrangement, ...],
    rules: tuple[LawRule, ...],
) -> str:
    rule = _rule(
        decision.basis, decision.gateway, viewer.kind, viewer.agency_kind, purpose, day, rules
    )
    if rule is None:
        return ""
    text = f"{rule.article6.value} {rule.article9.value} {rule.confidence.value}"
    if decision.gateway:
        text = f"{text} {decision.gateway}"
    if arrangements:
        named = arrangements_for(arrangements, viewer, category, purpose, day)
        text = "; ".join((text, *(each.reference for each in named)))
    return text


def read_recorded(law: Mapping[str, str], basis: str, category: Category) -> Lawful | None:
    """What was recorded of a category's law; None where nothing was (an older event)."""
    text = law.get(f"{basis}/{category.value}") or law.get(basis)
    if text is None:
        return None
    first, *under = text.split("; ")
    article6, article9, confidence, *gateway = first.split(" ")
    condition = Article9(article9) if category in SPECIAL else None
    return Lawful(
        Article6(article6),
        condition,
        "",
        Confidence(confidence),
        gateway[0] if gateway else "",
        tuple(under),
    )


# In words.

_ARTICLE_6_WORDS = {
    Article6.LEGAL_OBLIGATION: "legal obligation (UK GDPR Article 6(1)(c))",
    Article6.PUBLIC_TASK: "public task (UK GDPR Article 6(1)(e))",
}
_ARTICLE_9_WORDS = {
    Article9.COURTS: "the courts’ work (Article 9(2)(f))",
    Article9.SUBSTANTIAL_PUBLIC_INTEREST: "substantial public interest (Article 9(2)(g))",
    Article9.CARE: "health or social care (Article 9(2)(h))",
}
_CONFIDENCE_WORDS = {
    Confidence.AGREEMENT: "the family’s agreement",
    Confidence.DIRECT_CARE: "what a family expects of those who work with them",
    Confidence.STATUTE: "a statute",
    Confidence.COURT: "a court",
    Confidence.PUBLIC_INTEREST: "an overriding public interest",
}


def lawful_words(law: Lawful) -> str:
    """For the history page: the three things in a line, and what else it went by.

    "Public task (UK GDPR Article 6(1)(e)); special data for health or social care (Article
    9(2)(h)); confidence lifted by the family’s agreement."
    """
    parts = [_ARTICLE_6_WORDS[law.article6]]
    if law.article9 is not None:
        parts.append(f"special data for {_ARTICLE_9_WORDS[law.article9]}")
    if law.confidence is Confidence.OWN:
        parts.append("no confidence stands in the way: it is their own record")
    else:
        parts.append(f"confidence lifted by {_CONFIDENCE_WORDS[law.confidence]}")
    parts += [f"under the agencies’ agreement {reference}" for reference in law.under]
    words = "; ".join(parts)
    return f"{words[:1].upper()}{words[1:]}."
