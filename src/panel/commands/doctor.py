"""panel doctor: whether everything the site needs is there and right."""

from collections.abc import Iterable
from typing import Any

import click

from panel.commands.audit import SHOWN, open_to_read, unsealed_minutes
from panel.commands.opening import (
    authority_option,
    gate_of,
    json_option,
    opened_cluster,
    plain_errors,
    print_json,
    running,
)
from panel.insight.counting import why_not_to_count
from panel.platform.audit_check import Proof, prove
from panel.platform.clock import SystemClock
from panel.platform.cluster import Cluster
from panel.platform.migrate import Target, current, head
from panel.platform.tenancy import authorities, authority_named
from panel.records.access_check import Checked, check_access, counted
from panel.serving import check_ready
from panel.settings import Settings, from_environment

SEALS_LOOKED_AT = 20
"""Of the newest seals; `panel audit verify` looks at all."""
BEHIND = 3
"""Minutes after which an event that no seal is of says that sealing has fallen behind."""
KIND_WORDS = {
    "missing": "missing",
    "too many": "too many",
    "different": "with other periods or ties",
}


@click.command()
@authority_option
@click.option("--mend", is_flag=True, help="Write what differs down anew, from the facts.")
@json_option
@plain_errors
def doctor(authority: str | None, *, mend: bool, as_json: bool) -> None:
    """Check that everything the site needs is there and right; exit 1 where it is not.

    Who may reach which child is worked out anew and compared, while the site runs.
    """
    settings = from_environment()
    with opened_cluster(settings) as cluster:
        check_everything(settings, cluster, authority, mend=mend, as_json=as_json)


def check_everything(
    settings: Settings,
    cluster: Cluster,
    authority: str | None,
    *,
    mend: bool = False,
    as_json: bool = False,
) -> None:
    """Say what is right and what is wrong; a ClickException where something is."""
    wrong = check_ready(settings, cluster)
    names = [record.name for record in authorities(cluster.app_url)]
    if authority is not None and authority not in names:
        wrong.append(f"There is no authority called {authority}.")
    found, proofs = dict[str, Checked](), dict[str, Proof]()
    for record in authorities(cluster.app_url):
        target = Target(cluster.app_url, record.schema_name)
        if authority in (None, record.name) and current(target) == head(target):
            found[record.name] = _check(settings, cluster, record.name, mending=mend)
            with open_to_read(cluster, record) as connection:
                proofs[record.name] = prove(connection, record.name, newest=SEALS_LOOKED_AT)
    is_reached = all(one.is_right for one in found.values())
    is_right = not wrong and is_reached and not any(one.findings for one in proofs.values())
    if as_json:
        print_json(
            {
                "ready": not wrong,
                "wrong": wrong,
                "authorities": {name: _told(one, proofs[name]) for name, one in found.items()},
            }
        )
    else:
        for line in (
            *(f"✗ {sentence}" for sentence in wrong),
            *_lines(found),
            *_sealed(proofs),
            *_uncounted(cluster, found),
        ):
            click.echo(line)
        if is_right:
            click.echo(f"✓ Ready to serve: {', '.join(names)}.")
    if wrong:
        raise click.ClickException("Not ready to serve.")
    if not is_reached:
        raise click.ClickException(
            "Who may reach whom is not what the facts say. Find out how it came about; panel doctor"
            " --mend writes it down anew."
        )
    if not is_right:
        raise click.ClickException(
            "What was written down as it happened is not as it was sealed. panel audit verify says"
            " from which event on."
        )


@running
async def _check(settings: Settings, cluster: Cluster, name: str, *, mending: bool) -> Checked:
    async with gate_of(settings, cluster, name, SystemClock()) as gate:
        return await check_access(gate.tenant, mending=mending)


def _told(checked: Checked, proof: Proof) -> dict[str, Any]:
    """What was found in one authority, for JSON: ids and references, no names."""
    return {
        "child_access": {
            what.replace(" ", "_"): n for what, n in counted(checked.differences).items()
        },
        "left": len(checked.left),
        "differences": [
            {
                "child": one.reference or str(one.child_id),
                "viewer": str(one.viewer_id),
                "what": one.what.replace(" ", "_"),
            }
            for one in checked.differences
        ],
        "rows_of_another_child": [
            {"table": one.table, "column": one.column, "rows": one.count} for one in checked.crossed
        ],
        "audit": {
            "seals": proof.seals,
            "unsealed": proof.unsealed,
            "oldest_unsealed": proof.oldest_unsealed,
            "behind": unsealed_minutes(proof) >= BEHIND,
            "findings": proof.findings,
        },
    }


def _sealed(proofs: dict[str, Proof]) -> list[str]:
    """Whether the newest seals hold, and whether sealing keeps up."""
    lines: list[str] = []
    for name, proof in proofs.items():
        lines += [f"✗ {name}: {one.sentence}" for one in proof.findings[:SHOWN]]
        if (minutes := unsealed_minutes(proof)) >= BEHIND:
            lines.append(
                f"! {name}: sealing has fallen behind: {proof.unsealed} events wait, the oldest"
                f" from {minutes} minutes ago. Is panel jobs running?"
            )
    return lines


def _uncounted(cluster: Cluster, names: Iterable[str]) -> list[str]:
    """Why figures cannot be published; the site serves all the same."""
    why = {
        name: why_not_to_count(
            cluster.insight_url, authority_named(cluster.app_url, name).schema_name
        )
        for name in names
    }
    return [f"! {name}: no figures can be published. {one}" for name, one in why.items() if one]


def _lines(found: dict[str, Checked]) -> list[str]:
    lines: list[str] = []
    for name, checked in found.items():
        if not checked.differences and not checked.crossed:
            lines.append(f"✓ {name}: who may reach whom is what the facts say.")
            continue
        if checked.differences:
            figures = ", ".join(
                f"{count} {KIND_WORDS[what]}"
                for what, count in counted(checked.differences).items()
                if count
            )
            mended = "" if checked.left else " Mended."
            lines.append(f"✗ {name}: child_access has rows that are wrong: {figures}.{mended}")
        lines += [
            f"    {one.reference or one.child_id}, viewer {one.viewer_id}: {KIND_WORDS[one.what]}"
            for one in checked.differences[:SHOWN]
        ]
        if (more := len(checked.differences) - SHOWN) > 0:
            lines.append(f"    and {more} more; --json lists all.")
        lines += [
            f"✗ {name}: {one.count} of {one.table} name another child’s row in {one.column}."
            for one in checked.crossed
        ]
    return lines
