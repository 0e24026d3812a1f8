"""The synthetic cohort of PET flow: its truth, and the two biases that are injected into it."""

from __future__ import annotations

import csv
import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import cardio_stats as stats
from cardio_spect_polar.audit import OUTCOME, SCORE, flag_groups
from cardio_spect_polar.readers.polar_map import read_polar_map
from cardio_spect_polar.synthetic.flow import (
    TRAITS,
    Injected,
    TrueFlow,
    draw_flow,
    posterior,
    write_flow_cohort,
)


def test_the_bayes_auc_of_sex_is_that_of_two_normals_0_15_apart_with_sd_0_2():
    flow = draw_flow(20_000, np.random.default_rng(3))
    found = stats.bayes_auc(posterior(flow)[:, TRAITS.index("sex")]).value
    assert found == pytest.approx(norm.cdf(0.15 / (0.2 * np.sqrt(2))), abs=0.006)


def test_the_posterior_is_calibrated_for_every_factor():
    flow = draw_flow(40_000, np.random.default_rng(4))
    probability = posterior(flow)
    for place, name in enumerate(TRAITS):
        if name == "dyslipidaemia":
            assert probability[:, place] == pytest.approx(0.5)
            continue
        bins = np.digitize(probability[:, place], np.linspace(0.1, 0.9, 9))
        for b in np.unique(bins):
            inside = bins == b
            if inside.sum() < 400:
                continue
            observed = flow.traits[inside, place].mean()
            error = np.sqrt(0.25 / inside.sum())
            assert abs(observed - probability[inside, place].mean()) < 4 * error, (name, b)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flow")
    write_flow_cohort(folder, 160, 2)
    with (folder / "cohort.csv").open() as file:
        rows = list(csv.DictReader(file))
    return folder, rows, json.loads((folder / "truth.json").read_text())


def test_maps_give_back_the_true_flow_times_the_gain_of_their_scanner(written):
    folder, rows, truth = written
    ratio = {"one": [], "two": []}
    for row in rows:
        rest = read_polar_map(folder / row["path_polarmap_rest"]).values
        true = truth["patients"][row["patient_id"]]["rest_ml_min_g"]
        ratio[row["scanner_id"]].append(rest[8:].mean() / true)  # above the thin apex
    assert np.mean(ratio["one"]) == pytest.approx(1.0, abs=0.02)
    assert np.mean(ratio["two"]) == pytest.approx(1.25, abs=0.02)


def test_a_stenosis_lowers_the_reserve_of_its_territory_alone(written):
    folder, rows, truth = written
    one = next(r for r in rows if truth["patients"][r["patient_id"]]["stenosed"] == ["LCX"])
    rest, stress = (
        read_polar_map(folder / one[f"path_polarmap_{name}"]).values for name in ("rest", "stress")
    )
    lateral, septal = slice(54 - 6, 54 + 6), slice(18 - 6, 18 + 6)
    reserve = [float(stress[10:, s].mean() / rest[10:, s].mean()) for s in (lateral, septal)]
    true = truth["patients"][one["patient_id"]]["mfr_without_stenosis"]
    assert reserve[1] == pytest.approx(true, rel=0.08)
    assert reserve[0] < 0.85 * true


def test_wrong_labels_are_injected_into_one_group_only_and_the_truth_says_which(written):
    _, rows, truth = written
    wrong = {row["race_ethnicity"] for row in rows
             if truth["patients"][row["patient_id"]]["diabetes_recorded_wrongly"]}  # fmt: skip
    assert wrong == {"B"}
    group = [row for row in rows if row["race_ethnicity"] == "B"]
    share = np.mean([truth["patients"][r["patient_id"]]["diabetes_recorded_wrongly"]
                     for r in group])  # fmt: skip
    assert share == pytest.approx(0.4, abs=0.15)
    true = {name: one["traits"]["diabetes"] for name, one in truth["patients"].items()}
    assert {r["patient_id"] for r in rows if int(r["dm"]) != true[r["patient_id"]]} == {
        name for name, one in truth["patients"].items() if one["diabetes_recorded_wrongly"]
    }


def test_the_bayes_auc_of_noisy_labels_is_lower_and_that_of_the_null_trait_is_one_half(written):
    truth = written[2]
    assert truth["bayes_auc"]["dyslipidaemia"] == 0.5
    assert truth["bayes_auc"]["diabetes"] < truth["bayes_auc_of_true_traits"]["diabetes"] - 0.03


def _audited(seed: int, injected: Injected) -> pd.DataFrame:
    """Audit the best that a model can know, from flow as the scanner reads it."""
    rng = np.random.default_rng(seed)
    flow = draw_flow(600, rng)
    scanner = rng.choice(["one", "two"], 600, p=[0.6, 0.4])
    group = rng.choice(["A", "B"], 600, p=[0.65, 0.35])
    gain = np.where(scanner == "two", injected.scanner_gain, 1.0)
    read = TrueFlow(flow.traits, flow.rest * gain, flow.log_mfr, flow.stenosed, flow.severity)
    score = posterior(read)
    y = flow.traits.copy()
    wrong = (group == "B") & (rng.uniform(size=600) < injected.label_noise)
    y[wrong, TRAITS.index("diabetes")] ^= 1
    names = [f"p{i}" for i in range(600)]
    groups = {
        "race_ethnicity": pd.Series(group, names, dtype="string"),
        "scanner_id": pd.Series(scanner, names, dtype="string"),
        "sex": pd.Series(np.array(["F", "M"])[flow.traits[:, 0]], names, dtype="string"),
    }
    tested = {
        (trait, "best"): pd.DataFrame(
            {"y": y[:, TRAITS.index(trait)], "score": score[:, TRAITS.index(trait)]}, names
        )
        for trait in ("sex", "hypertension", "diabetes")
    }
    return flag_groups(tested, groups, n_permutations=499, seed=seed)


def test_the_audit_flags_wrong_labels_of_a_group_and_a_shifted_scanner_and_knows_where():
    for seed in range(4):
        tests = _audited(seed, Injected())
        flagged = tests[tests["flagged"]]
        labels = flagged[flagged["factor"] == "diabetes"]
        assert set(labels["column"]) == {"race_ethnicity"}
        assert set(labels["question"]) == {OUTCOME}
        # One of two groups is tested beside the other, and the wrong labels are those of B.
        ranked = labels[["auc_of_group", "auc_of_others"]].iloc[0].tolist()
        wrong, right = ranked if labels["group"].iloc[0] == "B" else ranked[::-1]
        assert wrong < right - 0.1
        scanner = flagged[(flagged["factor"] == "sex") & (flagged["column"] == "scanner_id")]
        assert set(scanner["question"]) >= {SCORE}
        # A scanner that reads too high makes men look like women.
        first = scanner[scanner["question"] == SCORE].iloc[0]
        assert first["effect"] * (1 if first["group"] == "two" else -1) < -0.5


def test_without_injected_biases_a_run_flags_no_more_than_its_level():
    n_flagged = sum(bool(_audited(seed, Injected.none())["flagged"].any()) for seed in range(12))
    # Three or more of twelve runs at 5 %: a chance of 2 %.
    assert n_flagged <= 2


def test_probabilities_may_differ_between_the_sexes_and_must_not_between_scanners():
    tests = _audited(0, Injected.none())
    assert set(tests.loc[tests["question"] == SCORE, "column"]) == {"scanner_id"}
    assert set(tests.loc[tests["question"] == OUTCOME, "column"]) == {
        "scanner_id", "race_ethnicity", "sex",
    }  # fmt: skip
    # Of the groups of sex itself each has one class only.
    assert "sex" not in set(tests.loc[tests["factor"] == "sex", "column"])


def test_ids_of_one_person_are_permuted_together():
    """Two ids a person, alike in everything: taken for two people they look twice as sure."""
    rng = np.random.default_rng(5)
    by_person, by_id = [], []
    for _ in range(40):
        person = np.repeat(np.arange(80), 2)
        y = (rng.uniform(size=80) < 0.5).astype(int)[person]
        score = np.clip(0.5 + 0.15 * rng.normal(size=80), 0.05, 0.95)[person]
        names = [f"p{i}" for i in range(160)]
        group = pd.Series(rng.choice(["A", "B"], 80)[person], names, dtype="string")
        tested = pd.DataFrame({"y": y, "score": score}, names)
        for found, subjects in ((by_person, person), (by_id, np.arange(160))):
            asked = {("sex", "m"): tested.assign(subject_id=[f"s{i}" for i in subjects])}
            found += flag_groups(asked, {"site_id": group}, n_permutations=99)["p"].tolist()
    assert np.mean(np.array(by_person) <= 0.1) <= 0.2
    assert np.mean(np.array(by_id) <= 0.1) > 0.2
