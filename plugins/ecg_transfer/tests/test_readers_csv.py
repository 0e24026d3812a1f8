"""The small text table: what is read, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cardio_core.api import DataError
from cardio_ecg_transfer.readers import read_ecg

N_SAMPLES = 1000
ROWS = [f"{i % 50 / 100},{-(i % 50) * 10}" for i in range(N_SAMPLES)]


def table(
    path: Path, rows: list[str], rate: str = "# rate_hz=100", titles: str = "ii [mV],V1 [uV]"
) -> Path:
    path.write_text("\n".join([rate, titles, *rows]) + "\n", encoding="utf-8")
    return path


def refusal(path: Path, **options: object) -> str:
    with pytest.raises(DataError) as caught:
        read_ecg(path, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path.name}: ")
    return message


def test_each_column_is_read_in_its_own_unit(tmp_path: Path) -> None:
    ecg = read_ecg(table(tmp_path / "a.csv", ROWS))
    saw_mv = np.arange(N_SAMPLES) % 50 / 100
    np.testing.assert_allclose(ecg.signal_mv, [saw_mv, -saw_mv], atol=1e-7)
    assert (ecg.leads, ecg.rate_hz, ecg.duration_s) == (("II", "V1"), 100.0, 10.0)


def test_the_rate_line_makes_a_file_a_table_whatever_its_suffix(tmp_path: Path) -> None:
    assert read_ecg(table(tmp_path / "a.txt", ROWS)).leads == ("II", "V1")


@pytest.mark.parametrize("missing", ["", "NaN", "nan"])
def test_an_empty_cell_and_nan_are_missing_samples(tmp_path: Path, missing: str) -> None:
    rows = [*ROWS[:7], f"{missing},5", *ROWS[8:]]
    signal_mv = read_ecg(table(tmp_path / "a.csv", rows)).signal_mv
    assert np.flatnonzero(np.isnan(signal_mv[0])).tolist() == [7]
    assert signal_mv[1, 7] == pytest.approx(0.005)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"rate": "# hello"}, "a sampling rate in the first line"),
        ({"rate": "# rate_hz=fast"}, "a sampling rate in the first line"),
        ({"rate": "# rate_hz=1e-3"}, "a sampling rate of 50 to 50000 Hz"),
        ({"rate": "# rate_hz=1-2"}, "a sampling rate of 50 to 50000 Hz"),
        ({"titles": "II,V1"}, "another title over column 1"),
        ({"titles": "II [mV],BP [mmHg]"}, "another title over column 2"),
        ({"titles": "II [mV]"}, "1 numbers in every line"),
        ({"titles": "II [mV],V1 [mV],V2 [mV]"}, "3 numbers in every line"),
        ({"rows": [*ROWS, "0.1"]}, "2 numbers in every line"),
        ({"rows": [*ROWS, "0.1,2,3"]}, "2 numbers in every line"),
        ({"rows": [*ROWS, "0.1,DOE"]}, "2 numbers in every line"),
        ({"rows": [*ROWS, "0.1,inf"]}, "finite potentials"),
        ({"rows": []}, "at least one lead and one sample"),
        ({"rows": ROWS[:300]}, "at least 8 s of signal, found 3.0 s"),
        ({"rows": ["NaN,NaN"] * N_SAMPLES}, "only missing values in all 2 leads"),
        ({"rows": ["0.5,0.5"] * N_SAMPLES}, "flat lines in all 2 leads"),
    ],
)
def test_a_malformed_table_is_refused_in_words(
    tmp_path: Path, change: dict[str, object], part: str
) -> None:
    path = table(tmp_path / "a.csv", **({"rows": ROWS} | change))
    message = refusal(path)
    assert part in message
    assert "DOE" not in message


def test_a_table_beyond_the_limit_is_refused_by_its_size(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", ROWS)
    assert "at most 100 values" in refusal(path, max_values=100)
    assert "at most 1999 values" in refusal(path, max_values=1999)


def test_a_lost_file_and_binary_content_are_refused(tmp_path: Path) -> None:
    assert "found none" in refusal(tmp_path / "a.csv")
    path = tmp_path / "b.csv"
    path.write_bytes(bytes(range(256)) * 40)
    assert "a sampling rate in the first line" in refusal(path)
