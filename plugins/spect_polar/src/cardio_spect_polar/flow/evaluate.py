"""Evaluate: the default, the comparison with regressions, the audit and the simulations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from cardio_core.api import (
    Cohort,
    Context,
    DataError,
    EvaluationReport,
    Explanation,
    Metric,
    Note,
    Scope,
    Scored,
    Target,
    default_evaluate,
)
from cardio_spect_polar.audit import (
    audit,
    disagreeing_readers,
    flag_groups,
    groups_of,
    prevalence_shift,
    referral_bias,
    scanner_shift,
)
from cardio_spect_polar.drawing.words import worded
from cardio_spect_polar.flow.config import EvaluateBlock
from cardio_spect_polar.flow.results import (
    audit_lines,
    clusters_of,
    figures_of,
    more_metrics,
    network_versus_logistic,
    tested_patients,
)
from cardio_spect_polar.published.yeung_2022 import published_table

CIRCULAR = "Sanity check, circular: these targets are computed from the maps that go in."
ON_CIRCULAR = (
    "The network on the reserve map only has to read them off; those on rest or stress see one of "
    "the two flows whose ratio they are. A good result says that a network can read a polar map, "
    "and nothing about patients."
)
GAIN = "gain:"
SIMULATED = {
    "referral": "Referral: tested patients drawn with a chance that grows as their reserve falls.",
    "prevalence": "Prevalence: tested patients with and without the factor drawn in other shares.",
    "readers": "Readers: recorded labels of the tested changed at random by three readers.",
    "scanner": "Scanner: flow of the tested multiplied by a gain and scored again out of fold.",
}


def evaluate(
    predictions: Scored,
    targets: object,
    cohort: Cohort,
    explanation: Explanation,
    config: EvaluateBlock,
    ctx: Context,
) -> EvaluationReport:
    """Add a warning to `mfr`; to `risk_factor` the comparison, the audit and the simulations."""
    report = default_evaluate(predictions, ctx.task, config, seed=ctx.seed)
    if ctx.task.name == "mfr":
        ctx.warn("circular", CIRCULAR)
        return replace(report, notes=[Note("on_circular", ON_CIRCULAR), *report.notes])
    metrics, tables, notes = list(report.metrics), dict(report.tables), list(report.notes)
    tables["network-versus-logistic"] = network_versus_logistic(predictions, ctx.task, config.level)
    tables["published"] = published_table()
    audited, gaps, simulated = [], [], []
    scored: dict[tuple[str, str], pd.DataFrame] = {}
    not_audited: dict[str, list[str]] = {}
    groups = groups_of(_people(cohort)) if cohort.table is not None else {}
    for target, model, tested in _scored(predictions, ctx):
        scored[target.name, model] = tested
        scope = Scope(task=ctx.task.name, target=target.name, model=model)
        found, failed = more_metrics(tested, config.level)
        metrics += [Metric(estimate, scope) for estimate in found]
        notes += Note.each("not_computed", [f"{target.name} of {model}: {text}" for text in failed])
        # Of the groups of the factor itself each has one class only.
        made = audit(
            tested, {name: group for name, group in groups.items() if name != target.name},
            clusters=clusters_of(tested), min_per_class=config.min_per_class,
            n_resamples=config.n_resamples, seed=ctx.seed, level=config.level,
        )  # fmt: skip
        named = {"factor": target.name, "model": model}
        audited.append(made.groups.assign(**named))
        gaps.append(made.gaps.assign(**named))
        metrics += [
            Metric(estimate.replace(name=name), replace(scope, subgroup=f"{column}: {group}"))
            for (column, group), estimates in made.estimates.items()
            for name, estimate in estimates.items()
        ]
        for text in made.notes:
            not_audited.setdefault(text, []).append(worded(target.name))
        fewest = int(tested["y"].value_counts().min())
        if config.n_simulations and fewest < config.min_per_class:
            text = (
                f"Simulations of {target.name} are left out: {fewest} tested patients of one class."
            )
            notes.append(Note("simulations", text))
        elif config.n_simulations:
            simulated += [
                table.assign(simulation=name, **named)
                for name, table in _simulations(tested, predictions, target, model, config, ctx)
            ]
    tables["audit-groups"] = _joined(audited)
    tables["audit-gaps"] = _joined(gaps)
    notes += [
        Note("audit", f"Audit by {text} ({', '.join(dict.fromkeys(of))}).")
        for text, of in not_audited.items()
    ]
    # Flags belong to one protocol, so that a run has one family of tests.
    tests = flag_groups(
        scored if ctx.protocol != "paper" else {}, groups, min_per_class=config.min_per_class,
        flag_level=config.flag_level, n_permutations=config.n_permutations, seed=ctx.seed,
    )  # fmt: skip
    tables["audit-tests"] = tests
    tables["audit-flags"] = tests[tests["flagged"].astype(bool)].drop(columns="flagged")
    if ctx.protocol == "paper":
        text = "Groups are described here and flagged under the honest protocol alone."
        notes.append(Note("audit", text))
    else:
        titles = {model.name: model.title for model in ctx.task.models}
        notes += Note.each("audit", audit_lines(tests, config.flag_level, titles))
    if simulated:
        tables["simulations"] = _joined(simulated)
        notes += Note.each("simulations", SIMULATED.values())
    figures = {**report.figures, **figures_of(predictions, ctx.task, tables["audit-gaps"], tests)}
    return EvaluationReport(metrics, tables, figures, list(dict.fromkeys(notes)), ("published",))


def _scored(predictions: Scored, ctx: Context) -> Iterator[tuple[Target, str, pd.DataFrame]]:
    """Yield every factor and model that has tested patients of both classes."""
    for target in ctx.task.targets:
        for model in predictions.frames[target.name]["model"].unique():
            tested = tested_patients(predictions, target, str(model))
            if tested["y"].nunique() == 2:
                yield target, str(model), tested


def _simulations(
    tested: pd.DataFrame,
    predictions: Scored,
    target: Target,
    model: str,
    config: EvaluateBlock,
    ctx: Context,
) -> Iterator[tuple[str, pd.DataFrame]]:
    rng = ctx.rng(f"simulations {target.name} {model}")
    y, score, n = tested["y"], tested["score"], config.n_simulations
    more = _named_columns(predictions, model, tested.index)
    if "reserve_mean" in more:
        yield "referral", referral_bias(y, score, more["reserve_mean"], rng, n_draws=n)
    yield "prevalence", prevalence_shift(y, score, rng, n_draws=n)
    yield "readers", disagreeing_readers(y, score, rng, n_draws=n)
    shifted = {
        float(name.split(":")[1]): more[name].to_numpy(float)
        for name in map(str, more.columns)
        if name.startswith(GAIN) and name.endswith(f":{target.name}") and more[name].notna().all()
    }
    if shifted:
        yield "scanner", scanner_shift(y, score, shifted, rng, n_draws=n)


def _named_columns(predictions: Scored, model: str, patients: pd.Index[str]) -> pd.DataFrame:
    """Return the named columns beside a model's scores, one line a patient."""
    if predictions.columns is None:
        return pd.DataFrame(index=patients)
    codes = predictions.columns[predictions.columns["model"] == model]
    means = codes.drop(columns=["model", "fold"]).groupby("unit_id").mean()
    return means.reindex(patients)


def _people(cohort: Cohort) -> pd.DataFrame:
    table = cohort.table
    if table is None:
        raise DataError("the audit needs a cohort table")
    first = table.drop_duplicates("patient_id")
    return first.set_index(first["patient_id"].astype(str))


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    there = [table for table in tables if len(table)]
    if not there:
        return pd.DataFrame()
    joined = pd.concat(there, ignore_index=True)
    first = [name for name in ("factor", "model", "simulation") if name in joined.columns]
    return joined[[*first, *(name for name in joined.columns if name not in first)]]
