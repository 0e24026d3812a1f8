"""The sheet of `cardio measure`: the wall in two gates, maps, histogram, volumes, numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardio_spect_polar.drawing.sheet import measured_pair, measured_study
from cardio_spect_polar.published.normal_limits import LIMITS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cardio_core.api import FeatureSet


def sheet(figure: Figure, features: FeatureSet, patient: FeatureSet) -> None:
    """Draw the study as a reader checks it: whether the dots lie on the wall, from base to apex.

    A study at stress stands beside the rest that it is paired with.
    """
    rest = str(features.table.iloc[0].get("rest_of_pair") or "")
    names = [str(name) for name in patient.table["recording_id"]]
    if rest in names:
        stress = names.index(str(features.table["recording_id"].iloc[0]))
        measured_pair(patient, names.index(rest), stress, LIMITS)(figure)
    else:
        measured_study(features, LIMITS)(figure)
