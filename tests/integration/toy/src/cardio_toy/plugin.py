"""What the toy is: five tasks that use every contract between them."""

from __future__ import annotations

from cardio_core.api import PluginInfo
from cardio_toy.beats.models import BEATS, THIRD
from cardio_toy.clinic.models import JOINED, MEAN_CLASS, SECOND

INFO = PluginInfo(
    name="toy",
    title="Bumps on a line, for testing the core",
    tasks=(MEAN_CLASS, BEATS, SECOND, THIRD, JOINED),
    papers=("None. The toy is made up.",),
    paths={"path_ecg": "Made-up recordings."},
)
