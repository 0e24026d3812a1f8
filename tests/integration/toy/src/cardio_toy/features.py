"""Features of the toy, each with its unit, fitted on nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cardio_core.api import Case, Explanation, FeatureBlock, FeatureSet
from cardio_toy.bumps import HALF, find_bumps

if TYPE_CHECKING:
    from cardio_core.api import Context, SampleSet


def recording_features(samples: SampleSet) -> FeatureSet:
    """Return height of the beats and spread between them, one row a recording."""
    rows = []
    for trace in samples.values:
        tops = find_bumps(trace, 0.35)
        between = np.ones(len(trace.values_mv), bool)
        for top in tops:
            between[top - HALF : top + HALF] = False
        height_mv = np.median(np.abs(trace.values_mv[tops])) if len(tops) else 0.0
        rows.append([height_mv, np.std(trace.values_mv[between])])
    values = np.asarray(rows, dtype=np.float32)
    block = FeatureBlock(values, ("feature",), ("height", "spread"), ("mV", "mV"))
    return FeatureSet(samples.table, {"shape": block})


def beat_features(samples: SampleSet) -> FeatureSet:
    """Return the values around each beat, compact: float16, shape (n_beats, 1, 16)."""
    values = np.asarray(samples.values, dtype=np.float16)[:, None, :]
    block = FeatureBlock(values, ("lead", "time"), ("bump",), ("mV",))
    return FeatureSet(samples.table, {"beat": block})


WEBM = bytes.fromhex("1a45dfa3")
"""What every WebM file begins with; nobody plays this one."""


def show_one(features: FeatureSet, ctx: Context) -> Explanation:
    """Show the first sample that the first fold tested, or the first new one."""
    if ctx.mode == "fit" and not str(ctx.fold).endswith("f0"):
        return Explanation()
    name = next(iter(features.blocks))
    values = features[name].in_units([0])[0].reshape(-1)

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        axes.plot(values)
        axes.set_ylabel(features[name].units[0])

    sample_id = str(features.table.index[0])
    case = Case(
        sample_id=sample_id,
        title=f"What {ctx.model} saw",
        model=str(ctx.model),
        arrays={"values": values},
        scores={"largest_mv": float(values.max())},
        draw=draw,
        video=lambda: WEBM,
    )
    return Explanation((case,), "the first sample of the first fold")
