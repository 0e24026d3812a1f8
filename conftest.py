"""One thread for every library: the tests' networks are small, and cores may be shared."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
