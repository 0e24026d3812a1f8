"""One beat's spectrogram, in one lead or in twelve, with contours of what a network saw in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cardio_ecg_transfer.signal.leads.names import STANDARD_LEADS as TWELVE

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from cardio_core.api import FeatureBlock

Extent = tuple[float, float, float, float]

CONTOURS: dict[str, Any] = {
    "levels": [0.25, 0.5, 0.75],
    "colors": ["#F0A860", "#E07B20", "#B04A00"],
    "linewidths": [0.8, 1.1, 1.4],
}


def extent_of(block: FeatureBlock) -> Extent:
    """Return (begin, end, lowest, highest) of a picture: RR intervals from R, and Hz."""
    begin, end, _ = block.extents["time"]
    low, high, _ = block.extents["frequency"]
    return begin, end, low, high


def column_centres(block: FeatureBlock, n_columns: int) -> NDArray[np.float64]:
    """Return where the columns of a picture lie, in RR intervals from R."""
    begin, end, _ = block.extents["time"]
    return _centres(begin, end, n_columns)


def one_lead(
    picture: NDArray[np.uint8], cam: NDArray[np.float32], extent: Extent
) -> Callable[[Figure], None]:
    """Return a function that draws one picture twice, the second time with contours of a map."""

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2, sharey=True)
        for axes, title in ((left, "spectrogram"), (right, "Grad-CAM++ at .25, .5, .75")):
            axes.imshow(picture, origin="lower", aspect="auto", extent=extent, cmap="Greys")
            axes.axvline(0, color="#0072B2", linewidth=0.8, linestyle=":")
            axes.set_xlabel("time from R (RR)")
            axes.set_title(title, fontsize=9)
        _contour(right, cam, extent)
        left.set_ylabel("frequency (Hz)")

    return draw


def twelve_leads(
    pictures: NDArray[np.uint8], maps: NDArray[np.float32] | None, extent: Extent
) -> Callable[[Figure], None]:
    """Return a function that draws the twelve leads as on paper, with contours of the maps."""

    def draw(figure: Figure) -> None:
        figure.set_size_inches(9.0, 6.0)
        axes = figure.subplots(4, 3, sharex=True, sharey=True)
        for lead, (name, ax) in enumerate(zip(TWELVE, axes.T.ravel(), strict=False)):
            ax.imshow(
                pictures[lead], origin="lower", aspect="auto", extent=extent, cmap="Greys",
                vmin=0, vmax=255,
            )  # fmt: skip
            if maps is not None:
                _contour(ax, maps[lead], extent)
            ax.axvline(0, color="#0072B2", linewidth=0.6, linestyle=":")
            ax.set_title(name, fontsize=8, pad=2)
        for ax in axes[-1]:
            ax.set_xlabel("time from R (RR)", fontsize=8)
        for ax in axes[:, 0]:
            ax.set_ylabel("Hz", fontsize=8)

    return draw


def _contour(axes: Axes, cam: NDArray[np.float32], extent: Extent) -> None:
    """Draw the contours of a map, unless it stays below all of them."""
    if cam.max() > CONTOURS["levels"][0]:
        begin, end, low, high = extent
        rows, columns = cam.shape
        axes.contour(_centres(begin, end, columns), _centres(low, high, rows), cam, **CONTOURS)


def _centres(begin: float, end: float, n: int) -> NDArray[np.float64]:
    """Return the centres of n equal parts."""
    return begin + (np.arange(n) + 0.5) / n * (end - begin)
