"""One beat's spectrogram, in one lead or in twelve, with contours of what a network saw in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D

from cardio_core.api import canvas
from cardio_ecg_transfer.signal.leads.names import STANDARD_LEADS as TWELVE

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from cardio_core.api import FeatureBlock

Extent = tuple[float, float, float, float]

LEVELS = (0.25, 0.5, 0.75)
WARM = ("#F0A860", "#E07B20", "#B04A00")
CONTOURS: dict[str, Any] = {"levels": LEVELS, "colors": WARM, "linewidths": [0.9, 1.2, 1.5]}
SIZE_IN = (6.8, 3.5)

WHAT_TO_SEE = (
    "Warm lines enclose what raised {what}, at a quarter, a half and three quarters of the "
    "largest evidence (Grad-CAM++); the dotted line is the R peak. Grey is the spectrogram, dark "
    "where there is power."
)
"""Caption of a spectrogram with a map; `what` is what the map is of."""


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
        figure.set_size_inches(*SIZE_IN)
        left, right = figure.subplots(1, 2, sharey=True)
        for axes, title in ((left, "spectrogram"), (right, "what the network went by")):
            image = _picture(axes, picture, extent)
            canvas.bare_axes(axes, x="time from the R peak (RR intervals)", title=title)
        _contour(right, cam, extent)
        left.set_ylabel("frequency (Hz)", fontsize=canvas.TEXT_PT, color=canvas.INK)
        _bars(figure, image, [left, right], shrink=0.9)

    return draw


def twelve_leads(
    pictures: NDArray[np.uint8], maps: NDArray[np.float32] | None, extent: Extent
) -> Callable[[Figure], None]:
    """Return a function that draws the twelve leads as on paper, with contours of the maps."""

    def draw(figure: Figure) -> None:
        figure.set_size_inches(8.4, 6.6)
        axes = figure.subplots(4, 3, sharex=True, sharey=True)
        for lead, (name, ax) in enumerate(zip(TWELVE, axes.T.ravel(), strict=False)):
            image = _picture(ax, pictures[lead], extent)
            if maps is not None:
                _contour(ax, maps[lead], extent)
            canvas.bare_axes(ax, title=name)
        for ax in axes[-1]:
            ax.set_xlabel("from the R peak (RR intervals)", fontsize=canvas.TEXT_PT)
        figure.supylabel("frequency (Hz)", fontsize=canvas.TEXT_PT)
        _bars(figure, image, list(axes.ravel()), with_map=maps is not None, shrink=0.6)

    return draw


def _picture(axes: Axes, picture: NDArray[np.uint8], extent: Extent) -> Any:
    image = axes.imshow(
        picture, origin="lower", aspect="auto", extent=extent, cmap="Greys", vmin=0, vmax=255,
        interpolation="none",
    )  # fmt: skip
    axes.axvline(0, color=canvas.fixed(canvas.BLUE), linewidth=0.8, linestyle=":")
    return image


def _bars(
    figure: Figure, image: Any, axes: list[Axes], *, with_map: bool = True, shrink: float
) -> None:
    """Add the scale of power, and of the evidence where a map is drawn."""
    power = figure.colorbar(image, ax=axes, location="right", shrink=shrink, aspect=25, pad=0.02)
    power.set_ticks([0, 255], labels=["least", "most"])
    power.set_label("power in the lead's own range (dB)", fontsize=canvas.SMALL_PT)
    power.ax.tick_params(labelsize=canvas.SMALL_PT, length=2)
    if not with_map:
        return
    lines = [Line2D([], [], color=colour, linewidth=1.6) for colour in WARM]
    words = [f"{level:g} of the largest evidence" for level in LEVELS]
    figure.legend(lines, words, loc="outside lower center", ncols=3, frameon=False,
                  fontsize=canvas.SMALL_PT)  # fmt: skip


def _contour(axes: Axes, cam: NDArray[np.float32], extent: Extent) -> None:
    """Draw the contours of a map, unless it stays below all of them."""
    if cam.max() > CONTOURS["levels"][0]:
        begin, end, low, high = extent
        rows, columns = cam.shape
        at = _centres(begin, end, columns), _centres(low, high, rows), cam
        axes.contourf(*at, levels=(*LEVELS, 1.01), colors=WARM, alpha=0.3)
        axes.contour(*at, **CONTOURS)


def _centres(begin: float, end: float, n: int) -> NDArray[np.float64]:
    """Return the centres of n equal parts."""
    return begin + (np.arange(n) + 0.5) / n * (end - begin)
