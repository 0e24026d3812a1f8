"""`cardio stats` on the aCRT-ELSYNC trial, whole and spoilt."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest


def real_table() -> Path:
    folder = os.environ.get("CARDIO_DATA")
    if folder is None:
        pytest.skip("CARDIO_DATA is not set: the aCRT-ELSYNC table is not here")
    return Path(folder) / "crt_acrt_elsync/ELSYNC_dataset.csv"


@pytest.mark.realdata
def test_the_real_trial_gives_readable_tables(cardio: Any) -> None:
    path = real_table()
    target = ["--outcome", "male", "--event", "Male"]
    for command in (
        ["table1", "FILE", "--by", "aCRT"],
        ["univariable", "FILE", *target, "--features", "lvef1,areaQRS1,bsa"],
        ["multivariable", "FILE", *target, "--features", "lvef1,bsa"],
        ["incremental", "FILE", *target, "--base", "lvef1", "--add", "bsa"],
        ["roc", "FILE", *target, "--score", "bsa"],
        ["compare", "FILE", *target, "--scores", "bsa,areaQRS1"],
        ["agreement", "FILE", "--reference", "lvef1", "--measured", "lvef2"],
    ):
        ran = cardio(command, path)
        assert ran.code == 0, ran.err
        assert " nan" not in ran.out.lower()
        assert " 0.000" not in ran.out.replace("value", "")


REAL = [
    ["table1", "FILE", "--by", "SV5V6", "--columns", "lvef1,bsa"],
    ["univariable", "FILE", "--outcome", "SV5V6", "--features", "lvef1,bsa"],
    ["multivariable", "FILE", "--outcome", "SV5V6", "--features", "lvef1,bsa"],
    ["incremental", "FILE", "--outcome", "SV5V6", "--base", "bsa", "--add", "lvef1"],
    ["roc", "FILE", "--outcome", "SV5V6", "--score", "lvef1", "--patient", "ID"],
    ["compare", "FILE", "--outcome", "SV5V6", "--scores", "lvef1,bsa", "--patient", "ID"],
    ["calibration", "FILE", "--outcome", "SV5V6", "--score", "lvef1"],
    ["agreement", "FILE", "--reference", "lvef1", "--measured", "lvef2", "--patient", "ID"],
]
SPOILT: dict[str, tuple[Any, str]] = {
    "no column": (lambda t: t.drop(columns="lvef1"), "not in the table; nearest: "),
    "text": (lambda t: t.astype({"lvef1": object}).replace({"lvef1": {16.5: "n/a?"}}), "'n/a?'"),
    "all missing": (lambda t: t.assign(lvef1=np.nan), "lvef1"),
    "two patients": (lambda t: t.iloc[[1, 8]], "at least"),
    "one class": (lambda t: t.assign(SV5V6=1), "SV5V6"),
    "infinite": (lambda t: t.replace({"lvef1": {16.5: np.inf}}), "1 infinite"),
}


@pytest.mark.realdata
@pytest.mark.parametrize("fault", SPOILT)
def test_the_real_trial_spoilt_in_one_place_is_refused_in_one_line(
    cardio: Any, tmp_path: Path, fault: str
) -> None:
    table = pd.read_csv(real_table())[["ID", "SV5V6", "lvef1", "lvef2", "bsa"]]
    assert (table["lvef1"] == 16.5).sum() == 1
    spoil, words = SPOILT[fault]
    path = tmp_path / "spoilt.csv"
    spoil(table).to_csv(path, index=False)
    for command in REAL:
        if (fault, command[0]) == ("one class", "agreement"):
            continue
        ran = cardio(command, path)
        assert (ran.code, ran.out, ran.err.count("\n")) == (3, "", 1), (command, ran.out, ran.err)
        assert words in ran.err, command
