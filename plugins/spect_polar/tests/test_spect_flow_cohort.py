"""The synthetic cohort of PET flow: its truth, and the two biases that are injected into it."""

from __future__ import annotations

import csv
import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from cardio_core import stats
from cardio_spect_polar.audit.groups import audit
from cardio_spect_polar.readers.polar_map import read_polar_map
from cardio_spect_polar.synthetic.flow.cohort import Injected, write_flow_cohort
from cardio_spect_polar.synthetic.flow.patients import TRAITS, TrueFlow, draw_flow, posterior


def test_the_bayes_auc_of_sex_is_that_of_two_normals_0_15_apart_with_sd_0_2():
    flow = draw_flow(20_000, np.random.default_rng(3))
    found = stats.bayes_auc(posterior(flow)[:, TRAITS.index("sex")])
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
    }
    found = []
    for trait in ("sex", "diabetes"):
        place = TRAITS.index(trait)
        tested = pd.DataFrame({"y": y[:, place], "score": score[:, place]}, names)
        made = audit(tested, groups, n_resamples=300, seed=seed)
        found.append(made.gaps.assign(factor=trait))
    return pd.concat(found)


def test_the_audit_flags_wrong_labels_of_a_group_and_a_shifted_scanner_and_knows_where():
    for seed in range(4):
        gaps = _audited(seed, Injected())
        flagged = gaps[gaps["flagged"]]
        labels = flagged[(flagged["factor"] == "diabetes") & (flagged["column"] != "scanner_id")]
        assert set(labels["column"]) == {"race_ethnicity"}
        assert (labels.loc[labels["metric"] == "auc", "gap"] < -0.1).all()
        scanner = flagged[(flagged["factor"] == "sex") & (flagged["column"] == "scanner_id")]
        # A scanner that reads too high makes men look like women: their number is foretold too low.
        excess = scanner.loc[scanner["metric"] == "observed_minus_predicted", "gap"]
        assert len(excess) == 1
        assert float(excess.iloc[0]) > 0.1


def test_without_injected_biases_the_audit_flags_no_more_than_its_level():
    n_flagged = sum(_audited(seed, Injected.none())["flagged"].any() for seed in range(10))
    # Two audits of 5 % each a seed: three or more of ten seeds have a chance of 7 %.
    assert n_flagged <= 2
