"""Whether new patients are like those of training: inside, borderline, outside, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.evaluation.applicability.calibration import LEAST_PATIENTS, Calibration
from cardio_core.evaluation.applicability.described import NAMES, About, Described
from cardio_core.evaluation.applicability.likeness import Likeness
from cardio_core.evaluation.applicability.reasons import (
    column_said,
    listed,
    name_said,
    network_said,
    together_said,
)
from cardio_core.evaluation.applicability.space import Space

Floats = NDArray[np.float64]

INSIDE, BORDERLINE, OUTSIDE, NOT_JUDGED = "inside", "borderline", "outside", "not judged"
COLUMNS = ("patient_id", "verdict", "reasons", "percentile")

NOTHING = "nothing measured"
"""Why nobody is judged by a run whose patients have no numbers."""

UNKNOWN = "nothing that was measured of the training patients is known of this one"

ONE = {"measured": "one measurement", "input": "one of the input", "clinical": "one of the table"}
"""The tests of the farthest column, by what the column is: of few columns less is unusual."""

TOGETHER, NETWORK = "columns together", "network "
"""The other tests; a network's name stands behind the last."""

_N_FOLDS = 10
_MOST_ALIKE = 0.05
"""Where more of the patients are the only ones of their hospital, a new one says nothing."""


@dataclass(frozen=True)
class _Compared:
    """One new patient: his place, and by test and by column how far he lies off."""

    patients: Described
    place: int
    distances: Mapping[Any, float]
    placed: Mapping[Any, float]
    scaled: Floats


@dataclass(frozen=True)
class Applicability:
    """What is kept of the patients of training: summaries, and no patient's own numbers or id.

    Attributes
    ----------
    n : int
        Patients of training.
    about : mapping of str to About
        The columns of `likeness`.
    likeness : Likeness
    names : mapping of str to list of str
        By column, the hospitals, scanners and their like that training saw.
    spaces : mapping of str to Space
        By model, the network's vectors.
    calibration : Calibration or None
        None where there are too few patients, or nothing measured.
    titles : mapping of str to str
        Of the models.
    why_not : str
        Why nobody is judged by numbers; empty where everybody is.
    """

    n: int
    about: Mapping[str, About]
    likeness: Likeness
    names: Mapping[str, list[str]]
    spaces: Mapping[str, Space]
    calibration: Calibration | None
    titles: Mapping[str, str] = field(default_factory=dict)
    why_not: str = ""

    @classmethod
    def fit(
        cls,
        patients: Described,
        subjects: Sequence[str],
        *,
        spaces: Mapping[str, Space] | None = None,
        left_out: Mapping[str, Mapping[str, float]] | None = None,
        titles: Mapping[str, str] | None = None,
    ) -> Applicability:
        """Summarise the patients of training, and calibrate on each left out in his turn.

        Parameters
        ----------
        patients : Described
            Those whom the final models are fitted on.
        subjects : sequence of str
            Who they are: two ids of one person are left out together.
        spaces : mapping of str to Space, optional
            By model, of the final network.
        left_out : mapping of str to mapping of str to float, optional
            By model, the distance of each patient from the training patients of a fold that was
            fitted without him, in that fold's network.
        titles : mapping of str to str, optional
            Of the models, in words.
        """
        distances = _left_out(patients, np.asarray(subjects, dtype=object))
        kept = {}
        most = 0
        for model, space in (spaces or {}).items():
            own = pd.Series((left_out or {}).get(model, {}), dtype=float)
            own = own.reindex(patients.values.index)
            most = max(most, int(own.notna().sum()))
            if own.notna().sum() >= LEAST_PATIENTS:
                distances[f"{NETWORK}{model}"] = own
                kept[model] = space
        if kept:  # a fixed test set leaves the others without a distance in the network
            whole = distances.notna()[[f"{NETWORK}{model}" for model in kept]].all(axis=1)
            distances = distances[whole]
        likeness = _likeness(patients.values, patients.about)
        calibration = Calibration.of(distances)
        return cls(
            len(patients.values),
            {key: patients.about[key] for key in likeness.columns},
            likeness,
            _seen_names(patients.names),
            kept,
            calibration,
            {model: (titles or {}).get(model, model) for model in kept},
            "" if calibration is not None else _why_not(likeness, distances, most),
        )

    def judge(
        self, patients: Described, vectors: Mapping[str, Mapping[str, Floats]] | None = None
    ) -> pd.DataFrame:
        """Judge new patients.

        Parameters
        ----------
        patients : Described
        vectors : mapping of str to mapping of str to ndarray, optional
            By model and patient, what its network makes of him.

        Returns
        -------
        DataFrame
            One row a patient: `patient_id`, `verdict`, `reasons` (text, empty where he is inside)
            and `percentile`, the share in per cent of the training patients left out who lie no
            farther off (NaN where he is not judged by numbers).
        """
        values = patients.values
        distances = _distances(self.likeness, values, self.about)
        for model, space in self.spaces.items():
            known = (vectors or {}).get(model, {})
            distances[f"{NETWORK}{model}"] = [
                _one_distance(space, known.get(str(patient))) for patient in values.index
            ]
        placed = distances if self.calibration is None else self.calibration.placed(distances)
        far, off = distances.to_dict("records"), placed.to_dict("records")
        scaled = self.likeness.scaled(values)
        rows = [
            self._one(_Compared(patients, place, far[place], off[place], scaled[place]))
            for place in range(len(values))
        ]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def _one(self, one: _Compared) -> tuple[str, str, str, float]:
        patient = str(one.patients.values.index[one.place])
        strange = self._strange(one.patients, one.place)
        calibration = self.calibration
        if calibration is None:
            return self._by_names(patient, strange, self.why_not)
        known = [value for value in one.placed.values() if np.isfinite(value)]
        if not known:
            return self._by_names(patient, strange, UNKNOWN)
        largest = max(known)
        verdict = OUTSIDE if largest > calibration.outside else INSIDE
        if verdict == INSIDE and (strange or largest > calibration.borderline):
            verdict = BORDERLINE
        found = self._reasons(calibration, one)
        return patient, verdict, listed([*strange, *found]), calibration.percentile(largest)

    def _strange(self, patients: Described, place: int) -> list[str]:
        """Return what is said of names that training never saw."""
        said = []
        for name, seen in self.names.items():
            value = patients.names[name].iloc[place] if name in patients.names.columns else None
            if value is not None and str(value) not in seen:
                said.append(name_said(NAMES[name], str(value)))
        return said

    @staticmethod
    def _by_names(patient: str, strange: list[str], why: str) -> tuple[str, str, str, float]:
        """Judge whom no number judges: a strange scanner is one all the same."""
        if not strange:
            return patient, NOT_JUDGED, why, float("nan")
        return patient, BORDERLINE, listed([*strange, f"otherwise not judged: {why}"]), float("nan")

    def _reasons(self, calibration: Calibration, one: _Compared) -> list[str]:
        """Return why each test that is beyond its limit is, columns first."""
        reasons: list[str] = []
        named: list[int] = []
        off = np.where(np.isfinite(one.scaled), np.abs(one.scaled), 0.0)
        for place, name in enumerate(self.likeness.columns):
            test = ONE[self.about[name].kind]
            if test in calibration.middle and off[place] > calibration.limit(test):
                named.append(place)
        named.sort(key=lambda place: -calibration.moved(self._test_of(place), float(off[place])))
        reasons += [self._column_said(place, one) for place in named]
        one_by_one = max((one.placed.get(test, 0.0) for test in ONE.values()), default=0.0)
        beyond = {test: u for test, u in one.placed.items() if u > calibration.borderline}
        for test in sorted(beyond, key=lambda test: -beyond[test]):
            if test.startswith(NETWORK):
                title = self.titles[test.removeprefix(NETWORK)]
                reasons.append(network_said(title, one.distances[test] / calibration.limit(test)))
            if test == TOGETHER and (not named or beyond[test] > one_by_one):
                odd = np.abs(np.nan_to_num(self.likeness.unusual(one.scaled), nan=0.0))
                two = [int(place) for place in np.argsort(-odd, kind="stable")[:2] if odd[place]]
                reasons.append(together_said([self._value_said(place, one) for place in two]))
        return reasons

    def _test_of(self, place: int) -> str:
        return ONE[self.about[self.likeness.columns[place]].kind]

    def _column_said(self, place: int, one: _Compared) -> str:
        own = self.likeness
        about, value = self._value_said(place, one)
        limits = (float(own.low[place]), float(own.high[place]))
        return column_said(about, value, float(own.middle[place]), limits)

    def _value_said(self, place: int, one: _Compared) -> tuple[About, float]:
        key = self.likeness.columns[place]
        return self.about[key], float(one.patients.values[key].iloc[one.place])

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready summaries."""
        return {
            "n_patients": self.n,
            "about": {key: vars(one) for key, one in self.about.items()},
            "likeness": self.likeness.to_dict(),
            "names": {name: list(seen) for name, seen in self.names.items()},
            "networks": {
                model: {"title": self.titles.get(model, model), **space.to_dict()}
                for model, space in self.spaces.items()
            },
            "calibration": None if self.calibration is None else self.calibration.to_dict(),
            "why_not": self.why_not,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Applicability:
        """Return what `to_dict` stored."""
        networks, calibration = stored["networks"], stored["calibration"]
        return cls(
            int(stored["n_patients"]),
            {key: About(**one) for key, one in stored["about"].items()},
            Likeness.from_dict(stored["likeness"]),
            {name: list(seen) for name, seen in stored["names"].items()},
            {model: Space.from_dict(one) for model, one in networks.items()},
            None if calibration is None else Calibration.from_dict(calibration),
            {model: str(one["title"]) for model, one in networks.items()},
            str(stored["why_not"]),
        )


def _why_not(likeness: Likeness, distances: pd.DataFrame, n_by_network: int) -> str:
    """Say why distances cannot be calibrated."""
    n = n_by_network
    if likeness.columns:
        n = int(distances.notna().any(axis=1).sum())
    elif not n_by_network:
        return NOTHING
    return (
        f"{n} patients were left out of a fit in their turn; {LEAST_PATIENTS} are needed to say "
        "what one in twenty exceeds"
    )


def _likeness(values: pd.DataFrame, about: Mapping[str, About]) -> Likeness:
    return Likeness.fit(values, {key: one.kind != "clinical" for key, one in about.items()})


def _distances(
    likeness: Likeness, values: pd.DataFrame, about: Mapping[str, About]
) -> pd.DataFrame:
    """Return by patient his distance by every test of columns; NaN where it does not apply."""
    made = {
        test: likeness.farthest(values, {key for key, one in about.items() if one.kind == kind})
        for kind, test in ONE.items()
    }
    return pd.DataFrame({**made, TOGETHER: likeness.distances(values)}, index=values.index)


def _left_out(patients: Described, subjects: NDArray[Any]) -> pd.DataFrame:
    """Return each patient's distances from the others, of whom a tenth is left out with him."""
    people = np.array(sorted(set(subjects)), dtype=object)
    shuffled = np.random.default_rng(0).permutation(people)
    fold_of = {person: number % _N_FOLDS for number, person in enumerate(shuffled)}
    folds = np.array([fold_of[person] for person in subjects])
    values, parts = patients.values, []
    for fold in np.unique(folds):
        out = folds == fold
        if not out.all():
            likeness = _likeness(values[~out], patients.about)
            parts.append(_distances(likeness, values[out], patients.about))
    found = (
        pd.concat(parts)
        if parts
        else _distances(_likeness(values, patients.about), values, patients.about).map(
            lambda _: np.nan
        )
    )
    return found.loc[values.index]


def _seen_names(names: pd.DataFrame) -> dict[str, list[str]]:
    """Return the names that training saw; not of columns where many patients are alone."""
    found = {}
    for column in names.columns:
        known = names[column].dropna().astype(str)
        counts = known.value_counts()
        alone = int((counts == 1).sum())
        if len(known) and alone <= _MOST_ALIKE * len(known):
            found[str(column)] = sorted(counts.index)
    return found


def _one_distance(space: Space, vector: Floats | None) -> float:
    if vector is None or vector.shape != space.mean.shape or not np.isfinite(vector).all():
        return float("nan")
    return float(space.distances(vector[None])[0])
