"""The audit: whether a model ranks, decides and calibrates alike in every group of patients.

Labels that are wrong in one group show as a smaller AUC there, and a scanner that reads otherwise
as probabilities that are too high or too low. Neither is seen in the numbers of the whole cohort.
What is described here is tested in `flag_groups`, for all models and factors of a run together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

import cardio_stats as stats
from cardio_core.api import DataError
from cardio_stats import Estimate

BANDS_OF_BMI = (25.0, 30.0)
"""kg/m²; overweight and obesity of the World Health Organization."""

GAP_COLUMNS = ["column", "group", "reference", "metric", "gap", "low", "high"]
BLANK = "–"
"""What the subgroup audit prints for a group that it does not score."""


@dataclass(frozen=True)
class Audit:
    """One model and factor, audited.

    Attributes
    ----------
    groups : DataFrame
        A line a group: column, group, n, events, and each metric and gap with its interval.
    gaps : DataFrame
        A line a gap: column, group, reference, metric, gap, low, high.
    estimates : dict of (column, group) to dict of str to Estimate
        The four metrics of each group.
    notes : tuple of str
        What could not be audited, and why; groups that are too small.
    """

    groups: pd.DataFrame
    gaps: pd.DataFrame
    estimates: Mapping[tuple[str, str], Mapping[str, Estimate]]
    notes: tuple[str, ...]


def groups_of(people: pd.DataFrame) -> dict[str, pd.Series[str]]:
    """Return the groups that a cohort table offers, by column.

    Parameters
    ----------
    people : DataFrame
        The cohort table, one line a patient. BMI is cut at 25 and 30 kg/m², age in tertiles.

    Examples
    --------
    >>> people = pd.DataFrame({"sex": ["F", "M"], "bmi": [24.0, 31.0]}, index=["a", "b"])
    >>> {name: list(groups) for name, groups in groups_of(people).items()}
    {'sex': ['F', 'M'], 'BMI band': ['below 25', '30 and more']}
    """
    found = {}
    for name in ("sex", "race_ethnicity", "site_id", "scanner_id"):
        if name in people.columns and people[name].notna().any():
            found[name] = people[name].astype("string")
    if "bmi" in people.columns and people["bmi"].notna().any():
        low, high = BANDS_OF_BMI
        names = [f"below {low:g}", f"{low:g} to {high:g}", f"{high:g} and more"]
        found["BMI band"] = _cut(people["bmi"], [low, high], names)
    if "age_y" in people.columns and people["age_y"].notna().any():
        low, high = np.nanquantile(people["age_y"].astype(float), [1 / 3, 2 / 3])
        names = [f"below {low:.0f} y", f"{low:.0f} to {high:.0f} y", f"{high:.0f} y and more"]
        found["age tertile"] = _cut(people["age_y"], [low, high], names)
    return found


def audit(
    tested: pd.DataFrame,
    groups: Mapping[str, pd.Series[str]],
    *,
    clusters: np.ndarray | None = None,
    min_per_class: int = 10,
    n_resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Audit:
    """Compare the groups of every column.

    Parameters
    ----------
    tested : DataFrame
        Columns y (1, 0) and score, indexed by patient.
    groups : mapping of str to Series
        The group of each patient, by column, indexed by patient.
    clusters : ndarray, optional
        Person of each tested patient; whole persons are resampled.
    min_per_class : int
        A group with fewer patients of either class is named, not compared.
    n_resamples, seed : int
        Of the bootstrap.
    level : float
        Of the intervals, which are not adjusted for their number.

    Notes
    -----
    Rates are at the threshold of the base rate of all tested patients, one for all groups.
    """
    threshold = stats.Threshold(float(tested["y"].mean()), "base rate of all tested patients")
    tables, gaps, notes = [], [], []
    estimates: dict[tuple[str, str], dict[str, Estimate]] = {}
    for column, group in groups.items():
        try:
            made = stats.subgroup_audit(
                tested["y"], tested["score"], group.reindex(tested.index).to_numpy(object),
                threshold=threshold, patient=clusters, min_per_class=min_per_class,
                n_resamples=n_resamples, seed=seed, level=level, name=column,
            )  # fmt: skip
        except DataError:
            notes.append(
                f"{column}: fewer than two groups have {min_per_class} patients with and as many "
                "without the factor; nothing is compared"
            )
            continue
        table = made.to_frame().rename(columns={column: "group"})
        table.insert(0, "column", column)
        tables.append(table)
        small = [str(row.group) for row in table.itertuples() if row.AUC == BLANK]
        notes += [f"{column}: too few patients to score in {', '.join(small)}"] if small else []
        for estimate in made.estimates:
            metric, _, inside = estimate.name.rstrip("]").partition("[")
            if not inside:  # the largest gap between any two, which is of no group
                continue
            if metric.endswith("_gap"):
                gaps.append(_gap(column, metric.removesuffix("_gap"), inside, estimate))
            else:
                estimates.setdefault((column, inside), {})[metric] = estimate
    return Audit(
        pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(),
        pd.DataFrame(gaps, columns=GAP_COLUMNS),
        estimates,
        tuple(notes),
    )


def _gap(column: str, metric: str, inside: str, estimate: Estimate) -> dict[str, object]:
    group, _, reference = inside.partition(" - ")
    return {
        "column": column, "group": group, "reference": reference, "metric": metric,
        "gap": estimate.value, "low": estimate.low, "high": estimate.high,
    }  # fmt: skip


def _cut(values: pd.Series[float], edges: Sequence[float], names: Sequence[str]) -> pd.Series[str]:
    made = pd.cut(
        values.astype(float), [-np.inf, *edges, np.inf], right=False, labels=list(names),
        duplicates="raise",
    )  # fmt: skip
    return made.astype("string")
