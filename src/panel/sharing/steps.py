"""What else there is to do about a child's sharing, for one viewer: links of the sharing page."""

from panel.records.gate import Access
from panel.sharing.restricting import may_restrict


def further_steps(access: Access) -> list[tuple[str, str]]:
    """(words, address) of each page that is for this viewer."""
    base = f"/children/{access.child_id}/sharing"
    steps = []
    if may_restrict(access):
        steps.append(("What is withheld from whom", f"{base}/restrictions"))
    return steps
