"""Who was judged able to decide, and what is best for somebody who is not: kept with its author.

Never computed from an age. Source: DOMAIN.md, "Agreement and the law"; Mental Capacity Act 2005,
sections 2 to 4.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select

from consent import Category, Finding, Judgement
from consent.standing import AGE_OF_OWN_AGREEMENT, SHARING_MATTER, has_reached
from panel.accounts.service import worker_names
from panel.platform.problems import FieldError, Invalid
from panel.records.gate import Access
from panel.sharing.models import SharingJudgement
from panel.sharing.standing import family_facts

FROM_16 = frozenset({Finding.HAS_CAPACITY, Finding.LACKS_CAPACITY, Finding.BEST_INTERESTS})


@dataclass(frozen=True, slots=True)
class JudgementLine:
    """One judgement as a page tells of it. `why` and `consulted` are None where not to be seen."""

    id: UUID
    finding: Finding
    made_on: date
    author: str
    why: str | None
    consulted: str | None


async def judgements_of(access: Access) -> tuple[Judgement, ...]:
    """What was judged about deciding on sharing, as the rule of who may agree takes it."""
    rows = await access.session.scalars(
        select(SharingJudgement).where(SharingJudgement.child_id == access.child_id)
    )
    return tuple(
        Judgement(Finding(row.finding), row.matter, row.author_id, row.made_on) for row in rows
    )


async def judgement_lines(access: Access) -> tuple[JudgementLine, ...]:
    """Every judgement, newest first; the reasons as far as the viewer may see the family's part."""
    rows = list(
        await access.session.scalars(
            select(SharingJudgement)
            .where(SharingJudgement.child_id == access.child_id)
            .order_by(SharingJudgement.made_on.desc(), SharingJudgement.id.desc())
        )
    )
    names = await worker_names(access.session, [row.author_id for row in rows])
    sees = access.may(Category.FAMILY)
    return tuple(
        JudgementLine(
            id=row.id,
            finding=Finding(row.finding),
            made_on=row.made_on,
            author=names.get(row.author_id, ""),
            why=row.why if sees or row.author_id == access.viewer.id else None,
            consulted=row.consulted if sees or row.author_id == access.viewer.id else None,
        )
        for row in rows
    )


async def record_judgement(
    access: Access, finding: Finding, made_on: date, why: str, consulted: str = ""
) -> UUID:
    """Write down what the viewer judged, on a day, about deciding on sharing.

    A best-interests decision says who was consulted, and stands on a judgement that the young
    person cannot decide, which it records as well. Raises NotAllowed for who only reads, Invalid
    for a judgement that does not fit the age or that gives no reasons.
    """
    access.require_write()
    born = (await family_facts(access)).born
    errors: list[FieldError] = []
    if made_on > access.today:
        errors.append(FieldError("made_on", "The day of the judgement is in the future"))
    elif has_reached(born, AGE_OF_OWN_AGREEMENT, made_on) is not (finding in FROM_16):
        errors.append(FieldError("finding", _does_not_fit(finding)))
    if not why.strip():
        errors.append(FieldError("why", "Say how you judged it: whoever reads this later asks"))
    if finding is Finding.BEST_INTERESTS and not consulted.strip():
        said = "Say who was consulted: the young person first, and those who care for them"
        errors.append(FieldError("consulted", said))
    if errors:
        raise Invalid(tuple(errors))
    findings = [Finding.LACKS_CAPACITY] if finding is Finding.BEST_INTERESTS else []
    made = [
        SharingJudgement(
            child_id=access.child_id,
            finding=one.value,
            matter=SHARING_MATTER,
            author_id=access.viewer.id,
            made_on=made_on,
            why=why,
            consulted=consulted,
        )
        for one in (*findings, finding)
    ]
    access.session.add_all(made)
    await access.session.flush()
    return made[-1].id


def _does_not_fit(finding: Finding) -> str:
    if finding in FROM_16:
        return "On that day they were under 16: record whether they understood enough to decide"
    return "On that day they were 16 or over: record whether they could decide"
