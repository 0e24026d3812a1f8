"""A pause in training, so that a test can interrupt a run there."""

from __future__ import annotations

import os
import time


def wait() -> None:
    """Sleep as many seconds as ``CARDIO_TOY_WAIT_S`` says."""
    time.sleep(float(os.environ.get("CARDIO_TOY_WAIT_S", "0")))
