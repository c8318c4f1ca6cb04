"""What a family reads of an objection to sharing: short sentences, and nobody's reasons."""

from panel.sharing.objecting import ObjectionForFamily
from panel.web import words


def objection_words(objection: ObjectionForFamily) -> str:
    """What is being decided, or was decided, about sharing."""
    whom = f" with {words.in_a_row(objection.agencies, 'or')}" if objection.agencies else ""
    who = "You" if objection.is_mine else "Somebody who may decide"
    said = f"{who} said no to sharing more{whom}."
    if objection.decided_on is None:
        return (
            f"{said} New sharing waits until this is decided. What was shared before goes on. You"
            f" should know by {words.day(objection.due_on)}."
        )
    answer = "It is not shared." if objection.upheld else "Sharing goes on."
    return f"{said} It was decided on {words.day(objection.decided_on)}. {answer}"
