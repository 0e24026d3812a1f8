"""Hook `preprocess`: one patient's recordings become samples; fitted on nobody."""

import numpy as np

from cardio_core.api import Context, SampleSet
from cardio_my_modality.my_task.config import PreprocessBlock
from cardio_my_modality.signal.pulses import cut_pulses, find_pulses


def preprocess(samples: SampleSet, config: PreprocessBlock, ctx: Context) -> SampleSet:
    """Cut every pulse out of the patient's traces: each is a sample."""
    names, times_s, pulses = [], [], []
    for name, trace in samples.opened(ctx.quarantine):
        found_s = find_pulses(trace, config.refractory_s)
        if len(found_s) < 2:
            ctx.quarantine(name, f"expected two pulses or more, found {len(found_s)}")
            continue
        names.append(name)
        times_s.append(found_s)
        pulses.append(cut_pulses(trace, found_s))
    if not names:
        return samples.take([])
    return samples.cut(names, times_s, np.concatenate(pulses))
