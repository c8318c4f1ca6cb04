"""panel provider: one plain line for what is wrong, and a provider that works is said to."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from panel.cli import commands
from panel.platform.clock import FixedClock
from panel.platform.cluster import Cluster
from panel.platform.erasure import DestroyedKeys
from tests.accounts.by_provider import SIGNING, a_provider
from tests.accounts.provider_server import Claims, Provider
from tests.conftest import MORNING

Run = Callable[..., Result]
AGENCY = (
    "INSERT INTO authority_testshire.agency (id, key, name, kind, ods_code, created_at, created_by,"
    " changed_at, changed_by, version) VALUES (gen_random_uuid(), 'health', 'Health visiting',"
    " 'health', NULL, now(), gen_random_uuid(), now(), gen_random_uuid(), 1)"
)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with a_provider(FixedClock(MORNING)) as made:
        yield made


@pytest.fixture
def run(database_of_own: Cluster, data_dir: Path, tmp_path: Path) -> Run:
    """Run `panel provider …` on the test's authority, which has an agency."""
    assert database_of_own.owner_url is not None
    with psycopg.connect(database_of_own.owner_url) as connection:
        connection.execute(AGENCY)
    environment = {
        "PANEL_DATA_DIR": str(data_dir),
        "PANEL_DATABASE_URL": database_of_own.app_url,
        "PANEL_DESTROYED_KEYS": str(tmp_path / "destroyed"),
        "PANEL_SITE_URL": "https://panel.testshire.example",
        "ENTRA_SECRET": "correct horse",
        "RSA_KEY": SIGNING.as_pem(private=True).decode(),
    }
    return lambda *words: CliRunner().invoke(commands, ("provider", *words), env=environment)


def usual(provider: Provider, **other: str | None) -> list[str]:
    """The words that add the provider, with others in their place; None leaves one out."""
    said: dict[str, str | None] = {
        "issuer": provider.issuer,
        "client-id": "panel",
        "label": "Testshire account",
        "agency": "health",
        "secret-from": "env:ENTRA_SECRET",
    }
    said |= {name.replace("_", "-"): value for name, value in other.items()}
    pairs = ((f"--{name}", value) for name, value in said.items() if value is not None)
    return ["add", "entra", *(word for pair in pairs for word in pair)]


def test_a_provider_is_added_listed_checked_and_removed(
    run: Run, provider: Provider, tmp_path: Path, database_of_own: Cluster
) -> None:
    added = run(*usual(provider))
    assert added.exit_code == 0, added.output
    assert "entra is added" in added.output
    assert "https://panel.testshire.example/sign-in/from/entra" in added.output
    secret = tmp_path / "secret"
    secret.write_text("correct horse\n")
    changed = run(*usual(provider, secret_from=None, secret_file=str(secret)))
    assert "entra is changed" in changed.output
    assert run("list").output == f"entra: Testshire account, {provider.issuer}, for health\n"
    checked = run("check", "entra")
    assert checked.exit_code == 0, checked.output
    assert "answers as it should" in checked.output
    for words in (("link", "entra", "a@b.example", "7"), ("unlink", "entra", "a@b.example")):
        refused = run(*words)
        assert (refused.exit_code, "Nobody with this address" in refused.output) == (1, True)
    with psycopg.connect(database_of_own.app_url) as connection:
        kept = connection.execute(
            "SELECT t::text FROM authority_testshire.sign_in_provider t"
        ).fetchall()
    assert b"correct horse".hex() not in str(kept)
    assert "entra is removed" in run("remove", "entra").output
    # What opened its secret is gone in back-ups from before too.
    [gone] = DestroyedKeys(tmp_path / "destroyed").read()
    assert gone.told["ordered_by"] == "Whoever runs the site"
    assert "There is none" in run("list").output
    assert run("check", "entra").exit_code == 1


WRONG = {
    "The issuer is an https address": {"issuer": "http://login.example.org"},
    "There is no agency with the key nowhere": {"agency": "nowhere"},
    "There is no secret in env:NOTHING_THERE": {"secret_from": "env:NOTHING_THERE"},
    "Give the secret": {"secret_from": None},
    "The private key is not one in PEM": {"client_auth": "private_key_jwt"},
    "The private key is none for ES256": {
        "client_auth": "private_key_jwt",
        "client_algorithm": "ES256",
        "secret_from": "env:RSA_KEY",
    },
    "name the tenant with --tenant": {"claim": "upn"},
    "One of the scopes is openid": {"scope": "email"},
}


@pytest.mark.parametrize(("sentence", "other"), WRONG.items(), ids=WRONG)
def test_what_cannot_be_is_refused_in_a_line(
    run: Run, provider: Provider, sentence: str, other: dict[str, str | None]
) -> None:
    refused = run(*usual(provider, **other))
    assert refused.exit_code == 1
    assert sentence in refused.output
    assert "There is none" in run("list").output


def test_check_says_what_is_wrong(run: Run, provider: Provider) -> None:
    assert run(*usual(provider)).exit_code == 0
    wrong: dict[str, Claims] = {
        "calls itself https://elsewhere.example": {"issuer": "https://elsewhere.example"},
        "not among the hosts configured": {"jwks_uri": "https://keys.example.org/"},
        "is not an https address": {"token_endpoint": "http://tokens.example.org/"},
        "does not take PKCE": {"code_challenge_methods_supported": ["plain"]},
        "does not take client_secret_basic": {
            "token_endpoint_auth_methods_supported": ["client_secret_post"]
        },
        "signs with HS256, and RS256 is expected": {
            "id_token_signing_alg_values_supported": ["HS256"]
        },
    }
    for sentence, announced in wrong.items():
        provider.announced = announced
        checked = run("check", "entra")
        assert checked.exit_code == 1
        assert sentence in checked.output
    provider.announced, provider.published = {}, []
    assert "It publishes no keys" in run("check", "entra").output
