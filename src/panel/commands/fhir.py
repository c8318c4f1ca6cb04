"""panel fhir …: records that go to another authority and come from one."""

import click

from panel.commands.fhir_import import bring_in_records


@click.group()
def fhir() -> None:
    """Records in FHIR: out of this authority, and into it."""


fhir.add_command(bring_in_records)
