"""A drawn video which carries what is known of all tested videos of its fold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cardio_core.api import Case


@dataclass(frozen=True)
class FoldCase(Case):
    """One explained video, and what every segment of all tested videos of its fold was worth.

    Only `evaluate` knows which segments the CMR found abnormal, so the values go there with the
    fold's first case.

    Attributes
    ----------
    segments : tuple of mapping
        One a video, method and segment: sample_id, study_id, patient_id, method, segment (1 to 17)
        and value; the larger the value, the more the segment spoke for the finding.
    """

    segments: tuple[Mapping[str, Any], ...] = ()
