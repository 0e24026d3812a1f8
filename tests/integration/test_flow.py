"""The flow of a run: planted bad rows are told once each, in every plugin, and the sums hold."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.context import Context
from cardio_core.io.cohort import CohortTable
from cardio_core.runner.patient_flow import NO_REASON, count_flow, found_entries

FOLLOW_UP = ("left_out", "not at baseline")
NO_ROW = ("no_recording", "no recording is named")
OUTCOME = ("without_outcome", "the outcome is not known")


def test_a_run_counts_its_way_and_the_numbers_add_up(run_toy, write_cohort, tmp_path):
    folder = write_cohort(tmp_path / "clinic", "mean_class", n_patients=18)
    table = pd.read_csv(folder / "cohort.csv", dtype=str)
    n_recordings = len([file for cell in table["path_ecg"] for file in cell.split(";")])
    (folder / "flat.csv").write_text("rate_hz=25\n" + "0.0\n" * 150)
    (folder / "again.csv").write_bytes((folder / "C01r0.csv").read_bytes())
    table.loc[table["patient_id"] == "C01", "path_ecg"] += ";again.csv"
    table.loc[table["patient_id"] == "C02", "x_ill"] = None
    more = [
        {"patient_id": "C80", "study_id": "C80s", "x_ill": "1", "x_severity": "1"},
        {"patient_id": "C81", "study_id": "C81s", "path_ecg": "flat.csv", "x_ill": "1"},
    ]
    pd.concat([table, pd.DataFrame(more)]).to_csv(folder / "cohort.csv", index=False)
    out = run_toy(tmp_path / "run", data=(folder,), task="mean_class")
    manifest = json.loads((out / "manifest.json").read_text())
    flow = manifest["flow"]
    first, *left, used = flow["stations"]
    assert (first["patients"], first["recordings"], first["entries"]) == (
        20, n_recordings + 2, n_recordings + 3,
    )  # fmt: skip
    assert [(one["kind"], one["patients"], one["recordings"]) for one in left] == [
        ("no_recording", 1, 0),
        ("unreadable", 1, 1),
        ("without_outcome", 1, 1),
    ]
    assert (used["patients"], used["recordings"]) == (17, n_recordings)
    assert flow["identical"] == 1
    assert flow["protocols"]["honest"]["patients"]["tested"] == 17
    for counts in flow["protocols"].values():
        assert sum(counts["patients"].values()) == 17
        assert sum(counts["recordings"].values()) == n_recordings


def entries_of(load: Any, block: Any, task: Any, folder: Path, paths: Any = ()) -> dict[str, Any]:
    """What the counting finds when every recording that is kept gives one sample."""
    ctx = Context(task, hook="load", mode="fit", _inputs=(folder,))
    cohort = load(block, ctx)
    table = cohort.samples.table
    arm = SimpleNamespace(
        prepared=SimpleNamespace(
            cohort=cohort,
            quarantined=[*cohort.quarantined, *ctx._quarantined],
            features=SimpleNamespace(table=table),
        ),
        truth=SimpleNamespace(targets=cohort.targets, ignored=np.zeros(len(table), bool)),
    )
    found = found_entries(arm, CohortTable.find(folder, paths).rows)
    first, *left, used = count_flow(found.values())
    for unit in ("entries", "recordings", "patients"):
        assert first[unit] - sum(one[unit] for one in left) == used[unit]
    assert NO_REASON not in {one.left[1] for one in found.values() if one.left}
    return {name: (one.patient, one.left) for name, one in found.items()}


def write(folder: Path, rows: list[dict[str, Any]]) -> Path:
    pd.DataFrame(rows).to_csv(folder / "cohort.csv", index=False)
    return folder


VOLUMES = {"lvesv_bl_ml": 100.0, "lvesv_fu_ml": 70.0}


def test_the_rows_of_an_ecg_cohort_are_told(tmp_path):
    from cardio_ecg_transfer.response.config import LoadBlock
    from cardio_ecg_transfer.response.load import load
    from cardio_ecg_transfer.response.models import CRT_RESPONSE

    for name in "abcd":
        (tmp_path / f"{name}.hea").write_text("header")
    rows = [
        {"patient_id": "A", "study_id": "a", "path_ecg": "a.hea", **VOLUMES},
        {"patient_id": "A", "study_id": "a-late", "path_ecg": "b.hea", "timepoint": "follow-up"},
        {"patient_id": "B", "study_id": "b", **VOLUMES},
        {"patient_id": "C", "study_id": "c", "path_ecg": "c.hea"},
        {"patient_id": "D", "study_id": "d", "path_ecg": "d.hea", **VOLUMES},
    ]
    block = LoadBlock(exclude=("d",))
    assert entries_of(load, block, CRT_RESPONSE, write(tmp_path, rows)) == {
        "a": ("A", None),
        "c": ("C", OUTCOME),
        "d": ("D", ("left_out", "left out by name (load.exclude)")),
        "row a-late": ("A", FOLLOW_UP),
        "row b": ("B", NO_ROW),
    }


def test_the_rows_of_a_spect_cohort_are_told(tmp_path):
    from cardio_spect_polar.response.config import LoadBlock
    from cardio_spect_polar.response.load import AGAIN, load
    from cardio_spect_polar.response.models import CRT_RESPONSE
    from cardio_spect_polar.synthetic import synthesize

    synthesize(tmp_path, task="crt_response", n_patients=6, seed=1)
    table = pd.read_csv(tmp_path / "cohort.csv", dtype=str)
    table = table[table["lvesv_bl_ml"].astype(float) >= 20].iloc[:4].reset_index(drop=True)
    ids = table["patient_id"].tolist()
    table.loc[:, ["lvesv_bl_ml", "lvesv_fu_ml"]] = ["100", "70"]
    for column in ("died_or_transplanted", "lost_to_follow_up", "death", "transplant"):
        table = table.drop(columns=column, errors="ignore")
    second = table.iloc[[0]].assign(study_id="second")
    late = table.iloc[[0]].assign(study_id="late", timepoint="follow-up")
    table.loc[1, "path_spect"] = None
    table.loc[2, "path_spect"] = "nothing-there.dcm"
    table.loc[3, "lvesv_bl_ml"] = "10"
    pd.concat([table, second, late]).to_csv(tmp_path / "cohort.csv", index=False)
    found = entries_of(load, LoadBlock(), CRT_RESPONSE, tmp_path, ("path_spect",))
    by_patient = {name: left for name, (_, left) in found.items()}
    studies = table["study_id"].tolist()
    assert by_patient[studies[0]] is None
    assert by_patient["second"] == ("left_out", AGAIN)
    assert by_patient["row late"] == FOLLOW_UP
    assert by_patient[studies[1]][0] == "no_recording"
    assert by_patient[studies[2]][0] == "unreadable"
    assert by_patient[studies[3]][1].startswith("baseline LVESV below 20 mL")
    assert {patient for patient, _ in found.values()} == set(ids)
    assert len(found) == 6


def test_the_rows_of_a_flow_cohort_are_told(tmp_path):
    from cardio_spect_polar.flow.config import LoadBlock
    from cardio_spect_polar.flow.load import PATHS, load
    from cardio_spect_polar.flow.models import RISK_FACTOR

    (tmp_path / "m.csv").write_text(",".join(["1"] * 17) + "\n")
    both = {"path_polarmap_rest": "m.csv", "path_polarmap_stress": "m.csv"}
    rows = [
        {"patient_id": "A", "study_id": "a", **both, "dm": 1},
        {"patient_id": "A", "study_id": "a2", **both, "dm": 1},
        {"patient_id": "A", "study_id": "a-late", **both, "timepoint": "follow-up"},
        {"patient_id": "B", "study_id": "b", "path_polarmap_rest": "m.csv", "dm": 0},
        {"patient_id": "C", "study_id": "c", **both},
        {"patient_id": "D", "study_id": "d", "dm": 1},
    ]
    assert entries_of(load, LoadBlock(), RISK_FACTOR, write(tmp_path, rows), PATHS) == {
        "a": ("A", None),
        "a2": ("A", ("left_out", "a further study of a patient who has one")),
        "row a-late": ("A", FOLLOW_UP),
        "b": ("B", ("left_out", "no map at rest or none at stress")),
        "c": ("C", OUTCOME),
        "d": ("D", ("no_recording", "no map at rest or none at stress")),
    }


def test_the_rows_of_an_m_mode_cohort_are_told(tmp_path):
    from cardio_mmode_septal_flash.flash.config import Config
    from cardio_mmode_septal_flash.flash.load import load
    from cardio_mmode_septal_flash.flash.models import PATHS, SEPTAL_FLASH

    for name in ("a", "b", "c"):
        np.save(tmp_path / f"{name}.npy", np.zeros((3, 4, 4), np.uint8))
    (tmp_path / "b.json").write_text("{}")
    rows = [
        {"patient_id": "A", "study_id": "a", "path_echo_a4c": "a.npy", "sf_label": 1},
        {"patient_id": "A", "study_id": "a-late", "path_echo_a4c": "c.npy", "sf_label": 0,
         "timepoint": "follow-up"},
        {"patient_id": "B", "study_id": "b", "path_septum": "b.json", "sf_label": 1},
        {"patient_id": "C", "study_id": "c", "path_echo_a4c": "c.npy"},
        {"patient_id": "D", "study_id": "d", "sf_label": 1},
    ]  # fmt: skip
    block = Config().load.model_copy(update={"timepoint": "baseline"})
    assert entries_of(load, block, SEPTAL_FLASH, write(tmp_path, rows), PATHS) == {
        "a": ("A", None),
        "a-late": ("A", FOLLOW_UP),
        "b": ("B", ("left_out", "no loop is named")),
        "c": ("C", OUTCOME),
        "d": ("D", ("no_recording", "no loop is named")),
    }


def test_the_rows_of_an_echo_cohort_are_told(tmp_path):
    from cardio_echo_cmr.findings.config import Config
    from cardio_echo_cmr.findings.load import load
    from cardio_echo_cmr.findings.tasks import TASKS
    from cardio_echo_cmr.views.names import CLIPS

    for name in "abcde":
        np.save(tmp_path / f"{name}.npy", np.zeros((3, 4, 4), np.uint8))
    normal = {f"wma_seg_{n:02d}": 0 for n in range(1, 18)} | {"days_echo_to_cmr": 1}
    rows = [
        {"patient_id": "A", "study_id": "a", "path_echo_a4c": "a.npy;b.npy", **normal},
        {"patient_id": "A", "study_id": "a-late", "path_echo_a4c": "c.npy", **normal,
         "timepoint": "follow-up"},
        {"patient_id": "B", "study_id": "b", **normal},
        {"patient_id": "C", "study_id": "c", "path_echo_a4c": "d.npy", "days_echo_to_cmr": 2},
        {"patient_id": "D", "study_id": "d", "path_echo_a2c": "e.npy", **normal,
         "days_echo_to_cmr": 90},
    ]  # fmt: skip
    block = Config.model_validate(
        {"load": {"min_studies": 1, "views": "table", "timepoint": "baseline"}}
    ).load
    task = next(task for task in TASKS if task.name == "wma")
    assert entries_of(load, block, task, write(tmp_path, rows), CLIPS) == {
        "a-1": ("A", None),
        "a-2": ("A", None),
        "a-late": ("A", FOLLOW_UP),
        "row b": ("B", NO_ROW),
        "c": ("C", OUTCOME),
        "d": ("D", ("left_out", "more than 30 days between echo and CMR")),
    }
