"""Whether an effect, or the AUC of a score, is the same in every subgroup."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_stats._numerics.columns import Design, binary_outcome, level_labels, numbers, terms_of
from cardio_stats._numerics.display import BLANK, ResultTable, interval_text, p_text, ratio_text
from cardio_stats._numerics.validate import Bools, Floats, sample_count
from cardio_stats.auc_covariance import delong_covariance
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate
from cardio_stats.logistic import fit_scales
from cardio_stats.regression_tables import likelihood_ratio_test
from cardio_stats.roc_curves import auc

# Subgroups of a table, and what was estimated in each, as lines of a table and of a figure.

MOST_SUBGROUPS = 8


@dataclass(frozen=True, slots=True)
class Subgroups:
    """A column that parts the rows.

    Attributes
    ----------
    name : str
    labels : ndarray of str, shape (n,)
        "" where the column is missing.
    levels : tuple of str
    """

    name: str
    labels: NDArray[np.object_]
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SubgroupLine:
    """One line of a subgroup table, as a forest plot draws it.

    Attributes
    ----------
    column : str
        Empty for everybody.
    level : str
        Empty in the line that heads a column's subgroups.
    counts : str
        Rows and events.
    estimate : Estimate or None
        None where the subgroup is too small, and in a heading.
    text : str
        The estimate as it is printed.
    tests : tuple of str
        p-values as they are printed; of headings.
    """

    column: str
    level: str
    counts: str
    estimate: Estimate | None
    text: str
    tests: tuple[str, ...]


Made = tuple[ResultTable, list[SubgroupLine]]


@dataclass(frozen=True, slots=True)
class ExposedRows:
    """Outcome and exposure on the rows where both are known."""

    outcome: Floats
    exposure: Floats
    term: str
    target: str
    event: str
    rows: NDArray[np.int64]
    n_dropped: int
    column: str

    def design(self, keep: Bools, matrix: Floats, terms: Sequence[str]) -> Design:
        """Return these rows with the columns of `matrix`, shape (n, n_terms)."""
        return Design(
            matrix[keep], self.outcome[keep], tuple(terms), tuple(terms), self.target, self.event,
            self.rows[keep], self.n_dropped + int((~keep).sum()),
        )  # fmt: skip


Estimated = Callable[[Bools], Estimate]
Tested = Callable[[Subgroups, NDArray[np.object_]], list[Estimate]]


def subgroups_of(table: pd.DataFrame, by: str) -> Subgroups:
    """Part the rows by a column: its categories, or its values at the cuts that are named.

    Parameters
    ----------
    table : DataFrame
    by : str
        A column, or ``age:65`` and ``age:50:75`` for a number and where it is cut.

    Raises
    ------
    DataError
        A number without a cut that has more than 8 values, or one subgroup only.

    Examples
    --------
    >>> table = pd.DataFrame({"age": [50, 65, 70, None]})
    >>> found = subgroups_of(table, "age:65")
    >>> found.labels.tolist(), found.levels
    (['below 65', '65 and above', '65 and above', ''], ('below 65', '65 and above'))
    """
    name, *cuts = [by] if by in table.columns else by.split(":")
    if cuts:
        labels, levels = _bands(numbers(table, name.strip()), by, cuts)
    else:
        labels, found = level_labels(table, name)
        levels = tuple(found)
        if len(levels) > MOST_SUBGROUPS:
            raise DataError(
                f"column {name!r}: expected at most {MOST_SUBGROUPS} subgroups, found "
                f"{len(levels)}; cut a number, as in {name}:{levels[len(levels) // 2]}, or group "
                "the categories"
            )
    if len(levels) < 2:
        raise DataError(
            f"column {name!r}: expected two subgroups or more, found {', '.join(levels) or 'none'}"
            f"{' at ' + ', '.join(cuts) if cuts else ''}; choose another column or cut"
        )
    return Subgroups(name.strip(), labels, levels)


def _bands(
    values: Floats, by: str, cuts: Sequence[str]
) -> tuple[NDArray[np.object_], tuple[str, ...]]:
    try:
        edges = sorted(float(cut) for cut in cuts)
    except ValueError:
        raise DataError(
            f"subgroups {by!r}: expected a column and numbers such as age:65, found "
            f"{', '.join(cuts)}"
        ) from None
    words = [f"below {edges[0]:g}"]
    words += [f"{low:g} to below {high:g}" for low, high in pairwise(edges)]
    words.append(f"{edges[-1]:g} and above")
    number = np.searchsorted(edges, values, side="right")
    labels = np.where(np.isnan(values), "", np.array(words, dtype=object)[number])
    return labels, tuple(word for word in words if (labels == word).any())


def exposed_rows(table: pd.DataFrame, target: str, exposure: str, event: str | None) -> ExposedRows:
    """Read outcome and exposure.

    Raises
    ------
    DataError
        An exposure that is the target, or has more than two categories.
    """
    if target == exposure:
        raise DataError(f"column {target!r}: is both target and exposure; choose another")
    outcome, placed = binary_outcome(table, target, event)
    matrix, terms = terms_of(table, exposure)
    if len(terms) > 1:
        raise DataError(
            f"column {exposure!r}: expected numbers or two categories, found {len(terms) + 1}; "
            "one odds ratio cannot hold them, join categories",
            code="unsupported",
        )
    known = ~(np.isnan(outcome) | np.isnan(matrix[:, 0]))
    return ExposedRows(
        outcome[known], matrix[known, 0], terms[0], target, placed.event,
        np.flatnonzero(known).astype(np.int64), int((~known).sum()), exposure,
    )  # fmt: skip


def in_subgroups(
    table: pd.DataFrame,
    found: ExposedRows,
    by: Sequence[str],
    estimated: Estimated,
    tested: Tested,
    what: str,
    text_of: Callable[[Estimate], str],
    tests: tuple[str, ...],
    level: float,
    unit: str,
) -> Made:
    """Estimate in everybody and in each subgroup, test each column, and print all of it.

    Raises
    ------
    DataError
        No column, or one that is the exposure; refusals of single subgroups become notes.
    """
    if not by:
        raise DataError("subgroups: expected at least one column, found none", code="missing")
    parts = [subgroups_of(table, item) for item in by]
    for part in parts:
        if part.name in (found.column, found.target):
            raise DataError(
                f"column {part.name!r}: is both subgroup and exposure or target; choose another"
            )
    everybody = np.ones(found.outcome.size, dtype=bool)
    whole = estimated(everybody)
    estimates, notes = [whole], []
    blanks = ("",) * len(tests)
    lines = [SubgroupLine("", "all", _counts(found, everybody), whole, text_of(whole), blanks)]
    for part in parts:
        labels = part.labels[found.rows]
        try:
            results = tested(part, labels)
        except DataError as refusal:
            results = []
            notes.append(f"{part.name}: no test; {refusal}.")
        estimates += results
        cells = tuple(p_text(result.p_value) for result in results) + (BLANK,) * len(tests)
        lines.append(SubgroupLine(part.name, "", "", None, "", cells[: len(tests)]))
        for entry in part.levels:
            keep = labels == entry
            here, text = None, BLANK
            try:
                here = estimated(keep)
                text = text_of(here)
                estimates.append(here.replace(name=f"{here.name}[{part.name}={entry}]"))
                notes += [f"{part.name}={entry}: {here.note}"] if here.note else []
            except DataError as refusal:
                notes.append(f"{part.name}={entry}: not estimated; {refusal}.")
            lines.append(SubgroupLine(part.name, entry, _counts(found, keep), here, text, blanks))
        missing = int((labels == "").sum())
        if missing:
            notes.append(f"{part.name}: {missing} {unit}s in no subgroup (missing).")
    made = ResultTable(
        f"{what[0].upper()}{what[1:]} for {found.target} = {found.event} by subgroup",
        ("subgroup", "n (events)", f"{what} ({level * 100:g} % CI)", *tests),
        tuple(
            (f"  {line.level}" if line.column and line.level else line.level or line.column,
             line.counts, line.text, *line.tests)
            for line in lines
        ),
        (
            "p interaction: likelihood ratio of the product of subgroup and "
            f"{found.term}; read it, not which intervals leave no effect out.",
            *(["p equal AUC: chi-square of the AUCs around their mean (DeLong's variances)."]
              if len(tests) > 1 else []),
            f"The p-values are not corrected for the number of columns ({len(parts)}).",
            *([f"{found.n_dropped} {unit}s dropped for missing values."]
              if found.n_dropped else []),
            *notes,
        ),
        tuple(estimates),
    )  # fmt: skip
    return made, lines


def _counts(found: ExposedRows, keep: Bools) -> str:
    return f"{int(keep.sum())} ({int(found.outcome[keep].sum())})"


def effect_in_subgroups(
    table: pd.DataFrame,
    outcome: str,
    exposure: str,
    by: Sequence[str],
    *,
    event: str | None = None,
    per_sd: bool = False,
    level: float = 0.95,
    unit: str = "row",
) -> Made:
    """Estimate an odds ratio in each subgroup, and test whether it is the same in all.

    Parameters
    ----------
    table : DataFrame
    outcome : str
    exposure : str
        Numbers, or two categories, of which the first is compared with.
    by : sequence of str
        As for :func:`subgroups_of`.
    event : str, optional
        Word of the outcome that counts, where it is not 0 and 1, or yes and no.
    per_sd : bool
        Odds ratio per SD of all rows, which is one step for every subgroup, instead of per unit.
    level : float
    unit : str

    Returns
    -------
    made : ResultTable
        A row for everybody, then one a subgroup: rows and events, odds ratio with its profile
        interval. The p of interaction is that of the likelihood-ratio test of exposure × subgroup,
        in a model that has both.
    lines : list of SubgroupLine
        The same for a figure.

    Notes
    -----
    Read the p of interaction, not which subgroups' own intervals leave 1 out. It is not corrected
    for the number of columns.

    References
    ----------
    Wang R, Lagakos SW, Ware JH, Hunter DJ, Drazen JM. N Engl J Med 2007;357:2189.
    """
    found = exposed_rows(table, outcome, exposure, event)
    two_valued = np.unique(found.exposure).size == 2
    spread = float(found.exposure.std(ddof=1)) if per_sd and not two_valued else 1.0
    found = replace(found, exposure=found.exposure / spread)
    common: dict[str, Any] = {"level": level, "unit": unit}

    def ratio(keep: Bools) -> Estimate:
        design = found.design(keep, found.exposure[:, np.newaxis], [found.term])
        _require_variation(design)
        (model,) = fit_scales(design, ("unit",), method="auto", **common)
        return model.odds_ratios[0]

    def interaction(part: Subgroups, labels: NDArray[np.object_]) -> list[Estimate]:
        return [_interaction(found, part, labels, unit)]

    step = f"per SD ({spread:.3g})" if spread != 1.0 else "per unit"
    step = "" if two_valued else f" {step}"
    return in_subgroups(
        table, found, by, ratio, interaction, f"odds ratio of {found.term}{step}",
        ratio_text, ("p interaction",), level, unit,
    )  # fmt: skip


def auc_in_subgroups(
    table: pd.DataFrame,
    outcome: str,
    score: str,
    by: Sequence[str],
    *,
    event: str | None = None,
    level: float = 0.95,
    unit: str = "row",
) -> Made:
    """Estimate the AUC of a score in each subgroup, and test whether it is the same in all.

    Parameters
    ----------
    table, outcome, by, event, level, unit
        As for :func:`effect_in_subgroups`.
    score : str
        Column of numbers; more is more likely the event.

    Returns
    -------
    made, lines
        As for :func:`effect_in_subgroups`. The p of equal AUCs is that of the chi-square of
        the subgroups' AUCs around their mean, weighted by DeLong's variances; the p of
        interaction asks, by likelihood ratio, whether the score's log odds ratio is the same.
    """
    found = exposed_rows(table, outcome, score, event)

    def area(keep: Bools) -> Estimate:
        return auc(found.outcome[keep], found.exposure[keep], level=level, unit=unit).replace(
            n_dropped=found.n_dropped + int((~keep).sum())
        )

    def equal(part: Subgroups, labels: NDArray[np.object_]) -> list[Estimate]:
        areas, variances = [], []
        for item in part.levels:
            keep = labels == item
            covariance = delong_covariance(found.outcome[keep], found.exposure[keep])
            areas.append(float(covariance.aucs[0]))
            variances.append(float(covariance.covariance[0, 0]))
        if min(variances) == 0:
            raise DataError(
                "equal AUCs: an AUC of 0 or 1 has no DeLong variance to weigh it by; leave it out"
            )
        weights = 1 / np.array(variances)
        mean = float(weights @ areas / weights.sum())
        statistic = float(weights @ (np.array(areas) - mean) ** 2)
        made = [_heterogeneity(part, statistic, int((labels != "").sum()), unit)]
        return [*made, _interaction(found, part, labels, unit)]

    return in_subgroups(
        table, found, by, area, equal, f"AUC of {score}", interval_text,
        ("p equal AUC", "p interaction"), level, unit,
    )  # fmt: skip


def _interaction(
    found: ExposedRows, part: Subgroups, labels: NDArray[np.object_], unit: str
) -> Estimate:
    """Test the product of exposure and subgroups against a model that has both alone."""
    own = np.column_stack([(labels == level).astype(float) for level in part.levels[1:]])
    both = own * found.exposure[:, np.newaxis]
    terms = [found.term, *(f"{part.name}={level}" for level in part.levels[1:])]
    products = [f"{found.term} x {term}" for term in terms[1:]]
    plain = np.column_stack([found.exposure, own])
    keep = labels != ""
    models = [
        fit_scales(found.design(keep, matrix, named), ("unit",), method="ml", unit=unit)[0]
        for matrix, named in (
            (plain, terms), (np.column_stack([plain, both]), [*terms, *products]),
        )
    ]  # fmt: skip
    test = likelihood_ratio_test(models[0], models[1], unit=unit)
    return test.replace(name=f"interaction_chi2[{part.name}]")


def _heterogeneity(part: Subgroups, statistic: float, n: int, unit: str) -> Estimate:
    from scipy.stats import chi2

    df = len(part.levels) - 1
    return Estimate(
        f"equal_auc_chi2[{part.name}]", statistic,
        method=f"chi-square of independent AUCs by DeLong's variances, {df} df",
        **sample_count(n, None, unit), p_value=float(chi2.sf(statistic, df)),
        extra={"df": float(df)},
    )  # fmt: skip


def _require_variation(design: Design) -> None:
    without = design.n - design.n_events
    if min(design.n_events, without) < 2 or np.ptp(design.matrix) == 0:
        raise DataError(
            f"{design.n_events} with and {without} without the event, "
            f"{np.unique(design.matrix).size} value(s) of {design.terms[0]}; leave it out"
        )
