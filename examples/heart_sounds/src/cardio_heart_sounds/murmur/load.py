"""Hook `load`: the only one that sees files and the cohort table."""

from cardio_core.api import Cohort, Context, cohort_from_table
from cardio_heart_sounds.readers.wav import check_sound, read_sound


def load(ctx: Context) -> Cohort:
    """Find the sounds in the column `path_pcg`, one file a site, and `murmur`."""
    return cohort_from_table(ctx, path="path_pcg", opener=read_sound, check=check_sound)
