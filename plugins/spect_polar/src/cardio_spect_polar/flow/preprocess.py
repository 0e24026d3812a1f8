"""Preprocess flow maps: check them; nothing is fitted and nothing is smoothed."""

from __future__ import annotations

import numpy as np

from cardio_core.api import Context, SampleSet
from cardio_spect_polar.flow.config import PreprocessBlock


def preprocess(samples: SampleSet, config: PreprocessBlock, ctx: Context) -> SampleSet:
    """Open the maps of each study, and quarantine those that cannot be used.

    Returns
    -------
    SampleSet
        Values: `FlowMaps`.
    """
    kept, values = [], []
    position_of = {name: i for i, name in enumerate(samples.table["recording_id"])}
    for name, maps in samples.opened(ctx.quarantine):
        if maps.invalid_share > config.max_invalid_share:
            ctx.quarantine(
                name,
                f"expected a defined reserve in {1 - config.max_invalid_share:.0%} of the wall, "
                f"found {1 - maps.invalid_share:.0%}; rest flow is below load.min_rest elsewhere",
            )
            continue
        kept.append(position_of[name])
        values.append(maps)
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return SampleSet(samples.table.iloc[kept], array)
