"""The demonstration's published figures: made beside the site, since an audit takes a while."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context

import click

from panel.commands.opening import gate_of, opened_cluster, running
from panel.commands.serving import owner
from panel.demo import county, places
from panel.demo.county_writing import lay_county
from panel.insight import release_store
from panel.insight.core.settle import Refused
from panel.insight.core.words import ordinal, period_words
from panel.insight.counting import opened_to_count, periods, why_not_to_count
from panel.insight.feed import feed
from panel.insight.releasing import NotYet, release_term
from panel.platform.clock import today
from panel.platform.cluster import Cluster
from panel.records.child_scoped import JOB
from panel.serving import clock_from
from panel.settings import Settings, from_environment

TERMS = 2
"""Of the terms that are over, so many are published: a trend needs two."""


@running
async def publish(settings: Settings, cluster: Cluster, seed: int, as_of: str | None) -> None:
    """Publish the newest terms that are over and not out yet.

    Of the demonstration's children alone nearly every figure would be withheld, so a county is
    invented around them before the first.
    """
    async with gate_of(settings, cluster, places.AUTHORITY, clock_from(as_of)) as gate:
        schema = gate.tenant.record.schema_name
        async with gate.tenant.transaction(JOB) as session:
            out = [ordinal(one.period) for one in await release_store.entries(session)]
        if why_not_to_count(cluster.insight_url, schema):
            return
        if not out:
            lay_county(
                owner(cluster),
                schema,
                seed=seed,
                children=county.CHILDREN,
                today=today(gate.tenant.clock),
            )
        async with gate.tenant.transaction(JOB) as session:
            await feed(session, most_batches=None)
        with opened_to_count(cluster.insight_url or "", schema) as connection:
            over = sorted(periods(connection), key=ordinal)[-TERMS:]
        due = [period for period in over if ordinal(period) > max(out, default=0)]
        if due:
            _say("figures for commissioners appear in a minute: they are audited first")
        for period in due:
            try:
                await release_term(gate.tenant, cluster.insight_url, period, None)
            except (NotYet, Refused) as why:
                _say(f"not published: {why}")
                return
            _say(f"published: the figures of the {period_words(period)}")


def _say(line: str) -> None:
    click.echo(f"  {line}", err=True)


def _publish(seed: int, as_of: str | None) -> None:
    """In a process of its own; whoever started it stops it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    settings = from_environment()
    with opened_cluster(settings) as cluster:
        publish(settings, cluster, seed, as_of)


@contextmanager
def publishing(seed: int, as_of: str | None) -> Iterator[None]:
    """Publish meanwhile; what is not finished at the end is left as if it had not begun."""
    process = get_context("spawn").Process(target=_publish, args=(seed, as_of), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()
