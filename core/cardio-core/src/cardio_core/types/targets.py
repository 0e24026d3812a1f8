"""Targets: what is to be predicted, by the unit that carries it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.types.info import Unit

KEY_OF_UNIT = {"recording": "recording_id", "study": "study_id", "patient": "patient_id"}


@dataclass(frozen=True)
class Targets:
    """The true values of a task.

    Attributes
    ----------
    unit : {"event", "sample", "recording", "study", "patient"}
        What a row stands for.
    table : DataFrame
        One column a target. Indexed by the unit's id; for events, any index and the columns
        `recording_id` and `time_s` (seconds from the start of the recording). Classes are strings,
        binary targets 0/1 or their class names, continuous targets numbers; NA is unlabelled.
    excluded : DataFrame or None
        For events: stretches (recording_id, start_s, end_s) in which nothing is scored, neither
        events nor samples (ventricular flutter, as EC57 does).
    strata : Series or None
        By the unit's id: what the outer folds are stratified by, where that is not the first
        target (tasks on the same patients share folds, and a finding is rarer than a view).
    """

    unit: Unit
    table: pd.DataFrame
    excluded: pd.DataFrame | None = None
    strata: pd.Series[str] | None = None

    def of(self, samples: pd.DataFrame, target: str) -> np.ndarray[Any, Any]:
        """Return the target of each sample, NA where it has none.

        Parameters
        ----------
        samples : DataFrame
            A sample table (`FeatureSet.table`), indexed by sample_id.
        target : str
            Name of the target.

        Returns
        -------
        ndarray, shape (n_samples,)
            Class names (object) or numbers (float).

        Raises
        ------
        ValueError
            For event targets, which the core first matches to samples.
        """
        keys = self._keys(samples)
        return self.table[target].reindex(keys).to_numpy()

    def stratum(self, samples: pd.DataFrame, targets: Sequence[str]) -> np.ndarray[Any, Any]:
        """Return what folds are stratified by: the first target, and NA where none is known.

        Parameters
        ----------
        samples : DataFrame
            A sample table.
        targets : sequence of str
            The task's targets. A sample without the first but with another is labelled, too, and
            makes a stratum of its own.

        Examples
        --------
        >>> known = Targets("sample", pd.DataFrame({"a": ["x", None, None], "b": [0, 1, None]}))
        >>> known.stratum(pd.DataFrame(index=[0, 1, 2]), ["a", "b"]).tolist()
        ['x', 'unknown a', None]
        """
        first = self.of(samples, targets[0])
        lost = pd.isna(first)
        for name in targets[1:]:
            lost &= pd.isna(self.of(samples, name))
        other = pd.isna(first) & ~lost
        if not other.any():
            return first
        stratum = np.asarray(first, dtype=object)
        stratum[other] = f"unknown {targets[0]}"
        return stratum

    def fold_stratum(self, samples: pd.DataFrame, targets: Sequence[str]) -> np.ndarray[Any, Any]:
        """Return what the outer folds are stratified by: `strata` where given, else `stratum`.

        Examples
        --------
        >>> known = Targets("sample", pd.DataFrame({"view": ["x", "y", None]}),
        ...                 strata=pd.Series(["ill", None, "ill"], dtype=object))
        >>> known.fold_stratum(pd.DataFrame(index=[0, 1, 2]), ["view"]).tolist()
        ['ill', 'unknown', None]
        """
        own = self.stratum(samples, targets)
        if self.strata is None:
            return own
        keys = self._keys(samples)
        strata = self.strata.reindex(keys).fillna("unknown").astype(object).to_numpy(object)
        strata[pd.isna(own)] = None
        return np.asarray(strata)

    def only(self, samples: pd.DataFrame) -> Targets:
        """Return the targets of these samples and of nobody else."""
        return Targets(self.unit, self.table.loc[self.table.index.isin(self._keys(samples))])

    def _keys(self, samples: pd.DataFrame) -> Any:
        if self.unit == "event":
            raise ValueError("events are matched to samples before they are asked for")
        return samples.index if self.unit == "sample" else samples[KEY_OF_UNIT[self.unit]]
