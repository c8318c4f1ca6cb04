"""The site is not served under settings that make its records unsafe; each is said in a sentence."""

import json
import os
import secrets
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from panel.cli import commands
from panel.platform.cluster import Cluster
from panel.safe_to_serve import DEBUGGING, is_this_machine, is_weak, unsafe
from panel.settings import from_environment
from panel.web import assets
from tests.durability.serving import free_port

GOOD = b64encode(secrets.token_bytes(32)).decode()
HTTPS = {"PANEL_SITE_URL": "https://panel.example.org", "PANEL_MASTER_KEY": GOOD}
REAL = ["panel.example.org"]


def said(environment: Mapping[str, str], hosts: list[str], folder: Path) -> list[str]:
    settings = from_environment({"PANEL_DATA_DIR": str(folder), **environment})
    return unsafe(settings, hosts, environment)


def test_a_real_site_on_https_with_a_random_key_is_served(tmp_path: Path) -> None:
    assert said(HTTPS, REAL, tmp_path) == []


@pytest.mark.parametrize(
    "key",
    [
        bytes(32), b"\xff" * 32, bytes(range(32)), bytes(range(32, 0, -1)), b"\x01\x02" * 16,
        b"0123456789abcdef" * 2, b"this is the master key of Panel!", sha256(b"a").digest()[:8] * 4,
        sha256(b"b").digest()[:16] * 2, bytes(31) + b"\x01", bytes(range(0, 160, 5)),
    ],
)  # fmt: skip
def test_a_key_that_can_be_guessed_is_weak(key: bytes, tmp_path: Path) -> None:
    assert len(key) == 32
    assert is_weak(key)
    told = said(HTTPS | {"PANEL_MASTER_KEY": b64encode(key).decode()}, REAL, tmp_path)
    (sentence,) = told
    assert sentence.startswith("The master key in PANEL_MASTER_KEY can be guessed.")
    assert said({"PANEL_MASTER_KEY": b64encode(key).decode()}, [], tmp_path) == told


@pytest.mark.parametrize("given", ["two", "-1", "1.5"])
def test_a_number_of_proxies_that_is_none_is_said_in_a_sentence(given: str, tmp_path: Path) -> None:
    environment = {"PANEL_DATA_DIR": str(tmp_path), "PANEL_TRUSTED_PROXIES": given}
    told = CliRunner().invoke(commands, ["doctor"], env=environment)
    assert told.exit_code == 1
    assert f"PANEL_TRUSTED_PROXIES is “{given}”. Give a whole number" in told.output
    assert from_environment(environment | {"PANEL_TRUSTED_PROXIES": " 2 "}).trusted_proxies == 2
    assert from_environment(environment | {"PANEL_TRUSTED_PROXIES": ""}).trusted_proxies == 0


def test_a_random_key_is_not_weak() -> None:
    for number in range(2_000):
        assert not is_weak(sha256(str(number).encode()).digest())


def test_a_key_file_that_others_can_open_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "master.key"
    file.parent.mkdir()
    file.write_text(GOOD + "\n")
    for mode, opens in (
        (0o600, False),
        (0o400, False),
        (0o640, True),
        (0o604, True),
        (0o620, True),
    ):
        file.chmod(mode)
        told = said({"PANEL_SITE_URL": HTTPS["PANEL_SITE_URL"]}, REAL, tmp_path)
        assert bool(told) is opens, oct(mode)
        if told:
            assert told[0].startswith("Others than its owner can open the master key in ")
            assert f"({mode:o})" in told[0]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"PANEL_SITE_URL": "http://panel.example.org"}, "over https alone"),
        ({"PANEL_SITE_URL": "http://127.0.0.1:8000"}, "over https alone"),
        ({"PANEL_SITE_URL": "panel.example.org"}, "over https alone"),
        ({"PANEL_INSECURE_COOKIES": "yes"}, "take a session over"),
        *(({name: "1"}, f"{name} is set") for name in DEBUGGING),
    ],
)
def test_what_lets_others_in_is_refused(more: Mapping[str, str], says: str, tmp_path: Path) -> None:
    (told,) = said(HTTPS | more, REAL, tmp_path)
    assert says in told


def test_on_this_machine_alone_and_in_the_demonstration_http_will_do(tmp_path: Path) -> None:
    http = {
        "PANEL_SITE_URL": "http://127.0.0.1:8000", "PANEL_INSECURE_COOKIES": "yes",
        "PANEL_MASTER_KEY": GOOD, "LITESTAR_DEBUG": "0",
    }  # fmt: skip
    assert said(http, ["testshire.localhost"], tmp_path) == []
    assert said(http | {"PANEL_SITE_URL": "http://demo.example.org"}, [], tmp_path) == []
    assert len(said(http, [*REAL, "localhost"], tmp_path)) == 2


def test_which_names_are_this_machine() -> None:
    for host in ("localhost", "a.localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"):
        assert is_this_machine(host)
    for host in ("", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1"):
        assert not is_this_machine(host)


Run = Callable[..., Result]


@pytest.fixture
def run(database_of_own: Cluster, for_commands: dict[str, str | None]) -> Run:
    """Run a `panel` command on an authority that is real: run({"PANEL_…": "…"}, "doctor")."""
    assets.build()
    assert database_of_own.owner_url is not None
    with psycopg.connect(database_of_own.owner_url) as connection:
        connection.execute("UPDATE panel_control.authority SET demo = false, host = %s", REAL)
    environment = for_commands | {
        "PANEL_SITE_URL": HTTPS["PANEL_SITE_URL"],
        "PANEL_INSECURE_COOKIES": None,
    }

    def ran(more: Mapping[str, str], *words: str) -> Result:
        return CliRunner().invoke(commands, words, env=environment | dict(more))

    return ran


def test_serve_and_doctor_refuse_it_with_exit_code_1(run: Run, database_of_own: Cluster) -> None:
    well = run({}, "doctor")
    assert well.exit_code == 0, well.output
    assert database_of_own.owner_url is not None
    for more, says in (
        ({"PANEL_SITE_URL": "http://panel.example.org"}, "over https alone"),
        ({"PANEL_INSECURE_COOKIES": "yes"}, "take a session over"),
        ({"PYTHONASYNCIODEBUG": "1"}, "PYTHONASYNCIODEBUG is set"),
        ({"PANEL_DATABASE_URL": database_of_own.owner_url}, "would see every record"),
    ):
        served = run(more, "serve", "--port", str(free_port()))
        assert served.exit_code == 1, served.output
        assert served.output.count("\n") == 1, served.output
        doctor = run(more, "doctor")
        assert doctor.exit_code == 1
        told = run(more, "doctor", "--json")
        assert told.exit_code == 1
        answer = json.loads(told.stdout)
        assert answer["ready"] is False
        for where in (served.output, doctor.output, answer["wrong"][0]):
            assert says in where


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"PANEL_SITE_URL": "http://panel.example.org"}, "over https alone"),
        ({"PANEL_MASTER_KEY": b64encode(bytes(32)).decode()}, "can be guessed"),
        ({"LITESTAR_DEBUG": "1"}, "LITESTAR_DEBUG is set"),
        ({"PANEL_DATABASE_URL": ""}, "would see every record"),
    ],
    ids=["http", "weak key", "debugging", "role that sees all"],
)
@pytest.mark.usefixtures("run")
def test_a_server_that_loads_the_site_by_name_is_refused_the_same(
    database_of_own: Cluster, data_dir: Path, more: Mapping[str, str], says: str
) -> None:
    owner_url = database_of_own.owner_url
    assert owner_url is not None
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PANEL_")},
        "PANEL_DATA_DIR": str(data_dir),
        "PANEL_DATABASE_URL": database_of_own.app_url,
        "PANEL_OWNER_DATABASE_URL": owner_url,
        "PANEL_SITE_URL": HTTPS["PANEL_SITE_URL"],
    }
    ended = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("granian")), "--interface", "asgi"),
            *("--port", str(free_port()), "--factory", "panel.serving:make"),
        ],
        env=environment | {name: value or owner_url for name, value in more.items()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    assert says in ended.stderr, ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_weak_master_key_is_refused_by_doctor_before_anything_is_kept(
    run: Run, tmp_path: Path
) -> None:
    weak = b64encode(bytes(32)).decode()
    for words in (("serve", "--port", str(free_port())), ("doctor", "--authority", "nowhere")):
        refused = run({"PANEL_MASTER_KEY": weak, "PANEL_DATA_DIR": str(tmp_path)}, *words)
        assert refused.exit_code == 1
        assert "can be guessed" in refused.output
