"""A run beside Sahashi et al. 2024, and the paper's own arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any, cast

import numpy as np
import pandas as pd

import cardio_stats as stats
from cardio_stats import Estimate, forensics

PAPER = "Sahashi 2024"
TESTED_PATIENTS, TESTED_STUDIES = 138, 233
"""A tenth of the paper's patients, and of its studies."""

TITLES = {"a4c": "A4C", "a2c": "A2C", "plax": "PLAX", "fused": "global (views fused)",
          "lvef": "LVEF alone", "age_sex": "age and sex"}  # fmt: skip


@cache
def published() -> Any:
    """Return the published numbers, read once and validated."""
    place = resources.files("cardio_echo_cmr.published") / "published.yaml"
    with resources.as_file(place) as path:
        return forensics.read_published(path)


def published_findings() -> pd.DataFrame:
    """Return what the paper's numbers show when they are recomputed.

    Returns
    -------
    DataFrame
        Columns where, name, verdict, finding.
    """
    return pd.DataFrame(
        [
            {"where": check.where, "name": check.name, "verdict": check.finding.verdict,
             "finding": check.statement()}
            for check in forensics.run_checks(published())
        ]
    )  # fmt: skip


def _checks(kind: str) -> Iterator[Any]:
    return (check for paper in published().papers for check in paper.checks if check.check == kind)


def published_aucs() -> pd.DataFrame:
    """Return the published areas with their intervals, and how many independent rows those need.

    Returns
    -------
    DataFrame, indexed by (finding, row)
        Columns auc, low, high, prevalence (of Table 1), effective_n (Hanley and McNeil's formula
        solved for n), n_patients and n_studies tested, half_width, and half_width_of_patients, the
        one that as many independent patients give.
    """
    share = {check.name: float(next(iter(check.shares_pct.values())).value) / 100
             for check in _checks("counted") if check.name in ("wma", "lge")}  # fmt: skip
    rows = []
    for check in _checks("auc_interval"):
        finding, row = check.name.split()
        auc, low, high = check.auc.value, check.interval.low.value, check.interval.high.value
        worth = stats.hanley_mcneil_effective_n(auc, low, high, share[finding])
        patients = stats.hanley_mcneil(auc, check.n_events, check.n_others, unit="patient")
        limits = cast("tuple[float, float]", (patients.low, patients.high))
        rows.append(
            {
                "finding": finding, "row": row, "auc": auc, "low": low, "high": high,
                "prevalence": share[finding], "effective_n": worth.value,
                "n_patients": TESTED_PATIENTS, "n_studies": TESTED_STUDIES,
                "half_width": (high - low) / 2,
                "half_width_of_patients": (limits[1] - limits[0]) / 2,
            }
        )  # fmt: skip
    return pd.DataFrame(rows).set_index(["finding", "row"])


def published_errors() -> pd.DataFrame:
    """Return the published mean absolute errors beside the constant predictor's.

    Returns
    -------
    DataFrame, indexed by finding
        Columns sd, mae, and mae_constant, 0.798 SD of a normal variable.
    """
    rows = [
        {"finding": check.name, "sd": check.sd.value, "mae": check.mae.value,
         "mae_constant": stats.gaussian_constant_mae(check.sd.value).value}
        for check in _checks("constant_mae")
    ]  # fmt: skip
    return pd.DataFrame(rows).set_index("finding")


def further_characteristics(table: pd.DataFrame) -> pd.DataFrame:
    """Return the shares of this cohort beside those of the paper's Table 1.

    Parameters
    ----------
    table : DataFrame
        One row a person; columns of 0, 1 and NA named as in the published numbers (``wma``,
        ``t1_high``, ``female``, ``htn``), of which those that are known are compared.

    Returns
    -------
    DataFrame
        Columns characteristic, k, n, share, low, high (Wilson), paper_k, paper_n, paper_share.
    """
    rows = []
    for check in _checks("counted"):
        if check.name not in table.columns:
            continue
        n_missing = int(table[check.name].isna().sum())
        known = table[check.name].dropna().astype(float)
        if known.empty:
            continue
        found = stats.proportion(int(known.sum()), len(known), unit="patient")
        rows.append(
            {
                "characteristic": check.name, "k": int(known.sum()), "n": len(known),
                "share": found.value, "low": found.low, "high": found.high, "paper_k": check.k,
                "paper_n": check.n, "paper_share": check.k / check.n, "n_missing": n_missing,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def table_2(
    binary: dict[tuple[str, str], dict[str, Estimate]],
    numbers: dict[tuple[str, str], dict[str, Estimate]],
    finding: str,
) -> pd.DataFrame:
    """Return Table 2 of the paper for one finding, ours beside theirs.

    Parameters
    ----------
    binary : dict
        By (target, model), estimates by name: ``auc_patient_bootstrap`` and, where videos were
        scored, ``video:auc_patient_bootstrap``.
    numbers : dict
        By (target, model): ``mae``, ``mae_training_mean``, ``mae_difference``, ``r2``,
        ``pearson_r2``.
    finding : str
        ``wma``, ``lge``, ``t1``, ``t2`` or ``ecv``.

    Returns
    -------
    DataFrame
        Columns row, target, then auc, auc_low, auc_high, n (rows), n_patients, video_auc with its
        limits, paper_auc, paper_low, paper_high, paper_effective_n, and for numbers mae, mae_low,
        mae_high, mae_training_mean, mae_difference with its limits, r2, pearson_r2, paper_mae,
        paper_mae_constant. A number that neither has is left out.
    """
    areas: dict[Any, dict[Any, Any]] = published_aucs().to_dict("index")
    errors = published_errors()
    rows: list[dict[str, Any]] = []
    for (target, model), estimates in binary.items():
        row: dict[str, Any] = {"row": TITLES.get(model, model), "target": target}
        row |= _limits(estimates.get("auc_patient_bootstrap"), "auc")
        if "auc_patient_bootstrap" in estimates:
            auc = estimates["auc_patient_bootstrap"]
            row |= {"n": int(auc.extra["n_rows"]), "n_patients": auc.n_patients}
        row |= _limits(estimates.get("video:auc_patient_bootstrap"), "video_auc")
        # Of a view the paper printed the area of the view's own label.
        printed = finding if model == "fused" else f"{finding}_{model}"
        if target == printed and (finding, model) in areas:
            paper = areas[(finding, model)]
            row |= {f"paper_{name}": paper[name] for name in ("auc", "low", "high", "effective_n")}
        rows.append(row)
    for (target, model), estimates in numbers.items():
        name = model.removesuffix("_value")
        row = {"row": TITLES.get(name, name), "target": target}
        row |= _limits(estimates.get("mae"), "mae") | _limits(
            estimates.get("mae_difference"), "mae_difference"
        )
        row |= {short: estimates[short].value for short in ("mae_training_mean", "r2", "pearson_r2")
                if short in estimates}  # fmt: skip
        rows.append(row)
    if numbers and finding in errors.index:
        rows.append(
            {"row": f"{PAPER}, which does not say of which views", "target": "",
             "paper_mae": errors.loc[finding, "mae"],
             "paper_mae_constant": errors.loc[finding, "mae_constant"]}
        )  # fmt: skip
    made = pd.DataFrame(rows).dropna(axis=1, how="all")
    counts = [name for name in ("n", "n_patients") if name in made.columns]
    return made.astype(dict.fromkeys(counts, "Int64"))


def _limits(found: Estimate | None, name: str) -> dict[str, float]:
    if found is None:
        return {}
    low, high = (np.nan if limit is None else limit for limit in (found.low, found.high))
    return {name: found.value, f"{name}_low": low, f"{name}_high": high}
