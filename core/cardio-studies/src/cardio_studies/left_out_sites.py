"""Each site once the test: what a model of the other sites is worth there, and how sites differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from cardio_core.api import Scored, Target
from cardio_core.evaluation import pooled
from cardio_core.runs import Reopened, SplitPlan
from cardio_stats import Estimate, RandomEffects, auc, random_effects
from cardio_stats.cells import cell_text
from cardio_stats.errors import DataError
from cardio_studies.ingest_columns import truth_and_score
from cardio_studies.refits import Measure, measure_of, over_refits, values_of

WHAT = "sites"
COLUMN = "site_id"


@dataclass(frozen=True)
class BySite:
    """One target, each site tested by models of the others.

    Attributes
    ----------
    sites : DataFrame
        One row a model and site: model, site, patients, events, value, low, high, se, and inside:
        the same patients as the run's own folds predicted them, from models that knew their site.
    left_out : dict of str to str
        Why a site has no value, by its name; its patients still train the models of others.
    whole : dict of str to RandomEffects
        By model, on the scale of `scale`.
    """

    target: Target
    measure: Measure
    primary: str
    sites: pd.DataFrame
    left_out: dict[str, str]
    whole: dict[str, RandomEffects]

    def scale(self, value: float) -> float:
        """Return a summary's value as the metric itself."""
        return float(expit(value)) if self.measure.name == "auc" else value


def leave_site_out(again: Reopened, *, column: str = COLUMN) -> list[BySite]:
    """Test each site by models of the others; return a result a target.

    Raises
    ------
    DataError
        If the cohort table has no such column, it is empty for somebody, or there is one site.
    """
    sited = with_sites(again, column)
    sited.say_cost(1)
    block = sited.block.model_copy(update={"plan": "sites", "otherwise": None})
    refit = sited.refit(
        "each" if column == COLUMN else f"each-{column}", block=block, needs=f"{WHAT}-{column}",
        sets=("protocols.honest.plan=sites", "protocols.honest.otherwise=null"),
    )  # fmt: skip
    plan, lost = _with_both_classes(sited, refit.plan)
    refit = replace(refit, plan=plan)
    if not plan.folds:
        raise DataError(
            f"--leave-site-out: no site can be tested: {_joined(lost)}; leave the option out"
        )
    again.fit(WHAT, [refit])
    names, homes = _names(plan, sited.table), _homes(sited.table)
    return [
        _summed(again, target, again.predicted(WHAT, refit, target), names, homes, lost)
        for target in again.targets
    ]


def with_sites(again: Reopened, column: str) -> Reopened:
    """Return the run with `column` of the cohort table as the site of each sample.

    Raises
    ------
    DataError
        If there is no such column, somebody has no site, or there is one site; if an earlier task
        shares the folds and does not know the sites.
    """
    if again.shares_folds and (column != COLUMN or COLUMN not in again.table.columns):
        raise DataError(
            f"--leave-site-out: expected recordings with a {COLUMN}, by which the earlier task on "
            f"the same patients can be split, too, found {'none' if column == COLUMN else column}; "
            "leave the earlier task out (--set needs.TASK.skip=true in the run), or the sites"
        )
    found = _named(again, column)
    sites = _homes(found.table)
    if sites.isna().any():
        raise DataError(
            f"--leave-site-out: expected a site ({column}) for every patient, found none for "
            f"{int(sites.isna().sum())} of {len(sites)}; fill in the cohort table, or name another "
            "column with --site COLUMN"
        )
    if len(set(sites)) < 2:
        raise DataError(
            f"--leave-site-out: expected two sites or more in {column}, found {len(set(sites))}"
        )
    return found


def _named(again: Reopened, column: str) -> Reopened:
    if column == COLUMN and COLUMN in again.table.columns:
        return again
    known = again.cohort_table
    if known is None or column not in known.columns:
        columns = [] if known is None else [str(name) for name in known.columns]
        raise DataError(
            f"--leave-site-out: expected a column {column} in the cohort table, found "
            f"{', '.join(columns) or 'no table'}; add it, or name another with --site COLUMN"
        )
    words = pd.Series([cell_text(name) for name in known[column]], index=known.index.astype(str))
    by_study = words.groupby(level=0).first()
    sites = again.table["study_id"].astype(str).map(by_study)
    return again.with_column(COLUMN, sites.to_numpy(object))


def _homes(table: pd.DataFrame) -> pd.Series:
    """Return the site of each person, the first of them where there are several."""
    found: pd.Series = table.groupby("subject_id")[COLUMN].first()
    return found


def _with_both_classes(again: Reopened, plan: SplitPlan) -> tuple[SplitPlan, dict[str, str]]:
    """Leave out the folds whose other sites hold one class; return why, by site."""
    target = again.task.targets[0]
    if target.kind == "continuous":
        return plan, {}
    truth = pd.Series(again.truth.targets.of(again.table, target.name))
    names = _names(plan, again.table)
    lost = {
        names[fold.name]: "the other sites hold one class, from which nothing can be learned"
        for fold in plan.folds
        if len(set(truth.iloc[fold.train].dropna())) < 2
    }
    folds = tuple(fold for fold in plan.folds if names[fold.name] not in lost)
    return replace(plan, folds=folds), lost


def _joined(left_out: dict[str, str]) -> str:
    return "; ".join(f"{site}: {reason}" for site, reason in left_out.items())


def _names(plan: SplitPlan, table: pd.DataFrame) -> dict[str, str]:
    """Return the site that each fold tests, by the fold's name."""
    home = _homes(table)
    subjects = table["subject_id"]
    return {
        fold.name: str(home[subjects.iloc[fold.test[0]]]) for fold in plan.folds if fold.test.size
    }


def _summed(
    again: Reopened,
    target: Target,
    frame: pd.DataFrame,
    names: dict[str, str],
    homes: pd.Series,
    lost: dict[str, str],
) -> BySite:
    measure = measure_of(target)
    level = again.evaluate.level
    rows: list[dict[str, object]] = []
    left_out: dict[str, str] = dict(lost)
    models = [m for m in again.models if m in set(frame["model"])]
    inside = _inside_values(again, target, names.values(), homes)
    for fold, site in names.items():
        here = frame[frame["fold"] == fold]
        for model in models:
            own = here[here["model"] == model]
            try:
                found = _at(own, target, model, level, again.seed)
            except DataError as error:
                left_out.setdefault(site, _why(own, target, error))
                continue
            rows.append(
                {"model": model, "site": site, **found, "inside": inside.get((model, site))}
            )
    columns = ["model", "site", "patients", "events", "value", "low", "high", "se", "inside"]
    sites = pd.DataFrame(rows, columns=columns)
    if sites["site"].nunique() < 2:
        raise DataError(
            f"--leave-site-out: expected two sites or more that can be tested, found "
            f"{sites['site'].nunique()} ({_joined(left_out)})"
        )
    whole = {}
    for key, part in sites.groupby("model", sort=False):
        if len(part) >= 3:
            whole[str(key)] = _whole(part, measure, level)
    primary = again.task.primary if again.task.primary in models else models[0]
    return BySite(target, measure, primary, sites, left_out, whole)


def _inside_values(
    again: Reopened, target: Target, sites: Iterable[str], homes: pd.Series
) -> dict[tuple[str, str], float]:
    """Return what the run's own folds reached at each site, by model and site."""
    frame = again.observed.frames[target.name]
    at = frame["subject_id"].map(homes).astype(str)
    return {
        (model, site): value
        for site in sites
        for model, value in values_of(frame[at == site], target).items()
    }


def _at(
    rows: pd.DataFrame, target: Target, model: str, level: float, seed: int
) -> dict[str, float | int | None]:
    """Return the metric of one model at one site, with its interval and error."""
    known = pooled(rows, target, model)
    known = known[known["y_true"].notna()]
    patients = int(known["subject_id"].nunique())
    events: int | None = None
    if target.kind == "binary":
        known = known[known["unit_id"].notna()]
        truth, score = truth_and_score(known, target)
        events = int(truth.sum())
        found: Estimate = auc(truth, score, patient=Scored.clusters_of(known), level=level)
        se = _area_error(found, events, len(truth) - events)
    else:
        own, _ = over_refits([rows], target, level=level, seed=seed)
        found = own[model]
        se = float(found.extra["se"])
    return {
        "patients": patients, "events": events, "value": found.value, "low": found.low,
        "high": found.high, "se": se,
    }  # fmt: skip


def _area_error(found: Estimate, n_events: int, n_others: int) -> float:
    """Return DeLong's error; of an area of 0 or 1, that of Hanley and McNeil half a pair inside."""
    se = float(found.extra.get("se", 0.0))
    if se > 0 and 0 < found.value < 1:
        return se
    area = _inside(found.value, n_events * n_others)
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (
        area * (1 - area) + (n_events - 1) * (q1 - area**2) + (n_others - 1) * (q2 - area**2)
    ) / (n_events * n_others)
    return float(np.sqrt(variance))


def _inside(area: float, n_pairs: float) -> float:
    return float((area * n_pairs + 0.5) / (n_pairs + 1))


def _whole(own: pd.DataFrame, measure: Measure, level: float) -> RandomEffects:
    """Sum up the sites: areas on the logit scale, other metrics as they are."""
    value, se = own["value"].to_numpy(float), own["se"].to_numpy(float)
    if measure.name == "auc":
        pairs = (own["events"] * (own["patients"] - own["events"]).clip(lower=1)).to_numpy(float)
        at_end = (value <= 0) | (value >= 1)
        value = np.where(at_end, (value * pairs + 0.5) / (pairs + 1), value)
        return random_effects(logit(value), se / (value * (1 - value)), level=level)
    return random_effects(value, np.maximum(se, 1e-9), level=level)


def _why(rows: pd.DataFrame, target: Target, error: DataError) -> str:
    """Say why a site has no value."""
    known = rows["y_true"].dropna()
    if target.kind != "continuous" and known.nunique() < 2:
        only = f", all of class {known.iloc[0]}" if len(known) else ""
        return f"{rows['subject_id'].nunique()} patients{only}; its patients train the others"
    return str(error)


def site_table(result: BySite, titles: dict[str, str]) -> pd.DataFrame:
    """Return one row a model and site."""
    table = result.sites.assign(
        model=result.sites["model"].map(titles),
        target=result.target.name,
        metric=result.measure.title,
    ).rename(columns={"inside": "in this run's folds"})
    first = ["target", "model", "site", "patients", "events", "metric"]
    return table[[*first, "value", "low", "high", "in this run's folds"]]


def whole_table(result: BySite, titles: dict[str, str]) -> pd.DataFrame:
    """Return one row a model: the summary over sites, on the metric's own scale."""
    return pd.DataFrame(
        [
            {
                "target": result.target.name, "model": titles[model],
                "metric": result.measure.title, "sites": found.k,
                "mean over sites": result.scale(found.mean),
                "low": result.scale(found.low), "high": result.scale(found.high),
                "a new site, low": result.scale(found.predicted_low),
                "a new site, high": result.scale(found.predicted_high),
                "I2": found.i2, "tau2": found.tau2, "Q": found.q, "p of Q": found.p_value,
            }
            for model, found in result.whole.items()
        ]
    )  # fmt: skip
