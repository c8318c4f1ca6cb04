"""What a serving process runs: the site of `app`, opened from the environment."""

import atexit
import multiprocessing
import os
import signal
from contextlib import ExitStack
from datetime import UTC, date, datetime
from threading import Thread

from litestar import Litestar

from panel.app import make_app
from panel.platform.clock import LONDON, Clock, ShiftedClock, SystemClock, at_nine
from panel.platform.cluster import Cluster, open_cluster, refuse_to_serve
from panel.platform.erasure import DestroyedKeys
from panel.platform.logs import configure
from panel.platform.migrate import Target, current, head
from panel.platform.tenancy import authorities, keyring
from panel.safe_to_serve import unsafe
from panel.settings import Settings, from_environment
from panel.web.manifest import read_manifest

AS_OF = "PANEL_AS_OF"
"""The day that the demonstration takes for today, as YYYY-MM-DD; or the moment in London at which
it goes on, as YYYY-MM-DDTHH:MM, for a server that is started again in the middle of a day."""


def clock_from(as_of: str | None) -> Clock:
    """The machine's clock, or one that begins at nine on a chosen day or at a chosen moment."""
    if not as_of:
        return SystemClock()
    if "T" in as_of:
        moment = datetime.fromisoformat(as_of).replace(tzinfo=LONDON)
        return ShiftedClock(moment.astimezone(UTC))
    return ShiftedClock(at_nine(date.fromisoformat(as_of)))


def end_with_parent() -> None:
    """Stop this serving process when the one that started it is gone, however it went.

    An orphan would go on answering at the port, with old code, beside whatever is started next.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    Thread(target=watch, name="end with parent", daemon=True).start()


def check_ready(settings: Settings, cluster: Cluster) -> list[str]:
    """What keeps the site from being served, in sentences; empty when nothing does."""
    wrong = [sentence] if (sentence := refuse_to_serve(cluster.app_url)) else []
    records = authorities(cluster.app_url)
    if not records:
        wrong.append("There is no authority yet. Run: panel setup")
    for record in records:
        target = Target(cluster.app_url, record.schema_name)
        if (at := current(target)) != head(target):
            wrong.append(f"{record.name} is at migration {at}. Run: panel migrate")
    read_manifest()
    unsafe_here = unsafe(settings, [record.host for record in records if not record.demo])
    if unsafe_here:
        # A key that others have may not even be tried on what it would open.
        return [*wrong, *unsafe_here]
    master = settings.key_service()
    for record in records:
        keyring(record, master)
    DestroyedKeys(settings.destroyed_keys).read()
    return wrong


def make() -> Litestar:
    """The site for a server that loads it by name (`granian --factory panel.serving:make`).

    Ends the process, with a sentence, where the site must not be served as it is set: whoever
    starts it past `panel serve` is refused the same.
    """
    end_with_parent()
    configure()
    settings = from_environment()
    leaving = ExitStack()
    cluster = leaving.enter_context(
        open_cluster(
            settings.database_url, settings.data_dir, owner_url=settings.owner_database_url
        )
    )
    atexit.register(leaving.close)
    if wrong := check_ready(settings, cluster):
        leaving.close()
        raise SystemExit(" ".join(wrong))
    return make_app(
        settings,
        cluster.app_url,
        clock_from(os.environ.get(AS_OF)),
        compiled=settings.data_dir / "templates",
    )
