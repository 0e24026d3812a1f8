"""Tables 1 and 2, from patients and from what the paper printed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.stats import chi2, chi2_contingency
from statsmodels.api import OLS, Logit
from statsmodels.stats.outliers_influence import variance_inflation_factor

from cardio_core.api import Case, Context, Explanation, Scored
from cardio_spect_polar.plugin import CRT_RESPONSE
from cardio_spect_polar.published.he_2022 import (
    STYLES,
    collinear_rows,
    incremental_rows,
    multivariable_rows,
    published_parts,
    published_table_1,
    published_table_2,
    table_1,
    table_1_patients,
    table_2_patients,
    univariable_rows,
    without_collinear,
)
from cardio_spect_polar.response.config import EvaluateBlock
from cardio_spect_polar.response.evaluate import evaluate
from cardio_spect_polar.response.paper_tables import best_code_model
from cardio_spect_polar.response.tables import code_tables, codes_of, patient_table, scores_of

PAPER, HONEST = STYLES["paper"], STYLES["honest"]

# He et al. 2022, Table 1: (responders, others) with the property; p as recomputed with scipy.
COUNTS = {
    "acei_arb": (37, 51, 0.443093), "cad": (10, 15, 0.806120), "male": (37, 37, 0.085126),
    "ischemic_aetiology": (9, 15, 0.608934), "smoking": (19, 18, 0.366676),
}  # fmt: skip
# (mean, SD) of responders and of others; p of Student's t where the SDs are divided by n.
MEANS = {
    "lvedv_bl_ml": (270.5, 81.8, 307.5, 90.0, 0.036101),
    "lvesv_bl_ml": (191.5, 71.6, 222.6, 77.7, 0.042288),
    "pbw_deg": (197.1, 72.8, 194.1, 78.2, 0.844737),
    "scar_pct": (24.5, 9.8, 28.6, 11.9, 0.067727),
    "psd_deg": (58.6, 18.3, 57.7, 19.0, 0.811562),
}
# Table 2, univariable: odds ratio, limits, p; and the same from the counts of Table 1.
RATIOS = {
    "acei_arb": ((1.63, 0.52, 5.16, 0.402), (0.544, 0.174, 1.701, 0.295)),
    "cad": ((0.84, 0.33, 2.16, 0.715), (0.800, 0.320, 2.002, 0.634)),
    "male": ((2.23, 0.91, 5.47, 0.080), (2.500, 0.978, 6.387, 0.056)),
    "smoking": ((1.90, 0.77, 4.67, 0.164), (1.583, 0.702, 3.572, 0.268)),
}


def random_patients(n: int = 120, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat([1, 0], [n // 2, n - n // 2]))
    return pd.DataFrame(
        {
            "response": y,
            "age_y": rng.normal(60, 10, n),
            "male": (rng.random(n) < 0.7).astype(float),
            "psd_deg": rng.normal(50, 15, n) + 8 * y,
            "qrs_ms": rng.normal(150, 20, n),
        }
    )


# --- the published numbers through this report's own tables


def test_patients_of_table_1_have_its_counts_means_and_population_sds():
    table = table_1_patients()
    assert table["response"].value_counts().to_dict() == {0: 57, 1: 45}
    groups = table.groupby("response")
    for name, (with_response, others, _) in COUNTS.items():
        assert groups[name].sum().to_dict() == {0: others, 1: with_response}
    for name, (mean_1, sd_1, mean_0, sd_0, _) in MEANS.items():
        np.testing.assert_allclose(groups[name].mean(), [mean_0, mean_1])
        np.testing.assert_allclose(groups[name].std(ddof=0), [sd_0, sd_1])
    nyha = table.groupby("response")["nyha_bl"].value_counts()
    assert [nyha[1, c] for c in (2, 3, 4)] == [16, 21, 8]
    assert [nyha[0, c] for c in (2, 3, 4)] == [15, 35, 7]


def test_table_1_of_those_patients_has_the_published_p_values():
    made = table_1(table_1_patients(), PAPER)
    p = {row["Variable"]: row["p"] for _, row in made.iterrows()}
    expected = {name: row[-1] for name, row in (COUNTS | MEANS).items()}
    for name, value in expected.items():
        (found,) = (text for label, text in p.items() if label.startswith(name))
        assert float(found) == pytest.approx(value, abs=5.1e-4)
    (nyha,) = (text for label, text in p.items() if label.startswith("nyha_bl"))
    counts = [[16, 21, 8], [15, 35, 7]]
    assert float(nyha) == pytest.approx(chi2_contingency(counts)[1], abs=5.1e-4)


def test_where_chi_square_is_not_valid_fishers_p_stands_and_the_row_says_so():
    made = published_table_1().set_index("variable")
    row = made.loc["CKD"]
    # published .786 is Yates' chi-square with a smallest expected count of 2.2
    assert (row["published_p"], row["p"], row["test"]) == ("0.786", "0.652", "Fisher")
    assert row["verdict"] == "reproduced, with a reservation"
    assert "2.21" in row["why"]


def test_no_row_of_table_1_fails():
    made = published_table_1()
    assert len(made) == 15
    assert set(made["verdict"]) == {"reproduced", "reproduced, with a reservation"}


def test_the_only_sample_behind_table_2_is_103_patients_with_69_events():
    table, how = table_2_patients()
    assert (len(table), table["response"].sum()) == (103, 69)
    cells = {
        name: (int(table.loc[table["response"] == 1, name].sum()),
               int(table.loc[table["response"] == 0, name].sum()))
        for name in RATIOS
    }  # fmt: skip
    assert cells == {"acei_arb": (61, 28), "cad": (16, 9), "male": (54, 21), "smoking": (28, 9)}
    assert "103" in how


@pytest.mark.parametrize("name", RATIOS)
def test_univariable_odds_ratios_of_table_2_come_from_that_sample_and_not_from_table_1(name):
    for which, patients in ((0, table_2_patients()[0]), (1, table_1_patients())):
        rows, _ = univariable_rows(patients, [name], PAPER)
        row = rows.iloc[0]
        found = (row["odds_ratio"], row["low"], row["high"], row["p_wald"])
        assert found == pytest.approx(RATIOS[name][which], abs=5.1e-3)


def test_rows_of_table_2_whose_arithmetic_fails_are_marked():
    made = published_table_2()
    failing = made[made["verdict"].isin(["not reproduced", "impossible"])]
    assert set(failing["variable"]) == {
        "ACE inhibitor or ARB", "CAD", "male sex", "smoking", "gender, multivariable",
    }  # fmt: skip
    assert "risk difference" in made.set_index("variable").loc["gender, multivariable", "why"]


@pytest.mark.parametrize(
    ("name", "statistic", "df"),
    [("AE 30 over PSD", 8.06, 1), ("AE 30 over PBW", 7.87, 1), ("AE 28 and 35 over PSD", 9.60, 2),
     ("AE 28 and 35 over PBW", 9.45, 2)],
)  # fmt: skip
def test_likelihood_ratios_give_their_published_p(name, statistic, df):
    row = published_table_2().set_index("variable").loc[name]
    assert row["recomputed"] == f"p {chi2.sf(statistic, df):.5f}"
    assert row["verdict"] == "reproduced"


def test_the_note_says_which_published_rows_fail():
    notes = " ".join(published_parts().notes)
    assert "15 of 15 p-values" in notes
    assert "gender, multivariable" in notes


def test_the_published_numbers_are_those_of_the_forensics_page():
    here = Path(__file__).parent
    ours = yaml.safe_load(
        (here.parent / "src/cardio_spect_polar/published/published.yaml").read_text()
    )
    page = yaml.safe_load((here.parents[2] / "docs/forensics/papers.yaml").read_text())
    assert ours["papers"] == [paper for paper in page["papers"] if paper["id"] == "He 2022"]


# --- tables of any patients


def test_univariable_rows_agree_with_statsmodels_per_unit_and_per_sd():
    table = random_patients()
    rows, p_values = univariable_rows(table, ["psd_deg", "male"], PAPER)
    fit = Logit(table["response"], np.column_stack([table["psd_deg"], np.ones(120)])).fit(disp=0)
    row = rows.set_index("variable").loc["psd_deg"]
    assert row["odds_ratio"] == pytest.approx(np.exp(fit.params.iloc[0]), rel=1e-6)
    assert row["p_wald"] == pytest.approx(fit.pvalues.iloc[0], rel=1e-5)
    per_sd = np.exp(fit.params.iloc[0] * table["psd_deg"].std())
    assert row["odds_ratio_per_sd"] == pytest.approx(per_sd, rel=1e-6)
    assert p_values["psd_deg"] == pytest.approx(fit.llr_pvalue, rel=1e-6)


def test_a_column_that_cannot_be_fitted_keeps_its_row_with_the_reason():
    rows, p_values = univariable_rows(random_patients().assign(same=1.0), ["same", "age_y"], PAPER)
    assert "found 1 in all" in rows.set_index("variable").loc["same", "note"]
    assert list(p_values) == ["age_y"]


def test_risk_differences_stand_beside_odds_ratios_and_are_not_their_exponentials():
    table = random_patients()
    names = ["psd_deg", "age_y"]
    rows = multivariable_rows(table, names, PAPER).set_index("variable")
    linear = OLS(table["response"], np.column_stack([table[names], np.ones(120)])).fit()
    np.testing.assert_allclose(rows["risk_difference"], linear.params.iloc[:2], rtol=1e-9)
    matrix = np.column_stack([table[names], np.ones(120)])
    assert rows["vif"].iloc[0] == pytest.approx(variance_inflation_factor(matrix, 0), rel=1e-6)


def test_collinear_columns_are_found_and_the_weaker_one_is_dropped():
    table = random_patients()
    table["copy"] = table["psd_deg"] + np.random.default_rng(1).normal(0, 1, 120)
    names = ["age_y", "psd_deg", "copy"]
    rows = collinear_rows(table, names)
    pair = rows[rows["measure"] == "r"].iloc[0]
    assert {pair["variable"], pair["other"]} == {"psd_deg", "copy"}
    assert set(rows[(rows["measure"] == "VIF") & rows["too_high"]]["variable"]) == {
        "psd_deg", "copy",
    }  # fmt: skip
    kept = without_collinear(table, names, {"age_y": 0.4, "psd_deg": 0.02, "copy": 0.01})
    assert kept == ["age_y", "copy"]


def test_increments_are_twice_the_gain_in_log_likelihood_on_the_same_patients():
    table = random_patients()
    table.loc[:9, "psd_deg"] = np.nan
    rows = incremental_rows(table, [("clinical", ["age_y"]), ("+ PSD", ["psd_deg"])], PAPER)
    known = table.dropna()
    fits = [
        Logit(known["response"], np.column_stack([known[names], np.ones(110)])).fit(disp=0)
        for names in (["age_y"], ["age_y", "psd_deg"])
    ]
    assert list(rows["n"]) == [110, 110]
    gain = 2 * (fits[1].llf - fits[0].llf)
    assert rows["added_chi2"].iloc[1] == pytest.approx(gain, rel=1e-6)
    assert rows["p"].iloc[1] == pytest.approx(chi2.sf(gain, 1), rel=1e-6)


def test_the_published_procedure_as_one_fit_picks_the_strongest_code():
    rng = np.random.default_rng(0)
    y = np.repeat([1.0, 0.0], 40)
    features = rng.normal(size=(80, 6))
    features[:, 4] += 2 * y
    score = best_code_model(2)(features, y)
    moved = features.copy()
    moved[:, [2, 3, 5]] = 100.0
    np.testing.assert_array_equal(score(moved), score(features))
    moved[:, 4] = 0.0
    assert np.abs(score(moved) - score(features)).max() > 0.1


# --- the whole evaluation

MODELS = ("clinical", "clinical_psd", "autoencoder", "psd", "qrs_duration")


def scored(protocol: str, n: int = 90, seed: int = 0) -> Scored:
    """Predictions as the core collects them: scores of each row, and columns beside them."""
    rng = np.random.default_rng(seed)
    table = random_patients(n, seed)
    ids = [f"p{i:02d}" for i in range(n)]
    fold = np.full(n, "r0-f0") if protocol == "paper" else np.array(["r0-f0", "r0-f1"])[
        np.arange(n) % 2]  # fmt: skip
    frames, columns = [], []
    for model in MODELS:
        signal = 0.8 if model in ("autoencoder", "psd") else 0.0
        p = 1 / (1 + np.exp(-(signal * (2 * table["response"] - 1) + rng.normal(0, 1, n))))
        frames.append(
            pd.DataFrame(
                {"unit_id": ids, "sample_id": ids, "recording_id": ids, "study_id": ids,
                 "patient_id": ids, "subject_id": ids, "level": "patient", "time_s": np.nan,
                 "repeat": 0, "fold": fold, "model": model,
                 "y_true": np.where(table["response"] == 1, "yes", "no"),
                 "predicted": np.where(p > 0.5, "yes", "no"), "score:no": 1 - p, "score:yes": p}
            )
        )  # fmt: skip
        own = table.drop(columns="response").assign(unit_id=ids, model=model, fold=fold)
        own["psd_deg_base_in"] = own["psd_deg"] - 4.0
        if model == "autoencoder":
            for i in range(1, 9):
                own[f"ae_{i:02d}"] = rng.normal(size=n) + (i == 3) * 1.3 * table["response"]
        columns.append(own)
    return Scored({"response": pd.concat(frames, ignore_index=True)}, {},
                  pd.concat(columns, ignore_index=True))  # fmt: skip


def report(protocol: str, cases: tuple[Case, ...] = ()):
    ctx = Context(CRT_RESPONSE, hook="evaluate", protocol=protocol)
    config = EvaluateBlock(n_resamples=100, n_optimism=20)
    return evaluate(scored(protocol), None, None, Explanation(cases), config, ctx)


@pytest.fixture(scope="module")
def paper():
    return report("paper")


@pytest.fixture(scope="module")
def honest():
    return report("honest")


def test_codes_of_one_fit_are_columns_and_codes_of_several_folds_never_are():
    assert codes_of(scored("paper"), "autoencoder").shape == (90, 8)
    assert codes_of(scored("honest"), "autoencoder") is None
    table = patient_table(scored("honest"), CRT_RESPONSE.targets[0])
    assert not [name for name in table.columns if name.startswith("ae_")]
    assert table["response"].sum() == 45


def test_scores_are_log_odds_by_patient():
    frame = scored("honest")
    logit = scores_of(frame, CRT_RESPONSE.targets[0])["psd"]
    own = frame.frames["response"].query("model == 'psd'").set_index("patient_id")["score:yes"]
    np.testing.assert_allclose(1 / (1 + np.exp(-logit)), own.reindex(logit.index), rtol=1e-9)


def test_the_paper_report_has_the_paper_tables_and_figures(paper):
    assert {
        "table-2-univariable", "table-2-multivariable", "table-2-incremental", "collinearity",
        "optimism", "figure-2-pearson", "published-table-1", "published-table-2",
    } <= set(paper.tables)  # fmt: skip
    assert {"figure-2-pearson", "figure-3-incremental"} <= set(paper.figures)
    univariable = paper.tables["table-2-univariable"].set_index("variable")
    assert univariable.loc["ae_03", "p_likelihood_ratio"] < 0.01
    assert "qrs_ms" in univariable.index
    assert "qrs_ms" not in paper.tables["table-2-multivariable"]["variable"].tolist()
    steps = paper.tables["table-2-incremental"]
    assert list(steps["over"].unique()) == ["phase SD"]
    assert "ae_03" in steps["adds"].iloc[2]


def test_the_apparent_auc_is_corrected_downwards(paper):
    row = paper.tables["optimism"].iloc[0]
    assert row["corrected_auc"] < row["apparent_auc"]
    assert any("The smallest p times the number of tests" in str(note) for note in paper.notes)


def test_the_honest_report_tests_no_code_and_adds_out_of_fold_scores(honest):
    univariable = honest.tables["table-2-univariable"]
    assert not univariable["variable"].str.startswith("ae_").any()
    assert {"q", "p_max_t"} <= set(univariable.columns)
    assert univariable["method"].str.contains("Firth").all()
    rows = honest.tables["table-2-incremental"]
    added = rows[rows["model"] == "clinical + autoencoder"].iloc[0]
    assert added["p"] < 0.01
    assert "qrs_duration" in rows["over"].tolist()
    assert "published-table-1" not in honest.tables
    assert set(honest.tables["optimism"]["model"]) == {
        "clinical", "clinical_psd", "psd", "qrs_duration",
    }  # fmt: skip


def test_moving_the_base_is_reported_in_degrees(paper, honest):
    for found in (paper, honest):
        row = found.tables["base-sensitivity"].iloc[0]
        assert (row["index"], row["n"]) == ("phase SD", 90)
        assert row[["mean_change_deg", "mean_size_deg", "r"]].tolist() == pytest.approx([-4, 4, 1])
        assert any("changes phase SD by 4.0 degrees" in str(note) for note in found.notes)


def test_calibration_of_out_of_fold_probabilities_agrees_with_statsmodels(honest, paper):
    table = honest.tables["calibration"].set_index("model")
    logit = scores_of(scored("honest"), CRT_RESPONSE.targets[0])["psd"]
    y = patient_table(scored("honest"), CRT_RESPONSE.targets[0])["response"].reindex(logit.index)
    fit = Logit(y, np.column_stack([logit, np.ones(90)])).fit(disp=0)
    assert table.loc["psd", "calibration_slope"] == pytest.approx(fit.params.iloc[0], rel=1e-4)
    named = {(m.scope.model, m.estimate.name) for m in honest.metrics}
    assert ("psd", "calibration_slope") in named
    assert "calibration" not in paper.tables


def test_figures_of_both_reports_can_be_drawn(paper, honest):
    import matplotlib.pyplot as plt

    for found in (paper, honest):
        for name in ("figure-2-pearson", "figure-3-incremental"):
            figure = plt.figure()
            found.figures[name](figure)
            assert figure.axes
            plt.close(figure)


def test_stability_screening_and_segments_of_every_fold_are_tabulated():
    arrays = {
        "all_code": np.array([0.0, 2.0]), "all_r": np.array([0.5, -0.1]),
        "all_p_max_t": np.array([0.01, 0.9]), "all_mean_r": np.array([0.99, 0.4, 0.95]),
        "all_stable": np.array([0, 2]), "subspace_r": np.array([0.9]),
    }  # fmt: skip
    first = Case("p1", "t", "autoencoder", arrays, {"code": 1.0, "r": 0.5, "segment:apex": 3.0},
                 fold="r0-f0")  # fmt: skip
    second = Case("p2", "t", "autoencoder", {}, {"code": 3.0, "r": -0.1, "segment:apex": -2.0},
                  fold="r0-f0")  # fmt: skip
    found = code_tables([first, second]).tables
    assert found["stability"].iloc[0][["n_codes", "n_stable", "median_r"]].tolist() == [3, 2, 0.95]
    assert found["screening"]["code"].tolist() == [1, 3]
    assert found["code-segments"]["apex"].tolist() == [3.0, -2.0]
    assert not code_tables([]).tables
