"""What the environment says, read once and typed."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are and how this process is to behave."""

    data_dir: Path
    """The embedded database's folder, with the local key file beside it."""
    database_url: str | None
    """A server instead of the embedded database; as `panel_app` when serving."""
    owner_database_url: str | None
    """The same database as `panel_owner`, for migrations, set-up and imports of the structure."""
    master_key: str | None
    """Base64 of 32 bytes; without it a local key file is used."""
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

    @property
    def key_file(self) -> Path:
        """Where the local master key is kept."""
        return self.data_dir / "keys" / "master.key"


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this process."""
    return Settings(
        data_dir=Path(environment.get("PANEL_DATA_DIR", ".panel")).absolute(),
        database_url=environment.get("PANEL_DATABASE_URL") or None,
        owner_database_url=environment.get("PANEL_OWNER_DATABASE_URL") or None,
        master_key=environment.get("PANEL_MASTER_KEY") or None,
        site_url=environment.get("PANEL_SITE_URL", "http://127.0.0.1:8000").rstrip("/"),
        smtp_url=environment.get("PANEL_SMTP_URL") or None,
        mail_from=environment.get("PANEL_MAIL_FROM", "panel@localhost"),
        security_contact=_as_link(environment.get("PANEL_SECURITY_CONTACT", "").strip()) or None,
        secure_cookies=environment.get("PANEL_INSECURE_COOKIES", "") != "yes",
    )


def _as_link(contact: str) -> str:
    """An e-mail address as the link to it; a link as it is."""
    return f"mailto:{contact}" if "@" in contact and ":" not in contact else contact
