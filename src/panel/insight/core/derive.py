"""From what the rooms say of one child to the facts of every term that is over.

Pure: the same said and the same terms give the same facts. A term's state is that of its last day;
what happens belongs to the term in whose days it falls (`terms.days_of`). Whoever has any fact in a
term is known in it, so no table counts somebody whom the tables of children do not.

What is said, by `Said.what`, and what stands in it beside its days:

- `withheld`: nothing of this child is counted (its use is restricted by law);
- `ward` (ward), `level` (level): dated, the newest counts;
- `episode` (identified), `plan`, `referral` (first_panel), `discussed`: their days;
- `waiting` (kind): until there is a place;
- `request` (kind, short_break, basis, duty, need, decision, decided);
- `unmet` (need, reason, kind, short_break, unit; missing in thousandths);
- `line` (package, kind, how, residential, unit, every, approved; units in thousandths), with
  `price` (pence) under the line's key and `share` (payer; parts, whole) under the package's;
- `outcome` (baseline, target), with `progress` (family; value) and `reached` under its key;
- `perception` (question; answer), `transition` (kind), `listed` (list, listed).
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256

from panel.insight.core import costs
from panel.insight.core.facts import (
    ChildSaid,
    ChildTerm,
    Coverage,
    Fact,
    Need,
    OutcomeChange,
    Package,
    Perception,
    Request,
    Said,
    Term,
    Transition,
    Unmet,
    Wait,
    Who,
)
from panel.insight.core.terms import Days, days_of
from panel.insight.core.words import (
    AGE_BANDS,
    BASES,
    CLOCKS,
    DECISIONS,
    LEVELS,
    LISTS,
    NEEDS,
    NOT_SAID,
    QUESTIONS,
    REASONS,
    SERVICES,
    TRANSITIONS,
    WAYS,
)

IN_TIME = timedelta(days=183)
"""How long before a transition a child must have been talked about for it to be in time: half a
year (DOMAIN.md, CONTACTS: each case is reviewed every six months)."""
SCHOOL_YEAR = 9
"""The month with whose first day a school year begins."""
KEY_LONG = 16
UNITS = frozenset({"hour", "session", "day", "night", "week", "place", "item"})
THOUSAND = Decimal(1000)


def derive(who: Who, said: ChildSaid, terms: Sequence[Term]) -> tuple[Fact, ...]:
    """The facts of one child in every term that is over."""
    child = _Child(who, said)
    if child.of("withheld"):
        return ()
    return tuple(fact for days in days_of(terms) for fact in child.in_term(days))


class _Child:
    """What is said of a child, by what it is."""

    def __init__(self, who: Who, said: ChildSaid) -> None:
        self.who = who
        self.said = said
        self._of: dict[str, list[Said]] = defaultdict(list)
        for one in sorted(said.said, key=lambda one: (one.since, one.key)):
            self._of[one.what].append(one)

    def of(self, what: str) -> list[Said]:
        """Everything of a kind, by its first day."""
        return self._of.get(what, [])

    def under(self, what: str, key: str) -> list[Said]:
        """That of a kind which belongs to one thing."""
        return [one for one in self.of(what) if one.key == key]

    def in_term(self, days: Days) -> list[Fact]:
        """Its facts in a term: none where it was neither known nor on a list."""
        # A list holds until the next one: who was on that before is on none at the term's end.
        coverage = [one for one in self.of("listed") if _holds(one, days.last)]
        facts: list[Fact] = [
            *_requests(self, days),
            *_unmet(self, days),
            *_packages(self, days),
            *_waits(self, days),
            *_outcomes(self, days),
            *_perceptions(self, days),
            *_transitions(self, days),
        ]
        if self._is_open(days):
            facts += _transitions_by_age(self, days)
            known = True
        else:
            known = bool(facts)
        if not known and not coverage:
            return []
        lists = {code for one in coverage if (code := _code(one, "list", LISTS)) != NOT_SAID}
        on = lists & {_code(one, "list", LISTS) for one in coverage if _is(one, "listed")}
        facts += [
            Coverage(self.who, days.period, code, code in on, known, elsewhere=bool(on - {code}))
            for code in sorted(lists)
        ]
        needs = self._needs(days) if known else set()
        facts += [Need(self.who, days.period, need) for need in sorted(needs)]
        return [self._term(days, known=known), *facts]

    def _is_open(self, days: Days) -> bool:
        """Whether an episode was open in a term, or the child was referred in it."""
        return any(days.overlap(_day(one.since), _until(one)) for one in self.of("episode")) or any(
            days.hold(_day(one.since)) for one in self.of("referral")
        )

    def _term(self, days: Days, *, known: bool) -> ChildTerm:
        said = self.said
        planned = any(days.overlap(_day(one.since), _until(one)) for one in self.of("plan"))
        return ChildTerm(
            self.who,
            days.period,
            self._newest("ward", days),
            age_band(said.birth, days.last),
            said.sex,
            said.ethnicity,
            said.need,
            level if (level := self._newest("level", days)) in LEVELS else NOT_SAID,
            known,
            planned,
        )

    def _newest(self, what: str, days: Days) -> str:
        """The code of a kind as it stood on a term's last day."""
        until = days.last.isoformat()
        known = [one for one in self.of(what) if one.since <= until]
        return known[-1].codes.get(what, NOT_SAID) if known else NOT_SAID

    def _needs(self, days: Days) -> set[str]:
        """The primary need, and those for which something was asked by the term's end."""
        until = days.last.isoformat()
        asked = {_code(one, "need", NEEDS) for one in self.of("request") if one.since <= until}
        return {one for one in {self.said.need, *asked} if one != NOT_SAID}


def age_band(birth: str, day: date) -> str:
    """The band of whole years on a day, counted from the first of the month of birth (2019-05)."""
    if not birth:
        return NOT_SAID
    year, month = (int(part) for part in birth.split("-"))
    years = day.year - year - (day.month < month)
    for band in AGE_BANDS:
        youngest, _, oldest = band.partition("–")
        if int(youngest) <= years <= int(oldest):
            return band
    return NOT_SAID


def _requests(child: _Child, days: Days) -> Iterator[Request]:
    for one in child.of("request"):
        if days.hold(_day(one.since)):
            yield Request(
                child.who,
                _key(one),
                days.period,
                _service(one),
                _is(one, "short_break"),
                _code(one, "basis", BASES),
                _code(one, "decision", DECISIONS),
                _is(one, "duty"),
            )


def _unmet(child: _Child, days: Days) -> Iterator[Unmet]:
    for one in child.of("unmet"):
        if days.overlap(_day(one.since), _until(one)):
            yield Unmet(
                child.who,
                _key(one),
                days.period,
                _code(one, "need", NEEDS),
                _code(one, "reason", REASONS),
                _service(one),
                _is(one, "short_break"),
                _code(one, "unit", UNITS),
                _thousandths(one.numbers.get("missing", 0)),
            )


def _packages(child: _Child, days: Days) -> Iterator[Package]:
    for one in child.of("line"):
        since, approved = _day(one.since), _day(one.codes.get("approved", ""))
        if since is None or approved is None or approved > days.last:
            continue
        first, last = max(since, days.first), min(_until(one) or days.last, days.last)
        every = one.codes["every"]
        given = costs.periods(every, since, first, last) if first <= last else Fraction(0)
        if not given:
            continue
        units = one.numbers["units"]
        prices = [
            costs.Stretch(start, _until(price), price.numbers["pence"])
            for price in child.under("price", one.key)
            if (start := _day(price.since)) is not None
        ]
        pence = costs.rounded(costs.cost(units, every, (first, last), since, prices))
        payers = _payers(child.under("share", one.codes["package"]), last, pence)
        yield Package(
            child.who,
            _key(one),
            days.period,
            _service(one),
            _code(one, "how", WAYS),
            _is(one, "residential"),
            _code(one, "unit", UNITS),
            _thousandths(costs.rounded(units * given)),
            pence,
            *payers,
        )


def _payers(shares: Sequence[Said], day: date, pence: int) -> tuple[int, int, int]:
    """Health's, education's and social care's parts, as they were divided on a day."""
    now = [one for one in shares if one.since <= day.isoformat() and (_until(one) or day) >= day]
    whole = max((one.numbers["whole"] for one in now), default=0)
    parts = [
        sum(one.numbers["parts"] for one in now if one.codes.get("payer") == payer)
        for payer in ("health", "education", "social_care")
    ]
    health, education, social_care = costs.split(pence, parts, whole)
    return health, education, social_care


def _waits(child: _Child, days: Days) -> Iterator[Wait]:
    for one in _clocks(child):
        start, end = one.start, one.end
        if one.clock not in CLOCKS or start is None or (end is not None and end < start):
            continue
        if days.hold(end) and end is not None:
            long, over = (end - start).days, True
        elif (
            start <= days.last
            and (end is None or end > days.last)
            and _still_open(child, one.clock, days)
        ):
            long, over = (days.last - start).days, False
        else:
            continue
        kinds = one.kinds or _asked_for(child, start, days.last) or (NOT_SAID,)
        for at, kind in enumerate(kinds):
            key = one.key if at == 0 else _key_beside(one.key, kind)
            yield Wait(child.who, key, days.period, one.clock, long, over, kind)


@dataclass(frozen=True, slots=True)
class _Clock:
    """One clock of a child: which, of what, from when, until when, and for which services."""

    clock: str
    key: bytes
    start: date | None
    end: date | None
    kinds: tuple[str, ...] = ()
    """None: for whatever was asked for in the meantime."""


def _clocks(child: _Child) -> Iterator[_Clock]:
    referred = [one for one in child.of("referral") if one.since]
    began = sorted(
        (one.since, _service(one)) for one in child.of("line") if one.codes.get("approved")
    )
    for one in child.of("episode"):
        seen = one.codes.get("identified", "")
        first = next((other.since for other in referred if other.since >= seen), "")
        yield _Clock("identified_referral", _key(one), _day(seen), _day(first))
    for one in referred:
        panel = one.codes.get("first_panel", "")
        yield _Clock("referral_panel", _key(one), _day(one.since), _day(panel))
        service = next((day for day, _ in began if panel and day >= panel), "")
        kinds = tuple(sorted({kind for day, kind in began if day == service}))
        yield _Clock("panel_service", _key(one), _day(panel), _day(service), kinds)
    for one in child.of("request"):
        decided = _day(one.codes.get("decided", ""))
        yield _Clock("request_decision", _key(one), _day(one.since), decided, (_service(one),))
    for one in child.of("waiting"):
        yield _Clock("place", _key(one), _day(one.since), _until(one), (_service(one),))


def _asked_for(child: _Child, first: date, last: date) -> tuple[str, ...]:
    """The kinds of service that were asked for within some days: what the child waits for."""
    asked = (one for one in child.of("request") if first.isoformat() <= one.since)
    return tuple(sorted({_service(one) for one in asked if one.since <= last.isoformat()}))


def _key_beside(key: bytes, kind: str) -> bytes:
    """The key of a clock's fact for another kind of service."""
    return sha256(key + kind.encode()).digest()[:KEY_LONG]


def _still_open(child: _Child, clock: str, days: Days) -> bool:
    """Whether a clock that nothing stopped still runs: those of the process with the episode."""
    if clock in ("request_decision", "place"):
        return True
    last = days.last
    return any(
        one.since <= last.isoformat() and (_until(one) or last) >= last
        for one in child.of("episode")
    )


def _outcomes(child: _Child, days: Days) -> Iterator[OutcomeChange]:
    until = days.last.isoformat()
    for one in child.of("outcome"):
        if not {"baseline", "target"} <= one.numbers.keys():
            continue
        seen = [two for two in child.under("progress", one.key) if two.since <= until]
        reached = [two for two in child.under("reached", one.key) if two.since <= until]
        if not any(days.hold(_day(two.since)) for two in (*seen, *reached)):
            continue
        baseline, target = one.numbers["baseline"], one.numbers["target"]
        stands = seen[-1].numbers["value"] if seen else baseline
        # Whoever scores after a family does not speak for it: what it judged in the term stays.
        judged = [two for two in seen if _is(two, "family") and days.hold(_day(two.since))]
        yield OutcomeChange(
            child.who,
            _key(one),
            days.period,
            child.said.need,
            baseline,
            judged[-1].numbers["value"] if judged else stands,
            target,
            bool(reached) or stands >= target > baseline,
            bool(judged),
        )


def _perceptions(child: _Child, days: Days) -> Iterator[Perception]:
    for one in child.of("perception"):
        question = _code(one, "question", QUESTIONS)
        if days.hold(_day(one.since)) and question != NOT_SAID:
            answer = one.numbers.get("answer", 0)
            yield Perception(child.who, _key(one), days.period, question, answer)


def _transitions(child: _Child, days: Days) -> Iterator[Transition]:
    for one in child.of("transition"):
        day, kind = _day(one.since), _code(one, "kind", TRANSITIONS)
        if day is not None and days.hold(day) and kind != NOT_SAID:
            yield Transition(child.who, _key(one), days.period, kind, _in_time(child, day))


def _transitions_by_age(child: _Child, days: Days) -> Iterator[Transition]:
    """Those that come with the school year or a birthday, of a child who is known anyhow.

    By the school year of England, which begins on 1 September after the birthday: year 7 at 11,
    year 9 at 13; and 18 (DOMAIN.md, "Transitions to watch").
    """
    if not child.said.birth:
        return
    year, month = (int(part) for part in child.said.birth.split("-"))
    later = month >= SCHOOL_YEAR
    for kind, day in (
        ("secondary", date(year + 11 + later, SCHOOL_YEAR, 1)),
        ("preparing_adulthood", date(year + 13 + later, SCHOOL_YEAR, 1)),
        ("adult_services", date(year + 18, month, 1)),
    ):
        if days.hold(day):
            key = kind.encode().ljust(KEY_LONG)[:KEY_LONG]
            yield Transition(child.who, key, days.period, kind, _in_time(child, day))


def _in_time(child: _Child, day: date) -> bool:
    """Whether the child was talked about in the half year before a day."""
    talked = (_day(one.since) for one in child.of("discussed"))
    return any(known is not None and day - IN_TIME <= known <= day for known in talked)


def _day(said: str) -> date | None:
    return date.fromisoformat(said) if said else None


def _holds(one: Said, day: date) -> bool:
    return one.since <= day.isoformat() and (not one.until or day.isoformat() <= one.until)


def _until(one: Said) -> date | None:
    return _day(one.until)


def _key(one: Said) -> bytes:
    return bytes.fromhex(one.key)


def _code(one: Said, name: str, known: Collection[str]) -> str:
    """A code of a closed list; what is in no list was not said."""
    code = one.codes.get(name, NOT_SAID)
    return code if code in known else NOT_SAID


def _service(one: Said) -> str:
    """The kind of a service: what is asked for without naming one is of another kind."""
    return _code(one, "kind", SERVICES) or "other"


def _is(one: Said, name: str) -> bool:
    return one.codes.get(name) == "true"


def _thousandths(number: int) -> Decimal:
    return (Decimal(number) / THOUSAND).quantize(Decimal("0.001"))
