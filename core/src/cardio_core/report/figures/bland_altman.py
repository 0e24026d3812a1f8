"""The plot of Bland and Altman: differences against means, with the limits of agreement."""

from __future__ import annotations

from matplotlib.figure import Figure

from cardio_core.report.figures.canvas import BLUE, GREY, INK, TEXT_PT, VERMILION, Draw, quiet_axes
from cardio_core.stats.agreement.bland_altman import Agreement


def bland_altman(found: Agreement, *, reference: str, measured: str, title: str = "") -> Draw:
    """Draw the differences with bias and limits, each with the band of its interval.

    `reference` and `measured` are the names of the two methods.
    """

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.plot(found.mean, found.difference, "o", color=BLUE, markersize=3.5, alpha=0.7)
        for estimate, words in (
            (found.upper, "upper limit"), (found.bias, "bias"), (found.lower, "lower limit"),
        ):  # fmt: skip
            if estimate.low is not None and estimate.high is not None:
                axes.axhspan(estimate.low, estimate.high, color=VERMILION, alpha=0.10, linewidth=0)
            axes.axhline(estimate.value, color=VERMILION, linewidth=1.2)
            axes.annotate(
                f"{words}\n{estimate.value:.3g}", (1.0, estimate.value),
                xycoords=("axes fraction", "data"), xytext=(4, 0), textcoords="offset points",
                ha="left", va="center", fontsize=TEXT_PT - 1, color=INK,
            )  # fmt: skip
        axes.axhline(0, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
        quiet_axes(
            axes,
            x=f"mean of {measured} and {reference}",
            y=f"{measured} - {reference}",
            title=title,
        )

    return draw
