"""Work that may take long, asked for where a loop of many requests must not wait for it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from time import monotonic

from panel.platform.problems import Problem

MOMENT = 0.5
"""Seconds that everybody waits, where the work is asked for from within pure work."""
PATIENCE = 3.0
"""Seconds that one request waits, while others are served."""
REST = 5.0
"""Seconds after a failure in which it is not tried again."""


class NotLearntYet(Problem):
    """A key that came a moment ago is not at hand yet: whoever asks again in a while has it."""

    def __init__(self) -> None:
        super().__init__(
            503,
            "Please wait",
            "The keys of this site were changed just now, and the new one is not here yet.",
            "Try again in a minute.",
        )


class OffTheLoop:
    """One piece of work, at most once at a time, in a thread of its own."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._lock = Lock()
        self._thread: ThreadPoolExecutor | None = None
        self._last: Future[None] | None = None
        self._rests_until = 0.0

    def wait(self) -> None:
        """Have it done: whole where there is no loop, else within a moment. Raises NotLearntYet."""
        if not _is_in_a_loop():
            self._work()
            return
        work, is_new = self._begun()
        if not is_new:
            # Everybody waited for it a moment already, and does so once.
            raise NotLearntYet
        try:
            work.result(MOMENT)
        except TimeoutError as error:
            raise NotLearntYet from error

    async def ready(self) -> None:
        """Have it done while others are served. Raises NotLearntYet where it takes too long."""
        work, _ = self._begun()
        try:
            await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(work)), PATIENCE)
        except TimeoutError as error:
            raise NotLearntYet from error

    def _begun(self) -> tuple[Future[None], bool]:
        with self._lock:
            if self._last is not None and not self._last.done():
                return self._last, False
            if monotonic() < self._rests_until:
                raise NotLearntYet
            self._thread = self._thread or ThreadPoolExecutor(1, thread_name_prefix="learn-keys")
            self._last = self._thread.submit(self._work)
        self._last.add_done_callback(self._rest)
        return self._last, True

    def _rest(self, work: Future[None]) -> None:
        if work.exception() is not None:
            self._rests_until = monotonic() + REST


def _is_in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
