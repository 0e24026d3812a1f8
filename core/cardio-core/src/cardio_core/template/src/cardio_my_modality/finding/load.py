"""Hook `load`: the only one that sees files and the cohort table."""

from cardio_core.api import Cohort, Context, cohort_from_table
from cardio_my_modality.readers.trace import check_trace, read_trace


def load(ctx: Context) -> Cohort:
    """Find the traces in the column `path_trace` and what is to be predicted in `finding`."""
    return cohort_from_table(ctx, path="path_trace", opener=read_trace, check=check_trace)
