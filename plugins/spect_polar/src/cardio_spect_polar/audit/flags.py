"""What the audit flags: groups tested beside all others, corrected for every test of a run."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

import cardio_stats as stats
from cardio_spect_polar.audit.simulations import area

INSTRUMENTS = ("scanner_id", "site_id")
"""Groups that should not move a probability. People differ in their maps by right: flow at rest is
higher in women, so whatever is foretold from it differs between the sexes without an error."""

OUTCOME, SCORE = "outcome at the same score", "score at the same outcome"
_COLUMNS = [
    "factor", "model", "column", "group", "question", "n", "events", "effect", "auc_of_group",
    "auc_of_others", "p", "p_adjusted", "flagged",
]  # fmt: skip


def flag_groups(
    tested: Mapping[tuple[str, str], pd.DataFrame],
    groups: Mapping[str, pd.Series[str]],
    *,
    min_per_class: int = 10,
    flag_level: float = 0.05,
    n_permutations: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Test every group, factor and model of a run, with one correction for all of them.

    Parameters
    ----------
    tested : mapping of (factor, model) to DataFrame
        Columns y (1, 0), score (a probability) and, where one person has several ids, subject_id;
        indexed by patient.
    groups : mapping of str to Series
        The group of each patient, by column, indexed by patient.
    min_per_class : int
        Patients with and without the factor that a group needs, and leaves.
    flag_level : float
        Probability that a run flags anything where groups have nothing to do with maps and labels.
    n_permutations, seed : int
        Of the groups among the patients.

    Returns
    -------
    DataFrame
        A line a test, the surest first. ``effect`` of the outcome at the same score is the share of
        the group with the factor less the share foretold; of the score at the same outcome, the
        mean log odds less the others', in SD.
    """
    if not tested or not groups:
        return pd.DataFrame(columns=_COLUMNS)
    patients = sorted(set().union(*(table.index for table in tested.values())))
    compared, names = [], {}
    for (factor, model), table in tested.items():
        name = f"{factor}: {model}"
        names[name] = (factor, model)
        one = table.reindex(patients)
        probability = one["score"].clip(1e-6, 1 - 1e-6).to_numpy(float)
        # Of the groups of the factor itself each has one class only.
        columns = tuple(column for column in groups if column != factor)
        compared.append(
            stats.Compared(name, one["y"], np.log(probability / (1 - probability)), columns)
        )
    by_column = {name: group.reindex(patients).to_numpy(object) for name, group in groups.items()}
    found = stats.predicted_alike(
        compared, by_column, instruments=INSTRUMENTS, persons=_persons(tested, patients),
        min_per_class=min_per_class, n_permutations=n_permutations, seed=seed,
    )  # fmt: skip
    rows = []
    for test in found:
        table = tested[names[test.name]]
        inside = (groups[test.column].reindex(table.index) == test.group).fillna(False)
        areas = [area(part["y"], part["score"]) for part in (table[inside], table[~inside])]
        rows.append(
            (*names[test.name], test.column, test.group, test.question, test.n, test.n_events,
             test.effect, *areas, test.p_value, test.p_adjusted, test.p_adjusted < flag_level)
        )  # fmt: skip
    made = pd.DataFrame(rows, columns=_COLUMNS)
    return made.sort_values(["p_adjusted", "p"], kind="stable").reset_index(drop=True)


def _persons(
    tested: Mapping[tuple[str, str], pd.DataFrame], patients: list[str]
) -> list[str] | None:
    """Return the person of each patient where one person has several ids."""
    person: dict[str, str] = {}
    for table in tested.values():
        if "subject_id" in table:
            person |= dict(zip(table.index, table["subject_id"], strict=True))
    listed = [person.get(name, name) for name in patients]
    return listed if len(set(listed)) < len(listed) else None
