"""What is measured of beats, on rhythms and complexes whose truth is planted."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cardio_core.api import Context, DataError, FeatureBlock, FeatureSet, ScoringBlock
from cardio_core.testing import refuses
from cardio_ecg_transfer.beats.config import EvidenceBlock, ExplainBlock, TrainBlock
from cardio_ecg_transfer.beats.evidence import read_trees, trees_of
from cardio_ecg_transfer.beats.explain import explain
from cardio_ecg_transfer.beats.models import AAMI_BEATS
from cardio_ecg_transfer.beats.predict import predict
from cardio_ecg_transfer.beats.train import train
from cardio_ecg_transfer.signal.ectopy.evidence import beat_evidence, timing, unit_of
from cardio_ecg_transfer.signal.ectopy.shapes import group_shapes

RATE_HZ = 360.0
PR_S = 0.16


def add(lead, centre_s, width_s, height_mv):
    """Add a Gaussian bump to a lead in place."""
    first, last = (round((centre_s + side * 5 * width_s) * RATE_HZ) for side in (-1, 1))
    at = np.arange(first, last)
    lead[first:last] += height_mv * np.exp(-0.5 * ((at / RATE_HZ - centre_s) / width_s) ** 2)


def record(kinds, rr_s, *, noise_from=None, seed=0):
    """Draw two leads: ``n`` sinus, ``a`` atrial (another, earlier P), ``v`` ventricular beats."""
    rng = np.random.default_rng(seed)
    r_s = 1.0 + np.cumsum(rr_s)
    time_s = np.arange(round((r_s[-1] + 1.5) * RATE_HZ)) / RATE_HZ
    leads = 0.01 * rng.normal(size=(2, time_s.size))
    for kind, at in zip(kinds, r_s, strict=True):
        for lead, (qrs, p) in enumerate(((1.0, 0.15), (-0.7, 0.1))):
            if kind == "v":
                add(leads[lead], at + 0.02, 0.05, -1.4 * qrs)
                add(leads[lead], at + 0.3, 0.06, 0.5 * qrs)
                continue
            add(leads[lead], at, 0.012, qrs)
            add(leads[lead], at + 0.28, 0.05, 0.25 * qrs)
            early, turned = (PR_S, 1.0) if kind == "n" else (0.11, -1.0)
            add(leads[lead], at - early, 0.02, turned * p)
    if noise_from is not None:
        leads[:, time_s > noise_from] += 0.4 * rng.normal(size=(2, (time_s > noise_from).sum()))
    return leads, np.rint(r_s * RATE_HZ).astype(np.int64)


def sinus(n, rng, mean_s=0.9):
    return mean_s * (1 + 0.02 * rng.normal(size=n))


@pytest.fixture(scope="module")
def atrial():
    """Sinus rhythm in which every eighth beat is atrial, its P wave on the T wave before."""
    rng = np.random.default_rng(1)
    kinds = np.array((["n"] * 7 + ["a"]) * 16)
    rr_s = np.where(kinds == "a", 0.5, sinus(kinds.size, rng))
    signal, peaks = record(kinds, rr_s)
    return kinds, beat_evidence(signal, peaks, RATE_HZ)


def test_an_early_beat_is_early_beside_the_sinus_interval(atrial):
    kinds, made = atrial
    early = made["rr_to_near"][kinds == "a"]
    assert np.allclose(early, np.log(0.5 / 0.9), atol=0.08)
    assert np.abs(made["rr_to_near"][kinds == "n"]).max() < 0.1


def test_the_sinus_p_wave_is_found_before_sinus_beats_and_not_before_atrial_ones(atrial):
    kinds, made = atrial
    assert np.median(made["p_cosine"][kinds == "n"]) > 0.85
    assert np.quantile(made["p_cosine_z"][kinds == "a"], 0.9) < -4
    assert np.quantile(made["p_cosine_z"][kinds == "n"][8:], 0.1) > -3


def test_a_p_wave_on_the_t_wave_before_is_seen_as_something_hidden_there(atrial):
    kinds, made = atrial
    usual = np.median(made["hidden_z"][kinds == "n"])
    plain = np.array((["n"] * 7 + ["x"]) * 16)
    # The same early beats with no P wave at all hide nothing.
    rng = np.random.default_rng(1)
    rr_s = np.where(plain == "x", 0.5, sinus(plain.size, rng))
    signal, peaks = record(np.where(plain == "x", "a", "n"), rr_s)
    for at in peaks[plain == "x"] / RATE_HZ:
        for lead, p in enumerate((0.15, 0.1)):
            add(signal[lead], at - 0.11, 0.02, p)
    without = beat_evidence(signal, peaks, RATE_HZ)
    seen = np.median(made["hidden_z"][kinds == "a"]) - usual
    unseen = np.median(without["hidden_z"][plain == "x"]) - np.median(
        without["hidden_z"][plain == "n"]
    )
    assert seen > unseen + 0.5


def test_where_premature_beats_are_the_rule_long_intervals_still_say_so():
    # Atrial runs of three or four, each followed by a sinus beat after a pause.
    rng = np.random.default_rng(2)
    kinds = np.array((["n"] + ["a"] * 4 + ["n"] + ["a"] * 3) * 25)
    rr_s = np.where(kinds == "a", 0.55, 1.1) * (1 + 0.02 * rng.normal(size=kinds.size))
    made = timing(np.cumsum(rr_s), np.ones(kinds.size, bool))
    # Beside the median, which the premature beats own, nothing is early; beside the long, all are.
    assert abs(np.median(made["rr_to_median"][kinds == "a"])) < 0.05
    assert np.quantile(made["rr_to_far_long"][kinds == "a"], 0.9) < -0.5
    assert np.abs(np.median(made["rr_to_far_long"][kinds == "n"])) < 0.1


def test_a_full_compensatory_pause_makes_a_pair_of_two_sinus_intervals():
    rr_s = np.array([0.8] * 10 + [0.5, 1.1] + [0.8] * 10)
    own = np.ones(22, bool)
    own[10] = False
    made = timing(np.cumsum(rr_s), own)
    assert made["pair_to_near"][10] == pytest.approx(0.0, abs=1e-6)
    assert made["since_own"][11] == pytest.approx(np.log(2.0), abs=1e-6)
    assert made["previous_foreign"][11] == 1 and made["next_foreign"][9] == 1


def test_fibrillation_does_not_repeat_itself_and_bigeminy_does():
    rng = np.random.default_rng(3)
    fibrillating = timing(np.cumsum(0.7 * np.exp(0.2 * rng.normal(size=300))), np.ones(300, bool))
    pattern = np.tile([0.5, 1.1], 150) * (1 + 0.01 * rng.normal(size=300))
    bigeminy = timing(np.cumsum(pattern), np.ones(300, bool))
    # Neighbouring intervals change as much in either: only repetition tells them apart.
    assert np.median(bigeminy["change"]) > np.median(fibrillating["change"])
    assert np.median(fibrillating["unlike"]) > 3 * np.median(bigeminy["unlike"])


def test_complexes_of_one_kind_make_one_group_the_commonest_first():
    rng = np.random.default_rng(4)
    kinds = np.array(["n", "n", "v"] * 30)
    signal, peaks = record(kinds, np.where(kinds == "v", 0.55, sinus(kinds.size, rng)))
    shapes = group_shapes(signal, peaks, RATE_HZ)
    assert set(shapes.group[kinds == "n"]) == {0}
    assert set(shapes.group[kinds == "v"]) == {1}
    made = beat_evidence(signal, peaks, RATE_HZ)
    assert made["width"][kinds == "v"].min() > 1.5 * made["width"][kinds == "n"].max()
    assert made["own_cosine"][kinds == "v"].max() < 0


def test_detections_in_a_noise_episode_are_unreadable_and_beats_outside_are_not():
    rng = np.random.default_rng(5)
    kinds = np.array(["n"] * 300)
    rr_s = sinus(300, rng)
    end_s = 1.0 + rr_s.sum()
    signal, peaks = record(kinds, rr_s, noise_from=end_s - 10.0)
    # In the noise a detector finds something every 350 ms.
    noisy_from = round((end_s - 10.0) * RATE_HZ)
    false = np.arange(noisy_from + 60, signal.shape[1] - 300, round(0.35 * RATE_HZ))
    both = np.concatenate([peaks[peaks < noisy_from], false])
    made = beat_evidence(signal, both, RATE_HZ)
    in_noise = both >= noisy_from
    assert made["unreadable"][in_noise].mean() > 0.6
    assert made["unreadable"][~in_noise].sum() == 0


def test_gaps_and_few_beats_give_finite_columns_with_units():
    signal, peaks = record(np.array(["n"] * 5), np.full(5, 0.8))
    signal[:, 400:450] = np.nan
    made = beat_evidence(signal, peaks, RATE_HZ)
    assert all(np.isfinite(value).all() and value.shape == (5,) for value in made.values())
    assert {unit_of(name) for name in made} == {"s", "1"}


# From training to explanation, on evidence of planted beats.


@pytest.fixture(scope="module")
def cohort():
    frames, blocks, labels = [], [], []
    for patient in range(3):
        rng = np.random.default_rng(patient)
        kinds = np.array((["n"] * 5 + ["a"] + ["n"] * 4 + ["v"]) * 12)
        mean_s = 0.8 + 0.1 * patient
        rr_s = sinus(kinds.size, rng, mean_s) * np.where(kinds == "n", 1.0, 0.6)
        signal, peaks = record(kinds, rr_s, seed=patient)
        blocks.append(beat_evidence(signal, peaks, RATE_HZ))
        labels.append(np.array([{"n": "N", "a": "S", "v": "V"}[kind] for kind in kinds]))
        ids = [f"{patient}#{n}" for n in range(kinds.size)]
        who = {"patient_id": str(patient), "recording_id": str(patient)}
        frames.append(pd.DataFrame(who, index=ids))
    names = tuple(blocks[0])
    values = np.concatenate([np.stack([one[name] for name in names], axis=1) for one in blocks])
    table = pd.concat(frames).assign(study_id="", time_s=0.0)
    return table, FeatureBlock(values, ("evidence",), names, ("1",)), np.concatenate(labels)


class Known:
    def __init__(self, label):
        self.label = label

    def of(self, table, target):
        return self.label


@pytest.fixture(scope="module")
def fitted(cohort, tmp_path_factory):
    table, block, label = cohort
    seen = (table["patient_id"] != "2").to_numpy()
    features = FeatureSet(table[seen], {"evidence": block.take(np.flatnonzero(seen))})
    ctx = Context(AAMI_BEATS, hook="train", model="evidence", _out=tmp_path_factory.mktemp("fit"))
    config = TrainBlock(evidence=EvidenceBlock(n_trees=20, n_planted=4, normal_share=1.0))
    return train(features, None, Known(label[seen]), config, ctx), ctx


def new_patient(cohort):
    table, block, label = cohort
    rows = np.flatnonzero(table["patient_id"] == "2")
    return FeatureSet(table.iloc[rows], {"evidence": block.take(rows)}), label[rows]


def test_beats_of_another_patient_are_told_apart_and_the_same_again(cohort, fitted):
    model, ctx = fitted
    features, label = new_patient(cohort)
    scores = predict(model, features, ScoringBlock(), ctx).scores["aami_class"]
    called = np.array(AAMI_BEATS.targets[0].classes)[scores.argmax(axis=1)]
    assert np.allclose(scores.sum(axis=1), 1.0)
    for name in "NSV":
        assert (called[label == name] == name).mean() > 0.9
    again = predict(model, features, ScoringBlock(), ctx).scores["aami_class"]
    assert np.array_equal(scores, again)


def test_the_explanation_names_timing_for_an_atrial_and_shape_for_a_ventricular_beat(
    cohort, fitted
):
    model, ctx = fitted
    features, label = new_patient(cohort)
    predictions = predict(model, features, ScoringBlock(), ctx)
    made = explain(model, features, predictions, ExplainBlock(n_cases=1), ctx)
    kinds = dict(zip(features.table.index, label, strict=True))
    by_kind = {kinds[case.sample_id]: case for case in made.cases}
    atrial, ventricular = by_kind["S"].scores, by_kind["V"].scores
    assert max(atrial, key=atrial.get) == "log_odds_timing"
    assert max(ventricular, key=ventricular.get) == "log_odds_shape"
    assert "atrial" not in by_kind["S"].title and "supraventricular" in by_kind["S"].title


def test_other_columns_than_the_fitted_ones_are_refused_in_a_line(cohort, fitted):
    model, ctx = fitted
    features, _ = new_patient(cohort)
    block = features["evidence"]
    fewer = replace(block, values=np.asarray(block.values)[:, 1:], names=block.names[1:])
    with pytest.raises(DataError, match="columns of evidence"):
        predict(model, FeatureSet(features.table, {"evidence": fewer}), ScoringBlock(), ctx)


def test_trees_score_as_scikit_learn_does_and_damaged_ones_are_refused(tmp_path):
    from sklearn.ensemble import HistGradientBoostingClassifier

    rng = np.random.default_rng(6)
    values = rng.normal(size=(300, 4))
    values[::7, 1] = np.nan
    yes = values[:, 0] + np.nan_to_num(values[:, 1]) > 0.3
    machine = HistGradientBoostingClassifier(max_iter=12, max_leaf_nodes=6, random_state=0)
    made = trees_of(machine.fit(values, yes))
    made.write(tmp_path / "trees.npz")
    read = read_trees(tmp_path / "trees.npz", 4)
    assert np.allclose(read.logit(values), machine.decision_function(values))
    with pytest.raises(DataError, match="on 1 columns"):
        read_trees(tmp_path / "trees.npz", 1)
    looping = made.nodes | {"left": np.zeros_like(made.nodes["left"])}
    replace(made, nodes=looping).write(tmp_path / "trees.npz")
    with refuses(DataError, "trees.npz"):
        read_trees(tmp_path / "trees.npz", 4)
    (tmp_path / "trees.npz").write_bytes(b"nothing")
    with pytest.raises(DataError, match="cannot be read"):
        read_trees(tmp_path / "trees.npz", 4)
