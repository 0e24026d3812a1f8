"""Finding bumps, which the toy calls beats."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cardio_core.api import DataError, SampleSet, mint
from cardio_toy.recordings import Trace, open_trace

if TYPE_CHECKING:
    from cardio_core.api import Context
    from cardio_toy.config import PreprocessBlock

HALF = 8
"""Values on each side of a bump that are cut out with it."""

REFRACTORY_S = 0.3


def find_bumps(trace: Trace, threshold_mv: float) -> np.ndarray:
    """Return the positions of local extremes of at least that height, the highest first served."""
    height = np.abs(trace.values_mv)
    inner = height[1:-1]
    tops = 1 + np.flatnonzero(
        (inner >= height[:-2]) & (inner > height[2:]) & (inner >= threshold_mv)
    )
    taken: list[int] = []
    for top in tops[np.argsort(-height[tops], kind="stable")]:
        if all(abs(top - other) >= REFRACTORY_S * trace.rate_hz for other in taken):
            taken.append(int(top))
    whole = [top for top in taken if HALF <= top < len(height) - HALF]
    return np.array(sorted(whole), dtype=int)


def open_all(samples: SampleSet, ctx: Context) -> SampleSet:
    """Open one patient's recordings; one that cannot be opened is quarantined."""
    opened = dict(samples.opened(ctx.quarantine))
    if not opened:
        raise DataError("none of the patient's recordings can be opened")
    kept = [i for i, name in enumerate(samples.table["recording_id"]) if name in opened]
    return SampleSet(samples.table.iloc[kept], list(opened.values()))


def mint_bumps(samples: SampleSet, config: PreprocessBlock, ctx: Context) -> SampleSet:
    """Mint one sample at every bump, with the values around it."""
    names, times, values = [], [], []
    for name, trace in samples.opened(ctx.quarantine):
        tops = find_bumps(trace, config.threshold_mv)
        if not len(tops):
            ctx.quarantine(name, "no beat reaches preprocess.threshold_mv; lower it")
            continue
        names.append(name)
        times.append(tops / trace.rate_hz)
        around = tops[:, None] + np.arange(-HALF, HALF)
        values.append(trace.values_mv[around])
    if not names:
        raise DataError("no beat in any of the patient's recordings")
    return mint(samples, names, times, np.concatenate(values))


def rpeaks(path: Path, *, channel: int | None = None) -> dict[str, Any]:
    """Lend the detector to `cardio data rpeaks`."""
    trace = open_trace(path)
    tops = find_bumps(trace, 0.35)
    return {
        "rate_hz": trace.rate_hz,
        "leads": ["bump"],
        "lead": "bump",
        "samples": tops.tolist(),
        "times_s": (tops / trace.rate_hz).tolist(),
        "polarity": np.sign(trace.values_mv[tops]).astype(int).tolist(),
    }
