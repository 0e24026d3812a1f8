"""Why folds are stratified by every finding: unlike shares pull what cannot be told below one half.

Slow, half a minute: ``python -m pytest -m slow -s plugins/echo_cmr/tests/test_echo_strata.py``.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold

from cardio_echo_cmr.findings.config import LoadBlock
from cardio_echo_cmr.findings.labels import strata_of
from cardio_echo_cmr.synthetic.findings import draw_findings

N_PATIENTS, N_COHORTS = 150, 200


def _cohort(rng: np.random.Generator) -> pd.DataFrame:
    """Draw the cohort table's findings, and two measurements that have nothing to do with them."""
    rows = []
    for _ in range(N_PATIENTS):
        found = draw_findings(rng)
        segments = {
            f"{name}_seg_{n:02d}": float(n in positive)
            for name, positive in (("wma", found.wma), ("lge", found.lge))
            for n in range(1, 18)
        }
        rows.append(segments | found.tissue)
    table = pd.DataFrame(rows, index=[f"s{n:03d}" for n in range(N_PATIENTS)], dtype=float)
    return table.assign(x1=rng.normal(size=N_PATIENTS), x2=rng.normal(size=N_PATIENTS))


def _pooled_area(table: pd.DataFrame, strata: pd.Series[str], seed: int) -> float:
    """Return the area of raised ECV by a regression on the two, pooled over two folds."""
    known = table["ecv_pct"].notna().to_numpy()
    raised = (table["ecv_pct"] >= 33.0).to_numpy()
    x, p = table[["x1", "x2"]].to_numpy(), np.full(len(table), np.nan)
    folds = StratifiedGroupKFold(2, shuffle=True, random_state=seed)
    for train, test in folds.split(x, strata, np.arange(len(table))):
        fitted = train[known[train]]
        p[test] = LogisticRegression().fit(x[fitted], raised[fitted]).predict_proba(x[test])[:, 1]
    return float(roc_auc_score(raised[known], p[known]))


@pytest.mark.slow
def test_folds_of_equal_shares_leave_what_cannot_be_told_nearer_to_one_half():
    areas = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # strata of fewer than two patients
        for seed in range(N_COHORTS):
            table = _cohort(np.random.default_rng([77, seed]))
            every = strata_of(table, LoadBlock())
            segmental = strata_of(table.drop(columns=["t1_ms", "t2_ms", "ecv_pct"]), LoadBlock())
            areas.append([_pooled_area(table, strata, seed) for strata in (every, segmental)])
    mean, error = np.mean(areas, axis=0), np.std(areas, axis=0) / np.sqrt(N_COHORTS)
    print(f"mean AUC {mean.round(4)}, standard error {error.round(4)}")  # noqa: T201
    assert mean[1] < 0.5 - 4 * error[1]
    assert abs(mean[0] - 0.5) < abs(mean[1] - 0.5) / 1.5
