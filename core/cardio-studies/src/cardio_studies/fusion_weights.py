"""Weights by fold and for good: every score of a fusion is of a patient who fitted no weight of it.

The weights that test a fold are fitted on the out-of-fold scores of all other patients (stacking).
Those scores come from models of the members that were trained on tested patients, too, so the
tested outcomes touch the weights by that way. In pure noise (100 patients, 5 folds) weights of
either sign make a mean AUC of 0.55 of it on the members' own folds; weights that cannot be
negative, on folds that cut across those, leave 0.49 (docs/fuse.md). The unweighted mean of the log
odds stands beside the fusion: it has nothing that anything could touch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from cardio_core.api import CohortTable, EvaluateBlock, Metric, Note, Scope, Target, Task
from cardio_core.evaluation import (
    Decision,
    FusionRule,
    by_patient,
    check_covariates,
    choose,
    fit_clinical,
    fit_rule,
    fuse,
    noting,
    pooled,
    score_clinical,
    score_columns,
    side_by_side,
)
from cardio_core.runs import FinalModels
from cardio_stats import (
    Estimate,
    auc,
    bootstrap_sums,
    delong_covariance,
    max_z_adjusted,
    net_benefit,
    reclassification_index,
)
from cardio_stats.errors import ConfigError, DataError
from cardio_stats.words import listed
from cardio_studies.comparison import likelihood_added, net_benefit_gained
from cardio_studies.fusion_members import (
    BOTH,
    CLINICAL,
    FUSION,
    GUIDELINE,
    MEAN,
    Folds,
    Joined,
    one_a_patient,
)
from cardio_studies.ingest_columns import label_of, patient_frame, truth_and_score

# What a fusion is held against: a model of clinical variables, and what a guideline says.

_YES, _NO = frozenset({"yes", "y", "true", "1", "1.0", "positive"}), frozenset(
    {"no", "n", "false", "0", "0.0", "negative"}
)  # fmt: skip


@dataclass(frozen=True)
class Clinical:
    """Clinical variables and the guideline, by patient.

    Attributes
    ----------
    values : DataFrame
        One row a patient, a column a covariate; empty columns where none is asked for.
    guideline : Series or None
        1 where the guideline says yes, 0 where no, NaN where it says nothing.
    column : str
        Of the guideline.
    notes : tuple of str
    """

    values: pd.DataFrame
    guideline: pd.Series | None = None
    column: str = ""
    notes: tuple[str, ...] = ()

    @property
    def covariates(self) -> list[str]:
        """The names of the covariates."""
        return [str(name) for name in self.values.columns]

    def of(self, patients: pd.Index) -> pd.DataFrame:
        """Return the covariates of some patients, NA of those whom the table lacks."""
        return self.values.reindex(patients)


def read_clinical(
    path: Path, covariates: Sequence[str], guideline: str | None, patients: pd.Index, target: Target
) -> Clinical:
    """Read the clinical variables of some patients.

    Parameters
    ----------
    path : Path
        A cohort table; of several studies of a patient the first at baseline that knows counts.
    covariates : sequence of str
    guideline : str or None
        A column of yes and no, 1 and 0, or true and false.
    patients : Index of str
        Of the fusion; at least ten of them must be in the table.
    target : Target

    Raises
    ------
    ConfigError
        No such table or column, or a column that is no covariate.
    DataError
        Fewer than ten of the patients, or a guideline of other values.
    """
    if not path.exists():
        raise ConfigError(f"--clinical {path}: no such table; name a file")
    found = CohortTable.find(path)
    if found is None:
        raise ConfigError(f"--clinical {path}: expected a table with a column patient_id")
    rows = found.rows.assign(patient_id=found.rows["patient_id"].map(label_of))
    task = Task("fused", "", "patient", (target,), ())
    check_covariates(covariates, rows, found.name, outcome=target.name, task=task)
    if guideline is not None and guideline not in rows.columns:
        columns = ", ".join(map(str, rows.columns))
        raise ConfigError(
            f"--guideline {guideline}: {found.name} has no such column; it has {columns}"
        )
    known = by_patient(rows, [*covariates, *([guideline] if guideline else [])])
    here = patients.intersection(known.index)
    if len(here) < min(10, len(patients)):
        raise DataError(
            f"--clinical {found.name}: {len(here)} of the {len(patients)} patients are in it; do "
            "they carry the same ids?"
        )
    notes = []
    if len(here) < len(patients):
        notes.append(
            f"{len(patients) - len(here)} of {len(patients)} patients are not in {found.name}; "
            "they have no clinical model and no guideline."
        )
    decisions = None
    if guideline is not None:
        decisions = _yes_or_no(known[guideline], guideline, found.name).reindex(patients)
    return Clinical(known[list(covariates)], decisions, guideline or "", tuple(notes))


def _yes_or_no(values: pd.Series, name: str, where: str) -> pd.Series:
    texts = values.map(lambda cell: label_of(cell).strip().lower(), na_action="ignore")
    strange = sorted(set(texts.dropna()) - _YES - _NO)
    if strange:
        raise DataError(
            f"--guideline {name}: expected yes and no, or 1 and 0, in {where}, found "
            f"{strange[0]!r}; say in a column whom the guideline would treat"
        )
    return texts.map(lambda text: float(text in _YES), na_action="ignore").astype(float)


def score_new(
    run: Path, paths: Sequence[Path], covariates: Sequence[str], target: Target
) -> pd.Series:
    """Return what the final clinical model of a fusion says of the patients of some tables.

    Raises
    ------
    ConfigError
        What is no cohort table.
    """
    found = []
    for path in paths:
        table = CohortTable.find(path) if path.exists() else None
        if table is None:
            raise ConfigError(f"{path}: expected a table with a column patient_id, found none")
        found.append(table.rows)
    rows = pd.concat(found)
    values = by_patient(rows.assign(patient_id=rows["patient_id"].map(label_of)), covariates)
    artifact = FinalModels(run).artifact(CLINICAL)
    return score_clinical(artifact, values.reindex(columns=list(covariates)), target).dropna()


OTHERS = "chosen on the other folds"
EVERYBODY = "chosen on out-of-fold scores"
Frames = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Fitted:
    """A fusion, cross-validated and fitted for good.

    Attributes
    ----------
    frame : DataFrame
        Out-of-fold rows of every model, as `Scored.frames` has them.
    weights : DataFrame
        One row a fold and fused model, with its weights.
    rules : mapping of str to FusionRule
        The final weights of each fused model.
    decisions : mapping of str to Decision
        The final thresholds.
    notes : tuple of str
    """

    frame: pd.DataFrame
    weights: pd.DataFrame
    rules: Mapping[str, FusionRule]
    decisions: Mapping[str, Decision]
    notes: tuple[str, ...]


def fit(
    joined: Joined,
    folds: Folds,
    clinical: Clinical | None,
    out: Path,
    *,
    non_negative: bool = True,
) -> Fitted:
    """Cross-validate the fusion of some members, and fit it on everybody.

    Parameters
    ----------
    joined : Joined
    folds : Folds
    clinical : Clinical or None
        With covariates, their model is fitted in the same folds, and fused with the members, too.
    out : Path
        The folder of the fusion: ``models/`` is filled.
    non_negative : bool
        Weights of either sign, where it is not, are there to measure what they do without signal.

    Raises
    ------
    DataError
        A fold whose other patients cannot settle the weights.
    """
    target = joined.target
    members = {member.label: _member_frame(member.rows, joined, folds) for member in joined.members}
    fusions: dict[str, Frames] = {FUSION: members}
    scores = dict(members)
    if clinical is not None and clinical.covariates:
        own = _clinical_frame(joined, folds, clinical, out)
        scores[CLINICAL] = own
        fusions[BOTH] = members | {CLINICAL: own}
    notes: list[str] = []
    weights: list[pd.DataFrame] = []
    rules: dict[str, FusionRule] = {}
    decisions: dict[str, Decision] = {}
    fused: dict[str, pd.DataFrame] = {}
    for name, parts in fusions.items():
        fused[name] = _cross_validated(
            name, parts, folds, target, weights, notes, non_negative=non_negative
        )
        rules[name] = _for_good(parts, target, non_negative=non_negative)
    everyone = {**fused, MEAN: _mean_frame(members, folds, target), **scores}
    for name in everyone.keys() - members.keys():
        decisions[name] = _final_decision(everyone[name], target)
    if clinical is not None and clinical.guideline is not None:
        everyone[GUIDELINE] = _guideline_frame(clinical.guideline, joined, folds)
    order = [
        name for name in (FUSION, BOTH, MEAN, *members, CLINICAL, GUIDELINE) if name in everyone
    ]
    frame = pd.concat([everyone[name].assign(model=name) for name in order], ignore_index=True)
    return Fitted(
        frame, pd.concat(weights, ignore_index=True), rules, decisions,
        tuple(dict.fromkeys(notes)),
    )  # fmt: skip


def _cross_validated(
    name: str,
    parts: Frames,
    folds: Folds,
    target: Target,
    weights: list[pd.DataFrame],
    notes: list[str],
    *,
    non_negative: bool,
) -> pd.DataFrame:
    found = []
    for repeat, fold in folds.names:
        here = {label: rows[rows["repeat"] == repeat] for label, rows in parts.items()}
        fitted_on = {label: rows[rows["fold"] != fold] for label, rows in here.items()}
        tested = {label: rows[rows["fold"] == fold] for label, rows in here.items()}
        truth = pd.concat(tested.values()).drop_duplicates("unit_id").set_index("unit_id")["y_true"]
        blind = {label: rows.assign(y_true=None) for label, rows in tested.items()}
        try:
            made = fuse(fitted_on, blind, target, name=name, non_negative=non_negative)
        except DataError as error:
            raise DataError(f"{name}, {fold}: {error}") from error
        both = side_by_side(fitted_on, target, ("y_true",))
        own = made.rule.apply(both, target, name)
        decision = replace(choose(target, own, own["y_true"].to_numpy()), source=OTHERS)
        frame = made.frame.assign(predicted=decision.apply(made.frame, target))
        found.append(frame.assign(y_true=frame["unit_id"].map(truth)))
        notes += [f"{name}, {fold}: {note}" for note in made.notes]
        about = {"model": [name], "fold": [fold], "target": [target.name]}
        weights.append(pd.concat([pd.DataFrame(about), made.weights], axis=1))
    return pd.concat(found, ignore_index=True)


def _final_decision(frame: pd.DataFrame, target: Target) -> Decision:
    """Choose the threshold for new patients on out-of-fold scores, the mean of the repeats."""
    by_patient = frame.groupby("unit_id", sort=False)
    scores, truth = by_patient[score_columns(target)].mean(), by_patient["y_true"].first()
    return replace(choose(target, scores, truth.to_numpy()), source=EVERYBODY)


def _for_good(parts: Frames, target: Target, *, non_negative: bool) -> FusionRule:
    """Fit the final weights on all out-of-fold scores: of several repeats, their mean."""
    repeats = sorted({int(number) for rows in parts.values() for number in rows["repeat"].unique()})
    rules = []
    for repeat in repeats:
        here = {label: rows[rows["repeat"] == repeat] for label, rows in parts.items()}
        table = side_by_side(here, target, ("y_true",))
        rules.append(fit_rule(table, target, "all patients", non_negative=non_negative))
    mean = np.mean([rule.weights for rule in rules], axis=0)
    return replace(
        rules[0],
        intercept=float(np.mean([rule.intercept for rule in rules])),
        weights=tuple(map(float, mean)),
        method="firth" if any(rule.method == "firth" for rule in rules) else "ml",
    )


def _member_frame(rows: pd.DataFrame, joined: Joined, folds: Folds) -> pd.DataFrame:
    """Return a member's scores in the repeats and folds of the fusion.

    A repeat of the fusion takes one repeat of the member, never their mean: the final model that
    answers for new patients is one model, too.
    """
    own = sorted(rows["repeat"].unique())
    parts = []
    for repeat in folds.of.columns:
        here = rows[rows["repeat"] == own[int(repeat) % len(own)]].set_index("patient_id")
        parts.append(_frame(here["score"], here["decided"], int(repeat), joined, folds))
    return pd.concat(parts, ignore_index=True)


def _mean_frame(members: Frames, folds: Folds, target: Target) -> pd.DataFrame:
    """Return the mean log odds of the members that each patient has, thresholds chosen per fold."""
    rows = pd.concat(members.values(), ignore_index=True)
    score = f"score:{target.classes[1]}"
    made = one_a_patient(rows.rename(columns={score: "score"}), ["repeat", "unit_id"])
    frame = made.rename(columns={"score": score}).drop(columns="n_units")
    frame[f"score:{target.classes[0]}"] = 1 - frame[score]
    return _decided_by_others(frame[rows.columns], folds, target)


def _decided_by_others(frame: pd.DataFrame, folds: Folds, target: Target) -> pd.DataFrame:
    """Return out-of-fold rows decided by the threshold that the other folds choose."""
    for repeat, fold in folds.names:
        here = frame["repeat"] == repeat
        others, own = here & (frame["fold"] != fold), here & (frame["fold"] == fold)
        decision = choose(target, frame[others], frame.loc[others, "y_true"].to_numpy())
        frame.loc[own, "predicted"] = decision.apply(frame[own], target)
    return frame


def _clinical_frame(joined: Joined, folds: Folds, clinical: Clinical, out: Path) -> pd.DataFrame:
    """Cross-validate the clinical model in the folds of the fusion, and fit the final one."""
    y, target = joined.patients["y"], joined.target
    values = clinical.of(y.index)
    parts = []
    for repeat, fold in folds.names:
        test = folds.of[repeat] == fold
        folder = out / "models" / f"honest-{fold}" / CLINICAL
        made = fit_clinical(values[~test], y[~test], target, folder, fold)
        found = score_clinical(made, values[test], target).dropna()
        parts.append(_frame(found, found * 0, repeat, joined, folds))
    fit_clinical(values, y, target, out / "models" / "final" / CLINICAL, "final")
    return _decided_by_others(pd.concat(parts, ignore_index=True), folds, target)


def _guideline_frame(says: pd.Series, joined: Joined, folds: Folds) -> pd.DataFrame:
    known = says.dropna()
    parts = [_frame(known, known, int(repeat), joined, folds) for repeat in folds.of.columns]
    return pd.concat(parts, ignore_index=True)


def _frame(
    score: pd.Series, decided: pd.Series, repeat: int, joined: Joined, folds: Folds
) -> pd.DataFrame:
    """Return scores of one repeat, by patient, as a prediction frame."""
    words = np.asarray(joined.target.classes, dtype=object)
    who = score.index
    about = joined.patients.loc[who]
    return patient_frame(
        who, score, joined.target, subject_id=about["subject_id"].astype(str).to_numpy(),
        repeat=repeat, fold=folds.of.loc[who, repeat].to_numpy(),
        y_true=words[about["y"].to_numpy(int)], predicted=words[decided.to_numpy(int)],
    )  # fmt: skip


# What a fusion adds: to the clinical model, to the guideline, and to each member alone.
#
# Everything is of out-of-fold scores on the patients whom both models scored; nothing is of
# patients whom a weight was fitted on.

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5)
"""Probabilities from which one would act, at which net benefit is tabulated."""
CLIP = 1e-6


@dataclass
class Added:
    """Metrics with `versus`, tables, and notes on what was not computed."""

    metrics: list[Metric] = field(default_factory=list)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)


def added_value(
    frame: pd.DataFrame, target: Target, titles: Mapping[str, str], config: EvaluateBlock, seed: int
) -> Added:
    """Say what fusing adds to each other model.

    Parameters
    ----------
    frame : DataFrame
        Out-of-fold rows of every model.
    target : Target
    titles : mapping of str to str
        Of the models.
    config : EvaluateBlock
    seed : int

    Returns
    -------
    Added
        Likelihood ratio of adding the fused score to the other, differences of the mean log score
        and of the Brier score, NRI and IDI with their warning; tables ``incremental`` and
        ``net-benefit``.
    """
    found = Added()
    tables = _by_model(frame, target)
    lines = []
    for base in tables:
        if base in (FUSION, BOTH, MEAN):
            continue
        with_base = BOTH if base == CLINICAL else FUSION
        made = _pair(found, tables, base, with_base, target, config, seed)
        lines.append(_line(titles[base], titles[with_base], made))
    found.tables["incremental"] = pd.DataFrame(lines)
    found.tables["net-benefit"] = _net_benefit(found, tables, titles, target, config, seed)
    return found


def _by_model(frame: pd.DataFrame, target: Target) -> dict[str, pd.DataFrame]:
    """Return each model's pooled rows by unit."""
    names = map(str, frame["model"].unique())
    return {name: pooled(frame, target, name).set_index("unit_id") for name in names}


def _on_the_same(
    tables: Mapping[str, pd.DataFrame], names: Sequence[str], target: Target
) -> tuple[pd.Index, np.ndarray, dict[str, np.ndarray]]:
    """Return the units that all of some models scored, their truth, and each model's scores."""
    both = reduce(pd.Index.intersection, (tables[name].index for name in names))
    rows = {name: tables[name].loc[both] for name in names}
    truth, _ = truth_and_score(rows[names[0]], target)
    return both, truth, {name: truth_and_score(own, target)[1] for name, own in rows.items()}


def _pair(
    found: Added,
    tables: Mapping[str, pd.DataFrame],
    base: str,
    fused: str,
    target: Target,
    config: EvaluateBlock,
    seed: int,
) -> dict[str, Estimate]:
    """Compare a fused model with another on the patients of both (and of the bare fusion)."""
    _, truth, p = _on_the_same(tables, (base, fused, FUSION), target)
    about = f"What {fused} adds to {base}:"
    made: dict[str, Estimate] = {}
    with noting(found.notes, f"{about} no likelihood ratio;"):
        made["likelihood_ratio_added"] = _likelihood(truth, p[base], p[FUSION])
    if base != GUIDELINE:  # a yes or no is no probability
        with noting(found.notes, f"{about} no difference of scores;"):
            for estimate in _differences(truth, p[base], p[fused], config, seed):
                made[estimate.name] = estimate
        with noting(found.notes, f"{about} no reclassification;"):
            indices = reclassification_index(
                truth, p[base], p[fused], level=config.level, unit="patient"
            )
            made |= {name: indices[name] for name in ("nri", "idi")}
    place = Scope(task="fused", target=target.name, model=fused, versus=base)
    found.metrics += [Metric(item, place) for item in made.values()]
    return made


def _likelihood(truth: np.ndarray, base: np.ndarray, fused: np.ndarray) -> Estimate:
    """Return the likelihood-ratio test of the fused log odds beside the other model's."""
    made = likelihood_added(truth, base, fused)
    return made.replace(
        method=f"{made.method}, on out-of-fold scores as log odds",
        note="Both scores are out of fold; the two coefficients that join them are not.",
    )


def _differences(
    truth: np.ndarray, base: np.ndarray, fused: np.ndarray, config: EvaluateBlock, seed: int
) -> list[Estimate]:
    """Return how much better the fused probabilities tell the outcome, patient by patient."""
    rows = [np.ones(len(truth))]
    for scores, sign in ((fused, 1.0), (base, -1.0)):
        sure = np.clip(scores, CLIP, 1 - CLIP)
        rows += [
            sign * np.where(truth == 1, np.log(sure), np.log(1 - sure)),
            sign * (scores - truth) ** 2,
        ]
    parts = np.column_stack([rows[0], rows[1] + rows[3], rows[2] + rows[4]])
    made = bootstrap_sums(
        parts,
        lambda sums: np.stack([sums[..., 1] / sums[..., 0], sums[..., 2] / sums[..., 0]], axis=-1),
        ["log_score_difference", "brier_difference"],
        n_resamples=config.n_resamples, seed=seed, level=config.level, unit="patient",
    )  # fmt: skip
    return [estimate.replace(method=f"{estimate.method}, paired, out of fold") for estimate in made]


def _line(base: str, fused: str, made: Mapping[str, Estimate]) -> dict[str, object]:
    line: dict[str, object] = {"model": fused, "beyond": base}
    ratio = made.get("likelihood_ratio_added")
    if ratio is not None:
        line |= {"n_patients": ratio.n, "n_events": int(ratio.extra["n_events"]),
                 "likelihood_ratio_added": ratio.value, "p": ratio.p_value}  # fmt: skip
    for name in ("log_score_difference", "brier_difference"):
        if name in made:
            estimate = made[name]
            line |= {
                name: estimate.value,
                f"{name}_low": estimate.low,
                f"{name}_high": estimate.high,
            }
    return line


def _net_benefit(
    found: Added,
    tables: Mapping[str, pd.DataFrame],
    titles: Mapping[str, str],
    target: Target,
    config: EvaluateBlock,
    seed: int,
) -> pd.DataFrame:
    """Tabulate net benefit of the fusion less that of each other model, on the patients of both."""
    lines = []
    for base in tables:
        if base in (FUSION, BOTH):
            continue
        both, truth, p = _on_the_same(tables, (base, FUSION), target)
        for threshold in THRESHOLDS:
            with noting(found.notes, f"Net benefit against {base} at {threshold:g}:"):
                made = net_benefit_gained(truth, p[FUSION], p[base], threshold, config, seed)
                own = {
                    n: net_benefit(truth, values, threshold, unit="patient").value
                    for n, values in p.items()
                }
                lines.append(
                    {"threshold": threshold, "against": titles[base], "n_patients": len(both),
                     "net_benefit_fusion": own[FUSION], "net_benefit_other": own[base],
                     "difference": round(made.value, 9), "low": _digits(made.low),
                     "high": _digits(made.high)}
                )  # fmt: skip
    return pd.DataFrame(lines)


def _digits(limit: float | None) -> float | None:
    """Return a limit without what is lost in rounding: a difference of nothing is 0."""
    return None if limit is None else round(limit, 9)


def adjusted_pairs(
    frame: pd.DataFrame, target: Target, *, seed: int
) -> dict[tuple[str, str], float]:
    """Return p of every paired difference of two areas, adjusted for all pairs (max-T).

    A pair is of the patients whom both models scored, so pairs are of different patients. What each
    person adds to each difference (DeLong's placements) tells how the differences go together.
    """
    tables = _by_model(frame, target)
    pairs: list[tuple[str, str]] = []
    values: list[float] = []
    influence: list[pd.Series] = []
    for first, other in combinations(tables, 2):
        both, truth, p = _on_the_same(tables, (first, other), target)
        try:
            made = delong_covariance(truth, p[first], p[other])
        except DataError:
            continue
        people = tables[first].loc[both, "subject_id"].to_numpy()
        own = pd.Series(made.influence[0] - made.influence[1], people).groupby(level=0).sum()
        if float((own**2).sum()) > 1e-15:
            pairs.append((first, other))
            values.append(float(made.aucs[0] - made.aucs[1]))
            influence.append(own)
    if len(pairs) < 2:
        return {}
    wide = pd.concat(influence, axis=1).fillna(0.0).to_numpy()
    adjusted = max_z_adjusted(values, wide.T @ wide, seed=seed)
    return {pair: float(p) for pair, p in zip(pairs, adjusted, strict=True)}


# Who lacks which modality, and how the fusion does among those who lack none, or some.

MOST = 5
"""Patterns that are shown as subgroups; of more, those with all modalities and the others."""


def patterns(joined: Joined) -> pd.Series:
    """Return which modalities each patient has, in words.

    Examples
    --------
    ``"ECG and echo"``, ``"ECG only"``.
    """
    return joined.has.apply(lambda row: _words([str(n) for n, has in row.items() if has]), axis=1)


def _words(labels: list[str]) -> str:
    return f"{labels[0]} only" if len(labels) == 1 else listed(labels)


def groups(joined: Joined) -> pd.DataFrame:
    """Return the patterns as groups of patients, one row a patient."""
    found = patterns(joined)
    if found.nunique() > MOST:
        complete = joined.has.all(axis=1)
        found = complete.map({True: "all of them", False: "some of them"})
    return found.rename("modalities").to_frame()


def who_has_what(joined: Joined) -> pd.DataFrame:
    """Return a row a member: who has it, who lacks it, and how often either has the event."""
    y, rows = joined.patients["y"], []
    for member in joined.members:
        has = joined.has[member.label]
        rows.append(
            {
                "member": member.title,
                "n_patients": int(has.sum()),
                "with the event": int(y[has].sum()),
                "lack it": int((~has).sum()),
                "of them with the event": int(y[~has].sum()),
            }
        )
    return pd.DataFrame(rows)


def by_pattern(joined: Joined, frame: pd.DataFrame, config: EvaluateBlock) -> pd.DataFrame:
    """Return a row a pattern: patients, events, and the area of the fusion where there is one."""
    target = joined.target
    rows = pooled(frame, target, FUSION).set_index("unit_id")
    positive = (rows["y_true"] == target.classes[1]).astype(int)
    found = []
    own = patterns(joined)
    for name, who in own.groupby(own).groups.items():
        line: dict[str, object] = {
            "modalities": name, "n_patients": len(who), "with the event": int(positive[who].sum()),
        }  # fmt: skip
        people = rows.loc[who, "subject_id"]
        try:
            area = auc(
                positive[who].to_numpy(), rows.loc[who, f"score:{target.classes[1]}"].to_numpy(),
                patient=people.to_numpy() if people.duplicated().any() else None,
                level=config.level, unit="patient",
            )  # fmt: skip
            line |= {"auc": area.value, "auc_low": area.low, "auc_high": area.high}
        except DataError:
            line |= {"auc": None, "auc_low": None, "auc_high": None}
        found.append(line)
    return pd.DataFrame(found).sort_values("n_patients", ascending=False)
