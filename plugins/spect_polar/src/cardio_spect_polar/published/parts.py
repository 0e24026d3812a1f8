"""Tables, figures and notes that are added to a report together."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from cardio_core.api import Metric, canvas


@dataclass
class Added:
    """What one part of the evaluation adds.

    Attributes
    ----------
    tables : dict of str to DataFrame
    figures : dict of str to callable
        ``draw(figure)``.
    notes : list of str
    metrics : list of Metric
    """

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    figures: dict[str, canvas.Draw] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    metrics: list[Metric] = field(default_factory=list)
