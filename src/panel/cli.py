"""The `panel` command."""

import click

from panel.commands.demo import demo, personas
from panel.commands.panels import agenda, meetings, panels
from panel.commands.serving import authority, doctor, migrate, serve, setup


@click.group()
@click.version_option(package_name="panel")
def main() -> None:
    """Panel: one shared record, the panel's agenda, and what each agency may see of it."""


for command in (demo, personas, panels, meetings, agenda, serve, migrate, authority, setup, doctor):
    main.add_command(command)
