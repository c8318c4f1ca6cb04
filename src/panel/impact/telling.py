"""Telling a family that minutes can be read: an e-mail without anything of the child."""

from collections.abc import Sequence

from panel.impact.invitations import Sender
from panel.impact.minutes import Copy
from panel.impact.models import ImpactMeeting
from panel.panels.note_rules import RING_WHOM_YOU_KNOW, SUBJECT, Way, email_words, usual_way
from panel.panels.note_sending import MEETING, reached_now
from panel.platform import outbox
from panel.records.gate import Access


async def tell_of_minutes(
    access: Access, copies: Sequence[Copy], meeting: ImpactMeeting, sender: Sender
) -> int:
    """Put an e-mail out to each for whom they are open and whom it is safe to write to; how many.

    The others find them on their own page, or get a print.
    """
    told = 0
    for one in copies:
        if one.held_back is not None:
            continue
        reached = await reached_now(access.session, one.person)
        way = usual_way(has_email=bool(reached.email), safe_contact=reached.safe_contact)
        if way is not Way.EMAIL:
            continue
        told += await outbox.put(
            access.session,
            kind=MEETING,
            holder_id=access.child_id,
            to_viewer_id=one.person,
            address=reached.email,
            subject=SUBJECT,
            body=email_words(sender.site_url, RING_WHOM_YOU_KNOW),
            once=f"minutes {meeting.id} {one.person} {access.at.isoformat()}",
            facts={"child": str(access.child_id), "safely": reached.mark(access.session)},
        )
    return told
