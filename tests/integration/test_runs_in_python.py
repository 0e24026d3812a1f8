"""Runs opened and made from Python say what their pages and commands say."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cardio_core as cardio_in_python
from cardio_stats.errors import ConfigError, DataError

pytestmark = pytest.mark.shown


@pytest.fixture(scope="module")
def opened(clinic_run):
    return cardio_in_python.open(clinic_run)


def stored(run, **asked):
    """The one pooled estimate of metrics.json with these entries."""
    asked = {"versus": None, "subgroup": None, "class_name": None, "repeat": None, **asked}
    rows = json.loads((run.folder / "metrics.json").read_text())
    (found,) = [
        row for row in rows
        if row["fold"] in (None, "pooled") and all(row[key] == asked[key] for key in asked)
    ]  # fmt: skip
    return found


def test_the_curve_has_the_area_of_the_report_and_shows_it(opened):
    target = opened.manifest.targets[0].name
    for model in opened.manifest.models:
        told = stored(opened, name="auc", model=model, target=target, protocol="honest")
        axes = opened.plot_roc(model, target=target)
        x, y = axes.lines[0].get_data()
        assert np.trapezoid(y, x) == pytest.approx(told["value"], abs=1e-9)
        assert f"{told['value']:.2f}" in axes.get_legend().get_texts()[0].get_text()


def test_curves_are_drawn_into_the_axes_that_are_given(opened):
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    assert opened.plot_calibration(ax=axes) is axes
    net = opened.plot_decision(thresholds=[0.2, 0.5]).lines[0].get_ydata()
    rows = opened.scores()
    cases, n = rows["event"] == 1, len(rows)
    for found, threshold in zip(net, (0.2, 0.5), strict=True):
        chosen = rows["score"] >= threshold
        odds = threshold / (1 - threshold)
        assert found == pytest.approx(((chosen & cases).sum() - odds * (chosen & ~cases).sum()) / n)


def test_a_row_a_patient_becomes_a_row_a_class(opened):
    both = opened.by_class()
    binary = {one.name: one for one in opened.manifest.targets if one.kind == "binary"}
    rows = opened.predictions[opened.predictions["target"].isin(binary)]
    both = both[both["target"].isin(binary)]
    assert len(both) == 2 * len(rows)
    sums = both.groupby(["protocol", "repeat", "model", "target", "patient_id"])["score"].sum()
    assert np.allclose(sums, 1)


def test_metrics_notes_and_folds_are_those_of_the_files(opened):
    pooled = opened.metrics
    assert {"auc", "brier"} <= set(pooled["metric"])
    assert (pooled["low"].dropna() <= pooled["value"][pooled["low"].notna()] + 1e-12).all()
    kept = json.loads((opened.folder / "manifest.json").read_text())
    assert [note.text for note in opened.notes] == [note["text"] for note in kept["notes"]]
    honest = opened.splits[opened.splits["protocol"] == "honest"]
    for _, fold in honest.groupby("fold"):
        people = fold.groupby("part")["patient_id"].agg(set)
        assert not people["train"] & people["test"]


def test_a_model_that_was_not_run_is_named(opened):
    with pytest.raises(ConfigError, match="nobody"):
        opened.plot_roc("nobody")


def test_two_models_are_compared_by_pairs(opened):
    first, second, *_ = opened.manifest.models
    found, back = opened.compare(first, second), opened.compare(second, first)
    areas = [
        stored(opened, name="auc", model=name, protocol="honest",
               target=opened.manifest.targets[0].name)["value"]
        for name in (first, second)
    ]  # fmt: skip
    assert found.value == pytest.approx(areas[0] - areas[1], abs=1e-9)
    assert back.value == pytest.approx(-found.value)


def test_a_run_made_from_python_is_the_command_s(cardio, clinic, tmp_path):
    asked = {"device": "cpu", "protocol": "honest", "seed": 3}
    made = cardio_in_python.run(
        "toy", data=clinic, out=tmp_path / "python", executor="local:1", echo=None, **asked
    )
    words = ["--plugin", "toy", "--data", clinic, "--device", "cpu", "--protocol", "honest"]
    words += ["--seed", 3, "--executor", "local:1", "--out", tmp_path / "command"]
    said = cardio("run", *words)
    assert said.exit_code == 0
    other = cardio_in_python.open(tmp_path / "command")
    pd.testing.assert_frame_equal(made.metrics, other.metrics)
    pd.testing.assert_frame_equal(made.predictions, other.predictions)
    assert made.report.is_file()
    shown = made._repr_html_()
    assert shown.count("<svg") == 1
    for text in re.findall(r"<(?:p|li)>(.*?)</(?:p|li)>", shown):  # as the page has it
        assert text.replace("&#x27;", "&#39;") in made.report.read_text()
    recording = next(path for path in sorted(clinic.glob("C*.csv")))
    assert made.predict(recording)["predictions"]


def test_measurements_and_plugins_are_tables(installed, clinic, tmp_path):
    table = cardio_in_python.measure("toy", clinic, out=tmp_path / "out", sheets=False, echo=None)
    assert len(table) >= 24
    assert table.attrs["folder"] == str(tmp_path / "out")
    found = cardio_in_python.plugins().set_index("name")
    assert "mean_class" in found.loc["toy", "tasks"]
    assert found.loc["toy", "broken"] == ""


def test_predictions_are_judged_and_runs_compared_as_by_the_commands(opened, cardio, tmp_path):
    ridge, *_ = opened.manifest.models
    scores = opened.scores(ridge).assign(other=lambda rows: rows["score"].rank(pct=True))
    asked = {"outcome": "event", "score": ["score", "other"], "patient": "patient_id"}
    judged = cardio_in_python.judge(scores, out=tmp_path / "judged", **asked)
    scores.to_csv(tmp_path / "scores.csv", index=False)
    words = (
        "--outcome",
        "event",
        "--score",
        "score",
        "--score",
        "other",
        "--patient",
        "patient_id",
    )
    said = cardio("judge", tmp_path / "scores.csv", *words, "--out", tmp_path / "same")
    assert said.exit_code == 0
    pd.testing.assert_frame_equal(judged.metrics, cardio_in_python.open(tmp_path / "same").metrics)
    assert judged.manifest.command[:2] == ("cardio", "judge")
    with pytest.raises(ConfigError, match="--outcom"):
        cardio_in_python.judge(scores, outcom="event")
    both = cardio_in_python.compare(opened, f"again={opened.folder}", out=tmp_path / "both")
    assert "difference" in " ".join(both.metrics["metric"])
    with pytest.raises(ConfigError):
        cardio_in_python.compare(opened, out=tmp_path / "alone")


def test_an_empty_folder_is_no_run(tmp_path):
    with pytest.raises(DataError, match="no run directory"):
        cardio_in_python.open(tmp_path)


def test_the_example_of_the_page_runs(clinic_run, tmp_path, monkeypatch):
    page = Path(__file__).parents[2] / "docs" / "howto" / "python.md"
    (example,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    shutil.copytree(clinic_run, tmp_path / "runs" / "first")
    monkeypatch.chdir(tmp_path)
    exec(compile(example, page, "exec"), {})  # noqa: S102
    assert (tmp_path / "roc.svg").stat().st_size > 1000
