"""A command imports what the chosen models need, and no more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from pydicom.data import get_testdata_file

from cardio_core.testing.plugin_checks import heavy_modules_after

NETWORKS = {"torch", "lightning", "monai", "skops", "safetensors"}
NOT_TO_PREDICT = {"lightning", "monai", "skops", "sklearn", "matplotlib", "statsmodels"}
LOADED = """
import sys
from cardio_core.cli.main import main
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
print("LOADED", *sys.modules)
"""


def loaded_after(*words: object) -> set[str]:
    """Return the modules that a command has imported, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *map(str, words)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


def predicted(run: Path, recording: Path, out: Path) -> set[str]:
    loaded = loaded_after("predict", run, recording, "--device", "cpu", "--out", out)
    assert json.loads(out.read_text())["predictions"]
    return loaded


def test_predicting_by_classical_models_imports_no_torch(clinic_run, clinic, tmp_path):
    loaded = predicted(clinic_run, clinic / "C00r0.csv", tmp_path / "answer.json")
    assert not loaded & {*NETWORKS, "matplotlib", "statsmodels"}


def test_predicting_by_a_network_imports_torch_and_nothing_that_trains(beats_run, strip, tmp_path):
    loaded = predicted(beats_run, strip / "B00r0.csv", tmp_path / "answer.json")
    assert {"torch", "safetensors"} <= loaded
    assert not loaded & NOT_TO_PREDICT


def test_a_run_of_classical_models_imports_no_torch(write_cohort, tmp_path):
    data: Path = write_cohort(tmp_path / "few", "mean_class", n_patients=4)
    loaded = loaded_after(
        "run", "--plugin", "toy", "--data", data, "--out", tmp_path / "run", "--device", "cpu",
        "--executor", "local:1", "--protocol", "honest", "--set", "protocols.honest.k=2",
        "--set", "inner.k=0", "--set", "models=[ridge, constant]",
    )  # fmt: skip
    assert (tmp_path / "run" / "report.html").is_file()
    assert not loaded & NETWORKS


def test_opening_a_run_for_prediction_imports_no_statistics_and_no_figures():
    loaded = heavy_modules_after("import cardio_core.runner.predict")
    assert set(loaded) == {"numpy", "pandas", "pydantic"}


def test_hooks_of_families_with_classical_models_import_no_torch():
    families = (
        "cardio_ecg_transfer.response", "cardio_echo_cmr.findings",
        "cardio_mmode_septal_flash.flash", "cardio_spect_polar.response",
    )  # fmt: skip
    hooks = "\n".join(f"import {one}.train, {one}.predict" for one in families)
    assert not {"torch", "lightning", "monai", "matplotlib"} & set(heavy_modules_after(hooks))


def test_networks_of_the_plugins_import_torch_and_nothing_that_trains_or_draws():
    networks = (
        "cardio_ecg_transfer.beats.predict", "cardio_ecg_transfer.response.by_network",
        "cardio_echo_cmr.findings.predict", "cardio_echo_cmr.networks.clip_network",
        "cardio_mmode_septal_flash.networks.densenet", "cardio_spect_polar.networks.flow_resnet",
    )  # fmt: skip
    loaded = set(heavy_modules_after(f"import {', '.join(networks)}"))
    assert "torch" in loaded
    assert not loaded & NOT_TO_PREDICT


def test_measuring_an_ecg_without_a_sheet_imports_no_torch_and_no_figures(tmp_path):
    ecg = get_testdata_file("waveform_ecg.dcm", download=False)
    loaded = loaded_after(
        "measure", ecg, "--plugin", "ecg_transfer", "--no-sheets", "--out", tmp_path / "measured"
    )
    assert (tmp_path / "measured" / "measurements.csv").is_file()
    assert not loaded & {*NETWORKS, *NOT_TO_PREDICT}
