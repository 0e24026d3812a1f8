"""Hook `load`."""

from __future__ import annotations

from cardio_core.api import Cohort, Context
from cardio_toy.parts.cohort import find_recordings
from cardio_toy.parts.settings import LoadBlock


def load(config: LoadBlock, ctx: Context) -> Cohort:
    """Find the recordings of a cohort table, or single recordings."""
    return find_recordings(config, ctx)
