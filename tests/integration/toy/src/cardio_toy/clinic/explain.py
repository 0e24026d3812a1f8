"""Hook `explain`."""

from __future__ import annotations

from cardio_core.api import Context, Explanation, FeatureSet
from cardio_toy.parts.show import show_one


def explain(features: FeatureSet, ctx: Context) -> Explanation:
    """Show the features of one sample."""
    return show_one(features, ctx)
