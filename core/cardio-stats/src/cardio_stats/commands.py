"""The commands of the statistics service, for the entry-point group ``cardio.commands``."""

from __future__ import annotations

from collections.abc import Mapping

_LINES = {
    "tables.table1": "Describe a cohort by group.",
    "tables.missing": "Which values are missing, and in whom.",
    "tables.univariable": "Logistic regression, one column at a time.",
    "tables.multivariable": "Logistic regression, all columns together.",
    "tables.incremental": "What further columns add to a model.",
    "roc": "How well a score tells two classes apart.",
    "compare": "Scores against each other on the same rows.",
    "agreement": "Two measurements of one quantity.",
    "calibration": "Whether probabilities mean what they say.",
    "mixed": "A measurement repeated in the same patients.",
    "subgroups": "Whether an effect is alike in subgroups.",
    "survival": "Time to an event: curves, Cox, scores.",
    "forest": "Draw estimates with their intervals.",
    "planner": "How many patients a study needs.",
    "forensics": "Whether published numbers can be right.",
}
"""The line of each command in the list; its module bears its name unless one is named."""

COMMANDS: Mapping[str, tuple[str, str]] = {
    "stats": ("cardio_stats.cli:stats", "Statistics of a table, without any plugin."),
} | {
    f"stats {name}": (f"cardio_stats.cli.{module or name}:{name}", line)
    for (module, _, name), line in ((path.rpartition("."), line) for path, line in _LINES.items())
}
"""Module and attribute of each command, and its line in the list, by the words that call it."""

EXAMPLES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "": (
        ("stats table1 cohort.csv --by responder --columns age_y,sex,lvef_pct",
         "statistics of a table, without a run"),
    ),
    "stats": (
        ("table1 cohort.csv --by responder --columns age_y,sex,lvef_pct", "Table 1"),
        ("univariable cohort.csv --outcome responder --features age_y,lvef_pct",
         "odds ratios, one at a time"),
        ("survival follow_up.csv --time days --status died --groups arm", "curves of two arms"),
        ("planner auc --auc .8 --prevalence .4 --half-width .05", "how many patients it takes"),
    ),
    "stats planner": (
        ("auc --auc .8 --prevalence .4 --half-width .05", "for an AUC known to ± .05"),
        ("compare --auc-a .80 --auc-b .75 --prevalence .4 --score-correlation .5",
         "that tell two AUCs apart"),
        ("model --parameters 24 --r2 .288 --prevalence .174", "to develop a model"),
    ),
    "stats table1": (("cohort.csv --by responder --columns age_y,sex,lvef_pct", "Table 1"),),
    "stats missing": (("cohort.csv --outcome responder", "missing values, and in whom"),),
    "stats univariable": (
        ("cohort.csv --outcome responder --features age_y,lvef_pct", "odds ratios, one at a time"),
    ),
    "stats multivariable": (
        ("cohort.csv --outcome responder --features age_y,lvef_pct --validate 200",
         "one model of them, validated by the bootstrap"),
        ("cohort.csv --outcome responder --features age_y,lvef_pct --impute 20",
         "missing values imputed twenty times"),
        ("cohort.csv --outcome responder --features 'rcs(age_y, 4),lvef_pct' --svg curve.svg",
         "age as a curve, with the test of non-linearity"),
        ("cohort.csv --outcome responder --features age_y,lvef_pct --method ridge --validate 200",
         "a penalised model, its weight chosen again in each resample"),
    ),
    "stats incremental": (
        ("cohort.csv --outcome responder --base age_y,lvef_pct --add score",
         "what a score adds to clinical variables"),
    ),
    "stats roc": (
        ("predictions.csv --outcome responder --score probability --patient patient_id",
         "AUC with its interval, by patient"),
        ("predictions.csv --outcome responder --score probability --at-specificity .9 "
         "--partial specificity:.9-1 --threshold closest-topleft",
         "sensitivity where specificity is 90 %, the area there, and a threshold"),
        ("beats.csv --outcome class --scores N=p_n,S=p_s,V=p_v --patient record",
         "several classes, a column of probabilities for each"),
    ),
    "stats compare": (
        ("scores.csv --outcome responder --scores ecg,echo", "paired, all pairs adjusted"),
    ),
    "stats agreement": (
        ("lvef.csv --reference cmr --measured echo --patient id", "bias, limits, CCC"),
    ),
    "stats calibration": (
        ("predictions.csv --outcome responder --score probability --threshold .3,.5",
         "curve, slope, and the net benefit of deciding by it"),
    ),
    "stats mixed": (
        ("visits.csv --outcome lvef_pct --columns month,arm,month:arm --patient patient_id "
         "--slope month",
         "repeated measurements, a level and a slope for each patient"),
    ),
    "stats subgroups": (
        ("follow_up.csv --outcome died --exposure arm --by sex,age_y:65,lvef_pct:25:35 "
         "--svg forest.svg",
         "an effect in subgroups; numbers are cut where you say"),
    ),
    "stats survival": (
        ("follow_up.csv --time days --status died --groups arm --at 365,730", "curves of two arms"),
        ("follow_up.csv --time days --status died --columns arm,age_y", "Cox regression"),
        ("follow_up.csv --time days --status died --risk risk_2y --at 730 --threshold .2",
         "calibration and worth of a predicted risk"),
        ("registry.csv --time days --status status=1 --competing 2 --groups arm --at 730",
         "the risk of an event where another makes it impossible"),
    ),
    "stats forest": (
        ("estimates.csv --ratio --axis 'hazard ratio' --svg forest.svg",
         "columns label, estimate, low, high"),
    ),
    "stats planner auc": (
        ("--auc .8 --prevalence .4 --half-width .05", "patients for an AUC known to ± .05"),
    ),
    "stats planner compare": (
        ("--auc-a .80 --auc-b .75 --prevalence .4 --score-correlation .5",
         "patients that tell two AUCs apart"),
    ),
    "stats planner pilot": (
        ("pilot.csv --outcome responder --scores ecg,echo --power .9", "from the rows of a pilot"),
    ),
    "stats planner model": (
        ("--parameters 24 --r2 .288 --prevalence .174", "patients to develop a model"),
    ),
    "stats planner proportion": (
        ("--proportion .9 --half-width .05", "patients for a sensitivity known to ± .05"),
    ),
    "stats planner validation": (
        ("--prevalence .2 --c-statistic .8 --threshold .1", "patients to validate a model"),
    ),
    "stats forensics": (
        ("docs/forensics/papers.yaml", "can these published numbers be right?"),
    ),
}  # fmt: skip
"""Arguments and what they do, by the words of the command."""
