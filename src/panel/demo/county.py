"""An invented county's children, for figures alone: what rooms would say of each, by seed.

A few hundred children are too few to publish anything of: nearly every figure would be withheld.
So the demonstration's figures are of a county, of whom these children have no record, no name and
no family. What is said of them is coded and dated as `insight.sources` reads it from the rooms.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from uuid import UUID, uuid5

import msgspec
from numpy.random import default_rng

from panel.demo.county_places import COUNTY
from panel.insight.core.facts import Said
from panel.insight.sources import ChildLine

CHILDREN = 2_700
"""With those who have a record here about 3,000."""
_COUNTY = UUID("0a6e3d52-7f0b-5c57-9f53-6b1f4c8a2d11")
_NEEDS = {
    "asd": 30, "slcn": 18, "semh": 14, "mld": 9, "sld": 7, "pmld": 4, "gdd": 6, "pd": 5, "ds": 3,
    "hi": 3, "vi": 2, "spld": 4, "medical": 3, "oth": 2,
}  # fmt: skip
_ETHNICITIES = {"white": 70, "asian": 12, "black": 7, "mixed": 6, "other": 2, "": 3}
_LEVELS = {"early_help": 3, "targeted": 5, "specialist": 4}
_KINDS = {
    "short_break": 40, "therapy": 20, "family_support": 10, "equipment": 8, "transport": 7,
    "play_and_leisure": 9, "childcare": 6, "education": 7,
}  # fmt: skip
_BASES = {"s17": 5, "csdpa2": 4, "ehcp": 3, "continuing_care": 1, "local_offer": 2}
_DECISIONS = {"agreed": 55, "agreed_in_part": 18, "deferred": 7, "declined": 20}
_REASONS = {
    "no_capacity": 45, "no_such_service": 18, "too_far": 12, "wrong_time": 9, "no_money": 9,
    "not_suitable": 7,
}  # fmt: skip
_WAYS = {"in_kind": 6, "direct_payment": 3, "personal_budget": 1}
_PRICES = {
    "short_break": ("session", (52, 95)), "therapy": ("session", (48, 85)),
    "family_support": ("hour", (24, 38)), "equipment": ("item", (14, 30)),
    "transport": ("day", (18, 32)), "play_and_leisure": ("session", (15, 28)),
    "childcare": ("session", (30, 48)), "education": ("hour", (32, 58)),
}  # fmt: skip
"""By kind: a unit, and from and to how many pounds it costs."""
_RESIDENTIAL = ("week", (4_100, 5_600))
"""The same of a residential school."""
_PAYERS = {"social_care": (2, 1, 1), "education": (0, 1, 2), "health": (1, 1, 0)}
"""Of three ways to share a price, how many parts each pays."""
_DRAWN = 600
"""Numbers of one child's luck: more than any child needs."""
_LOOK_BACK = 900
"""Days: of what is older nothing is asked by any table."""


class _Luck:
    """One child's luck: the same for the same seed and number."""

    def __init__(self, seed: int, number: int) -> None:
        drawn: list[float] = default_rng([seed, number]).random(_DRAWN).tolist()
        self._drawn = iter(drawn)

    def hits(self, in_a_hundred: float) -> bool:
        return next(self._drawn) * 100 < in_a_hundred

    def between(self, least: int, most: int) -> int:
        return least + int(next(self._drawn) * (most - least + 1))

    def one_of(self, weights: Mapping[str, int]) -> str:
        left = next(self._drawn) * sum(weights.values())
        for code, weight in weights.items():
            left -= weight
            if left < 0:
                return code
        return code


def county(seed: int, children: int, today: date) -> Iterator[ChildLine]:
    """So many children of the county as they are on a day."""
    for number in range(children):
        yield _Child(seed, number, today).line()


class _Child:
    """One child, while it is invented."""

    def __init__(self, seed: int, number: int, today: date) -> None:
        self.luck = _Luck(seed, number)
        self.id = uuid5(_COUNTY, f"{seed} {number}")
        self.today = today
        self.said: list[Said] = []
        self.need = self.luck.one_of(_NEEDS)
        wards = {one.code: one.children for one in COUNTY}
        code = self.luck.one_of(wards)
        self.ward = next(one for one in COUNTY if one.code == code)
        self.born = today - timedelta(days=self.luck.between(400, 17 * 365))

    def line(self) -> ChildLine:
        """All that is said of the child."""
        self._live()
        return ChildLine(
            child=self.id,
            birth=f"{self.born:%Y-%m}",
            sex="male" if self.luck.hits(66) else "female",
            ethnicity=self.luck.one_of(_ETHNICITIES),
            need=self.need,
            ward=self.ward.code,
            moved_on=None,
            school_on=None,
            restricted=False,
            erased=False,
            said=self.said,
        )

    def _say(
        self,
        what: str,
        since: date | None = None,
        until: date | None = None,
        key: str = "",
        codes: Mapping[str, str] | None = None,
        numbers: Mapping[str, int] | None = None,
    ) -> None:
        """What has not happened yet is not said."""
        if since is not None and since > self.today:
            return
        self.said.append(
            Said(
                what,
                key=str(uuid5(self.id, key)) if key else "",
                since="" if since is None else since.isoformat(),
                until="" if until is None or until > self.today else until.isoformat(),
                codes=dict(codes or {}),
                numbers=dict(numbers or {}),
            )
        )

    def _happened(self, day: date) -> str:
        return day.isoformat() if day <= self.today else ""

    def _after(self, day: date, least: int, most: int) -> date:
        return day + timedelta(days=self.luck.between(least, most))

    def _live(self) -> None:
        luck = self.luck
        opened = self.today - timedelta(days=luck.between(20, _LOOK_BACK))
        opened = max(opened, self.born + timedelta(days=90))
        # In the south they are seen later and wait longer.
        slow = self.ward.code in SLOW
        seen = opened - timedelta(days=luck.between(20, 220 if slow else 120))
        closed = self._after(opened, 200, 700) if luck.hits(25) else None
        self._say("episode", opened, closed, "episode", {"identified": seen.isoformat()})
        self._say("level", opened, codes={"level": luck.one_of(_LEVELS)})
        panel = self._after(opened, 30 if slow else 14, 120 if slow else 70)
        self._say("referral", opened, key="referral", codes={"first_panel": self._happened(panel)})
        until = min(closed or self.today, self.today)
        day = panel
        while day <= until:
            self._say("discussed", day)
            day = self._after(day, 150, 190)
        self._say("plan", self._after(panel, 5, 30), closed, "plan")
        self._outcomes(panel, until)
        self._asks(panel, until)
        if luck.hits(self.ward.no_break):
            self._lacks(self._after(panel, 0, 200), "short_break")
        elif luck.hits(5):
            self._lacks(self._after(panel, 0, 200), luck.one_of(_KINDS))
        if luck.hits(12):
            since = self._after(panel, 0, 300)
            taken = self._after(since, 20, 400) if luck.hits(60) else None
            self._say("waiting", since, taken, "waiting")

    def _outcomes(self, panel: date, until: date) -> None:
        luck = self.luck
        for number in range(luck.between(0, 2)):
            key, baseline, target = f"outcome {number}", luck.between(1, 2), luck.between(3, 4)
            self._say("outcome", key=key, numbers={"baseline": baseline, "target": target})
            value, day = baseline, self._after(panel, 60, 110)
            while day <= until:
                value = min(5, max(0, value + luck.between(-1, 3) // 2))
                codes = {"family": "true" if luck.hits(45) else "false"}
                self._say("progress", day, key=key, codes=codes, numbers={"value": value})
                day = self._after(day, 80, 120)

    def _asks(self, panel: date, until: date) -> None:
        """Requests of the child, and what came of them."""
        luck = self.luck
        if luck.hits(2.5):
            self._gets(panel, "education", residential=True)
        for number in range(luck.between(0, 2) if luck.hits(60) else 0):
            kind, basis = luck.one_of(_KINDS), luck.one_of(_BASES)
            sent = self._after(panel, 5, 260)
            if sent > until:
                continue
            decided, decision = self._after(sent, 10, 55), luck.one_of(_DECISIONS)
            done = decided <= self.today
            codes = {
                "kind": kind,
                "short_break": "true" if kind == "short_break" else "false",
                "basis": basis,
                "need": self.need,
            }
            if done:
                codes |= {"decision": decision, "decided": decided.isoformat()}
            self._say("request", sent, key=f"request {number}", codes=codes)
            if done and decision in ("agreed", "agreed_in_part"):
                self._gets(self._after(decided, 7, 60), kind, f"{number}")
            elif done and decision == "declined" and luck.hits(50):
                self._lacks(decided, kind)

    def _gets(
        self, since: date, kind: str, name: str = "placed", *, residential: bool = False
    ) -> None:
        """A service of a package, with its price and who pays it."""
        luck = self.luck
        unit, (least, most) = _RESIDENTIAL if residential else _PRICES[kind]
        line, package = f"line {name}", f"package {name}"
        self._say(
            "line",
            since,
            self._after(since, 300, 420) if luck.hits(35) else None,
            line,
            {
                "kind": kind,
                "short_break": "true" if kind == "short_break" else "false",
                "package": str(uuid5(self.id, package)),
                "how": "in_kind" if residential else luck.one_of(_WAYS),
                "unit": unit,
                "every": "month" if kind == "equipment" else "week",
                "approved": since.isoformat(),
                "residential": "true" if residential else "false",
            },
            {"units": 1_000 if residential or kind == "equipment" else 1_000 * luck.between(1, 2)},
        )
        self._say("price", since, key=line, numbers={"pence": 100 * luck.between(least, most)})
        way = luck.between(0, 2)
        whole = sum(parts[way] for parts in _PAYERS.values())
        for payer, parts in _PAYERS.items():
            numbers = {"parts": parts[way], "whole": whole}
            self._say("share", since, key=package, codes={"payer": payer}, numbers=numbers)

    def _lacks(self, since: date, kind: str) -> None:
        luck = self.luck
        self._say(
            "unmet",
            since,
            self._after(since, 120, 500) if luck.hits(30) else None,
            f"unmet {kind}",
            {
                "kind": kind,
                "short_break": "true" if kind == "short_break" else "false",
                "need": self.need,
                "reason": luck.one_of(_REASONS),
                "unit": "session",
            },
            {"missing": 1_000 * luck.between(1, 4)},
        )


SLOW: Sequence[str] = tuple(one.code for one in COUNTY[8:])
"""Wards where children are seen later and wait longer."""


def lines(seed: int, children: int, today: date) -> list[tuple[UUID, str]]:
    """The county as rows: each child's id, and what is said as JSON."""
    return [(one.child, msgspec.json.encode(one).decode()) for one in county(seed, children, today)]
