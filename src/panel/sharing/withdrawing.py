"""One agency is taken out of what somebody decided; what was decided about the others goes on.

"If the mother withdraws the school": her agreement ends, and one that says the same of the other
agencies, from the same day, takes its place and is linked to it. Nothing is deleted. Source:
DOMAIN.md, "Agreement and the law" ("It can be withdrawn at any time").
"""

from uuid import UUID

from panel.platform.problems import Gone, NotAllowed, NotFound
from panel.records.gate import Access
from panel.sharing.ending import is_live
from panel.sharing.models import SharingAgreement
from panel.sharing.reading import would_open_to
from panel.sharing.service import KEEPS_FROM_YOURS, copy_of, one_at_a_time, withdraw_agreement


async def withdraw_from(access: Access, agreement_id: UUID, agency_id: UUID) -> UUID | None:
    """The agreement, or refusal, ends for one of its agencies now; the rest of it stays.

    Returns what carries on the rest; None where it named nobody else. Raises NotFound, Gone for
    one that has ended, and NotAllowed where the end would open something to the viewer's own
    agency, as for the whole.
    """
    access.require_write()
    await one_at_a_time(access)
    row = await access.session.get(SharingAgreement, agreement_id, with_for_update=True)
    if row is None or row.child_id != access.child_id or agency_id not in row.agencies:
        raise NotFound("There is no such agreement with this agency.")
    if not is_live(row, access.today):
        raise Gone("This has ended already.", "Read what is agreed now on the sharing page.")
    rest = [one for one in row.agencies if one != agency_id]
    if not rest:
        await withdraw_agreement(access, agreement_id)
        return None
    mine = access.viewer.agency
    if mine is not None and await would_open_to(access, agreement_id, mine, only=agency_id):
        raise NotAllowed(*KEEPS_FROM_YOURS)
    row.withdrawn_at = access.at
    goes_on = copy_of(row, agencies=rest, not_agencies=list(row.not_agencies))
    goes_on.renews_id = row.id
    # What the assessment's page shows, and replaces, is what is in force.
    goes_on.assessment_id, goes_on.objected = row.assessment_id, row.objected
    access.session.add(goes_on)
    await access.session.flush()
    return goes_on.id
