"""Exchanges made in real ECGs of the half of PTB-XL's patients on which nothing was fitted."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest

from cardio_ecg_transfer.readers import read_ecg
from cardio_ecg_transfer.signal.leads.agreement import disagreements
from cardio_ecg_transfer.signal.leads.exchanges import find_exchanges

from .test_exchanges import LEFT_ARM, LEFT_LEG, RIGHT_ARM, beat_of, with_electrodes, with_rows

# All changes, 60 ECGs each, measured on 2026-11-23 by benchmarks/ecg_checks.py.
STORED = Path(__file__).parent / "stored" / "ecg_checks.json"
N = 20

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(
        not os.environ.get("CARDIO_DATA") and os.environ.get("CI") != "true",
        reason="CARDIO_DATA names no folder with ptbxl",
    ),
]


@pytest.fixture(scope="module")
def ecgs():
    folder = Path(os.environ["CARDIO_DATA"]) / "ptbxl"
    table = pd.read_csv(folder / "ptbxl_database.csv").sort_values("ecg_id")
    reporting = sorted(table["patient_id"].unique())[1::2]
    table = table[table["patient_id"].isin(reporting)].drop_duplicates("patient_id")
    return [read_ecg(folder / f"{name}.hea") for name in table["filename_hr"][:N]]


def share_stored(change):
    """Return how many of the 60 were found when all was measured, as a share."""
    rows = json.loads(STORED.read_text(encoding="utf-8"))["changed"]
    (found,) = (row["found"] for row in rows if row["change"] == change)
    return int(found.split(" of ")[0]) / 60


def test_nobody_is_accused_as_he_was_recorded(ecgs):
    assert [find_exchanges(beat_of(ecg)) for ecg in ecgs] == [()] * N
    assert [disagreements(ecg) for ecg in ecgs] == [()] * N


@pytest.mark.parametrize(
    ("places", "change", "least"),
    [
        ((LEFT_ARM, RIGHT_ARM, LEFT_LEG), "right arm – left arm", 19),
        ((RIGHT_ARM, LEFT_LEG, LEFT_ARM), "left arm – left leg", 15),
    ],
)
def test_exchanged_limb_electrodes_are_found(ecgs, places, change, least):
    found = [find_exchanges(beat_of(with_electrodes(ecg, places))) for ecg in ecgs]
    assert sum(map(bool, found)) >= least
    assert share_stored(change) >= least / N


@pytest.mark.parametrize(("one", "other", "least"), [("V1", "V2", 19), ("V5", "V6", 17)])
def test_exchanged_chest_electrodes_are_found(ecgs, one, other, least):
    found = [find_exchanges(beat_of(with_rows(ecg, {one: other, other: one}))) for ecg in ecgs]
    assert sum(map(bool, found)) >= least
    assert share_stored(f"{one} – {other}") >= least / N


def test_a_wrong_sign_of_avl_is_always_found(ecgs):
    found = [disagreements(with_rows(ecg, {"aVL": "-aVL"})) for ecg in ecgs]
    assert [[one.leads for one in own] for own in found] == [[("aVL",)]] * N
    assert share_stored("aVL") == 1.0
