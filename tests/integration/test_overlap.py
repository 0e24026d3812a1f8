"""The certificate of overlap: patients, persons, files and signals on both sides of the folds."""

from __future__ import annotations

import json
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from cardio_core.runner.fingerprints import NEAR, same_signals

KIND = "what may stand on both sides"


def counted(run):
    table = pd.read_csv(run / "tables/overlap.csv").set_index(["protocol", KIND])
    return table["on both sides"]


def test_an_honest_run_certifies_that_nothing_stands_on_both_sides(clinic_run):
    found = counted(clinic_run)
    assert list(found["honest"]) == [0, 0, 0, 0]
    # Whoever is trained on is tested there: the toy's paper protocol says so itself.
    splits = json.loads((clinic_run / "splits.json").read_text())["protocols"]["paper"]
    assert found["paper", "patients, by id"] == len(splits["folds"][0]["test"])
    manifest = json.loads((clinic_run / "manifest.json").read_text())
    assert manifest["copied_signals"] == 0
    page = (clinic_run / "report.html").read_text(encoding="utf-8")
    assert "no patient, linked person, file or copied signal stands on both sides" in page


@pytest.fixture(scope="module")
def copied(run_toy, write_cohort, tmp_path_factory):
    """A cohort in which three patients have the signal of another, in another gain and rounding."""
    folder = write_cohort(tmp_path_factory.mktemp("data") / "copied", "mean_class", n_patients=24)
    table = pd.read_csv(folder / "cohort.csv", dtype=str).set_index("patient_id")["path_ecg"]
    first = {patient: names.split(";")[0] for patient, names in table.items()}
    pairs = [("C01", "C02"), ("C04", "C05"), ("C07", "C08")]
    for one, other in pairs:
        head, *values = (folder / first[one]).read_text().splitlines()
        lines = [head, *(f"{1.3 * float(value):.3f}" for value in values)]
        (folder / first[other]).write_text("\n".join(lines) + "\n")
    out = tmp_path_factory.mktemp("runs") / "copied"
    quick = ("inner.k=0", "search=[]", "evaluate.n_resamples=100")
    return run_toy(out, data=(folder,), protocol="honest", sets=quick), pairs


def test_one_signal_under_two_patients_is_found_counted_and_warned_of(copied):
    run, pairs = copied
    found = pd.read_csv(run / "tables/overlap-pairs.csv")
    assert list(zip(found["patient"], found["other patient"], strict=True)) == pairs
    folds = json.loads((run / "splits.json").read_text())["protocols"]["honest"]["folds"]
    apart = sum(
        any((one in fold["test"]) != (other in fold["test"]) for fold in folds)
        for one, other in pairs
    )
    assert apart > 0
    assert counted(run)["honest", "signals, copied in another format or gain"] == apart
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "3 pairs of recordings of different patients hold one signal" in page


def test_pairs_are_those_that_comparing_all_with_all_finds():
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (120, 1024)).astype(np.uint8)
    for copy, flips in enumerate((0, 1, NEAR - 1, NEAR, NEAR, NEAR + 1, 40), start=100):
        bits[copy] = bits[copy - 50]
        bits[copy, rng.choice(1024, flips, replace=False)] ^= 1
    prints = {f"{n:03d}": f"900:{np.packbits(row).tobytes().hex()}" for n, row in enumerate(bits)}
    prints["other length"] = "901:" + prints["000"].partition(":")[2]
    prints["none"] = ""
    expected = [
        (f"{a:03d}", f"{b:03d}")
        for a, b in combinations(range(120), 2)
        if np.count_nonzero(bits[a] != bits[b]) <= NEAR
    ]
    assert len(expected) == 5
    assert same_signals(prints) == expected
