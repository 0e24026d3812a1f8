"""Whether an effect, or the AUC of a score, is the same in every subgroup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.errors import DataError
from cardio_core.stats.discrimination.delong import delong_covariance
from cardio_core.stats.discrimination.roc import auc
from cardio_core.stats.foundation.design import Design
from cardio_core.stats.foundation.display import interval_text, ratio_text
from cardio_core.stats.foundation.validate import Bools, unit_count
from cardio_core.stats.regression.logistic import fit_scales
from cardio_core.stats.regression.nested_models import likelihood_ratio_test
from cardio_core.stats.regression.subgroup_lines import (
    ExposedRows,
    Made,
    Subgroups,
    exposed_rows,
    in_subgroups,
)
from cardio_core.types.estimate import Estimate


def effect_in_subgroups(
    table: pd.DataFrame,
    target: str,
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
    target : str
    exposure : str
        Numbers, or two categories, of which the first is compared with.
    by : sequence of str
        As for :func:`subgroups_of`.
    event : str, optional
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
    found = exposed_rows(table, target, exposure, event)
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
    target: str,
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
    table, target, by, event, level, unit
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
    found = exposed_rows(table, target, score, event)

    def area(keep: Bools) -> Estimate:
        return auc(found.outcome[keep], found.exposure[keep], level=level, unit=unit).replace(
            n_dropped=found.n_dropped + int((~keep).sum())
        )

    def equal(part: Subgroups, labels: NDArray[np.object_]) -> list[Estimate]:
        areas, variances = [], []
        for one in part.levels:
            keep = labels == one
            covariance = delong_covariance(found.outcome[keep], found.exposure[keep])
            areas.append(float(covariance.aucs[0]))
            variances.append(float(covariance.covariance[0, 0]))
        if min(variances) == 0:
            raise DataError(
                "equal AUCs: an AUC of 0 or 1 has no variance of DeLong's to weigh it by"
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
    own = np.column_stack([(labels == one).astype(float) for one in part.levels[1:]])
    both = own * found.exposure[:, np.newaxis]
    terms = [found.term, *(f"{part.name}={one}" for one in part.levels[1:])]
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
        **unit_count(n, None, unit), p_value=float(chi2.sf(statistic, df)), extra={"df": float(df)},
    )  # fmt: skip


def _require_variation(design: Design) -> None:
    without = design.n - design.n_events
    if min(design.n_events, without) < 2 or np.ptp(design.matrix) == 0:
        raise DataError(
            f"{design.n_events} with and {without} without the event, "
            f"{np.unique(design.matrix).size} value(s) of {design.terms[0]}"
        )
