"""Hook `load`: the only one that sees files and the cohort table."""

from cardio_core.api import Cohort, Context, cohort_from_table
from cardio_my_modality.readers.recording import check_recording, read_recording


def load(ctx: Context) -> Cohort:
    """Find recordings in the column `path_my_recording`, and who has what in `my_target`."""
    return cohort_from_table(
        ctx, path="path_my_recording", opener=read_recording, check=check_recording
    )
