"""He et al. 2022: Tables 1 and 2 for any patients, and as printed, recomputed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import cardio_stats as stats
from cardio_core.api import DataError, Metric, canvas
from cardio_stats import forensics


@dataclass
class Added:
    """What one part of the evaluation adds.

    Attributes
    ----------
    tables : dict of str to DataFrame
    figures : dict of str to callable
        ``draw(figure)``.
    notes : list of str
    metrics : list of Metric
    """

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    figures: dict[str, canvas.Draw] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    metrics: list[Metric] = field(default_factory=list)


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
    wald = not unit.extra["penalised"]
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
    for first, second in combinations(names, 2):
        try:
            r = stats.correlation(known[first], known[second]).value
        except DataError:
            continue
        if abs(r) > R_LIMIT:
            rows.append({"variable": first, "other": second, "measure": "r", "value": r,
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


Floats = NDArray[np.float64]

NAMES = {
    "ACE inhibitor or ARB": "acei_arb", "ACEI": "acei_arb", "CAD": "cad", "CKD": "ckd",
    "male sex": "male", "male": "male", "ischaemia": "ischemic_aetiology", "smoking": "smoking",
    "smoker": "smoking", "NYHA class": "nyha_bl", "age": "age_y", "QRS duration": "qrs_ms",
    "end-diastolic volume": "lvedv_bl_ml", "end-systolic volume": "lvesv_bl_ml",
    "LVEF": "lvef_bl_pct", "scar": "scar_pct", "phase bandwidth": "pbw_deg",
    "phase standard deviation": "psd_deg",
}  # fmt: skip
"""Column of each published variable."""
LOWEST_NYHA = 2
VERDICTS = {
    "agrees": "reproduced", "note": "reproduced, with a reservation",
    "not reproduced": "not reproduced", "unlikely": "unlikely", "impossible": "impossible",
}  # fmt: skip


FAILING = ("not reproduced", "unlikely", "impossible")


@cache
def published_findings() -> tuple[Any, ...]:
    """Return (check, finding) of every published number, in the order of the paper."""
    place = resources.files("cardio_spect_polar.published") / "published.yaml"
    with resources.as_file(place) as path:
        numbers = forensics.read_published(path)
    checks = [check for paper in numbers.papers for check in paper.checks]
    return tuple(zip(checks, forensics.run_checks(numbers), strict=True))


def table_1_patients() -> pd.DataFrame:
    """Return 102 patients with the published counts, means and population SDs of Table 1.

    Returns
    -------
    DataFrame
        ``response`` (45 with, 57 without) and one column a variable. Variables are independent of
        each other; only what Table 1 prints is true of these patients.
    """
    columns: dict[str, Floats] = {}
    for check, _ in published_findings():
        if check.where != "Table 1" or check.name not in NAMES:
            continue
        if check.check == "p_of_counts":
            columns[NAMES[check.name]] = _from_counts(check.counts)
        elif check.check == "p_of_means":
            columns[NAMES[check.name]] = np.concatenate(
                [_from_moments(g.mean.value, g.sd.value, g.n) for g in check.groups]
            )
    return pd.DataFrame({OUTCOME: np.repeat([1, 0], [45, 57]), **columns})


def _from_counts(counts: Sequence[Sequence[int]]) -> Floats:
    """Spread counts over patients, responders first: with and without, or by NYHA class."""
    codes = [1, 0] if len(counts[0]) == 2 else [LOWEST_NYHA + i for i in range(len(counts[0]))]
    return np.concatenate([np.repeat(codes, row) for row in counts]).astype(np.float64)


def _from_moments(mean: float, population_sd: float, n: int) -> Floats:
    """Return n numbers with exactly this mean and, divided by n, this SD."""
    spread = np.linspace(-1.0, 1.0, n)
    return np.asarray(mean + population_sd * spread / spread.std(), np.float64)


def table_2_patients() -> tuple[pd.DataFrame, str]:
    """Return the one sample in which Table 2's univariable odds ratios can arise, and its words.

    Returns
    -------
    DataFrame
        ``response`` and a column a binary predictor, of the sample with more events than
        non-events; its mirror image gives the same odds ratios.
    str
        How it was found.
    """
    check, finding = next(pair for pair in published_findings() if pair[0].check ==
                          "odds_ratio_search")  # fmt: skip
    printed = {name: row.as_printed() for name, row in check.rows.items()}
    found = forensics.search_2x2(printed, (check.n_low, check.n_high))
    sample = max(found, key=lambda candidate: candidate.n_events)
    columns = {}
    for name, pairs in sample.tables.items():
        with_event, without = pairs[0]
        rest = (sample.n_events - with_event, sample.n - sample.n_events - without)
        columns[NAMES[name]] = _from_counts([[with_event, rest[0]], [without, rest[1]]])
    outcome = np.repeat([1, 0], [sample.n_events, sample.n - sample.n_events])
    return pd.DataFrame({OUTCOME: outcome, **columns}), finding.statement()


def published_table_1() -> pd.DataFrame:
    """Return Table 1's p-values as printed and as this report's Table 1 gives them.

    Returns
    -------
    DataFrame
        Columns variable, published_p, p, test, verdict, why.
    """
    made = table_1(table_1_patients(), STYLES["paper"])
    rows = []
    for check, finding in published_findings():
        if check.check not in ("p_of_counts", "p_of_means") or check.name not in NAMES:
            continue
        row = made[made["Variable"].str.startswith(NAMES[check.name])].iloc[0]
        rows.append(
            {"variable": check.name, "published_p": str(check.p), "p": row["p"],
             "test": row["test"], "verdict": VERDICTS[finding.finding.verdict],
             "why": finding.statement()}
        )  # fmt: skip
    return pd.DataFrame(rows)


def published_table_2() -> pd.DataFrame:
    """Return Table 2 as printed and as this report's code gives it.

    Returns
    -------
    DataFrame
        Columns block, variable, published, recomputed, verdict, why. The univariable block stands
        twice: from the counts of Table 1, and from the only sample that gives what is printed.
    """
    first, (second, how) = table_1_patients(), table_2_patients()
    names = [str(name) for name in second.columns if name != OUTCOME]
    from_first = _by_name(first, names)
    from_second = _by_name(second, names)
    rows = []
    for check, finding in published_findings():
        verdict, why = VERDICTS[finding.finding.verdict], finding.statement()
        if check.check == "odds_ratio_of_counts":
            name, row = NAMES[check.name], check.published
            text = _ratio(row.odds_ratio, row.low, row.high, row.p)
            rows += [
                _row("univariable, counts of Table 1", check.name, text, _printed(from_first[name]),
                     verdict, why),
                _row("univariable, the only sample that fits", check.name, text,
                     _printed(from_second[name]), "reproduced", how),
            ]  # fmt: skip
        elif check.check == "ratio_model":
            text = _ratio(check.odds_ratio, check.low, check.high, None)
            rows.append(_row("multivariable", check.name, text, "", verdict, why))
        elif check.check == "p_of_chi2":
            computed = stats.chi2_p(check.chi2.value, check.df).p_value
            text = f"chi2 {check.chi2}, {check.df} df, p {check.p}"
            rows.append(
                _row("likelihood ratio", check.name, text, f"p {computed:.5f}", verdict, why)
            )
        elif check.check in ("screening", "binormal_auc", "auc_interval"):
            rows.append(_row("what was compared", check.name, "", "", "remark", why))
    return pd.DataFrame(rows)


def published_parts() -> Added:
    """Return both tables and what they say in a sentence each."""
    added = Added()
    table1, table2 = published_table_1(), published_table_2()
    added.tables["published-table-1"], added.tables["published-table-2"] = table1, table2
    fails = table2[table2["verdict"].isin(FAILING)]["variable"].drop_duplicates()
    n_follow = int((~table1["verdict"].isin(FAILING)).sum())
    added.notes.append(
        f"He et al. 2022, Table 1: {n_follow} of {len(table1)} p-values follow from the printed "
        "counts, means and SDs by this report's own Table 1 (Student's t with SD divided by n, "
        "chi-square with Yates' correction)."
    )
    added.notes.append(
        "He et al. 2022, Table 2: these do not follow from the paper's own numbers: "
        f"{', '.join(fails)}. Our reading: the univariable odds ratios belong to another outcome "
        "than Table 1, and the multivariable ones are exponentials of risk differences."
    )
    return added


def _row(
    block: str, variable: str, published: str, recomputed: str, verdict: str, why: str
) -> dict[str, str]:
    return {"block": block, "variable": variable, "published": published,
            "recomputed": recomputed, "verdict": verdict, "why": why}  # fmt: skip


def _ratio(ratio: object, low: object, high: object, p: object) -> str:
    return f"{ratio} ({low} to {high})" + (f", p {p}" if p is not None else "")


def _by_name(table: pd.DataFrame, names: Sequence[str]) -> dict[str, dict[Any, Any]]:
    rows, _ = univariable_rows(table, names, STYLES["paper"])
    return {str(row["variable"]): row for row in rows.to_dict("records")}


def _printed(row: dict[Any, Any]) -> str:
    return f"{row['odds_ratio']:.2f} ({row['low']:.2f} to {row['high']:.2f}), p {row['p_wald']:.3f}"
