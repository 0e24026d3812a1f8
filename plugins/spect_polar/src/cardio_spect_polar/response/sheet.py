"""The sheet of `cardio measure`: the wall in two gates, maps, histogram, volumes, numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardio_spect_polar.drawing.study_sheets import measured_study
from cardio_spect_polar.published.normal_limits import LIMITS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cardio_core.api import FeatureSet


def sheet(figure: Figure, features: FeatureSet) -> None:
    """Draw the study as a reader checks it: whether the dots lie on the wall, from base to apex."""
    measured_study(features, LIMITS)(figure)
