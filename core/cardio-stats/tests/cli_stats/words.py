"""The commands that several tests of `cardio stats` run on the cohort of conftest.py."""

from __future__ import annotations

from typing import Any

TABLE1 = ["table1", "FILE", "--by", "arm"]
RESPONSE = ["FILE", "--outcome", "response"]
UNIVARIABLE = ["univariable", *RESPONSE, "--features", "qrs_ms,lvef_pct,sex"]
MULTIVARIABLE = ["multivariable", *RESPONSE, "--features", "qrs_ms,lvef_pct"]
INCREMENTAL = ["incremental", *RESPONSE, "--base", "qrs_ms", "--add", "lvef_pct"]
ROC = ["roc", *RESPONSE, "--score", "risk"]
COMPARE = ["compare", *RESPONSE, "--scores", "risk,qrs_ms"]
CALIBRATION = ["calibration", *RESPONSE, "--score", "risk"]
AGREEMENT = ["agreement", "FILE", "--reference", "lvef_pct", "--measured", "lvef_cmr_pct"]
ON_A_TABLE = [
    TABLE1, UNIVARIABLE, MULTIVARIABLE, INCREMENTAL, ROC, COMPARE, CALIBRATION, AGREEMENT,
]  # fmt: skip


def name(command: Any) -> str:
    """Return what a test of a command is called by."""
    return str(command[0]) if isinstance(command, list) else ""
