"""`cardio stats roc` of an outcome of several classes, a score column each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cardio_core.cli.stats.reading import columns_of
from cardio_core.cli.stats.results import result_table
from cardio_core.errors import ConfigError, DataError

if TYPE_CHECKING:
    import pandas as pd

    from cardio_core.report.figures.canvas import Draw
    from cardio_core.stats.foundation.display import ResultTable


def of_several_classes(
    table: pd.DataFrame,
    target: str,
    scores: Sequence[str],
    patient: str | None,
    level: float,
    seed: int,
    *,
    drawn: bool,
) -> tuple[ResultTable, Draw | None]:
    """Return the AUC of Hand and Till, that of every two classes, and each class against the rest.

    Raises
    ------
    ConfigError
        A score whose class is not said.
    DataError
        A column that is missing, or classes and scores that do not belong together.
    """
    import numpy as np
    import pandas as pd

    from cardio_core import stats
    from cardio_core.stats.foundation.columns import column_named, numbers

    labels = column_named(table, target)
    words = labels.map(_word, na_action="ignore")
    by_class = _by_class(scores, list(dict.fromkeys(words.dropna())), target)
    classes = list(by_class)
    values = np.column_stack([numbers(table, column) for column in by_class.values()])
    people = None if patient is None else column_named(table, patient).to_numpy(dtype=object)
    known = ~np.isnan(values).any(axis=1) & words.notna().to_numpy()
    if people is not None:
        known &= pd.notna(people)
        if len(set(people[known])) == known.sum():
            people = None
    unit = None if patient is None else "patient"
    kept = None if people is None else people[known]
    about: dict[str, Any] = {"clusters": kept, "unit": unit, "level": level}
    truth = words[known].to_numpy()
    found = stats.multiclass_auc(truth, values[known], classes, seed=seed, **about)
    n_dropped = int((~known).sum())
    estimates = [
        one.replace(name=one.name if key == "all" else f"auc[{key}]", n_dropped=n_dropped)
        for key, one in found.items()
    ]
    against: dict[str, tuple[Any, Any, Any]] = {}
    for place, name in enumerate(classes):
        labelled = (truth == name).astype(int)
        area = stats.auc(labelled, values[known, place], **about)
        estimates.append(area.replace(name=f"auc[{name} against the rest]", n_dropped=n_dropped))
        against[name] = labelled, values[known, place], area
    said = ", ".join(f"{name} by {column}" for name, column in by_class.items())
    notes = [
        f"Classes and their scores: {said}.",
        "Multiclass AUC: the mean over pairs of classes (Hand and Till), whatever their sizes; "
        "against the rest: one class and all others, which does depend on their sizes.",
        "p of an AUC: against one half.",
    ]
    made = result_table(f"{len(classes)} classes of {target}", estimates, notes)
    return made, _curves(against, target, kept, level, seed) if drawn else None


def _curves(
    against: dict[str, tuple[Any, Any, Any]], target: str, clusters: Any, level: float, seed: int
) -> Draw:
    from cardio_core.cli.stats.discrimination.areas import band_words
    from cardio_core.report.figures.curves import roc, roc_of

    curves = [
        roc_of(name, *rows, estimate=area, clusters=clusters, level=level, seed=seed)
        for name, (*rows, area) in against.items()
    ]
    title = f"Classes of {target}, each against the rest"
    return roc(curves, title=title, band=band_words(level))


def _word(value: object) -> str:
    return f"{value:.15g}" if isinstance(value, int | float) else str(value).strip()


def _by_class(scores: Sequence[str], classes: list[str], target: str) -> dict[str, str]:
    named: dict[str, str] = {}
    for text in columns_of(scores):
        name, equals, column = text.partition("=")
        if not equals:
            name, column = text, text
        if name not in classes:
            raise ConfigError(
                f"--scores: expected CLASS=COLUMN with a class of {target} "
                f"({', '.join(classes[:6])}), found {text!r}"
            )
        named[name] = column
    lacking = [name for name in classes if name not in named]
    if lacking:
        raise DataError(
            f"--scores: expected a score for every class of {target}, found none for "
            f"{', '.join(lacking[:6])}; add {lacking[0]}=COLUMN, or leave those rows out"
        )
    return named
