"""What the environment says, read once and typed."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from panel.platform.key_service import KeyService
from panel.platform.masterkey import key_service


class WrongSetting(Exception):
    """A variable says something that cannot be, in a sentence."""


@dataclass(frozen=True, slots=True)
class MeshSettings:
    """The mailbox of MESH, the NHS's message exchange."""

    url: str
    mailbox: str
    password: str = field(repr=False)
    shared_key: str = field(repr=False)
    lands_as: str
    """The key of the system as whose sending its messages are taken in."""
    certificate: Path | None
    """A file with our certificate for it and the private key."""
    authorities: Path | None
    """A file with the certificates by which MESH itself is known; the system's without it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are and how this process is to behave."""

    data_dir: Path
    """The embedded database's folder, with the local key file beside it."""
    database_url: str | None
    """A server instead of the embedded database; as `panel_app` when serving."""
    owner_database_url: str | None
    """The same database as `panel_owner`, for migrations, set-up and imports of the structure."""
    insight_url: str | None
    """The same database as `panel_insight`, for counting what is published."""
    master_key: str | None
    """Base64 of 32 bytes; without it a local key file is used."""
    own_key_file: Path | None
    """Where the local master key is kept, if not beside the embedded database."""
    kms: str | None
    """The key service that keeps the master key: "aws:" with an ARN, "azure:" with an address."""
    kms_endpoint: str | None
    """Another address of the AWS key service, such as a private endpoint."""
    destroyed_keys: Path
    """The folder of the list of destroyed keys, which is kept apart from the database's backups."""
    site_url: str
    """Where people reach the site: links in messages start with it."""
    secure_cookies: bool
    """Whether cookies are `__Host-` and Secure; off only in the demonstration, on http."""

    smtp_url: str | None
    """The mail server; without it messages wait in the outbox."""
    mail_from: str
    """The address that messages come from."""
    security_contact: str | None
    """Whom somebody tells who found a hole: "mailto:…" or "https://…", for security.txt."""

    mesh: MeshSettings | None
    """Without it no mailbox is emptied."""

    trusted_proxies: int
    """How many proxies of our own stand in front, each adding to X-Forwarded-For whom it heard."""

    @property
    def key_file(self) -> Path:
        """Where the local master key is kept."""
        return self.own_key_file or self.data_dir / "keys" / "master.key"

    def key_service(self) -> KeyService:
        """What wraps the authorities' keys. Raises NoMasterKey."""
        return key_service(self.kms, self.kms_endpoint, self.master_key, self.key_file)


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this process. Raises WrongSetting."""
    data_dir = Path(environment.get("PANEL_DATA_DIR", ".panel")).absolute()
    return Settings(
        data_dir=data_dir,
        database_url=environment.get("PANEL_DATABASE_URL") or None,
        owner_database_url=environment.get("PANEL_OWNER_DATABASE_URL") or None,
        insight_url=environment.get("PANEL_INSIGHT_URL") or None,
        master_key=environment.get("PANEL_MASTER_KEY") or None,
        own_key_file=Path(own).absolute() if (own := environment.get("PANEL_KEY_FILE")) else None,
        kms=environment.get("PANEL_KMS") or None,
        kms_endpoint=environment.get("PANEL_KMS_ENDPOINT") or None,
        destroyed_keys=Path(
            environment.get("PANEL_DESTROYED_KEYS") or data_dir / "keys"
        ).absolute(),
        site_url=environment.get("PANEL_SITE_URL", "http://127.0.0.1:8000").rstrip("/"),
        smtp_url=environment.get("PANEL_SMTP_URL") or None,
        mail_from=environment.get("PANEL_MAIL_FROM", "panel@localhost"),
        trusted_proxies=_count_of(environment, "PANEL_TRUSTED_PROXIES"),
        mesh=_mesh(environment),
        security_contact=_as_link(environment.get("PANEL_SECURITY_CONTACT", "").strip()) or None,
        secure_cookies=environment.get("PANEL_INSECURE_COOKIES", "") != "yes",
    )


def _mesh(environment: Mapping[str, str]) -> MeshSettings | None:
    """The mailbox where one is set; with all that it needs."""
    url = environment.get("PANEL_MESH_URL")
    if not url:
        return None
    needed = ("MAILBOX", "PASSWORD", "SHARED_KEY", "CLIENT")
    said = {name: environment.get(f"PANEL_MESH_{name}", "") for name in needed}
    if missing := [f"PANEL_MESH_{name}" for name, value in said.items() if not value]:
        raise WrongSetting(f"PANEL_MESH_URL is set without {', '.join(missing)}.")
    files = {
        name: Path(value).absolute() if (value := environment.get(f"PANEL_MESH_{name}")) else None
        for name in ("CERTIFICATE", "AUTHORITIES")
    }
    return MeshSettings(
        url=url,
        mailbox=said["MAILBOX"],
        password=said["PASSWORD"],
        shared_key=said["SHARED_KEY"],
        lands_as=said["CLIENT"],
        certificate=files["CERTIFICATE"],
        authorities=files["AUTHORITIES"],
    )


def _count_of(environment: Mapping[str, str], name: str) -> int:
    """A number from 0 on; 0 where nothing is said."""
    said = environment.get(name, "").strip() or "0"
    if not (said.isascii() and said.isdecimal()):
        raise WrongSetting(f"{name} is “{said}”. Give a whole number, or leave it out.")
    return int(said)


def _as_link(contact: str) -> str:
    """An e-mail address as the link to it; a link as it is."""
    return f"mailto:{contact}" if "@" in contact and ":" not in contact else contact
