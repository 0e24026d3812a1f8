"""The predictions.csv of a run of ours as a table with a column a model, as strangers have it."""

from __future__ import annotations

import pandas as pd

from cardio_core.errors import ConfigError, DataError
from cardio_core.studies.reading.called import label_of

OWN = ("protocol", "model", "target", "event", "score", "y_true", "patient_id")
"""Columns by which the predictions.csv of a run of ours is known."""

_KEY = ["patient_id", "unit", "repeat", "fold", "y_true"]
_IDS = ("sample_id", "recording_id", "study_id")


def is_own(table: pd.DataFrame) -> bool:
    """Say whether a table is the predictions.csv of a run of ours."""
    return set(OWN) <= set(table.columns)


def as_wide(
    table: pd.DataFrame, outcome: str | None, event: str | None, kind: str | None, said: list[str]
) -> tuple[pd.DataFrame, str, str | None, str, list[str]]:
    """Return a table with a column a model, or a model and class.

    The honest protocol is taken where it ran, and the first target unless `outcome` names one.

    Returns
    -------
    DataFrame
        Columns patient_id, repeat, fold, the target's name and the scores.
    str
        The target.
    str or None
        The event, of a target of two classes or where `event` says it.
    str
        The kind: binary, classes or number.
    list of str
        The models: names of columns, or of sets of columns ``MODEL_CLASS``.

    Raises
    ------
    ConfigError
        An event that is no class of the target.
    DataError
        No prediction of that target.
    """
    protocols = list(dict.fromkeys(table["protocol"]))
    protocol = "honest" if "honest" in protocols else protocols[0]
    rows = table[table["protocol"] == protocol]
    target = str(outcome if outcome in set(rows["target"]) else rows["target"].iloc[0])
    rows = rows[rows["target"] == target].dropna(subset=["score"])
    # Classes that are numbers are read as numbers, with a missing one among them as 1.0.
    words = {name: rows[name].map(label_of, na_action="ignore") for name in ("event", "y_true")}
    scored = list(dict.fromkeys(words["event"].dropna()))
    models = [str(name) for name in dict.fromkeys(rows["model"])]
    said.append(f"A predictions.csv of cardio: protocol {protocol}, target {target}.")
    if not scored:
        if event is not None:
            raise ConfigError(f"--event {event}: {target} is a number and has no classes")
        wide = _pivoted(rows, "model")
        return wide.rename(columns={"y_true": target}), target, None, "number", models
    if len(scored) > 1 and (kind == "classes" or event is None):
        named = rows.assign(column=rows["model"].astype(str) + "_" + words["event"])
        wide = _pivoted(named, "column")
        return wide.rename(columns={"y_true": target}), target, None, "classes", models
    # Of two classes one is scored; what the other is called only the truth says.
    rows = rows.assign(**words)
    classes = list(dict.fromkeys([*scored, *rows["y_true"].dropna()]))
    chosen = event or scored[0]
    if chosen not in classes:
        raise DataError(
            f"{target}: has the classes {', '.join(classes)}; say with --event which one is judged "
            "against the rest"
        )
    if len(scored) == 1 and chosen != scored[0]:
        rows = rows.assign(event=chosen, score=1 - rows["score"].astype(float))
    wide = _pivoted(rows[rows["event"] == chosen], "model")
    truth = wide["y_true"]
    other = f"not {chosen}" if len(classes) != 2 else next(c for c in classes if c != chosen)
    wide[target] = truth.where(truth.isna() | (truth == chosen), other)
    said.append(f"Judged is the class {chosen}.")
    return wide.drop(columns="y_true"), target, chosen, "binary", models


def _pivoted(rows: pd.DataFrame, columns: str) -> pd.DataFrame:
    # Ids finer than the level of a prediction are empty: a patient's has none of a sample.
    unit = rows["patient_id"].astype(object)
    for name in reversed([name for name in _IDS if name in rows.columns]):
        unit = rows[name].astype(object).where(rows[name].notna(), unit)
    by_place = rows.assign(unit=unit).groupby([*_KEY, columns], dropna=False, sort=False)["score"]
    # pivot_table would make every combination of patient, unit and fold
    wide = by_place.first().unstack(columns).reset_index().drop(columns="unit")  # noqa: PD010
    wide.columns.name = None
    return wide
