"""Master keys in AWS KMS and Azure Key Vault, against servers that check what those check."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from time import monotonic

import pytest
from click.testing import CliRunner

from panel.cli import commands
from panel.platform.cluster import Cluster
from panel.platform.crypto import NotSealedHere, Wrapping, new_key
from panel.platform.key_service import (
    RENEWED,
    TRIES,
    AwsKms,
    AzureKeyVault,
    KeyService,
    NoMasterKey,
    signed,
)
from panel.platform.masterkey import key_service, master_key
from panel.platform.off_the_loop import MOMENT, NotLearntYet, OffTheLoop
from panel.platform.rotation import rotate_authority_key, rotate_master_key
from panel.platform.tenancy import authorities, authority_named, keyring
from tests.platform.key_services import (
    ACCESS_KEY,
    ARN,
    AWS_ENVIRONMENT,
    AZURE_ENVIRONMENT,
    LASTS,
    SECRET_KEY,
    Kms,
    Vault,
    answering,
)


@pytest.fixture
def kms() -> Iterator[Kms]:
    service = Kms()
    with answering(service):
        yield service


@pytest.fixture
def vault() -> Iterator[Vault]:
    service = Vault()
    with answering(service):
        yield service


class Waited:
    """Notes how long would have been waited, and does not wait."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def aws(kms: Kms, waited: Waited | None = None) -> AwsKms:
    return AwsKms(ARN, AWS_ENVIRONMENT, endpoint=kms.url, wait=waited or Waited())


def azure(vault: Vault, waited: Waited | None = None) -> AzureKeyVault:
    environment = AZURE_ENVIRONMENT | {"AZURE_AUTHORITY_HOST": vault.url}
    return AzureKeyVault(vault.address, environment, wait=waited or Waited())


def test_the_signature_is_that_of_the_published_example() -> None:
    """AWS's test suite for Signature Version 4, "post-vanilla"."""
    authorization = signed(
        region="us-east-1",
        access_key="AKIDEXAMPLE",
        secret_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        host="example.amazonaws.com",
        path="/",
        headers={},
        body=b"",
        at=datetime(2015, 8, 30, 12, 36, tzinfo=UTC),
        service="service",
    )
    assert authorization == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request,"
        " SignedHeaders=host;x-amz-date,"
        " Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
    )


def test_aws_wraps_bound_to_the_name(kms: Kms) -> None:
    service, key = aws(kms), new_key()
    wrapped = service.wrap(key, "authority wexcombe")
    assert key not in wrapped
    assert service.unwrap(wrapped, "authority wexcombe") == key
    assert json.loads(kms.asked[0].body)["EncryptionContext"] == {"panel": "authority wexcombe"}
    with pytest.raises(NotSealedHere):
        service.unwrap(wrapped, "authority elsewhere")
    with pytest.raises(NotSealedHere):
        service.unwrap(Wrapping(new_key()).wrap(key, "authority wexcombe"), "authority wexcombe")


def test_aws_takes_a_session_token_and_refuses_a_wrong_secret(kms: Kms) -> None:
    with_token = AwsKms(ARN, AWS_ENVIRONMENT | {"AWS_SESSION_TOKEN": "t"}, endpoint=kms.url)
    with_token.wrap(new_key(), "a")
    assert kms.asked[-1].headers["x-amz-security-token"] == "t"
    assert "x-amz-security-token" in kms.asked[-1].headers["authorization"]
    wrong = AwsKms(ARN, AWS_ENVIRONMENT | {"AWS_SECRET_ACCESS_KEY": "other"}, endpoint=kms.url)
    with pytest.raises(NoMasterKey, match=r"refused \(SignatureDoesNotMatch\)"):
        wrong.wrap(new_key(), "a")


def test_aws_reads_credentials_that_were_renewed(kms: Kms, tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    write = (
        "[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n"
        "aws_session_token = {token}\n"
    ).format
    file.write_text(write(id=ACCESS_KEY, secret="over by now", token="first"))
    service = AwsKms(ARN, {"AWS_SHARED_CREDENTIALS_FILE": str(file)}, endpoint=kms.url)
    with pytest.raises(NoMasterKey, match=r"refused \(SignatureDoesNotMatch\)"):
        service.wrap(new_key(), "a")
    file.write_text(write(id=ACCESS_KEY, secret=SECRET_KEY, token="second%"))
    service.wrap(new_key(), "a")
    assert kms.asked[-1].headers["x-amz-security-token"] == "second%"
    for broken in ("", "[other]\n", "no file of ours"):
        file.write_text(broken)
        with pytest.raises(NoMasterKey, match="profile default cannot be read"):
            service.wrap(new_key(), "a")


async def test_a_slow_service_holds_nobody_up_and_is_asked_once_at_a_time() -> None:
    went, ends = [0], Event()

    def asks() -> None:
        went[0] += 1
        assert ends.wait(30)

    learning = OffTheLoop(asks)
    with pytest.raises(NotLearntYet):
        learning.wait()
    began = monotonic()
    for _ in range(50):
        with pytest.raises(NotLearntYet):
            learning.wait()
    assert monotonic() - began < MOMENT, "a moment is waited once, however many ask"
    waiting = asyncio.gather(learning.ready(), learning.ready())
    # It ends after both have begun to wait, since the loop keeps their order: else the next asks anew.
    asyncio.get_running_loop().call_soon(ends.set)
    await waiting
    assert went == [1]
    learning.wait()
    assert went == [2], "the next one asks anew"


async def test_after_a_failure_it_is_left_alone_for_a_while() -> None:
    def fails() -> None:
        raise NoMasterKey("It does not answer.")

    learning = OffTheLoop(fails)
    with pytest.raises(NoMasterKey):
        await learning.ready()
    with pytest.raises(NotLearntYet):
        await learning.ready()


def test_azure_wraps_bound_to_the_name_and_opens_with_an_older_version(vault: Vault) -> None:
    service, key = azure(vault), new_key()
    wrapped = service.wrap(key, "authority wexcombe")
    assert key not in wrapped
    vault.versions.append(type(vault)().versions[0])
    assert service.unwrap(wrapped, "authority wexcombe") == key
    assert service.unwrap(service.wrap(key, "b"), "b") == key
    with pytest.raises(NotSealedHere):
        service.unwrap(wrapped, "authority elsewhere")
    with pytest.raises(NotSealedHere):
        service.unwrap(Wrapping(new_key()).wrap(key, "b"), "b")
    # It signs in once; and a wrapped key cannot send the sign-in to another server.
    assert sum(one.path.endswith("/token") for one in vault.asked) == 1
    elsewhere = Vault()
    with answering(elsewhere):
        foreign = azure(elsewhere).wrap(key, "b")
        elsewhere.asked.clear()
        with pytest.raises(NotSealedHere):
            service.unwrap(foreign, "b")
        assert elsewhere.asked == []


def test_azure_is_signed_in_to_anew_before_a_sign_in_ends(vault: Vault) -> None:
    """A site that runs for days meets a rotated key long after the token of its start is over."""
    passed = [0.0]
    service = AzureKeyVault(
        vault.address,
        AZURE_ENVIRONMENT | {"AZURE_AUTHORITY_HOST": vault.url},
        wait=Waited(),
        now=lambda: passed[0],
    )
    key = new_key()
    wrapped = service.wrap(key, "a")
    passed[0], vault.over = LASTS - RENEWED, 1
    assert service.unwrap(wrapped, "a") == key


def test_azure_unwraps_with_the_key_that_is_set_and_none_whose_name_begins_alike(
    vault: Vault,
) -> None:
    key = new_key()
    wrapped = azure(vault).wrap(key, "a")
    shorter = AzureKeyVault(
        vault.address.removesuffix("el"), AZURE_ENVIRONMENT | {"AZURE_AUTHORITY_HOST": vault.url}
    )
    vault.asked.clear()
    with pytest.raises(NotSealedHere):
        shorter.unwrap(wrapped, "a")
    assert vault.asked == []


@pytest.mark.parametrize("kind", ["aws", "azure"])
def test_a_busy_service_is_asked_again(kms: Kms, vault: Vault, kind: str) -> None:
    waited, key = Waited(), new_key()
    service: KeyService = aws(kms, waited) if kind == "aws" else azure(vault, waited)
    asked = kms if kind == "aws" else vault
    asked.trouble = [(400, "ThrottlingException"), (429, "Throttled"), (503, "")]
    assert service.unwrap(service.wrap(key, "a"), "a") == key
    assert len(waited.seconds) == 3
    assert waited.seconds == sorted(waited.seconds)
    asked.trouble = [(429, "ThrottlingException")] * TRIES
    with pytest.raises(NoMasterKey, match="too busy or at fault"):
        service.wrap(key, "a")
    asked.trouble = [(400, "DisabledException")]
    with pytest.raises(NoMasterKey, match=r"refused \(DisabledException\)"):
        service.wrap(key, "a")


def test_a_service_that_is_gone_is_a_sentence() -> None:
    gone = Waited()
    closed = Kms()
    with answering(closed):
        url = closed.url
    services: list[KeyService] = [
        AwsKms(ARN, AWS_ENVIRONMENT, endpoint=url, wait=gone),
        AzureKeyVault(
            f"{url}/keys/panel", AZURE_ENVIRONMENT | {"AZURE_AUTHORITY_HOST": url}, wait=gone
        ),
    ]
    for service in services:
        with pytest.raises(NoMasterKey, match="does not answer"):
            service.wrap(new_key(), "a")


def test_what_is_set_wrong_is_a_sentence(tmp_path: Path) -> None:
    for kms in ("gcp:x", "aws:key", "azure:vault", f"aws:{ARN}"):
        with pytest.raises(NoMasterKey, match=r"PANEL_KMS|AWS_ACCESS_KEY_ID"):
            key_service(kms, None, None, tmp_path / "master.key")
    incomplete = AzureKeyVault("https://v.example/keys/a", {"AZURE_CLIENT_SECRET": "s"})
    with pytest.raises(NoMasterKey, match="AZURE_CLIENT_ID is not set"):
        incomplete.wrap(new_key(), "a")
    assert isinstance(key_service(None, None, None, tmp_path / "master.key"), Wrapping)


def test_a_start_asks_once_for_each_key_and_refuses_without(
    database_of_own: Cluster, data_dir: Path, kms: Kms, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner_url = database_of_own.owner_url
    assert owner_url is not None
    for name, value in AWS_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    local = master_key(None, data_dir / "keys" / "master.key")
    service = aws(kms)
    rotate_master_key(owner_url, authorities(owner_url), local, service)
    rotate_authority_key(owner_url, authority_named(owner_url, None), service, lambda _line: None)
    kms.asked.clear()
    ring = keyring(authority_named(owner_url, None), service)
    assert len(kms.asked) == 3
    for _ in range(20):
        holder = authority_named(owner_url, None)
        assert ring.index("a", holder.name)
    assert len(kms.asked) == 3
    environment = {
        "PANEL_DATA_DIR": str(data_dir), "PANEL_DATABASE_URL": database_of_own.app_url,
        "PANEL_OWNER_DATABASE_URL": owner_url, "PANEL_KMS": f"aws:{ARN}",
        "PANEL_KMS_ENDPOINT": kms.url,
    }  # fmt: skip
    for command in (["doctor"], ["keys", "status"]):
        assert CliRunner().invoke(commands, command, env=environment).exit_code == 0
    monkeypatch.setattr("panel.platform.key_service.pause", Waited())
    kms.trouble = [(400, "DisabledException")] * 9
    for command in (["serve", "--port", "1"], ["jobs", "--once"], ["doctor"]):
        refused = CliRunner().invoke(commands, command, env=environment)
        assert refused.exit_code == 1, refused.output
        assert "AWS KMS refused (DisabledException)" in refused.output
