"""What else there is to do about a child's sharing, for one viewer: links of the sharing page."""

from panel.records.gate import Access
from panel.sharing.restrict_rules import may_enquire, may_protect
from panel.sharing.restricting import may_restrict


def further_steps(access: Access) -> list[tuple[str, str]]:
    """(words, address) of each page that is for this viewer."""
    base = f"/children/{access.child_id}/sharing"
    steps = []
    if may_restrict(access):
        steps.append(("What is withheld from whom", f"{base}/restrictions"))
    if may_protect(access.viewer, access.ties):
        steps.append(("Court orders", f"{base}/orders"))
    if may_enquire(access.viewer, access.ties):
        steps.append(("Safeguarding enquiries", f"{base}/enquiries"))
    return steps
