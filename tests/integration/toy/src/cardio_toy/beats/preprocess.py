"""Hook `preprocess`."""

from __future__ import annotations

import numpy as np

from cardio_core.api import Context, DataError, SampleSet
from cardio_toy.beats.config import PreprocessBlock
from cardio_toy.bumps.find import around, find_bumps


def preprocess(samples: SampleSet, config: PreprocessBlock, ctx: Context) -> SampleSet:
    """Mint one sample at every bump, with the values around it."""
    names, times, values = [], [], []
    for name, trace in samples.opened(ctx.quarantine):
        tops = find_bumps(trace, config.threshold_mv)
        if not len(tops):
            ctx.quarantine(name, "no beat reaches preprocess.threshold_mv; lower it")
            continue
        names.append(name)
        times.append(tops / trace.rate_hz)
        values.append(around(trace, tops))
    if not names:
        raise DataError("no beat in any of the patient's recordings")
    return samples.cut(names, times, np.concatenate(values))
