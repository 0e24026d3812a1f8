"""Per-class tables of events: sensitivity, positive predictivity, F1 and false-positive rate."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from cardio_core.errors import DataError
from cardio_core.stats.classification.class_statistics import ClassStatistics, Source
from cardio_core.stats.classification.confusion import LabelledEvents, labelled_events
from cardio_core.stats.foundation.validate import (
    Floats,
    checked_level,
    group_codes,
    same_length,
)
from cardio_core.types.estimate import Estimate

if TYPE_CHECKING:
    import pandas as pd


EC57_FORGIVEN: Mapping[Hashable, Sequence[Hashable]] = {"V": ("F", "Q"), "S": ("Q",)}
"""AAMI EC57: fusion and unclassifiable beats called V, and unclassifiable ones called S."""


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
    clusters: ArrayLike | None = None,
    patients: ArrayLike | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    average_over: Sequence[Hashable] | None = None,
    forgiven: Mapping[Hashable, Sequence[Hashable]] | None = None,
    unit: str = "beat",
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
    clusters : array-like, shape (n,), optional
        Record or patient of every event: whole clusters are then resampled. Without it events
        count as independent, and intervals are Wilson's.
    patients : array-like, shape (n,), optional
        Patient of every event; resampled where `clusters` is not given.
    n_resamples, seed : int
        Of the bootstrap.
    level : float
    average_over : sequence of labels, optional
        Classes of the macro averages: those that occur in the reference, by default. Classes
        left out are named in the note of the average.
    forgiven : mapping of label to labels, optional
        For a called class, the reference classes that may be called so without a false positive:
        ``EC57_FORGIVEN`` for the standard's rule. Nothing is forgiven by default.
    unit, cluster_unit : str
        What an event and a cluster are; a cluster is a ``"record"``, or a ``"patient"`` where
        `patients` alone is given.

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
    cells, resampled, common = _cells(events, clusters, patients, cluster_unit)
    averaged, note = _averaged(events.classes, cells.sum(axis=0), average_over)
    pardons = _pardons(events.classes, forgiven or {})
    statistics = ClassStatistics(len(events.classes), averaged, tuple(pardons))
    source = Source(
        cells, statistics, checked_level(level), n_resamples, seed, resampled or unit,
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
