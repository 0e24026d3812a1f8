"""What `cardio measure` says of a gated study: numbers in words, and a sheet to check by eye."""

from __future__ import annotations

import csv
import re
import sys
from importlib.metadata import entry_points

from cardio_spect_polar.plugin import INFO
from cardio_spect_polar.synthetic import synthesize


def test_a_study_without_label_or_table_is_measured(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CARDIO_CACHE", str(tmp_path / "cache"))
    synthesize(tmp_path / "made", task="crt_response", n_patients=8, seed=2)
    study = sorted((tmp_path / "made").rglob("*.dcm"))[0]
    out = tmp_path / "out"
    (command,) = entry_points(group="console_scripts", name="cardio")
    arguments = ["measure", "--plugin", "spect_polar", str(study), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["cardio", *arguments])
    command.load()()
    assert "model" not in capsys.readouterr().out
    with (out / "measurements.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert list(row)[:3] == ["id", "Phase SD (degrees)", "Phase bandwidth (degrees)"]
    assert 0 < float(row["LV ejection fraction (%)"]) < 90
    assert 0 <= float(row["Phase, basal anterior (degrees)"]) < 360
    assert not [name for name in row if "_" in name]
    assert (out / row["sheet"]).stat().st_size > 50_000


def test_every_word_is_free_of_identifiers():
    assert not [words for words in INFO.words.values() if re.search(r"[a-z0-9]_[a-z0-9]", words)]
