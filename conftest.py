"""What every test process is given: one thread a library, and all the time that it takes."""

import os

from hypothesis import HealthCheck, settings

# The tests' networks are small, and cores may be shared.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# No property fails because the machine is slow.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")
