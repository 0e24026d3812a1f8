"""Results of `risk_factor`: networks and regressions by map and factor, and the audit."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

import cardio_stats as stats
from cardio_core.api import DataError, Scored, Target, Task, canvas
from cardio_spect_polar.audit import OUTCOME, area
from cardio_spect_polar.drawing.charts import gap_forest, roc_by_map
from cardio_spect_polar.drawing.words import worded
from cardio_spect_polar.flow.models import MAPS, RISK_FACTORS
from cardio_stats import Estimate


def tested_patients(predictions: Scored, target: Target, model: str) -> pd.DataFrame:
    """Return columns y (1, 0), score, predicted (1, 0) and subject_id, indexed by patient.

    Out-of-fold probabilities are averaged over repeats, so that a patient counts once; decided
    classes by majority, a tie counting as the negative class.
    """
    frame = predictions.frames[target.name]
    rows = frame[(frame["model"] == model) & frame["y_true"].notna()]
    positive = target.classes[1]
    plain = pd.DataFrame(
        {
            "patient_id": rows["patient_id"].astype(str),
            "subject_id": rows["subject_id"].astype(str),
            "y": (rows["y_true"] == positive).astype(int),
            "score": rows[f"score:{positive}"].astype(float),
            "predicted": (rows["predicted"] == positive).astype(float),
        }
    )
    once = plain.groupby("patient_id", sort=True).agg(
        {"subject_id": "first", "y": "first", "score": "mean", "predicted": "mean"}
    )
    return once.assign(predicted=(once["predicted"] > 0.5).astype(int))


def clusters_of(tested: pd.DataFrame) -> np.ndarray | None:
    """Return the person of each patient where one person has several ids, else None."""
    subjects = tested["subject_id"]
    return subjects.to_numpy() if subjects.duplicated().any() else None


def network_versus_logistic(predictions: Scored, task: Task, level: float) -> pd.DataFrame:
    """Return one line a factor and map: both AUCs on the same patients, and their difference.

    The network is compared with the regression on the same map by the paired test of DeLong; a
    model that was not run leaves its cells empty. Beside each number stands what one who says the
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


def more_metrics(tested: pd.DataFrame, level: float) -> tuple[list[Estimate], list[str]]:
    """Return PR-AUC, accuracy of the majority and calibration of one model, with what failed."""
    clusters, unit = clusters_of(tested), "patient"
    about: dict[str, Any] = {"patient": clusters, "level": level}
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
            line |= _model_cells(found[kind], kind, level)
    line |= {"AUC resnet - logistic": "", "p (DeLong)": ""}
    if len(found) == 2:
        both = found["resnet"].join(found["logistic"][["score"]], rsuffix="_l", how="inner")
        try:
            made = stats.delong_paired(
                both["y"], both["score"], both["score_l"], patient=clusters_of(both), level=level
            )
        except DataError:
            return line
        line["AUC resnet - logistic"] = _with_limits(made)
        line["p (DeLong)"] = "" if made.p_value is None else f"{made.p_value:.3f}"
    return line


def _model_cells(table: pd.DataFrame, kind: str, level: float) -> dict[str, str]:
    """Return one model's cells; a holdout with one patient of a class has no AUC with limits."""
    about: dict[str, Any] = {"patient": clusters_of(table), "level": level}
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


MOST_FLAGS = 6
COLUMNS = {"scanner_id": "scanner", "site_id": "site", "race_ethnicity": "race or ethnicity"}


def audit_lines(tests: pd.DataFrame, level: float, titles: Mapping[str, str]) -> list[str]:
    """Return the rule, and a sentence for each of the surest flags.

    Parameters
    ----------
    tests : DataFrame
        As `flag_groups` returns them.
    level : float
        At which a group is flagged.
    titles : mapping of str to str
        Of the models, by name.
    """
    if not len(tests):
        return ["The audit tests nothing: no group has enough patients with and without a factor."]
    lines = [
        f"The audit asks {len(tests)} questions of this run, each of a group against all other "
        "patients: do patients with the same probability have the factor as often (wrong labels "
        "show here), and, of scanners and sites, do patients alike in the factor get the same "
        "probability (a scanner that reads too high shows here). A group is flagged where p, "
        f"corrected for all {len(tests)} (max-T, groups permuted among patients), is below "
        f"{level:g}: where no group matters, one run in {1 / level:.0f} flags anything.",
        "Gaps of sensitivity and false-positive rate between groups of people are shown with "
        "their intervals and not flagged: they follow wherever maps differ by right, as flow at "
        "rest does between the sexes.",
    ]
    flagged = tests[tests["flagged"].astype(bool)]
    if not len(flagged):
        return [*lines, "No group is flagged, which does not show that all are treated alike."]
    lines += [_flag(row, titles) for row in flagged.head(MOST_FLAGS).to_dict("records")]
    if len(flagged) > MOST_FLAGS:
        lines.append(f"{len(flagged) - MOST_FLAGS} further flags stand in the table of flags.")
    return lines


def _flag(row: Mapping[Hashable, Any], titles: Mapping[str, str]) -> str:
    factor, column = str(row["factor"]), str(row["column"])
    model = titles.get(str(row["model"]), str(row["model"]))
    where = (
        f"Flagged: {worded(factor)} by “{model}”, {COLUMNS.get(column, worded(column))} "
        f"{row['group']} ({row['n']} patients)"
    )
    p = "corrected p " + (f"{row['p_adjusted']:.3f}" if row["p_adjusted"] >= 0.001 else "< 0.001")
    effect = float(row["effect"])
    if row["question"] == OUTCOME:
        return (
            f"{where}: at the same probability the recorded factor differs from the others' "
            f"({effect:+.0%} of the group; AUC {row['auc_of_group']:.2f}, others "
            f"{row['auc_of_others']:.2f}; {p}). Look at how it was recorded there."
        )
    return (
        f"{where}: patients alike in the factor get probabilities that are "
        f"{abs(effect):.1f} SD {'higher' if effect > 0 else 'lower'} than the others' ({p}). Look "
        "at the scanner, its software and who is sent there."
    )


MOST_GAPS = 20
_METRICS = {
    "auc": "AUC", "tpr": "Sensitivity", "fpr": "False-positive rate",
    "observed_minus_predicted": "Observed − predicted",
}  # fmt: skip


def figures_of(
    predictions: Scored, task: Task, gaps: pd.DataFrame, tests: pd.DataFrame
) -> dict[str, canvas.Draw]:
    """Return one ROC figure a factor, and one of the gaps of the groups that differ most surely."""
    made: dict[str, canvas.Draw] = {}
    for target in task.targets:
        curves: dict[str, dict[str, tuple[pd.Series[int], pd.Series[float], str]]] = {}
        for name in MAPS:
            for kind in ("resnet", "logistic"):
                tested = tested_patients(predictions, target, f"{kind}_{name}")
                if tested["y"].nunique() == 2:
                    y, score = tested["y"], tested["score"]
                    curves.setdefault(name, {})[kind] = (y, score, f"{area(y, score):.2f}")
        if curves:
            made[f"network-versus-logistic-{target.name}"] = canvas.described(
                roc_by_map(curves),
                f"Network against regression, map by map: {worded(target.outcome)}",
                "A panel a map, with the AUC of the network and of the regression on the same "
                "map; the dashed diagonal is chance.",
            )
    if len(gaps) and len(tests):
        first = _surest(gaps, tests).head(MOST_GAPS)
        rows = [
            {
                "label": f"{_METRICS.get(str(row.metric), worded(str(row.metric)))} for "
                f"{worded(str(row.factor))}, {task.model(str(row.model)).title}: "
                f"{worded(str(row.column))} {row.group} − {row.reference}",
                "gap": row.gap, "low": row.low, "high": row.high, "flagged": row.flagged,
            }
            for row in first.itertuples()
        ]  # fmt: skip
        made["audit-gaps"] = canvas.described(
            gap_forest(rows),
            "Differences between groups",
            f"{len(rows)} gaps, of the groups that differ most surely; intervals are not adjusted "
            "for their number. In colour where the audit flags the group after correction for "
            "all tests of the run. At 0 the groups are treated alike.",
        )
    return made


def _surest(gaps: pd.DataFrame, tests: pd.DataFrame) -> pd.DataFrame:
    """Return gaps with ``flagged``, those of the group with the smallest adjusted p first.

    Of two groups that make up everybody one is tested, and it may be the gaps' reference.
    """
    best: dict[tuple[str, ...], float] = {}
    flags = set()
    for test in tests.itertuples():
        key = (str(test.factor), str(test.model), str(test.column), str(test.group))
        best[key] = min(best.get(key, 1.0), float(test.p_adjusted))  # type: ignore[arg-type]
        flags |= {key} if test.flagged else set()
    keys = []
    for row in gaps.itertuples():
        place = (str(row.factor), str(row.model), str(row.column))
        groups = [(*place, str(group)) for group in (row.group, row.reference)]
        keys.append(next((key for key in groups if key in best), groups[0]))
    known = gaps.assign(
        p_adjusted=[best.get(key, 1.0) for key in keys], flagged=[key in flags for key in keys]
    )
    return known.sort_values("p_adjusted", kind="stable")
