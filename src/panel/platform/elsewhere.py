"""Work in a process of its own: it can be stopped, and cannot take what serves pages down."""

import os
import subprocess
import sys


def asked(module: str, order: bytes, seconds: int) -> subprocess.CompletedProcess[bytes]:
    """Run a module of ours with an order on its standard input; blocks until it is done.

    It needs to find Python's packages and nothing else: it is given no keys and no database
    address. Raises subprocess.TimeoutExpired.
    """
    few = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-P", "-m", module],
        input=order,
        capture_output=True,
        timeout=seconds,
        env=few,
        check=False,
    )
