"""Packages: what a child gets, what it costs in each year and who pays.

The one door to it: they are read, changed, approved, billed and ended in modules of their own.
"""

from panel.allocation.costing import Every
from panel.allocation.package_approving import (
    OWN_CHANGE,
    OWN_PLAN,
    approve,
    approve_change,
    take_change_back,
)
from panel.allocation.package_bills import bill, take_bill_back
from panel.allocation.package_changing import (
    Spending,
    add_line,
    change_package,
    change_price,
    end_line,
    plan_spending,
    share_cost,
    start_package,
)
from panel.allocation.package_contents import (
    DAY,
    LineWords,
    PackageWords,
    Payer,
)
from panel.allocation.package_ending import end_package, note_review
from panel.allocation.package_holding import (
    hold,
    open_for_change,
)
from panel.allocation.package_promising import pay_out, settle
from panel.allocation.package_reading import (
    LineReading,
    PackageReading,
    Share,
    YearCost,
    may_prepare,
    may_sign,
    money_purposes,
    package_for_reading,
    packages_for_reading,
    read_packages,
    stays_of,
)
from panel.allocation.package_stays import cancel_stay, plan_stay

__all__ = [
    "DAY",
    "OWN_CHANGE",
    "OWN_PLAN",
    "Every",
    "LineReading",
    "LineWords",
    "PackageReading",
    "PackageWords",
    "Payer",
    "Share",
    "Spending",
    "YearCost",
    "add_line",
    "approve",
    "approve_change",
    "bill",
    "cancel_stay",
    "change_package",
    "change_price",
    "end_line",
    "end_package",
    "hold",
    "may_prepare",
    "may_sign",
    "money_purposes",
    "note_review",
    "open_for_change",
    "package_for_reading",
    "packages_for_reading",
    "pay_out",
    "plan_spending",
    "plan_stay",
    "read_packages",
    "settle",
    "share_cost",
    "start_package",
    "stays_of",
    "take_bill_back",
    "take_change_back",
]
