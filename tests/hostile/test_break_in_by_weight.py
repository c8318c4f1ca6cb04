"""Who is nobody cannot hold a process up with one form."""

from time import process_time
from uuid import UUID

import pytest

from tests.hostile.conftest import As

FIELDS = "&".join(f"a{number}=1" for number in range(100_000))
FORM = {"content-type": "application/x-www-form-urlencoded"}
GUEST = f"/guest/{UUID(int=7)}/token"


@pytest.mark.parametrize("address", ["/children/new", "/sign-out", GUEST, "/family/tell"])
async def test_a_form_of_a_hundred_thousand_fields_is_refused_at_once(
    signed_in_as: As, address: str
) -> None:
    async with signed_in_as("lead-health") as browser:
        began = process_time()
        answer = await browser.post(address, content=FIELDS, headers=FORM)
        assert answer.status_code in (404, 413)
        assert process_time() - began < 1
