"""Whether a model treats groups of patients alike, and what other patients would change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

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


STRENGTHS = (0.0, 1.0, 2.0)
PREVALENCES = (0.1, 0.25, 0.5, 0.75)
ERROR_RATES = (0.0, 0.05, 0.1, 0.2)
N_READERS = 3


def referral_bias(
    y: ArrayLike,
    score: ArrayLike,
    reserve: ArrayLike,
    rng: np.random.Generator,
    *,
    n_draws: int = 200,
) -> pd.DataFrame:
    """Test a model on patients who were referred because of what their maps or records show.

    From the tested patients as many are drawn, with replacement, as there are; the chance to be
    drawn is 1 / (1 + exp(-strength × z)); 0 draws everybody alike. Referred ``by the map``, z is
    the standardised lowness of the global reserve. Referred ``by the map and the factor``, z is
    that plus 1 for those who have the factor, each standardised: either brings a patient in, which
    changes how the two go together among those who come.

    Parameters
    ----------
    y : array-like of 0 and 1, shape (n,)
    score : array-like, shape (n,)
        Out-of-fold probabilities.
    reserve : array-like, shape (n,)
        Global flow reserve.
    rng : numpy.random.Generator
    n_draws : int

    Returns
    -------
    DataFrame
        A line a setting; see `_summary`.
    """
    truth, probability = _checked(y, score)
    low = -_standardised(np.asarray(reserve, np.float64))
    both: NDArray[np.float64] = np.add(low, _standardised(truth.astype(np.float64)))
    rows = []
    for by, z in (("by the map", low), ("by the map and the factor", both)):
        for strength in STRENGTHS:
            chance = 1 / (1 + np.exp(-strength * z))
            drawn = (
                rng.choice(len(truth), len(truth), p=chance / chance.sum()) for _ in range(n_draws)
            )
            found = (_figures(truth[i], probability[i]) for i in drawn)
            rows.append({"setting": f"{by}, strength {strength:g}"} | _summary(found))
    return pd.DataFrame(rows)


def prevalence_shift(
    y: ArrayLike,
    score: ArrayLike,
    rng: np.random.Generator,
    *,
    n_draws: int = 200,
) -> pd.DataFrame:
    """Test a model where the factor is rarer or more common than where it was trained.

    Patients with and without the factor are drawn with replacement, each from their own, in the
    stated shares. Maps given the factor stay as they are, so the AUC does too. ``corrected`` adds
    the difference of the two log odds to every prediction, which needs the new prevalence to be
    known.

    Returns
    -------
    DataFrame
        A line a prevalence, with the probabilities as they are and corrected.
    """
    truth, probability = _checked(y, score)
    recorded, cases, others = (
        float(truth.mean()),
        np.flatnonzero(truth == 1),
        np.flatnonzero(truth == 0),
    )
    log_odds = np.log(probability / (1 - probability))
    rows = []
    for prevalence in PREVALENCES:
        shift = np.log(prevalence / (1 - prevalence)) - np.log(recorded / (1 - recorded))
        corrected = 1 / (1 + np.exp(-(log_odds + shift)))
        n_cases = max(1, min(len(truth) - 1, round(prevalence * len(truth))))
        draws = [
            np.concatenate([rng.choice(cases, n_cases), rng.choice(others, len(truth) - n_cases)])
            for _ in range(n_draws)
        ]
        for name, values in (("as it is", probability), ("corrected", corrected)):
            found = (_figures(truth[i], values[i]) for i in draws)
            setting = f"prevalence {prevalence:g} (was {recorded:.2f}), {name}"
            rows.append({"setting": setting} | _summary(found))
    return pd.DataFrame(rows)


def disagreeing_readers(
    y: ArrayLike,
    score: ArrayLike,
    rng: np.random.Generator,
    *,
    n_draws: int = 200,
    error_rates: Sequence[float] = ERROR_RATES,
) -> pd.DataFrame:
    """Test a model against readers who do not always agree on who has the factor.

    Each of three readers changes every recorded label with the same probability, independently of
    one another, of the map and of the label. The model is judged against one reader and against
    the majority of the three; `kappa` is Cohen's of two readers. Training labels stay as they were.

    Returns
    -------
    DataFrame
        A line an error rate and a reference.
    """
    truth, probability = _checked(y, score)
    rows = []
    for rate in error_rates:
        single, majority, kappas = [], [], []
        for _ in range(n_draws):
            wrong = rng.uniform(size=(N_READERS, len(truth))) < rate
            read = np.where(wrong, 1 - truth, truth)
            single.append(_figures(read[0], probability))
            majority.append(_figures((read.sum(axis=0) * 2 > N_READERS).astype(int), probability))
            kappas.append(_kappa(read[0], read[1]))
        kappa = float(np.mean(kappas))
        for name, found in (("one reader", single), ("majority of three", majority)):
            setting = f"each reader wrong in {rate:.0%}, against {name}"
            rows.append({"setting": setting} | _summary(found) | {"kappa": kappa})
    return pd.DataFrame(rows)


def scanner_shift(
    y: ArrayLike,
    score: ArrayLike,
    shifted: dict[float, NDArray[np.float64]],
    rng: np.random.Generator,
    *,
    n_draws: int = 200,
) -> pd.DataFrame:
    """Test a model on maps of a scanner that reads every flow too low or too high.

    The maps of the tested patients, at rest and at stress, were multiplied by a gain and given to
    the same out-of-fold model (`predict`); the reserve, their ratio, does not change. Intervals are
    of patients drawn with replacement.

    Parameters
    ----------
    y, score : array-like, shape (n,)
    shifted : dict of gain to ndarray, shape (n,)
        Probabilities from the changed maps.
    """
    truth, probability = _checked(y, score)
    draws = [rng.integers(len(truth), size=len(truth)) for _ in range(n_draws)]
    rows = []
    for gain, values in sorted({1.0: probability, **shifted}.items()):
        _, clipped = _checked(truth, values)
        found = (_figures(truth[i], clipped[i]) for i in draws)
        rows.append({"setting": f"scanner reads {gain:g} for 1"} | _summary(found))
    return pd.DataFrame(rows)


def area(y: ArrayLike, score: ArrayLike) -> float:
    """Return the AUC, ties counting half; NaN where one class is absent.

    Examples
    --------
    >>> area([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    truth, value = np.asarray(y) == 1, np.asarray(score, float)
    cases, others = value[truth], np.sort(value[~truth])
    if not cases.size or not others.size:
        return float("nan")
    below = np.searchsorted(others, cases, "left") + np.searchsorted(others, cases, "right")
    return float(below.mean() / (2 * others.size))


def _figures(y: NDArray[np.int64], score: NDArray[np.float64]) -> dict[str, float]:
    """Return AUC, accuracy at one half beside that of the majority, and calibration at large."""
    base = float(y.mean())
    return {
        "auc": area(y, score),
        "base_rate": base,
        "accuracy": float(np.mean((score >= 0.5) == (y == 1))),
        "accuracy_of_majority": max(base, 1 - base),
        "observed_minus_predicted": base - float(score.mean()),
    }


def _summary(found: Iterable[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each figure over the draws, and the middle 95 % of the AUC."""
    table = pd.DataFrame(list(found))
    low, high = np.nanquantile(table["auc"], [0.025, 0.975])
    made = {str(name): float(value) for name, value in table.mean().items()}
    return {"auc": made.pop("auc"), "auc_low": float(low), "auc_high": float(high)} | made


def _kappa(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    agreed = float(np.mean(first == second))
    a, b = float(first.mean()), float(second.mean())
    by_chance = a * b + (1 - a) * (1 - b)
    return (agreed - by_chance) / (1 - by_chance) if by_chance < 1 else 1.0


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.where(np.isfinite(values), values, np.nanmedian(values))
    spread = float(known.std())
    return np.zeros_like(known) if spread == 0 else (known - known.mean()) / spread


def _checked(y: ArrayLike, score: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    truth = np.asarray(y).astype(np.int64)
    return truth, np.clip(np.asarray(score, float), 1e-6, 1 - 1e-6)


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
        scores = table.reindex(patients)
        probability = scores["score"].clip(1e-6, 1 - 1e-6).to_numpy(float)
        # Of the groups of the factor itself each has one class only.
        columns = tuple(column for column in groups if column != factor)
        compared.append(
            stats.Compared(name, scores["y"], np.log(probability / (1 - probability)), columns)
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
