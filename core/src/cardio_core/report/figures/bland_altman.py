"""The plot of Bland and Altman: differences against means, with the limits of agreement."""

from __future__ import annotations

from matplotlib.figure import Figure

from cardio_core.report.figures.agreement import limits_of_agreement
from cardio_core.report.figures.canvas import Draw, quiet_axes
from cardio_core.stats.agreement.bland_altman import Agreement


def bland_altman(found: Agreement, *, reference: str, measured: str, title: str = "") -> Draw:
    """Draw the differences with bias and limits, each with the band of its interval.

    `reference` and `measured` are the names of the two methods.
    """

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        limits_of_agreement(axes, found)
        quiet_axes(
            axes,
            x=f"mean of {measured} and {reference}",
            y=f"{measured} − {reference}",
            title=title,
        )

    return draw
