"""What `panel fhir export` prints, `panel fhir import` takes in at another authority."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from panel.cli import commands
from panel.exchange.resources import Told
from panel.platform.clock import FixedClock
from panel.platform.cluster import Cluster
from panel.platform.ids import new_id
from tests.conftest import copied
from tests.demo.year import tenant_of
from tests.exchange.exporting import equal_parts
from tests.exchange.test_moving_a_record import STAYS, sent, sent_from

__all__ = ["sent"]

pytestmark = pytest.mark.database
TELL = ("fhir", "export", "--client", "system", "--as-of", "2026-11-23")
Environment = dict[str, str | None]


async def run(environment: Environment, *words: str) -> Result:
    """A command, in a thread of its own, as it runs outside of any loop."""
    done = await asyncio.to_thread(CliRunner().invoke, commands, words, env=environment)
    assert done.exit_code == 0, done.output
    return done


@pytest.mark.parametrize("which", [("--child", "C-1001"), ("--all",)])
async def test_from_command_to_command(
    which: tuple[str, ...],
    sent: list[Told],
    cluster: Cluster,
    template_database: str,
    data_dir: Path,
    clock: FixedClock,
    for_commands: Environment,
    tmp_path: Path,
) -> None:
    file = tmp_path / "records"
    printed = (await run(for_commands, *TELL, *which)).stdout_bytes
    await asyncio.to_thread(file.write_bytes, printed)
    with copied(cluster, f"panel_second_{new_id().hex[-12:]}", template_database) as made:
        there = {
            "PANEL_DATABASE_URL": made.app_url,
            "PANEL_OWNER_DATABASE_URL": made.owner_url,
        }
        await run(for_commands | there, "fhir", "import", str(file))
        tenant = tenant_of(made, data_dir)
        try:
            again = await sent_from(tenant, "Made-up School")
        finally:
            await tenant.database.close()
    assert equal_parts(again, STAYS) == equal_parts(sent, STAYS)
