"""What the toy shows of a model: one sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cardio_core.api import Case, Explanation

if TYPE_CHECKING:
    from cardio_core.api import Context, FeatureSet

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

    case = Case(
        sample_id=str(features.table.index[0]),
        title=f"What {ctx.model} saw",
        model=str(ctx.model),
        arrays={"values": values},
        scores={"largest_mv": float(values.max())},
        draw=draw,
        video=lambda: WEBM,
    )
    return Explanation((case,), "the first sample of the first fold")
