"""What `cardio measure` says of a gated study: numbers in words, and a sheet to check by eye."""

from __future__ import annotations

import csv
import re
import shutil
import sys
from importlib.metadata import entry_points

import pytest

from cardio_spect_polar.plugin import INFO
from cardio_spect_polar.polar.segment_names import WALLS
from cardio_spect_polar.synthetic.imaging import Camera, image
from cardio_spect_polar.synthetic.ventricle import Ventricle


def rows_by_head(out):
    """Read the rows of ``measurements.csv`` by the titles and units of their columns."""
    with (out / "measurements_columns.csv").open(encoding="utf-8", newline="") as file:
        columns = list(csv.DictReader(file))
    heads = {
        one["column"]: f"{one['title']} ({one['unit']})" if one["unit"] else one["title"]
        for one in columns
        if one["values"] != "text"
    }
    with (out / "measurements.csv").open(encoding="utf-8", newline="") as file:
        return [
            {heads.get(name, name): cell for name, cell in row.items()}
            for row in csv.DictReader(file)
        ]


def test_a_study_without_label_or_table_is_measured(crt_cohort, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CARDIO_CACHE", str(tmp_path / "cache"))
    study = crt_cohort / "spect" / "p001_rest.dcm"
    out = tmp_path / "out"
    (command,) = entry_points(group="console_scripts", name="cardio")
    arguments = ["measure", "--plugin", "spect_polar", str(study), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["cardio", *arguments])
    command.load()()
    assert "model" not in capsys.readouterr().out
    (row,) = rows_by_head(out)
    assert list(row)[:3] == ["id", "At stress", "Phase SD of reliable samples (degrees)"]
    assert row["At stress"] == "no"
    assert 0 < float(row["LV ejection fraction (%)"]) < 90
    assert 0 <= float(row["Phase, basal anterior (degrees)"]) < 360
    assert not [name for name in row if "_" in name]
    # The limits that were found, given as an operator's, give the same study.
    limits = [row[name] for name in row if name.endswith("from the first slice of the file (mm)")]
    again = tmp_path / "again"
    arguments = ["measure", "--plugin", "spect_polar", str(study), "--out", str(again),
                 "--base", limits[0], "--apex", limits[1], "--no-sheets"]  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["cardio", *arguments])
    command.load()()
    (given,) = rows_by_head(again)
    head = "Phase SD (degrees)"
    assert float(given[head]) == pytest.approx(float(row[head]), abs=0.5)
    assert "an operator's limits" in given["flags"]
    assert float(row["Peak filling rate (EDV/s)"]) > 0
    assert float(row["LV stroke volume (mL)"]) == pytest.approx(
        float(row["LV end-diastolic volume (mL)"]) - float(row["LV end-systolic volume (mL)"]),
        abs=0.2,
    )
    assert 0 <= float(row["Scar, LAD territory (%)"]) <= 100
    limit = "Phase SD within the limit of normal men by ECTb, mean + 2 SD 24.4°"
    assert row[limit] == ("yes" if float(row["Phase SD (degrees)"]) <= 24.4 else "no")
    # The whole is no more synchronous than the most synchronous wall.
    walls = [float(row[f"Phase SD, {wall} wall (degrees)"]) for wall in WALLS]
    assert float(row["Phase SD (degrees)"]) > min(walls)
    assert (out / row["sheet"]).stat().st_size > 50_000


def test_rest_and_stress_in_nested_folders_are_measured_once_and_beside_each_other(
    crt_cohort, tmp_path, monkeypatch, capsys
):
    folder = tmp_path / "MILLER" / "2024"
    for state in ("rest", "stress"):
        (folder / state).mkdir(parents=True)
        shutil.copy(crt_cohort / "spect" / f"p005_{state}.dcm", folder / state / "1.dcm")
        (folder / state / "report.pdf").write_bytes(b"%PDF-1.4")
    out = tmp_path / "out"
    limits = tmp_path / "limits.csv"
    columns = ["segment", *(f"score_{n}_below_pct" for n in range(1, 5))]
    with limits.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *([n, 101, 20, 10, 0] for n in range(1, 18))])
    words = ["measure", "--plugin", "spect_polar", str(folder.parent), "--out", str(out),
             "--no-sheets", "--perfusion-limits", str(limits)]  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["cardio", *words])
    (command,) = entry_points(group="console_scripts", name="cardio")
    command.load()()
    assert "Rest and stress of one patient: recordings 1 and 2." in capsys.readouterr().err
    rest, stress = rows_by_head(out)
    assert (rest["At stress"], stress["At stress"]) == ("no", "yes")
    assert rest["patient"] == stress["patient"] == "P1"
    for head in ("Phase SD (degrees)", "LV ejection fraction (%)"):
        changed = head.replace(" (", ", stress minus rest (")
        assert rest[changed] == ""
        expected = float(stress[head]) - float(rest[head])
        assert float(stress[changed]) == pytest.approx(expected, abs=0.02)
    assert "Perfusion, LAD territory, stress minus rest (%)" in stress
    assert rest["Summed perfusion score (SRS at rest, SSS at stress)"] == "17"
    assert stress["Summed difference score (SDS)"] == "0"
    assert 0.9 < float(stress["Transient ischaemic dilatation, mean volume at stress / rest"]) < 1.1
    assert "Rest and stress of one patient" in (out / "measurements.html").read_text("utf-8")


def test_every_word_is_free_of_identifiers():
    assert not [words for words in INFO.words.values() if re.search(r"[a-z0-9]_[a-z0-9]", words)]


def test_a_study_without_rr_interval_says_why_it_has_no_rates(tmp_path, monkeypatch, capsys):
    """A NIfTI file knows no RR interval."""
    nib = pytest.importorskip("nibabel")
    monkeypatch.setenv("CARDIO_CACHE", str(tmp_path / "cache"))
    counts, voxel_mm, _ = image(Ventricle(shortening_mm=8.0), None, Camera(n_rows=40, n_columns=40))
    made = nib.Nifti1Image(counts.transpose(3, 2, 1, 0).astype("float32"), None)
    made.header.set_zooms((*voxel_mm[::-1], 1.0))
    made.header.set_xyzt_units("mm", "sec")
    nib.save(made, tmp_path / "heart.nii")
    (tmp_path / "heart.json").write_text(
        '{"apex_first": false, "axes": ["column", "row", "slice"]}'
    )
    (command,) = entry_points(group="console_scripts", name="cardio")
    arguments = ["measure", "--plugin", "spect_polar", str(tmp_path / "heart.nii"), "--no-sheets"]
    monkeypatch.setattr(sys, "argv", ["cardio", *arguments, "--out", str(tmp_path / "out")])
    command.load()()
    capsys.readouterr()
    (row,) = rows_by_head(tmp_path / "out")
    assert "the RR interval is unknown: rates of filling and ejection are missing" in row["flags"]
    assert row["Peak filling rate (EDV/s)"] == ""
    # The phantom's base descends by 8 mm.
    assert float(row["Descent of the base (mm)"]) == pytest.approx(8, abs=1.5)
    assert float(row["Scatter of the base's edges (mm)"]) < 2
