"""Per-class tables of events: sensitivity, positive predictivity, F1 and false-positive rate."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from cardio_stats._numerics.options import Sampling
from cardio_stats._numerics.validate import (
    MIN_CLUSTERS,
    Floats,
    Ints,
    group_codes,
    ratio,
    same_length,
)
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate
from cardio_stats.proportions import f1_score, proportion, wilson_limits
from cardio_stats.resampling import replicate_sums

if TYPE_CHECKING:
    import pandas as pd

# The statistics of a per-class table as one vector, and the interval of each of them.

CLASS_RATES = ("sensitivity", "ppv", "f1", "fpr")
MACRO_RATES = ("sensitivity", "ppv", "f1")
OVERALL = (*(f"macro_{rate}" for rate in MACRO_RATES), "accuracy", "kappa")


@dataclass(frozen=True, slots=True)
class ClassStatistics:
    """Which statistics a table has, and in which order.

    Attributes
    ----------
    n_classes : int
    averaged : tuple of int
        Classes that enter the macro averages.
    forgiven : tuple of (int, int)
        Calls, as reference and called class, that are no false positives.
    """

    n_classes: int
    averaged: tuple[int, ...]
    forgiven: tuple[tuple[int, int], ...] = ()

    @property
    def keys(self) -> list[tuple[int | None, str]]:
        """Class (None for all) and name of each statistic."""
        of_class = [(label, rate) for label in range(self.n_classes) for rate in CLASS_RATES]
        return [*of_class, *((None, name) for name in OVERALL)]

    def values(self, cells: Floats) -> Floats:
        """Return every statistic of flattened confusion tables, shape (..., n_statistics).

        NaN where undefined; so is a macro average where a class that it averages is.
        """
        confusion = self._table(cells)
        rates = {
            name: ratio(*parts) for name, parts in _class_rates(confusion, self.forgiven).items()
        }
        of_class = np.stack([rates[name] for name in CLASS_RATES], axis=-1)
        averaged = list(self.averaged)
        macro = [
            rates[name][..., averaged].mean(axis=-1)
            if averaged
            else np.full(confusion.shape[:-2], np.nan)
            for name in MACRO_RATES
        ]
        overall = np.stack(
            [*macro, ratio(*_accuracy_counts(confusion)), _kappa_of_tables(confusion)], -1
        )
        return np.concatenate([of_class.reshape(*overall.shape[:-1], -1), overall], axis=-1)

    def counts(self, cells: Floats) -> list[tuple[int, int] | None]:
        """Return numerator and denominator of each statistic that is a ratio of counts."""
        confusion = self._table(cells)
        rates = _class_rates(confusion, self.forgiven)
        rates["accuracy"] = _accuracy_counts(confusion)
        found: list[tuple[int, int] | None] = []
        for label, name in self.keys:
            if name not in rates:
                found.append(None)
                continue
            k, n = (np.atleast_1d(part)[label or 0] for part in rates[name])
            found.append((int(k), int(n)))
        return found

    def holders(self, cells_of_cluster: Floats) -> Ints:
        """Return in how many clusters, the rows, each statistic has something to count.

        For a macro average, the fewest of the classes averaged.
        """
        rates = _class_rates(self._table(cells_of_cluster), self.forgiven)
        held = {name: np.count_nonzero(parts[1], axis=0) for name, parts in rates.items()}
        averaged = list(self.averaged)
        macro = [int(held[name][averaged].min()) if averaged else 0 for name in MACRO_RATES]
        of_class = [int(held[name][label]) for label, name in self.keys if label is not None]
        return np.array([*of_class, *macro, len(cells_of_cluster), len(cells_of_cluster)])

    def _table(self, cells: Floats) -> Floats:
        side = self.n_classes + 1
        return cells.reshape(*cells.shape[:-1], side, side)


def _class_rates(
    confusion: Floats, forgiven: Sequence[tuple[int, int]]
) -> dict[str, tuple[Floats, Floats]]:
    """Return numerator and denominator of each rate, both of shape (..., n_classes).

    Rows of `confusion` are the reference and columns the prediction; the last row holds false
    detections, the last column missed events. ``sensitivity`` is TP/(TP+FN), ``ppv`` TP/(TP+FP),
    ``f1`` 2TP/(2TP+FP+FN) and ``fpr`` FP/(FP+TN), where every event of another class, or of none,
    is a negative. Forgiven calls are no false positives of the class called, nor negatives; they
    still cost the reference class its sensitivity.
    """
    true_positive = np.diagonal(confusion, axis1=-2, axis2=-1)[..., :-1]
    in_reference = confusion.sum(axis=-1)[..., :-1]
    in_prediction = confusion.sum(axis=-2)[..., :-1]
    in_all = confusion.sum(axis=(-2, -1))[..., None]
    for reference, called in forgiven:
        pardon = np.zeros(in_prediction.shape[-1])
        pardon[called] = 1.0
        excused = confusion[..., reference, called][..., None] * pardon
        in_prediction = in_prediction - excused
        in_all = in_all - excused
    return {
        "sensitivity": (true_positive, in_reference),
        "ppv": (true_positive, in_prediction),
        "f1": (2 * true_positive, in_reference + in_prediction),
        "fpr": (in_prediction - true_positive, in_all - in_reference),
    }


def _accuracy_counts(confusion: Floats) -> tuple[Floats, Floats]:
    """Return events with the right class, and all events, missed and false ones included."""
    return np.trace(confusion, axis1=-2, axis2=-1), confusion.sum(axis=(-2, -1))


def _kappa_of_tables(confusion: Floats) -> Floats:
    """Return Cohen's kappa (Educ Psychol Meas 1960;20:37), NaN where chance would agree fully."""
    right, n = _accuracy_counts(confusion)
    by_chance = np.einsum("...i,...i->...", confusion.sum(axis=-1), confusion.sum(axis=-2))
    return ratio(right * n - by_chance, n**2 - by_chance)


@dataclass(frozen=True)
class Source:
    """The counted events, from which every estimate of the table is made.

    Attributes
    ----------
    cells : ndarray of float64, shape (n_clusters, n_cells)
        Confusion table of each cluster, flattened; one row where events are independent.
    statistics : ClassStatistics
    sampling : Sampling
        Its unit is what is resampled.
    clustered : bool
    """

    cells: Floats
    statistics: ClassStatistics
    sampling: Sampling
    clustered: bool
    _values: Floats = field(init=False)
    _replicates: Floats = field(init=False)

    def __post_init__(self) -> None:
        in_all = self.cells.sum(axis=0)
        object.__setattr__(self, "_values", self.statistics.values(in_all))
        object.__setattr__(self, "_replicates", self._resampled(in_all))

    def estimate(self, position: int, name: str) -> Estimate | None:
        """Return one estimate with its interval, or None where it has no value."""
        value = float(self._values[position])
        if np.isnan(value):
            return None
        counts = self.statistics.counts(self.cells.sum(axis=0))[position]
        level, unit = self.sampling.level, self.sampling.named_unit
        if self.clustered:
            return self._by_cluster(position, name, value, counts)
        if counts is None:
            estimate = Estimate(name, value, n=int(self.cells.sum()), unit=unit)
            return self._with_percentiles(estimate, position)
        k, n = counts
        if name.startswith("f1"):
            return f1_score(k // 2, n - k, level=level, name=name, unit=unit)
        return proportion(k, n, level=level, name=name, unit=unit)

    def _by_cluster(
        self, position: int, name: str, value: float, counts: tuple[int, int] | None
    ) -> Estimate:
        n_clusters, unit = len(self.cells), self.sampling.named_unit
        extra = {} if counts is None else {"k": counts[0], "n_events": counts[1]}
        estimate = Estimate(name, value, n=n_clusters, unit=unit, extra=extra)
        n_holding = int(self.statistics.holders(self.cells)[position])
        if n_holding < MIN_CLUSTERS:
            return estimate.replace(
                method="point estimate",
                note=f"held by {n_holding} {unit}s: too few for an interval",
            )
        if value in (0.0, 1.0):
            # every cluster agrees, so resampling shows no spread; Wilson counts a cluster once
            low, high = wilson_limits(value * n_holding, n_holding, self.sampling.level)
            return estimate.replace(
                low=low,
                high=high,
                level=self.sampling.level,
                method=f"Wilson, each {unit} counted once",
                note=f"the same in all {n_holding} {unit}s that hold it",
            )
        return self._with_percentiles(estimate, position)

    def _with_percentiles(self, estimate: Estimate, position: int) -> Estimate:
        replicates = self._replicates[:, position]
        replicates = replicates[~np.isnan(replicates)]
        n_resamples = self.sampling.n_resamples
        if replicates.size * 10 < n_resamples or np.ptp(replicates) == 0:
            return estimate.replace(
                method="point estimate", note="resamples do not vary: no interval"
            )
        return self.sampling.bootstrapped(
            estimate, replicates, n_undefined=n_resamples - replicates.size
        )

    def _resampled(self, in_all: Floats) -> Floats:
        if self.clustered:
            return replicate_sums(self.cells, self.statistics.values, self.sampling).values
        # resampling independent events is drawing their cells: a multinomial of the table
        n = int(in_all.sum())
        rng = np.random.default_rng(self.sampling.seed)
        drawn = rng.multinomial(n, in_all / n, self.sampling.n_resamples)
        return self.statistics.values(drawn.astype(np.float64))


# Reference and predicted class of each event, as numbers.


@dataclass(frozen=True, slots=True)
class LabelledEvents:
    """Reference and predicted class of every event, as numbers.

    Attributes
    ----------
    reference, predicted : ndarray of int64, shape (n,)
        Position in `classes`; ``len(classes)`` where there is none: a predicted class without a
        reference event is a false detection, a reference event without a prediction is missed.
    classes : tuple of str
    """

    reference: Ints
    predicted: Ints
    classes: tuple[str, ...]

    @property
    def cells(self) -> Ints:
        """Cell of the flattened confusion table that each event falls into."""
        return self.reference * (len(self.classes) + 1) + self.predicted


def labelled_events(
    reference: ArrayLike, predicted: ArrayLike, classes: Sequence[Hashable]
) -> LabelledEvents:
    """Number the classes of reference and prediction; missing labels become "none".

    Raises
    ------
    DataError
        A label outside `classes`, repeated classes, columns of different lengths, or an event
        that has neither a reference nor a prediction.
    """
    names = tuple(str(label) for label in classes)
    if len(set(names)) < len(names) or not names:
        raise DataError(f"classes: expected different names, found {', '.join(names) or 'none'}")
    codes_reference = _codes(reference, classes, "reference")
    codes_predicted = _codes(predicted, classes, "predicted")
    if codes_reference.size != codes_predicted.size:
        raise DataError(
            f"expected one prediction for each reference, found {codes_predicted.size} for "
            f"{codes_reference.size}; give a missed event the prediction None"
        )
    if codes_reference.size == 0:
        raise DataError("reference: expected events, found none", code="missing")
    neither = (codes_reference == len(names)) & (codes_predicted == len(names))
    if neither.any():
        raise DataError(
            f"expected a reference or a prediction for every event, found {int(neither.sum())} "
            "with neither; leave them out"
        )
    return LabelledEvents(codes_reference, codes_predicted, names)


def _codes(labels: ArrayLike, classes: Sequence[Hashable], name: str) -> Ints:
    import pandas as pd

    series = pd.Series(labels)
    codes = pd.Categorical(series, categories=list(classes)).codes.astype(np.int64)
    unknown = series[(codes < 0) & series.notna().to_numpy()]
    if len(unknown):
        raise DataError(
            f"{name}: expected one of {', '.join(map(str, classes))}, found {unknown.iloc[0]!r}; "
            "map it to a class or leave the event out"
        )
    return np.where(codes < 0, len(classes), codes)


@dataclass(frozen=True, slots=True)
class PerClassTable:
    """What :func:`per_class_table` returns.

    Attributes
    ----------
    estimates : list of Estimate
        ``sensitivity_V``, ``ppv_V``, ``f1_V``, ``fpr_V`` and ``support_V`` for each class, then
        ``macro_sensitivity``, ``macro_ppv``, ``macro_f1``, ``accuracy`` and ``kappa``.
    confusion : DataFrame
        Rows reference, columns prediction; a row ``false`` and a column ``missed`` where needed.
    undefined : tuple of str
        Names of the estimates that have no value, a class being absent.
    by_class : mapping of str to mapping of str to Estimate
        The same estimates as ``by_class["V"]["sensitivity"]``; ``by_class["all"]["macro_f1"]``.
    """

    estimates: list[Estimate]
    confusion: pd.DataFrame
    undefined: tuple[str, ...]
    by_class: Mapping[str, Mapping[str, Estimate]]


def per_class_table(
    reference: ArrayLike,
    predicted: ArrayLike,
    classes: Sequence[Hashable],
    *,
    record: ArrayLike | None = None,
    patient: ArrayLike | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    average_over: Sequence[Hashable] | None = None,
    forgiven: Mapping[Hashable, Sequence[Hashable]] | None = None,
    unit: str = "event",
    cluster_unit: str | None = None,
) -> PerClassTable:
    """Compare reference and predicted classes of events, class by class.

    Parameters
    ----------
    reference : array-like of labels, shape (n,)
        None or NaN where a detection matches no reference event: a false detection.
    predicted : array-like of labels, shape (n,)
        None or NaN where no detection matches the reference event: a missed event.
    classes : sequence of labels
        Every label that may occur, in the order of the table.
    record : array-like, shape (n,), optional
        Record or patient of every event: whole clusters are then resampled. Without it events
        count as independent, and intervals are Wilson's.
    patient : array-like, shape (n,), optional
        Patient of every event; resampled where `record` is not given.
    n_resamples, seed : int
        Of the bootstrap.
    level : float
    average_over : sequence of labels, optional
        Classes of the macro averages: those that occur in the reference, by default. Classes
        left out are named in the note of the average.
    forgiven : mapping of label to labels, optional
        For a called class, the reference classes that may be called so without a false positive.
        Nothing is forgiven by default.
    unit, cluster_unit : str
        What an event and a cluster are; a cluster is a ``"record"``, or a ``"patient"`` where
        `patient` alone is given.

    Returns
    -------
    PerClassTable
        An interval is None, with a note, where fewer than five clusters hold the class.

    Raises
    ------
    DataError
        Unknown labels, columns of different lengths, an event without reference and prediction.

    Notes
    -----
    By default all events enter every rate: a fusion beat called ventricular is a false positive
    of V. EC57 does not penalise a detector for such beats, nor for unclassifiable ones.

    References
    ----------
    ANSI/AAMI EC57, Testing and reporting performance results of cardiac rhythm and ST segment
    measurement algorithms. de Chazal P, O'Dwyer M, Reilly RB. IEEE Trans Biomed Eng 2004;51:1196.

    Examples
    --------
    >>> table = per_class_table(["N", "N", "V", "V", "V", None], ["N", "V", "V", "V", None, "V"],
    ...                         classes=["N", "V", "F"])
    >>> round(table.by_class["V"]["sensitivity"].value, 3), table.by_class["V"]["ppv"].value
    (0.667, 0.5)
    >>> table.undefined
    ('sensitivity_F', 'ppv_F', 'f1_F')
    >>> table.confusion.loc["V", "missed"].item(), table.confusion.loc["false", "V"].item()
    (1, 1)
    """
    events = labelled_events(reference, predicted, classes)
    cells, resampled, common = _cells(events, record, patient, cluster_unit)
    averaged, note = _averaged(events.classes, cells.sum(axis=0), average_over)
    pardons = _pardons(events.classes, forgiven or {})
    statistics = ClassStatistics(len(events.classes), averaged, tuple(pardons))
    source = Source(
        cells, statistics, Sampling(None, None, n_resamples, seed, level, resampled or unit),
        clustered=resampled is not None,
    )  # fmt: skip
    by_class: dict[str, dict[str, Estimate]] = {name: {} for name in (*events.classes, "all")}
    undefined = []
    for position, (label, rate) in enumerate(statistics.keys):
        place = "all" if label is None else events.classes[label]
        name = rate if label is None else f"{rate}_{place}"
        estimate = source.estimate(position, name)
        if estimate is None:
            undefined.append(name)
            continue
        notes = [
            estimate.note,
            note if rate.startswith("macro_") else "",
            _pardon_note(events.classes, pardons, label) if rate in ("ppv", "f1", "fpr") else "",
        ]
        by_class[place][rate] = estimate.replace(note="; ".join(filter(None, notes)), **common)
    for name, n in zip(events.classes, _support(cells, len(events.classes)), strict=True):
        support = Estimate(f"support_{name}", n, method="count", n=n, unit=unit)
        by_class[name]["support"] = support.replace(**common)
    return PerClassTable(
        [estimate for rates in by_class.values() for estimate in rates.values()],
        _frame(cells.sum(axis=0), events.classes),
        tuple(undefined),
        by_class,
    )


def _pardons(
    classes: tuple[str, ...], forgiven: Mapping[Hashable, Sequence[Hashable]]
) -> list[tuple[int, int]]:
    pairs = [(str(reference), str(called)) for called in forgiven for reference in forgiven[called]]
    unknown = {name for pair in pairs for name in pair} - set(classes)
    if unknown:
        raise DataError(
            f"forgiven: expected classes among {', '.join(classes)}, found "
            f"{', '.join(sorted(unknown))}"
        )
    return [(classes.index(reference), classes.index(called)) for reference, called in pairs]


def _pardon_note(
    classes: tuple[str, ...], pardons: list[tuple[int, int]], label: int | None
) -> str:
    excused = [classes[reference] for reference, called in pardons if called == label]
    return f"{', '.join(excused)} called so not counted" if excused else ""


def _cells(
    events: LabelledEvents,
    clusters: ArrayLike | None,
    patients: ArrayLike | None,
    cluster_unit: str | None,
) -> tuple[Floats, str | None, dict[str, int | None]]:
    """Count events in each cell of the confusion table, a row for each cluster.

    Beside it: what a cluster is, and the patients and dropped events behind every estimate.
    """
    patient_codes = None if patients is None else group_codes(patients, "patients")
    codes = patient_codes if clusters is None else group_codes(clusters, "clusters")
    same_length(reference=events.reference, clusters=codes, patients=patient_codes)
    known = np.ones(events.reference.size, dtype=bool)
    for column in (codes, patient_codes):
        if column is not None:
            known &= column >= 0
    if not known.any():
        raise DataError("clusters: expected an identifier for every event, found none")
    n_cells, cells = (len(events.classes) + 1) ** 2, events.cells[known]
    common: dict[str, int | None] = {
        "n_patients": None, "n_dropped": int(np.count_nonzero(~known)),
    }  # fmt: skip
    if codes is None:
        return np.bincount(cells, minlength=n_cells)[None, :].astype(np.float64), None, common
    unit = cluster_unit or ("patient" if clusters is None else "record")
    if patient_codes is None and unit == "patient":
        patient_codes = codes
    if patient_codes is not None:
        common["n_patients"] = int(np.unique(patient_codes[known]).size)
    cluster = np.unique(codes[known], return_inverse=True)[1]
    n_clusters = int(cluster.max()) + 1
    counted = np.bincount(cluster * n_cells + cells, minlength=n_clusters * n_cells)
    return counted.reshape(n_clusters, n_cells).astype(np.float64), unit, common


def _averaged(
    classes: tuple[str, ...], cells: Floats, average_over: Sequence[Hashable] | None
) -> tuple[tuple[int, ...], str]:
    """Choose the classes of the macro averages, and say which are left out."""
    wanted = classes if average_over is None else tuple(map(str, average_over))
    unknown = [name for name in wanted if name not in classes]
    if unknown:
        raise DataError(
            f"average_over: expected classes among {', '.join(classes)}, found {', '.join(unknown)}"
        )
    present = [
        name for name, n in zip(classes, _support(cells[None], len(classes)), strict=True) if n
    ]
    averaged = [name for name in classes if name in wanted and name in present]
    left_out = [
        f"{name} ({'by choice' if name in present else 'absent'})"
        for name in classes
        if name not in averaged
    ]
    note = f"average over {', '.join(averaged)}"
    if left_out:
        note += f", without {', '.join(left_out)}"
    return tuple(classes.index(name) for name in averaged), note


def _support(cells: Floats, n_classes: int) -> list[int]:
    confusion = cells.sum(axis=0).reshape(n_classes + 1, n_classes + 1)
    return [int(n) for n in confusion.sum(axis=1)[:-1]]


def _frame(cells: Floats, classes: tuple[str, ...]) -> pd.DataFrame:
    import pandas as pd

    side = len(classes) + 1
    frame = pd.DataFrame(
        cells.reshape(side, side).astype(np.int64),
        index=pd.Index([*classes, "false"], name="reference"),
        columns=pd.Index([*classes, "missed"], name="predicted"),
    )
    if not frame.loc["false"].any():
        frame = frame.drop(index="false")
    return frame if frame["missed"].any() else frame.drop(columns="missed")
