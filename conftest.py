"""What every test process is given: one thread a library, and all the time that it takes."""

import os
import threading

import pytest
from hypothesis import HealthCheck, settings

# The tests' networks are small, and cores may be shared.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# No property fails because the machine is slow.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def nothing_is_said_later():
    """No display outlives its command: it would speak into whatever comes next."""
    yield
    if any(one.name == "progress" for one in threading.enumerate()):
        pytest.fail("a display was not closed")
