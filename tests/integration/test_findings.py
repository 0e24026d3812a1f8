"""Damaged files that once ended in a traceback: each is refused, or set aside, in one line.

The files were found by changing valid synthetic ones at random; their names say which reader
they are for and what it raised.
"""

from __future__ import annotations

import re
import shutil
import signal
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import pytest

FINDINGS = sorted((Path(__file__).parent / "findings").iterdir())
LIMIT_S = 120
"""A hang is found by it; a busy machine is not taken for one."""

MEASURED = {
    "dicom_us": ("echo_cmr",),
    "hdf5_polar": ("mmode_septal_flash",),
    "npz_polar": ("mmode_septal_flash",),
    "polar_map": ("spect_polar", "--task", "mfr"),
    "wfdb_hea": ("ecg_transfer",),
}
"""Of each kind of recording, the plugin that reads it, and how it is asked."""

IN_RUN = {
    "run_manifest_predict": "manifest.json",
    "run_config_predict": "config.yaml",
    "run_chosen_predict": "models/final/ridge/chosen.json",
    "run_artifact_predict": "models/final/ridge/artifact/linear.json",
    "run_conformal_predict": "conformal/ridge-ill.json",
    "run_metrics": "metrics.json",
}
"""Of each file of a run directory, its place."""


@contextmanager
def limited():
    def late(*_):
        raise TimeoutError(f"nothing came of it in {LIMIT_S} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(LIMIT_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def answer_to(cardio, finding, clinic_run, clinic, tmp_path):
    kind = finding.name.partition("-")[0]
    if kind == "polar_map":
        table = tmp_path / "cohort.csv"
        table.write_text(
            f"patient_id,path_polarmap_rest,path_polarmap_stress\nP1,{finding},{finding}\n"
        )
        finding = table
    if kind in MEASURED:
        plugin, *how = MEASURED[kind]
        return cardio("measure", "--plugin", plugin, *how, finding, "--out", tmp_path / "measured",
                      "--no-sheets")  # fmt: skip
    if kind in ("cohort_csv", "cohort_parquet"):
        return cardio("data", "check", finding, "--plugin", "spect_polar")
    if kind == "config_yaml":
        return cardio("run", "--plugin", "toy", "--config", finding, "--out", tmp_path / "run")
    run = tmp_path / "run"
    shutil.copytree(clinic_run, run)
    place = run / IN_RUN[kind]
    assert place.is_file()
    shutil.copy(finding, place)
    if kind == "run_manifest_predict":  # as if this cardio-core had made it
        core = version("cardio-core").encode()
        text = re.sub(rb"(?<=core_version\": \")0.1.0", core, place.read_bytes())
        place.write_bytes(text)
    if kind == "run_metrics":
        return cardio("report", run)
    return cardio("predict", run, next(clinic.glob("C01*.csv")))


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda path: path.name)
def test_a_damaged_file_is_answered_in_one_line(cardio, finding, clinic_run, clinic, tmp_path):
    with limited():
        said = answer_to(cardio, finding, clinic_run, clinic, tmp_path)
    assert said.exit_code in (2, 3)
    assert len([line for line in said.stderr.splitlines() if line.startswith("Error: ")]) == 1
    assert "Traceback" not in said.stderr
    assert "hook" not in said.stderr, "a damaged file is no fault of a plugin"
