"""The statutory duties to share that an authority starts with (England, November 2026).

Not legal advice. Each is a setting, dated and with its source, for an authority's lawyers to keep,
narrow or switch off. A duty here opens a category to a viewer who already has a tie to the child,
even where somebody refused; so the list is short and each entry as narrow as its Act.

`NAMED` stands beside them: sections that a page or a request for service names, and that open
nothing, because none of them says that one agency must tell another something about one child:

- Children Act 1989 sections 17 and 20 let a council provide and accommodate.
- Section 47 is a matter of one enquiry about one child, with its own dates: what opens is the
  `Enquiry`, which carries the section's code into the access history.
- Children Act 2004 section 11 asks agencies to work in a way that keeps children safe.
- Children and Families Act 2014 sections 25, 26 and 28 ask them to join up, to commission together
  and to co-operate; whom a panel knows for that is in section 10 already.
"""

from __future__ import annotations

from datetime import date

from consent.model import Category, Duty, Purpose, Role, Tie

CO_OPERATION = Duty(
    code="children-act-2004-s10",
    words="the duty to co-operate (Children Act 2004 section 10)",
    source="Children Act 2004 (c. 31), section 10(1) and (5); in force in England from "
    "1 April 2005 (S.I. 2005/394). A setting for the authority's lawyers.",
    # A panel can see whom it waits for and who ought to come, and nothing of what is said of them.
    # The pack of a member agency is not opened by it: that needs an agreement or another basis.
    categories=frozenset({Category.IDENTITY, Category.NETWORK}),
    purposes=frozenset({Purpose.PANEL, Purpose.REVIEW}),
    agency_kinds=frozenset({"council", "social_care", "education", "health"}),
    roles=frozenset({Role.COORDINATOR, Role.CHAIR}),
    ties=frozenset({Tie.PANEL}),
    commenced=date(2005, 4, 1),
)

HEALTH_NOTIFICATION = Duty(
    code="children-and-families-act-2014-s23",
    words="the notification by health bodies (Children and Families Act 2014 section 23)",
    source="Children and Families Act 2014 (c. 6), section 23(3); in force from "
    "1 September 2014 (S.I. 2014/889). A setting for the authority's lawyers.",
    # The Act covers the opinion about a child under compulsory school age, once the parent was
    # told. Neither can be seen from here, so this opens who the child is and no more; the opinion
    # itself travels in the notification that the health body writes.
    categories=frozenset({Category.IDENTITY}),
    purposes=frozenset({Purpose.PANEL}),
    agency_kinds=frozenset({"council"}),
    roles=frozenset({Role.COORDINATOR, Role.CHAIR}),
    ties=frozenset({Tie.PANEL}),
    commenced=date(2014, 9, 1),
)

RIGHT_OF_ACCESS = Duty(
    code="uk-gdpr-article-15",
    words="a person's right to their own data (UK GDPR Article 15)",
    source="UK GDPR Article 15 and Data Protection Act 2018 (c. 12), section 15 and Schedules 2 "
    "to 4; from 25 May 2018. A setting for the authority's lawyers.",
    # For whoever prepares the answer. A refusal to share does not filter it; the exemptions and
    # other people's data do, and each redaction carries its reason (DOMAIN.md, "Subject access").
    categories=frozenset(Category),
    purposes=frozenset({Purpose.SUBJECT_ACCESS}),
    roles=frozenset({Role.GOVERNANCE_LEAD}),
    ties=frozenset({Tie.GOVERNANCE}),
    commenced=date(2018, 5, 25),
)

WELFARE_SHARING = Duty(
    code="children-act-2004-s16la",
    words="the duty to share information about a child's welfare (Children Act 2004 section 16LA)",
    source="Children Act 2004 (c. 31), section 16LA, inserted by the Children's Wellbeing and "
    "Schools Act 2026 (c. 21). At Royal Assent only the powers to make regulations were "
    "commenced, so it is present and off. A setting for the authority's lawyers, who will have "
    "to narrow it to what is relevant and not more detrimental to the child than silence.",
    categories=frozenset(Category),
    purposes=frozenset(
        {Purpose.SUPPORT, Purpose.PANEL, Purpose.REVIEW, Purpose.ALLOCATION, Purpose.SAFEGUARDING}
    ),
    agency_kinds=frozenset({"council", "social_care", "education", "health"}),
    commenced=None,
)

CONSISTENT_IDENTIFIER = Duty(
    code="children-act-2004-s16lc",
    words="the duty to use a consistent identifier (Children Act 2004 section 16LC)",
    source="Children Act 2004 (c. 31), section 16LC, inserted by the Children's Wellbeing and "
    "Schools Act 2026 (c. 21), section 4. Regulations have to say which identifier (it is to be "
    "the NHS number) and for whom; until they do it is present and off. A setting for the "
    "authority's lawyers.",
    # The identifier stands in the section that says who the child is; nothing else comes with it.
    categories=frozenset({Category.IDENTITY}),
    purposes=frozenset(
        {Purpose.SUPPORT, Purpose.PANEL, Purpose.REVIEW, Purpose.ALLOCATION, Purpose.SAFEGUARDING}
    ),
    agency_kinds=frozenset({"council", "social_care", "education", "health"}),
    commenced=None,
)

DEFAULT_DUTIES: tuple[Duty, ...] = (
    CO_OPERATION,
    HEALTH_NOTIFICATION,
    RIGHT_OF_ACCESS,
    WELFARE_SHARING,
    CONSISTENT_IDENTIFIER,
)
"""What a new authority starts with."""


def _named(code: str, words: str, source: str, commenced: date) -> Duty:
    """A section that opens nothing, since it covers no category."""
    return Duty(
        code=code,
        words=words,
        source=f"{source}. It opens nothing by itself. A setting for the authority's lawyers.",
        categories=frozenset(),
        purposes=frozenset(),
        commenced=commenced,
    )


_CHILDREN_ACT_1989 = date(1991, 10, 14)
_SEN_REFORM = date(2014, 9, 1)

IN_NEED = _named(
    "children-act-1989-s17",
    "services for children in need (Children Act 1989 section 17)",
    "Children Act 1989 (c. 41), section 17; in force from 14 October 1991",
    _CHILDREN_ACT_1989,
)
ACCOMMODATION = _named(
    "children-act-1989-s20",
    "accommodation for children (Children Act 1989 section 20)",
    "Children Act 1989 (c. 41), section 20; in force from 14 October 1991",
    _CHILDREN_ACT_1989,
)
ENQUIRIES = _named(
    "children-act-1989-s47",
    "a safeguarding enquiry (Children Act 1989 section 47)",
    "Children Act 1989 (c. 41), section 47; in force from 14 October 1991",
    _CHILDREN_ACT_1989,
)
SAFEGUARDING_ARRANGEMENTS = _named(
    "children-act-2004-s11",
    "arrangements to safeguard and promote welfare (Children Act 2004 section 11)",
    "Children Act 2004 (c. 31), section 11; in force in England from 1 October 2005",
    date(2005, 10, 1),
)
INTEGRATION = _named(
    "children-and-families-act-2014-s25",
    "promoting integration (Children and Families Act 2014 section 25)",
    "Children and Families Act 2014 (c. 6), section 25; in force from 1 September 2014",
    _SEN_REFORM,
)
JOINT_COMMISSIONING = _named(
    "children-and-families-act-2014-s26",
    "joint commissioning (Children and Families Act 2014 section 26)",
    "Children and Families Act 2014 (c. 6), section 26; in force from 1 September 2014",
    _SEN_REFORM,
)
SEN_CO_OPERATION = _named(
    "children-and-families-act-2014-s28",
    "co-operation for children with special educational needs or a disability (Children and "
    "Families Act 2014 section 28)",
    "Children and Families Act 2014 (c. 6), section 28; in force from 1 September 2014",
    _SEN_REFORM,
)

NAMED: tuple[Duty, ...] = (
    IN_NEED,
    ACCOMMODATION,
    ENQUIRIES,
    SAFEGUARDING_ARRANGEMENTS,
    INTEGRATION,
    JOINT_COMMISSIONING,
    SEN_CO_OPERATION,
)
"""Sections to name that open nothing."""
