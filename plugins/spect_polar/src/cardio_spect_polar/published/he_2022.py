"""He et al. 2022, Tables 1 and 2: recomputed by this report's own code, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import cardio_stats as stats
from cardio_spect_polar.published.parts import Added
from cardio_spect_polar.published.tables import OUTCOME, STYLES, table_1, univariable_rows
from cardio_stats import forensics

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
    sample = max(found, key=lambda one: one.n_events)
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
        own = made[made["Variable"].str.startswith(NAMES[check.name])].iloc[0]
        rows.append(
            {"variable": check.name, "published_p": str(check.p), "p": own["p"],
             "test": own["test"], "verdict": VERDICTS[finding.finding.verdict],
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
                _row("univariable, counts of Table 1", check.name, text, _own(from_first[name]),
                     verdict, why),
                _row("univariable, the only sample that fits", check.name, text,
                     _own(from_second[name]), "reproduced", how),
            ]  # fmt: skip
        elif check.check == "ratio_model":
            text = _ratio(check.odds_ratio, check.low, check.high, None)
            rows.append(_row("multivariable", check.name, text, "", verdict, why))
        elif check.check == "p_of_chi2":
            own = stats.chi2_p(check.chi2.value, check.df).p_value
            text = f"chi2 {check.chi2}, {check.df} df, p {check.p}"
            rows.append(_row("likelihood ratio", check.name, text, f"p {own:.5f}", verdict, why))
        elif check.check in ("screening", "binormal_auc", "auc_interval"):
            rows.append(_row("what was compared", check.name, "", "", "remark", why))
    return pd.DataFrame(rows)


def published_parts() -> Added:
    """Return both tables and what they say in a sentence each."""
    added = Added()
    one, two = published_table_1(), published_table_2()
    added.tables["published-table-1"], added.tables["published-table-2"] = one, two
    fails = two[two["verdict"].isin(FAILING)]["variable"].drop_duplicates()
    added.notes.append(
        f"He et al. 2022, Table 1: {len(one) - int(one['verdict'].isin(FAILING).sum())} of "
        f"{len(one)} p-values follow from the printed counts, means and SDs by this report's own "
        "Table 1 (Student's t with SD divided by n, chi-square with Yates' correction)."
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


def _own(row: dict[Any, Any]) -> str:
    return f"{row['odds_ratio']:.2f} ({row['low']:.2f} to {row['high']:.2f}), p {row['p_wald']:.3f}"
