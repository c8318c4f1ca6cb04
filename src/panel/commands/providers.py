"""panel provider …: who signs workers in, and whether that works."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click
import httpx
from sqlalchemy.ext.asyncio import AsyncSession

from interop.signed import NotBelieved, read_keys
from panel.accounts.identities import link_by_hand, unlink
from panel.accounts.models import Agency
from panel.accounts.providers import (
    LARGEST_SECRET,
    OTHER_CLAIMS,
    VERIFIED,
    NoSecret,
    Provider,
    Terms,
    Wanted,
    all_providers,
    base_of,
    check_secret,
    provider_named,
    remove_provider,
    set_provider,
    way_back,
)
from panel.commands.opening import authority_option, opened_gate, plain_errors, running
from panel.platform.erasure import DestroyedKeys
from panel.platform.openid import (
    OWN_ALGORITHMS,
    Algorithm,
    ClientAuth,
    NotReached,
    what_is_wrong,
)
from panel.platform.openid_http import Published, ask
from panel.platform.openid_tokens import UnusableKey
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.settings import from_environment

Command = TypeVar("Command", bound=Callable[..., object])


@click.group("provider")
def providers() -> None:
    """Providers that sign workers in (OpenID Connect)."""


def _several(name: str, text: str) -> Callable[[Command], Command]:
    return click.option(name, multiple=True, help=f"{text} Several times for several.")


@providers.command("add")
@click.argument("name")
@click.option("--issuer", required=True, help="The provider's issuer, letter for letter.")
@click.option("--client-id", required=True, help="What the provider calls this site.")
@click.option("--label", required=True, help="What stands on the button after “Sign in with”.")
@click.option(
    "--secret-file",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="A file with the client's secret or private key (PEM), kept sealed; - reads it from here.",
)
@click.option("--secret-from", default="", help="Where it is kept instead: env:NAME, file:/path.")
@click.option(
    "--client-auth",
    type=click.Choice([one.value for one in ClientAuth]),
    default=ClientAuth.BASIC.value,
    show_default=True,
)
@click.option("--client-algorithm", type=click.Choice(OWN_ALGORITHMS), help="Of the private key.")
@click.option("--client-kid", default="", help="What the provider calls the key.")
@click.option(
    "--claim",
    type=click.Choice([VERIFIED, *OTHER_CLAIMS]),
    default=VERIFIED,
    show_default=True,
    help="What tells a worker's e-mail address.",
)
@click.option("--tenant", default="", help="The tenant (tid) that every sign-in has to be of.")
@_several("--agency", "The key of an agency whose workers it signs in.")
@_several("--domain", "A domain whose addresses are believed.")
@_several("--host", "A host beside the issuer's on which the provider has addresses.")
@_several("--scope", "What is asked for; openid and email if nothing is said.")
@_several("--acr", "A level that the sign-in has to have, one of these.")
@_several("--amr", "A means that the sign-in has to have used, one of these.")
@click.option(
    "--algorithm",
    multiple=True,
    type=click.Choice([one.value for one in Algorithm]),
    help="What its tokens may be signed with; RS256 if nothing is said.",
)
@authority_option
@plain_errors
@running
async def add(
    name: str,
    *,
    issuer: str,
    client_id: str,
    label: str,
    secret_file: Path | None,
    secret_from: str,
    client_auth: str,
    client_algorithm: str | None,
    client_kid: str,
    claim: str,
    tenant: str,
    agency: tuple[str, ...],
    domain: tuple[str, ...],
    host: tuple[str, ...],
    scope: tuple[str, ...],
    acr: tuple[str, ...],
    amr: tuple[str, ...],
    algorithm: tuple[str, ...],
    authority: str | None,
) -> None:
    """Have a provider sign workers of some agencies in; the same NAME again changes it."""
    terms = Terms(
        client_auth=ClientAuth(client_auth),
        algorithms=tuple(Algorithm(one) for one in algorithm or (Algorithm.RS256.value,)),
        claim=claim,
        tenant=tenant,
        domains=tuple(one.lower() for one in domain),
        hosts=tuple(one.lower() for one in host),
        scopes=scope or ("openid", "email"),
        acr=acr,
        amr=amr,
        client_algorithm=client_algorithm or "",
        client_kid=client_kid,
    )
    secret = await asyncio.to_thread(_read, secret_file) if secret_file is not None else ""
    wanted = Wanted(name, label, issuer, client_id, agency, terms, secret, secret_from)
    async with opened_gate(authority) as gate, gate.tenant.transaction() as session:
        is_new = await set_provider(session, wanted)
        back = way_back(_base(gate.tenant), name)
    click.echo(f"{name} is {'added' if is_new else 'changed'}. Tell the provider this address:")
    click.echo(f"  {back}")
    click.echo(f"Then look whether it works: panel provider check {name}")


def _read(file: Path) -> str:
    try:
        with click.open_file(str(file), encoding="utf-8") as opened:
            return str(opened.read(LARGEST_SECRET)).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file} cannot be read.") from error


def _base(tenant: Tenant) -> str:
    return base_of(tenant.record, from_environment().site_url)


@providers.command("list")
@authority_option
@plain_errors
@running
async def show(authority: str | None) -> None:
    """Print the providers, with the agencies whose workers they sign in."""
    async with opened_gate(authority) as gate, gate.tenant.transaction() as session:
        found = await all_providers(session)
        for one in found:
            agencies = ", ".join(await _agency_keys(session, one))
            click.echo(f"{one.key}: {one.label}, {one.client.issuer}, for {agencies}")
    if not found:
        click.echo("There is none. Add one with: panel provider add NAME --issuer …")


async def _agency_keys(session: AsyncSession, provider: Provider) -> list[str]:
    return sorted([(await session.get_one(Agency, one)).key for one in provider.agencies])


@providers.command("remove")
@click.argument("name")
@authority_option
@plain_errors
@running
async def remove(name: str, authority: str | None) -> None:
    """Take a provider away; whoever it signed in is signed out and needs another way in."""
    destroyed = DestroyedKeys(from_environment().destroyed_keys)
    async with opened_gate(authority) as gate, gate.tenant.transaction(JOB) as session:
        linked = await remove_provider(session, gate.tenant, destroyed, name)
    click.echo(f"{name} is removed. Accounts that were linked with it: {linked}.")


@providers.command("link")
@click.argument("name")
@click.argument("email")
@click.argument("subject")
@authority_option
@plain_errors
@running
async def link(name: str, email: str, subject: str, authority: str | None) -> None:
    """Link a worker with SUBJECT, what the provider calls them (where it verifies no address)."""
    async with opened_gate(authority) as gate, gate.tenant.transaction() as session:
        await link_by_hand(session, name, email, subject)
    click.echo("They are linked, and are told by e-mail.")


@providers.command("unlink")
@click.argument("name")
@click.argument("email")
@authority_option
@plain_errors
@running
async def end_link(name: str, email: str, authority: str | None) -> None:
    """End a worker's link; where they are signed in by a provider, they are signed out."""
    async with opened_gate(authority) as gate, gate.tenant.transaction() as session:
        await unlink(session, name, email)
    click.echo("They are not linked any more.")


@providers.command("check")
@click.argument("name")
@authority_option
@plain_errors
@running
async def check(name: str, authority: str | None) -> None:
    """Ask the provider what it announces, and say what keeps people from signing in."""
    async with opened_gate(authority) as gate:
        async with gate.tenant.transaction() as session:
            provider = await provider_named(session, name)
        wrong = await what_keeps(provider, gate.tenant)
        back = way_back(_base(gate.tenant), name)
    if wrong:
        raise click.ClickException(" ".join(wrong))
    click.echo(f"{provider.label} answers as it should. It has to know this address of ours:")
    click.echo(f"  {back}")
    click.echo("Whether it does, and whether it takes the secret, the first sign-in shows.")


async def what_keeps(provider: Provider, tenant: Tenant) -> list[str]:
    """What keeps people from signing in with a provider; each a sentence."""
    wrong = []
    try:
        check_secret(provider.terms, provider.secret())
    except (NoSecret, UnusableKey) as error:
        wrong.append(str(error))
    try:
        announced = await Published().metadata(provider.client, tenant.clock.now())
        wrong += what_is_wrong(provider.client, provider.terms.client_auth, announced)
        status, content = await ask(provider.client, "GET", announced.jwks_uri)
        if status != httpx.codes.OK or not read_keys(content):
            wrong.append("It publishes no keys.")
    except NotReached as error:
        wrong.append(str(error))
    except NotBelieved:
        wrong.append("What it publishes as its keys is no set of keys.")
    return wrong
