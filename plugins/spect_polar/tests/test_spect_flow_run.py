"""Both tasks through the runner, at sizes that prove nothing but that everything fits together."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from cardio_core.api import Context, ModelArtifact
from cardio_core.testing import PluginContract, run_plugin
from cardio_spect_polar.flow.config import Config, FeaturizeBlock
from cardio_spect_polar.flow.featurize import featurize
from cardio_spect_polar.flow.load import load
from cardio_spect_polar.flow.models import RISK_FACTOR, RISK_FACTORS
from cardio_spect_polar.flow.predict import predict
from cardio_spect_polar.flow.preprocess import preprocess

pytestmark = pytest.mark.usefixtures("blank_figures")

SMALL = (
    "evaluate.min_per_class=2",
    "evaluate.n_resamples=100",
    "evaluate.n_simulations=2",
    "needs.mfr.settings={evaluate: {n_resamples: 100}}",
)


def _pooled(run):
    """Metrics of all folds together, of everybody, of one row alone."""
    table = pd.DataFrame(json.loads((run / "metrics.json").read_text()))
    return table[table["fold"].isna() & table["subgroup"].isna() & table["versus"].isna()]


class TestContract(PluginContract):
    """The core's contract suite, and what the finished run holds of these tasks."""

    plugin = "spect_polar"
    tasks = ("risk_factor",)
    protocol = "honest"
    n_patients = 32
    n_checked = 2
    sets = {"risk_factor": SMALL}  # noqa: RUF012

    @pytest.fixture(scope="class")
    @classmethod
    def run(cls, finished):
        return finished

    def test_every_factor_has_an_auc_of_the_network_and_of_the_regression(self, run):
        pooled = _pooled(run).query("name == 'auc'")
        found = set(zip(pooled["target"], pooled["model"], strict=True))
        rows = ("resnet_rest", "logistic_rest", "logistic_reserve")
        assert {(trait, model) for trait in RISK_FACTORS for model in rows} <= found

    def test_network_and_regression_are_compared_in_pairs_by_delong(self, run):
        metrics = pd.DataFrame(json.loads((run / "metrics.json").read_text()))
        paired = metrics[metrics["versus"].notna() & (metrics["model"] == "resnet_rest")]
        assert set(paired["versus"]) == {"logistic_rest", "logistic_reserve"}
        assert paired["method"].str.contains("DeLong").all()

    def test_base_rate_majority_pr_auc_and_calibration_stand_beside_every_auc(self, run):
        sex = _pooled(run).query("target == 'sex' and class_name.isna()")
        named = sex.set_index(["model", "name"])["value"].sort_index()
        for model in ("resnet_rest", "logistic_rest"):
            base = named[model, "base_rate"]
            assert named[model, "accuracy_of_majority"] == pytest.approx(max(base, 1 - base))
            assert {"average_precision", "calibration_slope", "calibration_in_the_large"} <= set(
                named[model].index
            )

    def test_step_one_is_made_first_on_the_same_folds_and_says_that_it_is_circular(self, run):
        earlier = run / "needs" / "mfr"
        ours, theirs = (
            json.loads((r / "splits.json").read_text())["protocols"] for r in (run, earlier)
        )
        assert ours["honest"]["folds"] == theirs["honest"]["folds"]
        manifest = json.loads((earlier / "manifest.json").read_text())
        assert ("circular", "warning") in {
            (one["kind"], one["severity"]) for one in manifest["notes"]
        }
        assert "sanity check" in manifest["outcome"]
        assert "sanity check" in (earlier / "report.html").read_text().lower()

    def test_no_model_of_either_step_has_seen_whom_it_is_tested_on(self, run):
        folds = json.loads((run / "splits.json").read_text())["protocols"]["honest"]["folds"]
        for fold in folds:
            for place in (run, run / "needs" / "mfr"):
                seen = json.loads(
                    (place / "models" / f"honest-{fold['name']}" / "resnet_rest" / "artifact"
                     / "seen.json").read_text()
                )["subjects"]  # fmt: skip
                assert not set(seen) & set(fold["test"])

    def test_the_tables_of_the_paper_of_the_audit_and_of_the_simulations_are_there(self, run):
        tables = {
            name: pd.read_csv(run / "tables" / f"honest-{name}.csv")
            for name in ("network-versus-logistic", "published", "audit-groups", "audit-gaps",
                         "audit-tests", "simulations")
        }  # fmt: skip
        assert set(tables["network-versus-logistic"]["factor"]) == set(RISK_FACTORS)
        assert set(tables["simulations"]["simulation"]) == {
            "referral", "prevalence", "readers", "scanner",
        }  # fmt: skip
        audited = tables["audit-groups"]
        assert {"sex", "scanner_id", "site_id"} <= set(audited["column"])
        # In the groups of sex there is nothing to rank by sex.
        assert "sex" not in set(audited.loc[audited["factor"] == "sex", "column"])

    def test_the_audit_has_one_family_of_tests_and_says_how_many_they_are(self, run):
        tests = pd.read_csv(run / "tables" / "honest-audit-tests.csv")
        assert set(tests["model"]) == {"resnet_rest", "logistic_rest", "logistic_reserve"}
        assert set(tests["factor"]) == set(RISK_FACTORS)
        # Corrected for all of them: never below the test's own, and in the same order.
        assert (tests["p_adjusted"] >= tests["p"]).all()
        assert tests["p_adjusted"].is_monotonic_increasing
        notes = [one["text"] for one in json.loads((run / "manifest.json").read_text())["notes"]]
        assert any(f"asks {len(tests)} questions of this run" in note for note in notes)

    def test_a_gain_of_flow_moves_rows_on_rest_and_is_not_simulated_for_the_reserve(
        self, task, run
    ):
        table = pd.read_csv(run / "tables" / "honest-simulations.csv")
        scanner = table[(table["simulation"] == "scanner") & (table["factor"] == "sex")]
        assert set(scanner["model"]) == {"resnet_rest", "logistic_rest"}
        excess = scanner.set_index(["model", "setting"])["observed_minus_predicted"]
        before, after = (
            excess["logistic_rest", f"scanner reads {gain} for 1"] for gain in ("1", "1.15")
        )
        assert abs(before - after) > 1e-3

    def test_a_case_is_explained_by_a_map_whose_shares_add_up_to_one(self, run):
        files = sorted((run / "explanations").glob("*resnet_rest*.json"))
        assert files
        for file in files:
            scores = json.loads(file.read_text())["scores"]
            shares = [value for name, value in scores.items() if name.startswith("segment:")]
            assert len(shares) == 17
            assert sum(shares) == pytest.approx(1.0) or sum(shares) == 0.0

    def test_new_patients_come_as_folders_with_maps_at_rest_and_stress(self, run, tmp_path):
        rng = np.random.default_rng(0)
        folder = tmp_path / "somebody"
        folder.mkdir()
        for name, mean in (("rest", 0.9), ("stress", 2.4)):
            np.save(folder / f"{name}.npy", rng.normal(mean, 0.05, (24, 72)))
        config = Config()
        ctx = Context(RISK_FACTOR, hook="load", mode="predict", _inputs=(folder,))
        cohort = load(config.load, ctx)
        assert cohort.targets is None
        assert cohort.samples.table["patient_id"].tolist() == ["n1"]
        samples = preprocess(cohort.samples, config.preprocess, ctx.replace(hook="preprocess"))
        features = featurize(samples, FeaturizeBlock(size=24), ctx.replace(hook="featurize"))
        for row in ("resnet_rest", "logistic_reserve"):
            artifact = ModelArtifact(run / "models" / "final" / row / "artifact")
            place = ctx.replace(hook="predict", model=row, fold="final")
            scores = predict(artifact, features, config.predict, place).scores
            assert set(scores) == set(RISK_FACTORS)
            assert all(0 < float(p[0]) < 1 for p in scores.values())

    def test_a_factor_that_the_table_does_not_record_is_said_to_be_unlearnt_and_stops_nothing(
        self, case, tmp_path, monkeypatch
    ):
        monkeypatch.setenv("CARDIO_CACHE", str(tmp_path / "cache"))
        folder = tmp_path / "unrecorded"
        shutil.copytree(case.data, folder)
        table = pd.read_csv(folder / "cohort.csv").drop(columns="dyslipidaemia")
        table.loc[1:, "smoking"] = 0  # one smoker: in some folds there is nobody to learn from
        table.loc[0, "smoking"] = 1
        table.to_csv(folder / "cohort.csv", index=False)
        sets = ("models=[logistic_rest]", "needs.mfr.settings={evaluate: {n_resamples: 100}}",
                "evaluate.n_simulations=0", "evaluate.n_resamples=100")  # fmt: skip
        run = run_plugin("spect_polar", "risk_factor", folder, tmp_path / "run", sets=sets)
        notes = " ".join(
            [one["text"] for one in json.loads((run / "manifest.json").read_text())["notes"]]
        )
        assert "dyslipidaemia is not learnt" in notes
        assert "smoking is not learnt" in notes
        found = _pooled(run).query("name == 'auc'")
        assert {"sex", "hypertension", "diabetes"} <= set(found["target"])
        assert "dyslipidaemia" not in set(found["target"])
