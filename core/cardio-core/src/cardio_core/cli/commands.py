"""The commands of the framework, for the entry-point group ``cardio.commands``."""

from __future__ import annotations

from collections.abc import Mapping

COMMANDS: Mapping[str, tuple[str, str]] = {
    "run": ("cardio_core.cli.run:run", "From raw recordings to a report, in one go."),
    "measure": (
        "cardio_core.cli.measure:measure",
        "What can be measured in recordings: no labels, no model.",
    ),
    "predict": ("cardio_core.cli.predict:predict", "New recordings through a finished run."),
    "plugins": ("cardio_core.cli.plugins:plugins", "What is installed, and what it can do."),
    "plugins list": (
        "cardio_core.cli.plugins:list_",
        "Every installed plugin, broken ones with why.",
    ),
    "plugins info": (
        "cardio_core.cli.plugins:info",
        "One plugin: tasks, models, settings, columns.",
    ),
    "plugins new": ("cardio_core.cli.plugins:new", "Make a plugin that runs as it is."),
    "plugins check": (
        "cardio_core.cli.plugins:check",
        "Whether a plugin keeps its contract.",
    ),
    "data": ("cardio_core.cli.data:data", "Find, fetch, make and check data."),
    "data list": ("cardio_core.cli.data:list_", "Public data sets that the plugins declare."),
    "data fetch": ("cardio_core.cli.data:fetch", "Download one, every file verified."),
    "data synth": ("cardio_core.cli.data:synth", "Write a plugin's synthetic cohort."),
    "data template": (
        "cardio_core.cli.data_check:template",
        "Write a cohort table to fill in: the columns that PLUGIN reads, and two example rows.",
    ),
    "data check": (
        "cardio_core.cli.data_check:check",
        "List everything that is wrong with a cohort at once, and say who is in it.",
    ),
    "data forget": (
        "cardio_core.cli.data:forget",
        "Delete what is kept of recordings outside of runs.",
    ),
    "data convert-weights": (
        "cardio_core.cli.convert_weights:convert_weights",
        "Weights of others as a file that cannot run code.",
    ),
    "report": ("cardio_core.cli.report:report", "Build a run's report again."),
    "doctor": ("cardio_core.cli.doctor:doctor", "Check the installation and suggest fixes."),
    "completion": (
        "cardio_core.cli.completion:completion",
        "Let the shell complete commands and plugins.",
    ),
}
"""Module and attribute of each command, and its line in the list, by the words that call it."""

EXAMPLES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "": (
        ("run --plugin ecg_transfer --smoke --out runs/first", "a first run: synthetic, a minute"),
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
    ),
    "run": (
        ("--plugin ecg_transfer --smoke --out runs/first", "a first run: synthetic, a minute"),
        ("--plugin ecg_transfer --data cohort.csv --out runs/mine", "your own recordings"),
        ("--plugin ecg_transfer --data cohort.csv --outcome died --event yes --out runs/died",
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
        ("echo --kind image --task thickness --target wall_mm --target-kind continuous",
         "predicts a number from pictures"),
    ),
    "plugins check": (
        ("ecg_transfer", "does it keep its contract?"),
        ("ecg_transfer --truth", "whole runs, too: chance and planted truth"),
    ),
    "data list": (("", "public data sets, their sizes and licences"),),
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
        ("cohort.csv --plugin ecg_transfer --outcome died --event yes",
         "with the outcome you mean"),
    ),
    "data convert-weights": (
        ("weights.pt --allow pickle --out weights.safetensors", "published weights"),
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
