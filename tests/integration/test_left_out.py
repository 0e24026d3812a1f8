"""What the data do not allow one row costs that row, and the rest of the run is finished."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cardio_core.api import hookimpl
from cardio_core.errors import LeakageError
from cardio_core.testing import refuses
from cardio_stats.errors import DataError

SKIP = "needs.mean_class.skip=true"


def read(run: Path, name: str):
    return json.loads((run / name).read_text())


def rows_of(run: Path, protocol: str) -> set[str]:
    table = pd.read_csv(run / "predictions.csv")
    return set(table.loc[table["protocol"] == protocol, "model"])


@pytest.fixture
def failing(installed, monkeypatch):
    """Make a function of the toy fail where a condition on the context holds."""

    def make(place: str, error: Exception, where=lambda ctx: True):
        import importlib

        module, name = place.rsplit(".", 1)
        genuine = getattr(importlib.import_module(module), name)

        def fails(*arguments):
            if where(arguments[-1]):
                raise error
            return genuine(*arguments)

        monkeypatch.setattr(place, fails)

    return make


def test_a_row_that_one_fold_cannot_fit_is_left_out_of_its_protocol_alone(
    run_toy, clinic, tmp_path, failing
):
    failing(
        "cardio_toy.clinic.one_feature.fit_one_feature",
        DataError("expected 3 patients with a spread, found 2; take more"),
        lambda ctx: (ctx.model, ctx.protocol, ctx.fold) == ("spread", "honest", "r0-f1"),
    )
    said: list[str] = []
    run = run_toy(tmp_path / "run", task="joined", data=(clinic,), said=said, sets=(SKIP,))
    assert read(run, "manifest.json")["status"] == "done"
    everything = {"height", "spread", "height_value", "spread_value", "both", "both_value"}
    assert rows_of(run, "paper") == everything
    # what fuses it has one member left
    assert rows_of(run, "honest") == everything - {"spread", "both"}
    assert set(read(run, "manifest.json")["models"]) == everything - {"spread", "both"}
    reason = (
        "Model Spread is left out of protocol honest: it cannot be fitted in 1 of 4 fits; the "
        "first, r0-f1, expected 3 patients with a spread, found 2; take more."
    )
    hollow = (
        "Model Height and spread, fused is left out of protocol honest: of the models that it "
        "fuses (height, spread) fewer than two are left."
    )
    notes = [one["text"] for one in read(run, "manifest.json")["notes"]]
    for note in (reason, hollow):
        assert note in said and note in notes
        shown = note.replace("r0-f1", "fold 2")
        assert shown in (run / "report.html").read_text(encoding="utf-8")


def test_a_matrix_that_cannot_be_inverted_is_about_the_data_too(run_toy, clinic, tmp_path, failing):
    failing(
        "cardio_toy.clinic.linear.fit_illness",
        np.linalg.LinAlgError("Singular matrix"),
        lambda ctx: ctx.protocol == "honest",
    )
    run = run_toy(tmp_path / "run", data=(clinic,))
    assert rows_of(run, "honest") == {"constant"}
    assert rows_of(run, "paper") == {"ridge", "constant"}
    assert "Singular matrix" in " ".join(
        [one["text"] for one in read(run, "manifest.json")["notes"]]
    )


def test_a_run_without_any_row_that_can_be_fitted_fails_with_the_reason(
    run_toy, clinic, tmp_path, failing
):
    failing("cardio_toy.clinic.train.wait", DataError("expected more, found less"))
    with refuses(DataError, "4 of 4", "found less"):
        run_toy(tmp_path / "run", data=(clinic,))
    assert read(tmp_path / "run", "manifest.json")["status"] == "failed"


@pytest.mark.parametrize("having", [("C04",), ("C04", "C07"), ("C01", "C04", "C07", "C08")])
def test_a_small_cohort_that_nearly_always_lacks_a_view_finishes_and_says_what_is_left_out(
    run_toy, write_cohort, tmp_path, monkeypatch, having
):
    cohort = write_cohort(tmp_path / "cohort", "mean_class", n_patients=14)

    def lacks(features, ctx):
        seldom = str(ctx.model).startswith("spread")
        return np.array([seldom and p not in having for p in features.table["patient_id"]])

    monkeypatch.setattr("cardio_toy.clinic.one_feature._lacks", lacks)
    said: list[str] = []
    run = run_toy(tmp_path / "run", task="joined", data=(cohort,), said=said, sets=(SKIP,))
    assert read(run, "manifest.json")["status"] == "done"
    html = (run / "report.html").read_text(encoding="utf-8")
    for protocol in ("honest", "paper"):
        assert rows_of(run, protocol) >= {"height", "height_value"}
        for row, title in {"spread": "Spread", "both": "Height and spread, fused"}.items():
            note = f"Model {title} is left out of protocol {protocol}: "
            left_out = row not in rows_of(run, protocol)
            assert any(line.startswith(note) for line in said) == left_out
            assert (note in html) == left_out
    assert "spread" not in rows_of(run, "honest")


@pytest.mark.parametrize(("without", "other"), [("paper", "honest"), ("honest", "paper")])
def test_a_protocol_without_any_row_leaves_the_other_finished(
    run_toy, clinic, tmp_path, failing, without, other
):
    failing(
        "cardio_toy.clinic.train.wait",
        DataError("expected more, found less"),
        lambda ctx: ctx.protocol == without,
    )
    run = run_toy(tmp_path / "run", data=(clinic,))
    assert rows_of(run, other) == {"ridge", "constant"}
    assert rows_of(run, without) == set()
    assert {m["protocol"] for m in read(run, "metrics.json")} == {other}
    assert f"left out of protocol {without}" in (run / "report.html").read_text(encoding="utf-8")


def test_strict_stops_at_the_first_row_that_cannot_be_fitted(run_toy, strip, tmp_path, failing):
    failing("cardio_toy.beats.train.wait", DataError("expected more, found less"))
    with refuses(DataError, "found less"):
        run_toy(tmp_path / "run", task="beats", data=(strip,), strict=True)


def test_a_leak_found_in_training_still_stops_the_run(run_toy, clinic, tmp_path, failing):
    failing("cardio_toy.clinic.linear.fit_illness", LeakageError("a patient on both sides"))
    with pytest.raises(LeakageError, match="both sides"):
        run_toy(tmp_path / "run", data=(clinic,))


def test_an_explanation_that_fails_leaves_the_others_and_is_named(
    run_toy, clinic, tmp_path, failing
):
    failing(
        "cardio_toy.clinic.explain.show_one",
        DataError("expected a map, found none"),
        lambda ctx: ctx.model == "ridge",
    )
    run = run_toy(tmp_path / "run", data=(clinic,), protocol="honest")
    explained = [json.loads(path.read_text()) for path in (run / "explanations").glob("*.json")]
    assert {case["model"] for case in explained} == {"constant"}
    notes = [one["text"] for one in read(run, "manifest.json")["notes"]]
    assert "No explanation of ridge, r0-f0: expected a map, found none" in notes


def test_new_patients_are_predicted_where_nothing_can_be_explained(
    cardio, clinic_run, clinic, tmp_path, failing
):
    failing("cardio_toy.clinic.explain.show_one", DataError("expected a map, found none"))
    answer = cardio("predict", clinic_run, clinic / "C02r0.csv", "--device", "cpu",
                    "--explain", tmp_path / "why", "--json").json  # fmt: skip
    assert {row["model"] for row in answer["predictions"]} == {"ridge", "constant"}
    assert "expected a map, found none" in " ".join(answer["notes"])


def test_where_a_plugins_own_evaluation_fails_the_cores_stands_and_says_so(
    run_toy, clinic, clinic_run, tmp_path, monkeypatch
):
    def evaluate(predictions, ctx):
        raise DataError("expected two groups, found one")

    monkeypatch.setattr("cardio_toy.plugin.evaluate", hookimpl(evaluate), raising=False)
    run = run_toy(tmp_path / "run", data=(clinic,))
    assert read(run, "metrics.json") == read(clinic_run, "metrics.json")
    (note,) = [
        n for n in [one["text"] for one in read(run, "manifest.json")["notes"]] if "two groups" in n
    ]
    assert note == (
        "Only what the core reports by itself is here, not what toy adds: expected two groups, "
        "found one"
    )


def test_a_figure_that_cannot_be_drawn_is_left_out_and_named(
    run_toy, clinic, tmp_path, monkeypatch
):
    from cardio_core.api import default_evaluate

    def draw(figure):
        raise DataError("expected points to draw, found none")

    def evaluate(predictions, config, ctx):
        report = default_evaluate(predictions, ctx.task, config, seed=ctx.seed)
        report.figures["mine"] = draw
        return report

    monkeypatch.setattr("cardio_toy.plugin.evaluate", hookimpl(evaluate), raising=False)
    run = run_toy(tmp_path / "run", data=(clinic,), protocol="honest", all_figures=True)
    assert not (run / "figures" / "honest-mine.svg").exists()
    assert (run / "figures" / "honest-roc-ill.svg").exists()
    notes = [one["text"] for one in read(run, "manifest.json")["notes"]]
    assert "Figure mine is left out: expected points to draw, found none" in notes
