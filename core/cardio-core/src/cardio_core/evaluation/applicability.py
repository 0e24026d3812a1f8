"""Whether new patients are like those of training: inside, borderline, outside, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.evaluation.conformal import conformal_quantile
from cardio_core.evaluation.likeness import NAMES, About, Described, Likeness, Space
from cardio_core.io.cohort_columns import lower_first
from cardio_core.io.run_schema import Count, FileSchema, Number

# Why a patient is not like those of training, in words.

_NAMED = 3
"""So many reasons are named; the others are counted."""

_TIMES = 1.5
"""From here on a noise or a contrast is told as a multiple."""


def column_text(about: About, value: float, middle: float, limits: tuple[float, float]) -> str:
    """Say of one column how it differs.

    Examples
    --------
    >>> rate = About("Heart rate", "per min", "measured")
    >>> column_text(rate, 180.0, 70.0, (45.0, 120.0))
    'heart rate 180 per min, training 45 to 120 (1st to 99th percentile)'
    >>> column_text(About("noise of the beat", "mV", "input"), 0.31, 0.1, (0.05, 0.2))
    'noise of the beat 3.1 times the training median'
    """
    title = lower_first(about.title)
    if about.kind == "input" and middle > 0 and value > 0:
        times = value / middle
        if times >= _TIMES:
            return f"{title} {times:.2g} times the training median"
        if times <= 1 / _TIMES:
            return f"{title} {times:.2g} of the training median"
    low, high = (number(limit) for limit in limits)
    unit = f" {about.unit}" if about.unit else ""
    return f"{title} {number(value)}{unit}, training {low} to {high} (1st to 99th percentile)"


def name_text(what: str, value: str) -> str:
    """Say that training never saw a hospital, a scanner or the like.

    Examples
    --------
    >>> name_text("scanner", "GE")
    "scanner not among the training's: GE"
    """
    return f"{what} not among the training's: {value}"


def together_text(columns: Sequence[tuple[About, float]]) -> str:
    """Say that nothing is unusual by itself, but all of it together is.

    Examples
    --------
    >>> together_text([(About("QRS duration", "ms", "measured"), 121.0)])
    'its measurements do not go together as in training (least: QRS duration 121 ms)'
    """
    text = ", ".join(
        f"{lower_first(about.title)} {number(value)}{f' {about.unit}' if about.unit else ''}"
        for about, value in columns
    )
    least = f" (least: {text})" if text else ""
    return f"its measurements do not go together as in training{least}"


def network_text(title: str, ratio: float) -> str:
    """Say that a network makes something else of a patient than of those of training.

    `ratio` is the distance by the one that 9 in 10 of the patients left out do not exceed.

    Examples
    --------
    >>> network_text("Small network", 1.84)
    'what the network sees is unlike training (Small network, 1.8 times the usual distance)'
    """
    return (
        f"what the network sees is unlike training ({title}, {ratio:.2g} times the usual distance)"
    )


def listed(reasons: Sequence[str]) -> str:
    """Join reasons; those behind the third are counted.

    Examples
    --------
    >>> listed(["a", "b", "c", "d", "e"])
    'a; b; c; and 2 more'
    """
    more = len(reasons) - _NAMED
    return "; ".join([*reasons[:_NAMED], *([f"and {more} more"] if more > 0 else [])])


def number(value: float) -> str:
    """Return a number with three digits.

    Examples
    --------
    >>> number(180.0), number(0.1234), number(-0.001), number(12345.6)
    ('180', '0.123', '-0.001', '12346')
    """
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


# From several distances to one verdict whose false alarms are known.

ALPHA_OUTSIDE = 0.05
"""At most this share of new patients who are like those of training is called outside."""

ALPHA_BORDERLINE = 0.10
"""At most this share of them is called borderline or outside."""

LEAST_PATIENTS = 19
"""With fewer, not even the largest distance is exceeded by one in twenty only."""

_GRID = 101
_TAIL = 80
_ALONE_AT_MOST = 1000
"""Of more patients, one changes no scale."""


@dataclass(frozen=True)
class Calibration:
    """What distances of patients from training who were left out of it look like.

    Each distance is moved and stretched, so that the 80th percentile of the patients left out is 0
    and those beyond it lie 1 off on average: far tails and near ones become alike. A patient's is
    the largest of his. So several distances are one, and what is exceeded by one patient in twenty
    is read off it, with the correction for a finite number that conformal prediction has: the
    ``ceil((1 - alpha) (n + 1))``-th smallest of n. For that each of the n is compared with the
    others alone, as a new patient is.

    Attributes
    ----------
    middle, spread : mapping of str to float
        By test: the 80th percentile, and how far beyond it those beyond it lie on average.
    borderline, outside : float
        What the largest must exceed.
    grid : tuple of float
        The percentiles of the largest, from 0 to 100.
    n : int
        Patients.
    """

    middle: dict[str, Number]
    spread: dict[str, Number]
    borderline: Number
    outside: Number
    grid: tuple[Number, ...]
    n: Count

    @classmethod
    def of(cls, distances: pd.DataFrame) -> Calibration | None:
        """Calibrate on patients who were left out; None where they are too few.

        Parameters
        ----------
        distances : DataFrame, one row a patient, one column a test
            NaN where a test does not apply to a patient.
        """
        known = distances[distances.notna().any(axis=1)]
        n = len(known)
        if n < LEAST_PATIENTS:
            return None
        scales = {name: _scale_of(known[name].to_numpy(float)) for name in known.columns}
        tests = [name for name, scale in scales.items() if scale is not None]
        if not tests:
            return None
        moved = np.column_stack(
            [_moved_among_others(known[name].to_numpy(float)) for name in tests]
        )
        largest = np.where(np.isnan(moved), -np.inf, moved).max(axis=1)
        ordered = np.sort(largest[np.isfinite(largest)])
        if len(ordered) < LEAST_PATIENTS:
            return None
        return cls(
            {name: scale[0] for name, scale in scales.items() if scale is not None},
            {name: scale[1] for name, scale in scales.items() if scale is not None},
            conformal_quantile(ordered, ALPHA_BORDERLINE),
            conformal_quantile(ordered, ALPHA_OUTSIDE),
            tuple(float(item) for item in np.percentile(ordered, np.linspace(0, 100, _GRID))),
            len(ordered),
        )

    def placed(self, distances: pd.DataFrame) -> pd.DataFrame:
        """Return the distances of new patients as they are compared; tests not calibrated drop."""
        tests = [name for name in self.middle if name in distances.columns]
        middle, spread = pd.Series(self.middle)[tests], pd.Series(self.spread)[tests]
        return (distances[tests] - middle) / spread

    def moved(self, test: str, distance: float) -> float:
        """Return one distance as it is compared."""
        return (distance - self.middle[test]) / self.spread[test]

    def limit(self, test: str) -> float:
        """Return the distance of one test from which on it is told as a reason."""
        return self.middle[test] + self.borderline * self.spread[test]

    def percentile(self, largest: float) -> float:
        """Return the share in per cent of left-out patients who lie no farther."""
        steps = np.linspace(0, 100, _GRID)
        return float(np.interp(largest, self.grid, steps))


def _scale_of(column: Floats) -> tuple[float, float] | None:
    """Return the 80th percentile and the mean beyond it; None where nothing lies beyond."""
    known = column[np.isfinite(column)]
    if known.size < 2:
        return None
    middle = float(np.percentile(known, _TAIL))
    beyond = known[known > middle]
    spread = float((beyond - middle).mean()) if beyond.size else 0.0
    return (middle, spread) if spread > 1e-12 * max(1.0, abs(middle)) else None


def _moved_among_others(column: Floats) -> Floats:
    """Return each distance as it is compared, by the scale of the others alone."""
    whole = _scale_of(column)
    found = np.full(len(column), np.nan)
    if whole is None:
        return found
    for place in np.flatnonzero(np.isfinite(column)):
        own = None
        if len(column) <= _ALONE_AT_MOST:
            own = _scale_of(np.delete(column, place))
        middle, spread = own or whole
        found[place] = (column[place] - middle) / spread
    return found


Floats = NDArray[np.float64]

INSIDE, BORDERLINE, OUTSIDE, NOT_JUDGED = "inside", "borderline", "outside", "not judged"
COLUMNS = ("patient_id", "verdict", "reasons", "percentile")

NOTHING = "nothing measured"
"""Why nobody is judged by a run whose patients have no numbers."""

UNKNOWN = "nothing that was measured of the training patients is known of this one"

FARTHEST = {
    "measured": "one measurement",
    "input": "one of the input",
    "clinical": "one of the table",
}
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
    n_patients : int
        Of training.
    about : mapping of str to About
        The columns of `likeness`.
    likeness : Likeness
    names : mapping of str to list of str
        By column, the hospitals, scanners and their like that training saw.
    networks : mapping of str to Space
        By model, the network's vectors.
    calibration : Calibration or None
        None where there are too few patients, or nothing measured.
    why_not : str
        Why nobody is judged by numbers; empty where everybody is.
    """

    n_patients: Count
    about: dict[str, About]
    likeness: Likeness
    names: dict[str, list[str]]
    networks: dict[str, Space]
    calibration: Calibration | None
    why_not: str

    def __post_init__(self) -> None:
        if set(self.likeness.columns) - set(self.about):
            raise ValueError("should have words for every column")

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
        """Summarise the patients of training, and calibrate on each of them, held out in turn.

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
        retained = {}
        most = 0
        for model, space in (spaces or {}).items():
            own = pd.Series((left_out or {}).get(model, {}), dtype=float)
            own = own.reindex(patients.values.index)
            most = max(most, int(own.notna().sum()))
            if own.notna().sum() >= LEAST_PATIENTS:
                distances[f"{NETWORK}{model}"] = own
                retained[model] = replace(space, title=(titles or {}).get(model, model))
        if retained:  # a fixed test set leaves the others without a distance in the network
            whole = distances.notna()[[f"{NETWORK}{model}" for model in retained]].all(axis=1)
            distances = distances[whole]
        likeness = _likeness(patients.values, patients.about)
        calibration = Calibration.of(distances)
        return cls(
            len(patients.values),
            {key: patients.about[key] for key in likeness.columns},
            likeness,
            _seen_names(patients.names),
            retained,
            calibration,
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
        for model, space in self.networks.items():
            known = (vectors or {}).get(model, {})
            distances[f"{NETWORK}{model}"] = [
                _distance(space, known.get(str(patient))) for patient in values.index
            ]
        placed = distances if self.calibration is None else self.calibration.placed(distances)
        far, off = distances.to_dict("records"), placed.to_dict("records")
        scaled = self.likeness.scaled(values)
        rows = [
            self._judge_patient(_Compared(patients, place, far[place], off[place], scaled[place]))
            for place in range(len(values))
        ]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def _judge_patient(self, item: _Compared) -> tuple[str, str, str, float]:
        patient = str(item.patients.values.index[item.place])
        strange = self._strange(item.patients, item.place)
        calibration = self.calibration
        if calibration is None:
            return self._by_names(patient, strange, self.why_not)
        known = [value for value in item.placed.values() if np.isfinite(value)]
        if not known:
            return self._by_names(patient, strange, UNKNOWN)
        largest = max(known)
        verdict = OUTSIDE if largest > calibration.outside else INSIDE
        if verdict == INSIDE and (strange or largest > calibration.borderline):
            verdict = BORDERLINE
        found = self._reasons(calibration, item)
        return patient, verdict, listed([*strange, *found]), calibration.percentile(largest)

    def _strange(self, patients: Described, place: int) -> list[str]:
        """Return what is said of names that training never saw."""
        texts = []
        for name, seen in self.names.items():
            value = patients.names[name].iloc[place] if name in patients.names.columns else None
            if value is not None and str(value) not in seen:
                texts.append(name_text(NAMES[name], str(value)))
        return texts

    @staticmethod
    def _by_names(patient: str, strange: list[str], why: str) -> tuple[str, str, str, float]:
        """Judge whom no number judges: a strange scanner is one all the same."""
        if not strange:
            return patient, NOT_JUDGED, why, float("nan")
        return patient, BORDERLINE, listed([*strange, f"otherwise not judged: {why}"]), float("nan")

    def _reasons(self, calibration: Calibration, item: _Compared) -> list[str]:
        """Return why each test that is beyond its limit is, columns first."""
        reasons: list[str] = []
        named: list[int] = []
        off = np.where(np.isfinite(item.scaled), np.abs(item.scaled), 0.0)
        for place, name in enumerate(self.likeness.columns):
            test = FARTHEST[self.about[name].kind]
            if test in calibration.middle and off[place] > calibration.limit(test):
                named.append(place)
        named.sort(key=lambda place: -calibration.moved(self._test_of(place), float(off[place])))
        reasons += [self._column_text(place, item) for place in named]
        farthest = max((item.placed.get(test, 0.0) for test in FARTHEST.values()), default=0.0)
        beyond = {test: u for test, u in item.placed.items() if u > calibration.borderline}
        for test in sorted(beyond, key=lambda test: -beyond[test]):
            if test.startswith(NETWORK):
                title = self.networks[test.removeprefix(NETWORK)].title
                reasons.append(network_text(title, item.distances[test] / calibration.limit(test)))
            if test == TOGETHER and (not named or beyond[test] > farthest):
                odd = np.abs(np.nan_to_num(self.likeness.unusual(item.scaled), nan=0.0))
                two = [int(place) for place in np.argsort(-odd, kind="stable")[:2] if odd[place]]
                reasons.append(together_text([self._value_of(place, item) for place in two]))
        return reasons

    def _test_of(self, place: int) -> str:
        return FARTHEST[self.about[self.likeness.columns[place]].kind]

    def _column_text(self, place: int, item: _Compared) -> str:
        own = self.likeness
        about, value = self._value_of(place, item)
        limits = (float(own.low[place]), float(own.high[place]))
        return column_text(about, value, float(own.middle[place]), limits)

    def _value_of(self, place: int, item: _Compared) -> tuple[About, float]:
        key = self.likeness.columns[place]
        return self.about[key], float(item.patients.values[key].iloc[item.place])


APPLICABILITY = FileSchema("what the patients of training were like", Applicability, digits=6)


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
    return Likeness.fit(values, {key: value.kind != "clinical" for key, value in about.items()})


def _distances(
    likeness: Likeness, values: pd.DataFrame, about: Mapping[str, About]
) -> pd.DataFrame:
    """Return by patient his distance by every test of columns; NaN where it does not apply."""
    made = {
        test: likeness.farthest(values, {key for key, value in about.items() if value.kind == kind})
        for kind, test in FARTHEST.items()
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


def _distance(space: Space, vector: Floats | None) -> float:
    if vector is None or vector.shape != space.mean.shape or not np.isfinite(vector).all():
        return float("nan")
    return float(space.distances(vector[None])[0])
