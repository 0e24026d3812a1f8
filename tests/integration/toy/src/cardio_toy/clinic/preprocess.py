"""Hook `preprocess`."""

from __future__ import annotations

from cardio_core.api import Context, DataError, SampleSet


def preprocess(samples: SampleSet, ctx: Context) -> SampleSet:
    """Open one patient's recordings; one that cannot be opened is quarantined."""
    opened = dict(samples.opened(ctx.quarantine))
    if not opened:
        raise DataError("none of the patient's recordings can be opened")
    kept = [i for i, name in enumerate(samples.table["recording_id"]) if name in opened]
    return SampleSet(samples.table.iloc[kept], list(opened.values()))
