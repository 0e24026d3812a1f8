"""A few hundred damaged files of the fast readers: each is accepted, or refused in one line."""

from __future__ import annotations

import pytest

from .cases import attempt
from .readers import ecg, loops, nuclear, tables
from .study import made

FAST = {
    "cohort_csv": 30, "cohort_parquet": 40, "table_csv": 20, "published_sums": 60, "ecg_edf": 40,
    "ecg_mfer": 40, "ecg_muse": 30, "ecg_scp": 30, "ecg_wfdb": 30, "spect_maps": 40, "us_npy": 20,
}  # fmt: skip
"""How many inputs of each reader; the others are read by `make fuzz`."""

DECODED = {"ecg_mfer", "ecg_scp"}
"""By a package of the extra [carts]."""

READERS = {one.name: one for part in (ecg, nuclear, loops, tables) for one in part.READERS}


@pytest.mark.parametrize("name", FAST)
def test_a_damaged_file_is_accepted_or_refused_in_one_line(name, tmp_path):
    if name in DECODED:
        pytest.importorskip("ecgdatakit")
    reader = READERS[name]
    seeds = made(reader, tmp_path)
    found = [attempt(reader, seeds, 0, number, tmp_path) for number in range(FAST[name])]
    wrong = [f"{one.name}: {one.what}\n{one.detail}" for one in found if one.kind == "other"]
    assert wrong == []
    assert {one.kind for one in found} == {"accepted", "refused"}, "too little damage, or too much"
