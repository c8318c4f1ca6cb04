"""What in the settings makes it unsafe to serve real records, in sentences."""

import os
import stat
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from itertools import pairwise
from urllib.parse import urlsplit

from panel.settings import Settings

DEBUGGING = ("LITESTAR_DEBUG", "LITESTAR_PDB", "PYTHONDEVMODE", "PYTHONASYNCIODEBUG")
"""Variables that make the site or Python tell an inside to whoever causes a fault."""
FEWEST_BYTES = 12
"""Different bytes of a key. Of 32 random ones about 30 differ; fewer than 12 are no accident."""


def unsafe(
    settings: Settings, real_hosts: Sequence[str], environment: Mapping[str, str] = os.environ
) -> list[str]:
    """Why the site must not be served as it is set; empty where nothing is wrong.

    Args: `real_hosts` are the host names of the authorities that are no demonstration.
    """
    return [
        *_keys(settings),
        *(_transport(settings, real_hosts) if real_hosts else ()),
        *_debugging(environment),
    ]


def is_weak(key: bytes) -> bool:
    """Whether a key is one that somebody would try first, or a password that somebody typed."""
    steps = {(after - before) % 256 for before, after in pairwise(key)}
    repeats = any(key == (key[:size] * len(key))[: len(key)] for size in range(1, 17))
    typed = all(0x20 <= byte < 0x7F for byte in key)
    return len(set(key)) < FEWEST_BYTES or len(steps) <= 2 or repeats or typed


def is_this_machine(host: str) -> bool:
    """Whether a host name leads nowhere but to the machine itself."""
    name = host.strip("[]").casefold()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def is_https(settings: Settings) -> bool:
    """Whether people reach the site over https, and browsers may be told to use no other."""
    return urlsplit(settings.site_url).scheme == "https" and settings.secure_cookies


def _keys(settings: Settings) -> Iterator[str]:
    file = settings.key_file
    if settings.master_key:
        where, text = "PANEL_MASTER_KEY", settings.master_key
    elif file.is_file():
        if (mode := stat.S_IMODE(file.stat().st_mode)) & 0o077:
            yield (
                f"Others than its owner can open the master key in {file} ({mode:o}). Make it"
                " private with chmod 600, and ask who has read it."
            )
        where, text = str(file), file.read_text(errors="replace")
    else:
        return
    key = _decoded(text)
    if key is not None and is_weak(key):
        yield (
            f"The master key in {where} can be guessed. Before anything real is kept, make one"
            " with: openssl rand -base64 32"
        )


def _decoded(text: str) -> bytes | None:
    """The key's bytes; None where it is no key at all, which whoever opens it says better."""
    try:
        return b64decode(text.strip(), validate=True)
    except (NotBase64, ValueError):
        return None


def _transport(settings: Settings, real_hosts: Sequence[str]) -> Iterator[str]:
    at = urlsplit(settings.site_url)
    hosts = (at.hostname or "", *real_hosts)
    if all(is_this_machine(host) for host in hosts):
        return
    if at.scheme != "https":
        yield (
            f"PANEL_SITE_URL is {settings.site_url}: beyond this machine real records are served"
            " over https alone. Set it to the address that people type, with https."
        )
    if not settings.secure_cookies:
        yield (
            "PANEL_INSECURE_COOKIES is set, so whoever listens on the way could take a session"
            " over. Leave it out."
        )


def _debugging(environment: Mapping[str, str]) -> Iterator[str]:
    on = [name for name in DEBUGGING if environment.get(name, "0").strip() not in ("", "0")]
    if on:
        yield f"{', '.join(on)} is set, which shows an inside with every fault. Leave it out."
