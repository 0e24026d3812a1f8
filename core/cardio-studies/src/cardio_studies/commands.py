"""The commands on finished runs and predictions, for the group ``cardio.commands``."""

from __future__ import annotations

from collections.abc import Mapping

_LINES = {
    "evaluate": "A finished run on other patients.",
    "export": "The final models of a run, without any patient.",
    "judge": "The page for predictions of any tool.",
    "compare": "Runs and predictions against each other, on shared patients.",
    "fuse": "One score from the runs of several modalities.",
    "stability": "A run over other folds, sites, fewer patients, permuted labels.",
    "reproduce": "A run again, and which of its numbers are equal.",
}
COMMANDS: Mapping[str, tuple[str, str]] = {
    name: (f"cardio_studies.cli.{name}:{name}", line) for name, line in _LINES.items()
}
"""Module and attribute of each command, and its line in the list, by the words that call it."""

EXAMPLES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "": (
        ("judge predictions.csv --outcome died --score risk",
         "the page for predictions that you have"),
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
}  # fmt: skip
"""Arguments and what they do, by the words of the command."""
