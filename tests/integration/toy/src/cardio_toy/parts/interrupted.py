"""A pause in training, so that a test can interrupt a run there, or let a fit fail."""

from __future__ import annotations

import os
import time

from cardio_core.api import Context


def wait(ctx: Context) -> None:
    """Sleep as many seconds as ``CARDIO_TOY_WAIT_S`` says, whatever is fitted."""
    time.sleep(float(os.environ.get("CARDIO_TOY_WAIT_S", "0")))
