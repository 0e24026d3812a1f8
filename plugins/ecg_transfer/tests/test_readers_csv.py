"""The small text table: what is read, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cardio_core.api import Context
from cardio_ecg_transfer.beats.models import AAMI_BEATS
from cardio_ecg_transfer.readers import read_ecg
from cardio_ecg_transfer.response.config import LoadBlock
from cardio_ecg_transfer.response.load import load
from cardio_ecg_transfer.response.models import CRT_RESPONSE

from .refused import refusal

N_SAMPLES = 1000
ROWS = [f"{i % 50 / 100},{-(i % 50) * 10}" for i in range(N_SAMPLES)]


def table(
    path: Path, rows: list[str], rate: str = "# rate_hz=100", titles: str = "ii [mV],V1 [uV]"
) -> Path:
    path.write_text("\n".join([rate, titles, *rows]) + "\n", encoding="utf-8")
    return path


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
        ({"rate": "# hello"}, "--rate-hz"),
        ({"rate": "# rate_hz=fast"}, "a sampling rate of 50 to 50000 Hz"),
        ({"rate": "# rate_hz=1e-3"}, "a sampling rate of 50 to 50000 Hz"),
        ({"rate": "# rate_hz=1-2"}, "a sampling rate of 50 to 50000 Hz"),
        ({"titles": "II,V1"}, "--unit"),
        ({"titles": "Resp,V1 [mV]"}, "another title over column 1"),
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
    assert "titled by lead" in refusal(path)


WAVE = np.sin(np.arange(N_SAMPLES) / 7) * 0.8


def people(path: Path, text: str, *columns: np.ndarray, form: str, encoding: str = "utf-8") -> Path:
    lines = [form.format(*row) for row in zip(*columns, strict=True)]
    path.write_bytes((text + "\n" + "\n".join(lines) + "\n").encode(encoding))
    return path


TIMES = np.arange(N_SAMPLES) / 360


@pytest.mark.parametrize(
    ("head", "columns", "form", "leads", "rate_hz"),
    [
        ("time_s,MDC_ECG_LEAD_II_uV", (TIMES, WAVE * 1000), "{:.3f},{:.4f}", ("II",), 360),
        ("Time [ms]\tavr (mV)", (TIMES * 1000, WAVE), "{:.1f}\t{:.6f}", ("aVR",), 360),
        ("t,v 1 [mV]", (TIMES, WAVE), "{:.4f},{:.6f}", ("V1",), 360),
        ("'Elapsed time','MLII'\n'hh:mm:ss.mmm','mV'",
         (np.zeros(N_SAMPLES, int), TIMES, WAVE), "'{:d}:{:06.3f}',{:.6f}", ("MLII",), 360),
        ("# fs: 250\nsample,Lead I mV", (np.arange(N_SAMPLES), WAVE), "{:d},{:.6f}", ("I",), 250),
        ("Name,DOE\nSample Rate,512 hertz\n\nLead,Lead I\nUnit,µV\n",
         (WAVE * 1000,), "{:.4f}", ("I",), 512),
        ("ECG (millivolts)\n# sampling rate = 100 Hz", (WAVE,), "{:.6f}", ("ECG",), 100),
        ("Zeit;Ableitung II (mV)", (TIMES, WAVE), "{:.4f};{:.6f}", ("II",), 360),
        ("sec\tC3 [mV]", (TIMES, WAVE), "{:.4f}\t{:.6f}", ("V3",), 360),
        ("ms,dérivation aVF [mV]", (TIMES * 1000, WAVE), "{:.1f},{:.6f}", ("aVF",), 360),
    ],
)  # fmt: skip
def test_tables_as_people_have_them(tmp_path, head, columns, form, leads, rate_hz):
    ecg = read_ecg(people(tmp_path / "a.csv", head, *columns, form=form), min_duration_s=1)
    assert (ecg.leads, ecg.rate_hz) == (leads, rate_hz)
    np.testing.assert_allclose(ecg.signal_mv[0], WAVE, atol=1e-6)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_semicolons_with_decimal_commas(tmp_path: Path, encoding: str) -> None:
    lines = ["Zeit [s];D1 [µV];V1 (mV)"]
    lines.append("0;0;0")
    for time_s, mv in zip(TIMES[1:], WAVE[1:], strict=True):
        lines.append(f"{time_s:.4f};{mv * 1000:.3f};{mv:.6f}".replace(".", ","))
    lines[8] = lines[8].rpartition(";")[0] + ";"
    path = tmp_path / "a.csv"
    path.write_bytes("\r\n".join(lines).encode(encoding))
    ecg = read_ecg(path, min_duration_s=1)
    assert (ecg.leads, ecg.rate_hz) == (("I", "V1"), 360.0)
    np.testing.assert_allclose(ecg.signal_mv[0], WAVE, atol=1e-6)
    assert np.flatnonzero(np.isnan(ecg.signal_mv[1])).tolist() == [7]


def test_what_the_table_does_not_say_is_given(tmp_path: Path) -> None:
    path = people(tmp_path / "a.csv", "I,II", WAVE * 1000, -WAVE * 1000, form="{:.4f},{:.4f}")
    ecg = read_ecg(path, rate_hz=100, unit="uV")
    np.testing.assert_allclose(ecg.signal_mv, [WAVE, -WAVE], atol=1e-6)
    assert "--rate-hz" in refusal(path, unit="uV")
    assert "--unit" in refusal(path, rate_hz=100)


def test_what_is_given_on_the_command_line_reaches_the_reader(tmp_path: Path) -> None:
    path = people(tmp_path / "a.csv", "I,II", WAVE * 1000, -WAVE * 1000, form="{:.4f},{:.4f}")
    for task in (CRT_RESPONSE, AAMI_BEATS):
        options = {one.name: one.setting for one in task.options if one.for_new}
        assert options == {"rate-hz": "load.rate_hz", "unit": "load.unit"}
    ctx = Context(CRT_RESPONSE, hook="load", mode="predict", _inputs=(path,))
    (ecg,) = load(LoadBlock(rate_hz=100, unit="uV"), ctx).samples.values
    np.testing.assert_allclose(ecg.signal_mv, [WAVE, -WAVE], atol=1e-6)


def test_what_is_given_does_not_contradict_the_file(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", ROWS)
    assert "100 Hz in the file" in refusal(path, rate_hz=500)
    assert "another unit in the file" in refusal(path, unit="mV")
    timed = people(tmp_path / "b.csv", "# rate_hz=500\nt,I [mV]", TIMES, WAVE, form="{:.3f},{:.6f}")
    assert "found 360 Hz" in refusal(timed)
    assert "360 Hz in the file" in refusal(
        people(tmp_path / "c.csv", "t,I [mV]", TIMES, WAVE, form="{:.3f},{:.6f}"),
        rate_hz=500, min_duration_s=1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("times", "part"),
    [
        (np.delete(np.arange(N_SAMPLES + 1), 500) / 100, "evenly spaced, 10"),
        (np.arange(N_SAMPLES) ** 2 / 1e5, "evenly spaced"),
        (np.arange(N_SAMPLES)[::-1] / 100, "times that increase"),
        (np.arange(N_SAMPLES) * 10.0, "0.1 Hz"),  # milliseconds without their unit
        (np.full(N_SAMPLES, np.nan), "times that increase"),
    ],
)
def test_times_with_gaps_or_none_are_refused(tmp_path: Path, times: np.ndarray, part: str) -> None:
    path = people(tmp_path / "a.csv", "time,I [mV]", times, WAVE, form="{:.6f},{:.6f}")
    assert part in refusal(path)


def test_running_numbers_with_a_gap_are_refused(tmp_path: Path) -> None:
    numbers = np.arange(N_SAMPLES)
    numbers[500:] += 1
    head = "# rate_hz=100\nsample,I [mV]"
    path = people(tmp_path / "a.csv", head, numbers, WAVE, form="{:d},{:.6f}")
    assert "running numbers" in refusal(path)
