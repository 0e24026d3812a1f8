"""Networks beside regressions, by map and risk factor, and beside what was published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cardio_core.api import DataError, Estimate, stats
from cardio_spect_polar.flow.tasks import MAPS, RISK_FACTORS
from cardio_spect_polar.flow.tested import clusters_of, tested_patients

if TYPE_CHECKING:
    from cardio_core.api import Scored, Task

N_PUBLISHED = 93


@dataclass(frozen=True)
class Published:
    """An AUC of Yeung et al. 2022 on 93 test patients, with its printed limits where there are."""

    trait: str
    network: float
    limits: tuple[float, float] | None = None
    logistic: float | None = None


PUBLISHED = (
    Published("impaired", 0.94, (0.87, 0.98)),
    Published("sex", 0.81, (0.73, 0.88), 0.85),
    Published("smoking", 0.71, (0.58, 0.85)),
    Published("diabetes", 0.65, None, 0.61),
)
"""Best map of each trait, as quoted by Hagio and Murthy 2022 and in the abstract."""


def network_versus_logistic(predictions: Scored, task: Task, level: float) -> pd.DataFrame:
    """Return one line a factor and map: both AUCs on the same patients, and their difference.

    The network is compared with the regression on the same map by the paired test of DeLong; a
    row that was not run leaves its cells empty. Beside each number stands what one who says the
    more common answer for everybody reaches.
    """
    rows = []
    for trait in RISK_FACTORS:
        target = task.target(trait)
        for name in MAPS:
            found = {
                kind: tested_patients(predictions, target, f"{kind}_{name}")
                for kind in ("resnet", "logistic")
            }
            there = {kind: table for kind, table in found.items() if len(table)}
            if there:
                rows.append({"factor": trait, "map": name} | _line(there, level))
    return pd.DataFrame(rows)


def published_table() -> pd.DataFrame:
    """Return the published AUCs with the interval that 93 patients imply.

    Group sizes were not printed; Hanley and McNeil's interval is for groups of 46 and 47, the
    narrowest possible.

    Examples
    --------
    >>> table = published_table().set_index("factor")
    >>> table.loc["sex", ["network", "limits implied by n = 93"]].tolist()
    ['0.81 (0.73 to 0.88)', '0.721 to 0.899']
    """
    rows = []
    for one in PUBLISHED:
        implied = stats.hanley_mcneil(one.network, N_PUBLISHED // 2, N_PUBLISHED - N_PUBLISHED // 2)
        limits = "" if one.limits is None else f" ({one.limits[0]:.2f} to {one.limits[1]:.2f})"
        rows.append(
            {
                "factor": one.trait,
                "network": f"{one.network:.2f}{limits}",
                "logistic": "" if one.logistic is None else f"{one.logistic:.2f}",
                "limits implied by n = 93": f"{implied.low:.3f} to {implied.high:.3f}",
                "what to know": _remark(one),
            }
        )
    return pd.DataFrame(rows)


def more_metrics(tested: pd.DataFrame, level: float) -> tuple[list[Estimate], list[str]]:
    """Return PR-AUC, accuracy of the majority and calibration of one row, with what failed."""
    clusters, unit = clusters_of(tested), "patient"
    about: dict[str, Any] = {"clusters": clusters, "level": level}
    if clusters is None:
        about["unit"] = unit
    y, score = tested["y"], tested["score"].clip(1e-6, 1 - 1e-6)
    base = float(y.mean())
    found = [
        Estimate(
            "accuracy_of_majority", max(base, 1 - base), n=len(tested), unit=unit,
            method="the more common answer for everybody",
        )
    ]  # fmt: skip
    notes = []
    for make in (stats.pr_auc, stats.calibration_slope, stats.calibration_in_the_large):
        try:
            found.append(make(y, score, **about))
        except DataError as error:
            notes.append(str(error))
    return found, notes


def _line(found: dict[str, pd.DataFrame], level: float) -> dict[str, object]:
    any_of = next(iter(found.values()))
    base = float(any_of["y"].mean())
    line: dict[str, object] = {
        "n": len(any_of),
        "base rate": f"{base:.3f}",
        "majority accuracy": f"{max(base, 1 - base):.3f}",
    }
    for kind in ("resnet", "logistic"):
        line |= {f"AUC {kind}": "", f"accuracy {kind}": "", f"PR-AUC {kind}": ""}
        if kind in found:
            line |= _of_one(found[kind], kind, level)
    line |= {"AUC resnet - logistic": "", "p (DeLong)": ""}
    if len(found) == 2:
        both = found["resnet"].join(found["logistic"][["score"]], rsuffix="_l", how="inner")
        try:
            made = stats.delong_paired(
                both["y"], both["score"], both["score_l"], clusters=clusters_of(both), level=level
            )
        except DataError:
            return line
        line["AUC resnet - logistic"] = _with_limits(made)
        line["p (DeLong)"] = "" if made.p_value is None else f"{made.p_value:.3f}"
    return line


def _of_one(table: pd.DataFrame, kind: str, level: float) -> dict[str, str]:
    """Return one row's cells; a holdout with one patient of a class has no AUC with limits."""
    about: dict[str, Any] = {"clusters": clusters_of(table), "level": level}
    cells = {f"accuracy {kind}": f"{float(np.mean(table['y'] == table['predicted'])):.3f}"}
    try:
        cells[f"AUC {kind}"] = _with_limits(stats.auc(table["y"], table["score"], **about))
        average = stats.pr_auc(table["y"], table["score"], **about)
    except DataError:
        return cells
    return cells | {f"PR-AUC {kind}": f"{average.value:.3f}"}


def _with_limits(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def _remark(one: Published) -> str:
    if one.trait == "impaired":
        return (
            "circular: computed from the map that the network sees; a reserve has no unit, and "
            "the abstract's 2.0 ml/g/min is an error"
        )
    if one.logistic is not None and one.logistic > one.network:
        return "the regression is better than the network"
    if one.trait == "smoking":
        return "an accuracy of 86 % was printed without the prevalence: it cannot be judged"
    return ""
