"""The master key: from the environment, a file that only its owner can read, or a key service."""

import os
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from pathlib import Path

from panel.platform.crypto import Wrapping, new_key
from panel.platform.key_service import AwsKms, AzureKeyVault, KeyService, NoMasterKey

__all__ = ["NoMasterKey", "key_service", "master_key"]


def key_service(
    kms: str | None, kms_endpoint: str | None, given: str | None, file: Path
) -> KeyService:
    """What wraps the authorities' keys: the service that is named, or else a local master key.

    Args: `kms`, "aws:" with a key's ARN or "azure:" with its address; another address of the
    service (a private endpoint). Raises NoMasterKey.
    """
    if not kms:
        return master_key(given, file)
    kind, _, which = kms.partition(":")
    if kind == "aws":
        return AwsKms(which, endpoint=kms_endpoint)
    if kind == "azure":
        return AzureKeyVault(which)
    raise NoMasterKey("PANEL_KMS must begin with aws: or azure: (docs/operations.md, Master key).")


def master_key(given: str | None, file: Path) -> Wrapping:
    """The wrapping key: `given` (base64 of 32 bytes) or a local file, made at first use."""
    if given:
        return Wrapping(_decoded(given, "PANEL_MASTER_KEY"))
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_name(f"{file.name}.{os.getpid()}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(b64encode(new_key()) + b"\n")
        try:
            os.link(temporary, file)  # the first one wins; a second process reads what it finds
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    return Wrapping(_decoded(file.read_text(), str(file)))


def _decoded(text: str, where: str) -> bytes:
    try:
        key = b64decode(text.strip(), validate=True)
    except NotBase64 as error:
        raise NoMasterKey(f"The master key in {where} is not base64.") from error
    if len(key) != 32:
        raise NoMasterKey(f"The master key in {where} must be 32 bytes, and is {len(key)}.")
    return key
