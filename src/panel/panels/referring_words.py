"""What became of a referral, in words for the page of a child's panels."""

from datetime import date

from panel.panels.referring import AnswerView
from panel.web import words

_HOW = {
    "email": "by e-mail",
    "letter": "by letter: print and post it",
    "page": "on the family’s own page",
    "system": "by the answer to their system",
}
_WAY = {
    "worker": "By a worker, here",
    "form": "By form",
    "letter": "By letter",
    "telephone": "By telephone",
    "family": "By the family",
    "system": "By another system",
}


def answer_rows(one: AnswerView, today: date) -> list[tuple[str, str]]:
    """How it came, when it was acknowledged or has to be, its episode, and the decision."""
    rows = [("How it came", _WAY[one.way])]
    if one.acknowledged_on is not None:
        how = _HOW.get(one.acknowledged_how, "")
        rows.append(("Acknowledged", f"{words.day(one.acknowledged_on)}, {how}".strip(", ")))
    else:
        late = " This day is over." if one.is_late(today) else ""
        rows.append(("To be acknowledged by", f"{words.day(one.acknowledge_by)}.{late}"))
    if one.joins:
        rows.append(("Episode", "Goes on with the earlier one, which had been closed"))
    if one.outcome:
        said = "Eligible" if one.outcome == "eligible" else "Not eligible"
        on = "" if one.decided_on is None else f", {words.day(one.decided_on)}"
        rows.append(("Decision", f"{said}{on}"))
    if one.unmet:
        rows.append(("What is not met", words.in_a_row(one.unmet)))
    rows += [
        (label, text)
        for label, text in (("Why", one.reasons), ("What else there is", one.what_else))
        if text
    ]
    return rows
