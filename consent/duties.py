"""The statutory duties to share that an authority starts with (England, November 2026).

Not legal advice. Each is a setting, dated and with its source, for an authority's lawyers to keep,
narrow or switch off. A duty here opens a category to a viewer who already has a tie to the child,
even where somebody refused; so the list is short and each entry as narrow as its Act.

Left out on purpose:

- Children Act 1989 section 17 (children in need) lets a council provide; it does not say that
  others must tell it anything.
- Children Act 1989 section 47 is a matter of one enquiry about one child, with its own dates: it is
  an `Enquiry`, not a standing duty.
- Children Act 2004 section 11 asks agencies to work in a way that keeps children safe; it gives
  no new power to disclose.
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

DEFAULT_DUTIES: tuple[Duty, ...] = (
    CO_OPERATION,
    HEALTH_NOTIFICATION,
    RIGHT_OF_ACCESS,
    WELFARE_SHARING,
)
"""What a new authority starts with."""
