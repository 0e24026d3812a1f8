"""Examples of every command: what `--help` and the reference of the documentation show."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping

import click

_WIDTH = 78
"""Of a terminal's 80 columns; help sets what stands below it in by two."""

_WORD = r"(?:[^\s']|'[^']*')+"
_PARTS = re.compile(rf"-{_WORD}(?: +(?!-){_WORD})*|{_WORD}")

Examples = tuple[tuple[str, str], ...]

EXAMPLES: Mapping[str, Examples] = {
    "": (
        ("run --plugin ecg_transfer --smoke --out runs/first", "a first run: synthetic, a minute"),
        ("judge predictions.csv --outcome died --score risk",
         "the page for predictions that you have"),
        ("stats table1 cohort.csv --by responder --columns age_y,sex,lvef_pct",
         "statistics of a table, without a run"),
        ("doctor", "what is installed, and what is missing"),
    ),
    "plugins": (
        ("list", "every plugin, broken ones with their reason"),
        ("info ecg_transfer --settings", "what may be set"),
        ("new ppg", "a plugin of your own, which runs as it is"),
    ),
    "data": (
        ("template ecg_transfer --out cohort.csv", "a table to fill in"),
        ("check cohort.csv --plugin ecg_transfer", "all that is wrong with it, before a run"),
        ("synth ecg_transfer --out cohort", "recordings made by code, to try things with"),
        ("fetch mitdb --out data", "a public data set"),
    ),
    "stats": (
        ("table1 cohort.csv --by responder --columns age_y,sex,lvef_pct", "Table 1"),
        ("univariable cohort.csv --target responder --features age_y,lvef_pct",
         "odds ratios, one at a time"),
        ("survival follow_up.csv --time days --event died --groups arm", "curves of two arms"),
        ("planner auc --auc .8 --prevalence .4 --half-width .05", "how many patients it takes"),
    ),
    "stats planner": (
        ("auc --auc .8 --prevalence .4 --half-width .05", "for an AUC known to ± .05"),
        ("compare --auc-a .80 --auc-b .75 --prevalence .4 --score-correlation .5",
         "that tell two AUCs apart"),
        ("model --parameters 24 --r2 .288 --prevalence .174", "to develop a model"),
    ),
    "run": (
        ("--plugin ecg_transfer --smoke --out runs/first", "a first run: synthetic, a minute"),
        ("--plugin ecg_transfer --data cohort.csv --out runs/mine", "your own recordings"),
        ("--plugin ecg_transfer --data cohort.csv --outcome died --positive yes --out runs/died",
         "an outcome of your own: a column of the table, and what counts as the event"),
        ("--plugin ecg_transfer --resume --out runs/mine", "go on with what was stopped"),
        ("--plugin spect_polar --task mfr --set train.fit.epochs=10 --out runs/mfr",
         "another task, with a setting of your own (cardio plugins info spect_polar --settings)"),
    ),
    "measure": (
        ("--plugin ecg_transfer recordings/ --out measured",
         "every measurement as a table, and a sheet for each recording"),
        ("--plugin spect_polar study.dcm --no-sheets", "one study, the table alone"),
    ),
    "predict": (
        ("runs/mine new_patient.xml", "one new patient, in words"),
        ("runs/mine cohort.csv --json", "a table of patients, for a program"),
    ),
    "evaluate": (
        ("runs/mine --data other_hospital.csv --subgroup sex", "does it hold in other patients?"),
        ("runs/fused --data ECG=ecg.csv --data echo=echo.csv",
         "of a fusion: a cohort for each run that is fused"),
    ),
    "export": (
        ("runs/mine --out for_others", "the models, with a model card and no patient"),
        ("runs/mine --out for_others --onnx", "networks as ONNX, too"),
    ),
    "judge": (
        ("predictions.csv --outcome died --score risk", "predictions of any tool"),
        ("predictions.csv --outcome died --score risk --site centre --patient id",
         "with hospitals compared, and several rows a patient"),
    ),
    "compare": (
        ("runs/ecg runs/echo", "two runs on the patients they share"),
        ("runs/ecg guideline=rules.csv --threshold 0.3", "a run against a rule"),
    ),
    "fuse": (
        ("ECG=runs/ecg echo=runs/echo --out runs/fused", "one score from two modalities"),
        ("runs/ecg runs/echo --clinical cohort.csv --covariates age_y,sex --out runs/fused",
         "and what they add to clinical variables"),
    ),
    "stability": (
        ("runs/ecg --repeats 20", "over twenty other ways to fold"),
        ("runs/ecg --permute 199", "against labels that mean nothing"),
    ),
    "reproduce": (("runs/mine", "run again with its own command, and compare every number"),),
    "report": (("runs/mine", "build the page again from what the run holds"),),
    "doctor": (
        ("", "what is installed, which devices, what is missing"),
        ("--json", "the same for a program or a bug report"),
    ),
    "plugins list": (("", "every plugin, broken ones with their reason"),),
    "plugins info": (
        ("ecg_transfer", "tasks, models, targets, configurations, papers"),
        ("ecg_transfer --settings --columns", "every setting, and what a cohort table may hold"),
    ),
    "plugins new": (
        ("ppg", "a plugin that runs as it is, in the new folder ppg"),
        ("stress --unit study --kind continuous", "predicts a number for each study"),
    ),
    "plugins check": (
        ("ecg_transfer", "does it keep its contract?"),
        ("ecg_transfer --truth", "whole runs, too: chance and planted truth"),
    ),
    "data list": (("", "public data sets, their sizes and licences"),),
    "data fetch": (("mitdb --out data", "download into data/mitdb; every file is verified"),),
    "data synth": (
        ("ecg_transfer --out cohort --patients 40", "a synthetic cohort of forty patients"),
        ("echo_cmr --patients patients.csv --out echo", "the patients of a table, made by code"),
    ),
    "data template": (
        ("ecg_transfer --out cohort.csv", "a table to fill in"),
        ("spect_polar --from archive/ --out cohort.csv",
         "a row for each study that a folder holds, to fill in the rest"),
    ),
    "data check": (
        ("cohort.csv --plugin ecg_transfer", "all that is wrong with a cohort, before a run"),
        ("cohort.csv --plugin ecg_transfer --outcome died --positive yes",
         "with the outcome you mean"),
    ),
    "data rpeaks": (("record.hea", "R peaks, the lead, the rate"),),
    "data deidentify": (
        ("loops/ clean/", "ultrasound loops without header names and printed text"),
    ),
    "data convert-weights": (
        ("weights.pt --trust --out weights.safetensors", "published weights, from whom you trust"),
    ),
    "data forget": (
        ("", "how much is kept of recordings outside of runs"),
        ("cohort/", "delete what is kept of these recordings"),
    ),
    "stats table1": (("cohort.csv --by responder --columns age_y,sex,lvef_pct", "Table 1"),),
    "stats missing": (("cohort.csv --target responder", "missing values, and in whom"),),
    "stats univariable": (
        ("cohort.csv --target responder --features age_y,lvef_pct", "odds ratios, one at a time"),
    ),
    "stats multivariable": (
        ("cohort.csv --target responder --features age_y,lvef_pct --validate 200",
         "one model of them, validated by the bootstrap"),
        ("cohort.csv --target responder --features age_y,lvef_pct --impute 20",
         "missing values imputed twenty times"),
    ),
    "stats incremental": (
        ("cohort.csv --target responder --base age_y,lvef_pct --add score",
         "what a score adds to clinical variables"),
    ),
    "stats roc": (
        ("predictions.csv --target responder --score probability --patient patient_id",
         "AUC with its interval, by patient"),
        ("predictions.csv --target responder --score probability --at-specificity .9 "
         "--partial specificity:.9-1 --threshold closest-topleft",
         "sensitivity where specificity is 90 %, the area there, and a threshold"),
        ("beats.csv --target class --scores N=p_n,S=p_s,V=p_v --patient record",
         "several classes, a column of probabilities for each"),
    ),
    "stats compare": (
        ("scores.csv --target responder --scores ecg,echo", "paired, all pairs adjusted"),
    ),
    "stats agreement": (
        ("lvef.csv --reference cmr --measured echo --patient id", "bias, limits, CCC"),
    ),
    "stats calibration": (
        ("predictions.csv --target responder --score probability --threshold .3,.5",
         "curve, slope, and the net benefit of deciding by it"),
    ),
    "stats mixed": (
        ("visits.csv --outcome lvef_pct --columns month,arm,month:arm --patient patient_id "
         "--slope month",
         "repeated measurements, a level and a slope for each patient"),
    ),
    "stats subgroups": (
        ("follow_up.csv --target died --exposure arm --by sex,age_y:65,lvef_pct:25:35 "
         "--svg forest.svg",
         "an effect in subgroups; numbers are cut where you say"),
    ),
    "stats survival": (
        ("follow_up.csv --time days --event died --groups arm --at 365,730", "curves of two arms"),
        ("follow_up.csv --time days --event died --columns arm,age_y", "Cox regression"),
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
        ("pilot.csv --target responder --scores ecg,echo --power .9", "from the rows of a pilot"),
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
    "completion": (
        ("bash", "print the script; its first lines say where to put it"),
    ),
}  # fmt: skip
"""Arguments and what they do, by the words of the command."""


def with_examples(command: click.Command, words: str) -> click.Command:
    """Put a command's examples below its help, and those of the commands in a plain group.

    Parameters
    ----------
    command : click.Command
        As it was declared.
    words : str
        How it is called, without ``cardio``.
    """
    if words in EXAMPLES:
        lines = [line for typed, does in EXAMPLES[words] for line in (
            *_wrapped(" ".join(filter(None, ("cardio", words, typed)))),
            textwrap.fill(does, _WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6),
        )]  # fmt: skip
        command.epilog = "\b\nExamples:\n" + "\n".join(lines)
    if isinstance(command, click.Group) and type(command).get_command is click.Group.get_command:
        for name, inner in command.commands.items():
            with_examples(inner, f"{words} {name}")
    return command


def _wrapped(command: str) -> Iterator[str]:
    """Yield a command in lines that a shell reads as one; options stay with their values."""
    line = " "
    for part in _PARTS.findall(command):
        if len(f"{line} {part} \\") > _WIDTH and line.strip():
            yield f"{line} \\"
            line = " " * 9
        line = f"{line} {part}"
    yield line
