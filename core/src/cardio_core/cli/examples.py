"""Examples of every command: what `--help` and the reference of the documentation show."""

from __future__ import annotations

from collections.abc import Mapping

from cardio_core.cli.stats.examples import EXAMPLES as OF_STATISTICS
from cardio_core.cli.stats.lazy import Examples

EXAMPLES: Mapping[str, Examples] = {
    **OF_STATISTICS,
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
    "completion": (
        ("bash", "print the script; its first lines say where to put it"),
    ),
}  # fmt: skip
"""Arguments and what they do, by the words of the command."""
