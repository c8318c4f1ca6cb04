"""The dated settings of the rooms below, as the page of all settings lists them."""

from collections.abc import Sequence

from panel.accounts.dated_settings import DatedSetting, ValueKind
from panel.allocation.packages_settings import FIRST_GRANT_LIMIT, GRANT_LIMIT, PREFIX
from panel.allocation.short_breaks import ENGLAND
from panel.casework.bulk import UNDO_DAYS
from panel.casework.watch import ACCESS, AGREED, ANSWERED, DONE
from panel.panels.referring import ACKNOWLEDGE_DAYS, CRITERIA, FIRST_CRITERIA, JOINS_MONTHS

BREAKS, BULK = "Packages and short breaks", "Work on many at once"
REFERRALS = "Referrals"
WATCH = "The nightly watch"

SETTINGS: Sequence[DatedSetting] = (
    DatedSetting(
        f"{PREFIX}stretch",
        "Days of a short break at a stretch",
        BREAKS,
        ENGLAND.stretch,
        least=1,
        most=365,
        hint="In England 17: past it the child is looked after.",
    ),
    DatedSetting(
        f"{PREFIX}in_a_year",
        "Days of short breaks in any 12 months",
        BREAKS,
        ENGLAND.in_a_year,
        least=1,
        most=365,
        hint="In England 75, in Wales 120.",
    ),
    DatedSetting(
        f"{PREFIX}several_settings",
        "A second carer or place is a limit of its own",
        BREAKS,
        ENGLAND.several_settings,
        ValueKind.YES_NO,
    ),
    DatedSetting(
        f"{PREFIX}review_months",
        "Months until a package is reviewed",
        BREAKS,
        ENGLAND.review_months,
        least=1,
        most=24,
    ),
    DatedSetting(
        f"{PREFIX}warn_days",
        "Days before a limit on which it is warned of",
        BREAKS,
        ENGLAND.warn_days,
        least=0,
        most=90,
    ),
    DatedSetting(
        f"{PREFIX}count_nights",
        "Count nights away instead of days",
        BREAKS,
        ENGLAND.count_nights,
        ValueKind.YES_NO,
        hint="To count every day on which the child is away is the more careful way.",
    ),
    DatedSetting(
        GRANT_LIMIT,
        "Inclusion grants without the panel, up to",
        BREAKS,
        f"{FIRST_GRANT_LIMIT}",
        ValueKind.MONEY,
        most=100_000,
    ),
    DatedSetting(
        UNDO_DAYS.key,
        "Days for which work on many at once can be taken back",
        BULK,
        UNDO_DAYS.default,
        least=UNDO_DAYS.least,
        most=UNDO_DAYS.most,
    ),
    DatedSetting(
        CRITERIA,
        "Conditions of being eligible",
        REFERRALS,
        "\n".join(FIRST_CRITERIA),
        ValueKind.LINES,
        hint="Who decides on a referral names the one that is not met; the family reads it.",
    ),
    *(
        DatedSetting(
            one.key, label, REFERRALS, one.default, least=one.least, most=one.most, hint=hint
        )
        for one, label, hint in (
            (
                ACKNOWLEDGE_DAYS,
                "Working days until a referral is acknowledged",
                "Referrals that are here already keep their day.",
            ),
            (
                JOINS_MONTHS,
                "Months within which a referral goes on with a closed episode",
                "After that, a new episode begins in the same record. 0: always a new one.",
            ),
        )
    ),
    *(
        DatedSetting(one.key, label, WATCH, one.default, least=one.least, most=one.most, hint=hint)
        for one, label, hint in (
            (
                ANSWERED,
                "Working days until a referral, an offer or a question has waited too long",
                "Then the child is on the list of those who lack a next step.",
            ),
            (AGREED, "Working days from the beginning of a plan to its agreement", ""),
            (
                DONE,
                "Working days that an action may be late before it is on the list",
                "Its owner and their manager are asked before.",
            ),
            (ACCESS, "Working days for the answer to a request for access", "It lapses after ten."),
        )
    ),
)
