"""What the contract warns of, and does not fail: it may be meant."""

from __future__ import annotations

import warnings
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cardio_core.testing import plugin_checks as samples
from cardio_core.testing.case import ContractWarning, judge
from cardio_core.types.features import FeatureBlock, FeatureSet


def heights(*values: float) -> FeatureSet:
    ids = [f"r{number}" for number in range(len(values))]
    table = pd.DataFrame({"recording_id": ids, "study_id": ids, "patient_id": "P"}, index=ids)
    block = FeatureBlock(np.array(values)[:, None], ("feature",), ("height",), ("mV",))
    return FeatureSet(table, {"shape": block})


def test_a_column_of_files_that_info_does_not_name_is_warned_of(tmp_path):
    check = samples.every_column_of_recordings_is_declared
    cells = "P,one.csv; two.csv,3,one.json\n"
    (tmp_path / "cohort.csv").write_text(f"patient_id,path_trace,age,path_drawn\n{cells}")
    files = {"a": (tmp_path / "one.csv",), "b": (tmp_path / "two.csv",)}
    drawn = SimpleNamespace(column="path_drawn")

    def case(*paths):
        return SimpleNamespace(
            data=tmp_path, cohort=SimpleNamespace(files=files),
            task=SimpleNamespace(options=[drawn]), info=SimpleNamespace(paths=paths),
        )  # fmt: skip

    with pytest.warns(ContractWarning, match="column 'path_trace', which PluginInfo.paths"):
        check(case())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(case("path_trace"))


def test_a_known_word_that_is_also_the_name_of_a_folder_is_no_file(tmp_path):
    recording = tmp_path / "spect" / "one.dcm"
    (tmp_path / "cohort.csv").write_text(
        "patient_id,path_spect,vol_method\nP,spect/one.dcm,spect\n"
    )
    case = SimpleNamespace(
        data=tmp_path, cohort=SimpleNamespace(files={"a": (recording,)}),
        task=SimpleNamespace(options=[]), info=SimpleNamespace(paths=("path_spect",)),
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        samples.every_column_of_recordings_is_declared(case)


def test_a_measurement_that_nobody_has_is_warned_of():
    check = samples.some_patient_has_each_measurement
    nobody, somebody = (heights(np.nan, last) for last in (np.nan, 2.0))
    check(SimpleNamespace(features={"P": nobody, "Q": somebody}))
    case = SimpleNamespace(features={"P": nobody, "Q": nobody})
    with pytest.warns(ContractWarning, match=r"NaN in all 2 patients: shape\.height; mend"):
        check(case)
    told = judge(check, case)
    assert (told.passed, told.advised) == (True, True)
    assert told.text.startswith("NaN in all 2 patients: shape.height")
    for titles in ((), ("",)):  # no measurement
        block = replace(nobody["shape"], titles=titles)
        check(SimpleNamespace(features={"P": FeatureSet(nobody.table, {"shape": block})}))
