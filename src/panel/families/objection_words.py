"""What a family reads of an objection to sharing: short sentences, and nobody's reasons."""

from panel.sharing.objecting import ObjectionForFamily
from panel.web import words


def _whom(objection: ObjectionForFamily) -> str:
    named = words.in_a_row(objection.agencies, "or")
    if objection.of_system:
        return f" with the computer of {named}" if named else " with the computers of other teams"
    return f" with {named}" if named else ""


def objection_words(objection: ObjectionForFamily) -> str:
    """What is being decided, or was decided, about sharing."""
    whom = _whom(objection)
    who = "You" if objection.is_mine else "Somebody who may decide"
    said = f"{who} said no to sharing more{whom}."
    if objection.decided_on is None:
        return (
            f"{said} New sharing waits until this is decided. What was shared before goes on. You"
            f" should know by {words.day(objection.due_on)}."
        )
    answer = "It is not shared." if objection.upheld else "Sharing goes on."
    return f"{said} It was decided on {words.day(objection.decided_on)}. {answer}"
