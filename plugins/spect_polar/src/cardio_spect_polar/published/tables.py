"""Tables 1 and 2 of the paper, for any patients: baseline, associations, increments."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

import cardio_stats as stats
from cardio_core.api import DataError

OUTCOME = "response"
"""Column of who responded: 1 or 0."""
VIF_LIMIT, R_LIMIT = 5.0, 0.8

MEASURED = (
    "age_y", "male", "smoking", "nyha_bl", "ischemic_aetiology", "cad", "htn", "dm", "ckd",
    "acei_arb", "betablocker", "spironolactone", "digoxin", "diuretic", "qrs_ms", "lbbb",
    "lvef_bl_pct", "lvesv_bl_ml", "lvedv_bl_ml", "scar_pct", "psd_deg", "pbw_deg", "entropy",
    "delay_deg", "latest_viable_deg", "circular_sd_deg", "psd_corrected_deg", "lvedv_spect_ml",
    "lvesv_spect_ml", "lvef_spect_pct", "reliable_psd_deg", "reliable_pbw_deg", "unreliable_pct",
)  # fmt: skip
"""What Table 1 describes, in its order, where it is known."""


@dataclass(frozen=True)
class Style:
    """How a protocol tests.

    Attributes
    ----------
    title : str
    continuous : {"student", "welch"}
    yates : bool
    ddof : {0, 1}
        Divisor n - ddof of the printed SD.
    penalised : bool
        Firth's method instead of maximum likelihood.
    """

    title: str
    continuous: Any
    yates: bool
    ddof: Any
    penalised: bool


STYLES = {
    # Recomputed from the published numbers: Student's t, SD divided by n, Yates' correction.
    "paper": Style("as published", "student", True, 0, False),
    "honest": Style("honest", "welch", False, 1, True),
}


def table_1(table: pd.DataFrame, style: Style) -> pd.DataFrame:
    """Describe patients by response.

    Parameters
    ----------
    table : DataFrame
        Column ``response`` of 0 and 1, and measurements.
    style : Style

    Raises
    ------
    DataError
        If a group is too small, or nothing can be described.
    """
    names = [name for name in MEASURED if name in table and table[name].notna().any()]
    choices = stats.TableOneChoices(
        continuous_test=style.continuous, categorical_test="chi2", yates=style.yates,
        ddof=style.ddof, categorical=tuple(name for name in ("nyha_bl",) if name in names),
    )  # fmt: skip
    described: pd.DataFrame = stats.table_one(table, OUTCOME, names, choices=choices).to_frame()
    return described


def univariable_rows(
    table: pd.DataFrame, names: Sequence[str], style: Style
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Regress the outcome on one column at a time.

    Returns
    -------
    DataFrame
        Columns variable, n, events, odds ratio per unit and per SD with limits, p of Wald and of
        the likelihood ratio, q (Benjamini and Hochberg over all columns), method, note.
    dict of str to float
        The likelihood-ratio p of every column that could be fitted.
    """
    rows, p_values = [], {}
    for name in names:
        try:
            found = _both_scales(table, name, style)
        except DataError as error:
            rows.append({"variable": name, "note": str(error)})
            continue
        rows.append(found)
        p_values[name] = float(found["p_likelihood_ratio"])
    made = pd.DataFrame(rows)
    if p_values:
        q = dict(zip(p_values, stats.benjamini_hochberg(list(p_values.values())), strict=True))
        made["q"] = made["variable"].map(q)
    return made, p_values


def _both_scales(table: pd.DataFrame, name: str, style: Style) -> dict[str, Any]:
    found = stats.univariable(table, OUTCOME, [name], method="firth" if style.penalised else "auto")
    unit, sd = found.estimates[:2]
    wald = not style.penalised and "Firth" not in unit.method
    limits = (unit.extra["wald_low"], unit.extra["wald_high"]) if wald else (unit.low, unit.high)
    return {
        "variable": name, "n": unit.n, "events": int(unit.extra["n_events"]),
        "odds_ratio": unit.value, "low": limits[0], "high": limits[1],
        "odds_ratio_per_sd": sd.value, "per_sd_low": sd.low, "per_sd_high": sd.high,
        "p_wald": unit.extra["p_wald"] if wald else np.nan,
        "p_likelihood_ratio": unit.extra["p_likelihood_ratio"],
        "method": unit.method, "note": unit.note,
    }  # fmt: skip


def multivariable_rows(table: pd.DataFrame, names: Sequence[str], style: Style) -> pd.DataFrame:
    """Regress the outcome on all columns together, logistically and linearly.

    Returns
    -------
    DataFrame
        Odds ratios with limits and p, variance inflation, and beside them the risk difference per
        unit of a linear probability model, whose exponential the paper prints as an odds ratio.

    Raises
    ------
    DataError
        If there are more columns than the patients carry.
    """
    model = stats.fit_logistic(
        table, OUTCOME, list(names), method="firth" if style.penalised else "auto"
    )
    inflation = {e.name: e.value for e in stats.vif(table, list(names))}
    differences = {e.name: e for e in stats.risk_difference(table, OUTCOME, list(names))}
    rows = []
    for term, ratio in zip(model.terms, model.odds_ratios, strict=True):
        difference = differences[f"risk_difference[{term}]"]
        rows.append(
            {"variable": term, "odds_ratio": ratio.value, "low": ratio.low, "high": ratio.high,
             "p_likelihood_ratio": ratio.p_value, "vif": inflation[f"vif[{term}]"],
             "risk_difference": difference.value, "rd_low": difference.low,
             "rd_high": difference.high, "rd_p": difference.p_value, "method": model.method,
             "n": model.n, "events": model.n_events}
        )  # fmt: skip
    return pd.DataFrame(rows)


def collinear_rows(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return variance inflation of each column, and every pair that is nearly the same.

    Returns
    -------
    DataFrame
        Columns variable, other (empty for inflation), measure, value, too_high (VIF above 5 or
        |r| above .8).
    """
    known = table[list(names)].dropna()
    rows: list[dict[str, Any]] = []
    with suppress(DataError):
        rows += [
            {"variable": name, "other": "", "measure": "VIF", "value": estimate.value,
             "too_high": estimate.value > VIF_LIMIT}
            for name, estimate in zip(names, stats.vif(known, list(names)), strict=True)
        ]  # fmt: skip
    for one, other in combinations(names, 2):
        try:
            r = stats.correlation(known[one], known[other]).value
        except DataError:
            continue
        if abs(r) > R_LIMIT:
            rows.append({"variable": one, "other": other, "measure": "r", "value": r,
                         "too_high": True})  # fmt: skip
    return pd.DataFrame(rows, columns=["variable", "other", "measure", "value", "too_high"])


def without_collinear(
    table: pd.DataFrame, names: Sequence[str], p_values: dict[str, float]
) -> list[str]:
    """Drop, of columns that tell each other, those with the larger p, until none is left.

    Parameters
    ----------
    table : DataFrame
    names : sequence of str
    p_values : mapping of name to p
        Univariable.
    """
    kept = sorted(names, key=lambda name: p_values.get(name, 1.0))
    clear: list[str] = []
    for name in kept:
        tried = [*clear, name]
        known = table[tried].dropna()
        if len(known) <= len(tried) + 2:
            break
        rows = collinear_rows(known, tried)
        if len(tried) > 1 and (rows.empty or bool(rows["too_high"].any())):
            continue
        clear = tried
    return [name for name in names if name in clear]


def incremental_rows(
    table: pd.DataFrame, steps: Sequence[tuple[str, Sequence[str]]], style: Style
) -> pd.DataFrame:
    """Fit a sequence of nested models and test each against the one before.

    Parameters
    ----------
    table : DataFrame
    steps : sequence of (title, columns)
        Columns are those that the step adds; all models use the patients in whom every column is
        known.
    style : Style

    Returns
    -------
    DataFrame
        Columns model, adds, chi2 (against the intercept), added_chi2, df, p, auc, low, high, n.
    """
    everything = list(dict.fromkeys(name for _, added in steps for name in added))
    known = table[[OUTCOME, *everything]].dropna()
    rows: list[dict[str, Any]] = []
    columns: list[str] = []
    before = None
    for title, added in steps:
        columns = list(dict.fromkeys([*columns, *added]))
        model = stats.fit_logistic(known, OUTCOME, columns, method="ml")
        area = stats.auc(known[OUTCOME], model.fitted, unit="patient")
        row = {"model": title, "adds": ", ".join(added),
               "chi2": 2 * (model.log_likelihood - model.null_log_likelihood)}  # fmt: skip
        if before is not None:
            gain = stats.likelihood_ratio_test(before, model, unit="patient")
            row |= {"added_chi2": gain.value, "df": gain.extra["df"], "p": gain.p_value}
        rows.append(row | {"auc": area.value, "low": area.low, "high": area.high, "n": model.n})
        before = model
    return pd.DataFrame(rows)
