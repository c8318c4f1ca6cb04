"""The `panel` command."""

import sys
from traceback import extract_tb

import click

from panel.commands.access import access
from panel.commands.audit import audit
from panel.commands.backup import backup, restore
from panel.commands.clients import clients
from panel.commands.demo import demo, personas
from panel.commands.doctor import doctor
from panel.commands.fhir import fhir
from panel.commands.governance import governance
from panel.commands.imports import imports
from panel.commands.insight import insight
from panel.commands.jobs import jobs
from panel.commands.keys import keys
from panel.commands.panels import agenda, meetings, panels
from panel.commands.providers import providers
from panel.commands.serving import authority, migrate, serve, setup, sign_in_link


@click.group()
@click.version_option(package_name="panel")
def commands() -> None:
    """Panel: one shared record, the panel's agenda, and what each agency may see of it."""


for command in (
    demo,
    personas,
    imports,
    panels,
    meetings,
    agenda,
    access,
    audit,
    serve,
    jobs,
    migrate,
    authority,
    setup,
    sign_in_link,
    doctor,
    governance,
    keys,
    backup,
    restore,
    providers,
    clients,
    fhir,
    insight,
):
    commands.add_command(command)


def main() -> None:
    """Run a command; a fault of ours is one line too, without what anybody wrote in it."""
    try:
        commands()
    except Exception as error:  # noqa: BLE001 - the last stop: said in one line, exit 1
        place = extract_tb(error.__traceback__)[-1]
        click.echo(
            f"Error: this did not work, and it is not your doing ({type(error).__name__} in"
            f" {place.name}, line {place.lineno}). Nothing was half done; try again, and if it"
            " happens again, report this line.",
            err=True,
        )
        sys.exit(1)
