"""A sheet a study: the sampled wall on its slices, the polar maps, and the phase histogram."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cardio_core.api import Case, FeatureSet, canvas
from cardio_spect_polar.drawing.histogram import binned_histogram_figure
from cardio_spect_polar.drawing.polar_maps import study_maps
from cardio_spect_polar.drawing.slices import slices_with_wall
from cardio_spect_polar.drawing.style import resize
from cardio_spect_polar.phase.sampling.qc_view import QcView

_WIDTH_IN = 8.6
_HEIGHTS_IN = (3.4, 3.6, 2.9)
WHAT_TO_SEE = (
    "Above, slices of the study: the dots should lie on the wall. In the middle, the polar maps of "
    "phase (blue: early, orange: late), perfusion and thickening. Below, the phase histogram with "
    "phase SD and bandwidth: a narrow peak is a synchronous ventricle."
)
"""Caption of a sheet."""

RULE = (
    "of every fold, the studies whose wall was found with the least confidence, and those of the "
    "largest and the smallest phase SD: look whether the dots lie on the wall"
)


def study_cases(features: FeatureSet, n_cases: int) -> list[Case]:
    """Return sheets of the studies that a reader should check first.

    Parameters
    ----------
    features : FeatureSet
        Of one fold's tested patients.
    n_cases : int
        How many: in turn the least confident wall, the largest and the smallest phase SD.

    Returns
    -------
    list of Case
        With the scores `psd_deg`, `pbw_deg`, `lvef_spect_pct` and `wall_confidence`.
    """
    values = _indices(features)
    ranked = np.stack([
        np.argsort(values["wall_confidence"], kind="stable"),
        np.argsort(-values["psd_deg"], kind="stable"),
        np.argsort(values["psd_deg"], kind="stable"),
    ])  # fmt: skip
    chosen = list(dict.fromkeys(int(i) for i in ranked.T.ravel()))[:n_cases]
    flags = features.table["flags"].fillna("").astype(str).to_list()
    return [_case(features, values, i, flags[i]) for i in chosen]


def _case(
    features: FeatureSet, values: dict[str, NDArray[np.float64]], position: int, flags: str
) -> Case:
    shown = ("psd_deg", "pbw_deg", "lvef_spect_pct", "wall_confidence")
    scores = {name: float(values[name][position]) for name in shown}
    title = (
        f"Phase SD {scores['psd_deg']:.1f}°, bandwidth {scores['pbw_deg']:.0f}°, "
        f"EF {scores['lvef_spect_pct']:.0f} %, wall found with confidence "
        f"{scores['wall_confidence']:.2f}"
    )
    title += f"; {flags}" if flags else ""
    return Case(
        sample_id=str(features.table.index[position]),
        title=title,
        caption=WHAT_TO_SEE,
        arrays={
            name: features[name].in_units([position])[0]
            for name in ("phase", "perfusion", "thickening")
        },
        scores=scores,
        draw=_sheet(features, position, scores),
    )


def measured_study(features: FeatureSet) -> canvas.Draw:
    """Return a function that draws the sheet of the one study that was measured."""
    values = _indices(features)
    return _sheet(features, 0, {name: float(found[0]) for name, found in values.items()})


def _sheet(features: FeatureSet, position: int, scores: dict[str, float]) -> canvas.Draw:
    def one(name: str) -> NDArray[np.float32]:
        found: NDArray[np.float32] = np.asarray(features[name].values[[position]])[0]
        return found

    view = QcView(one("qc_counts"), one("qc_voxel"), one("qc_points"))  # type: ignore[arg-type]
    z, y, x = (float(step) for step in view.voxel_mm)
    slices = slices_with_wall(view.counts.astype(np.float32), (z, y, x), view.geometry())
    maps = study_maps(one("phase"), one("perfusion"), one("thickening"))
    heights = one("histogram")
    histogram = (
        binned_histogram_figure(heights, psd_deg=scores["psd_deg"], pbw_deg=scores["pbw_deg"])
        if np.isfinite(heights).all()
        else _no_phases
    )
    return study_sheet(slices, maps, histogram)


def _no_phases(figure: Figure) -> None:
    """Say in place of the histogram that phases are withheld; the flags below say why."""
    figure.text(
        0.5, 0.5, "No verdict on the phases of this study: they are withheld.",
        ha="center", va="center", fontsize=canvas.TEXT_PT + 2, color=canvas.VERMILION,
    )  # fmt: skip


def study_sheet(slices: canvas.Draw, maps: canvas.Draw, histogram: canvas.Draw) -> canvas.Draw:
    """Return a function that draws three figures of one study below each other.

    Parameters
    ----------
    slices, maps, histogram : callable
        As `slices_with_wall`, `study_maps` and `binned_histogram_figure` return them.
    """

    def draw(figure: Figure) -> None:
        resize(figure, _WIDTH_IN, sum(_HEIGHTS_IN))
        rooms: Any = figure.subfigures(3, 1, height_ratios=_HEIGHTS_IN, hspace=0.02)
        for part, room in zip((slices, maps, histogram), rooms, strict=True):
            part(room)

    return draw


def _indices(features: FeatureSet) -> dict[str, NDArray[np.float64]]:
    block = features["indices"]
    values = np.asarray(block.in_units(), np.float64)
    return {name: values[:, place] for place, name in enumerate(block.names)}
