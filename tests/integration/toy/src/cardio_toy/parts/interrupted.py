"""A pause in training, so that a test can interrupt a run there, or let a fit fail."""

from __future__ import annotations

import errno
import os
import signal
import time

from cardio_core.api import Context


def wait(ctx: Context) -> None:
    """Sleep as many seconds as ``CARDIO_TOY_WAIT_S`` says, whatever is fitted.

    Then lack what ``CARDIO_TOY_LACKS`` says at one fit: ``"memory@honest r0-f1 ridge"``. A worker
    that is killed (``"life"``) is what a system does that has no memory left.
    """
    time.sleep(float(os.environ.get("CARDIO_TOY_WAIT_S", "0")))
    what, _, where = os.environ.get("CARDIO_TOY_LACKS", "").partition("@")
    if where != f"{ctx.protocol} {ctx.fold} {ctx.model}":
        return
    if what == "life":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "memory":
        raise MemoryError
    if what == "address space":
        import resource

        import numpy as np

        resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
        np.ones(2**31)
    if what == "disk":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
