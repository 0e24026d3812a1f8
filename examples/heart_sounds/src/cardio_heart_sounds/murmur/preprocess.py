"""Hook `preprocess`: one patient's recordings become windows of 5 s; fitted on nobody."""

import numpy as np

from cardio_core.api import Context, SampleSet
from cardio_heart_sounds.murmur.config import PreprocessBlock
from cardio_heart_sounds.signal.beats import REGULAR, find_rhythm
from cardio_heart_sounds.signal.windows import WINDOW_S, cut_windows, quiet_share


def preprocess(samples: SampleSet, config: PreprocessBlock, ctx: Context) -> SampleSet:
    """Cut every recording into windows, leave out those without contact, and flag what is odd."""
    names, times_s, windows, flags = [], [], [], []
    for name, sound in samples.opened(ctx.quarantine):
        cut = cut_windows(sound)
        kept = quiet_share(cut) <= config.quiet_share
        if not kept.any():
            ctx.quarantine(name, "expected heart sounds, found a stethoscope without contact")
            continue
        names.append(name)
        times_s.append(WINDOW_S * np.flatnonzero(kept))
        windows.append(cut[kept])
        flagged = []
        if sound.clipped > config.clipped_share:
            flagged.append(f"clipped: {sound.clipped:.1%} of the values are at full scale")
        if np.median([find_rhythm(window).regularity for window in cut[kept]]) < REGULAR:
            flagged.append("no regular beat found: rate, interval and levels are guesses")
        flags += ["; ".join(flagged)] * int(kept.sum())
    if not names:
        return samples.take([])
    return samples.cut(names, times_s, np.concatenate(windows), {"flags": np.array(flags, object)})
