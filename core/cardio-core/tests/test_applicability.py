"""Who is like the patients of training: false alarms, planted shifts, words, what is kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cardio_core.evaluation.applicability import APPLICABILITY, Applicability, Calibration
from cardio_core.evaluation.likeness import About, Described, Space

ABOUT = {
    "ecg/qrs": About("QRS duration", "ms", "measured"),
    "ecg/amplitude": About("R amplitude", "mV", "measured"),
    "ecg/axis": About("Axis", "degrees", "measured"),
    "beat/noise": About("noise of the beat", "mV", "input"),
    "table/age_y": About("Age", "years", "clinical"),
}


def patients(n: int, seed: int, prefix: str = "p", scanner: str = "Philips") -> Described:
    """People whose QRS and amplitude go together; noise is skewed, age is missing in some."""
    rng = np.random.default_rng(seed)
    size = rng.normal(size=n)
    values = pd.DataFrame(
        {
            "ecg/qrs": 110 + 15 * size + 3 * rng.normal(size=n),
            "ecg/amplitude": 1.0 + 0.2 * size + 0.04 * rng.normal(size=n),
            "ecg/axis": rng.normal(30, 40, n),
            "beat/noise": 0.02 * np.exp(0.4 * rng.normal(size=n)),
            "table/age_y": np.where(rng.random(n) < 0.1, np.nan, rng.normal(65, 8, n)),
        },
        index=pd.Index([f"{prefix}{one}" for one in range(n)], name="patient_id"),
    )
    names = pd.DataFrame({"scanner_id": scanner}, index=values.index, dtype=object)
    return Described(values, ABOUT, names)


def fitted(n: int = 60, seed: int = 0) -> Applicability:
    made = patients(n, seed)
    return Applicability.fit(made, list(made.values.index))


def shifted(made: Described, column: str, change) -> Described:
    return Described(
        made.values.assign(**{column: change(made.values[column])}), made.about, made.names
    )


def test_at_most_one_in_twenty_of_people_like_those_of_training_is_outside():
    verdicts = pd.concat(
        fitted(60, seed).judge(patients(60, 1000 + seed))["verdict"] for seed in range(20)
    )
    # 1200 people: were the rate 5 %, 7 % or more would be seen once in a thousand times.
    assert 0.01 <= (verdicts == "outside").mean() <= 0.07
    assert (verdicts != "inside").mean() <= 0.13


@pytest.mark.parametrize(
    ("column", "change", "words", "least"),
    [
        ("beat/noise", lambda old: 5 * old, "noise of the beat", 30),
        ("ecg/amplitude", lambda old: 2.5 * old, "R amplitude", 38),
        ("table/age_y", lambda old: old.fillna(60) - 50, "age", 38),
        # Each in its range, and never so in one person; who is average stays average.
        ("ecg/qrs", lambda old: 220 - old, "do not go together", 15),
    ],
)
def test_a_planted_shift_is_outside_and_named(column, change, words, least):
    new = shifted(patients(40, 99), column, change)
    judged = fitted(100).judge(new)
    outside = judged[judged["verdict"] == "outside"]
    assert len(outside) >= least
    assert outside["reasons"].str.contains(words).mean() >= 0.75
    assert (outside["percentile"] > 90).all()


def test_words_give_the_value_the_training_and_the_limits():
    one = patients(1, 5)
    one.values.loc["p0"] = [110.0, 1.0, 30.0, 0.02, 4.0]
    (row,) = fitted(200).judge(one).to_dict("records")
    assert row["verdict"] == "outside"
    assert row["reasons"].startswith("age 4 years, training 4")
    assert row["reasons"].endswith("(1st to 99th percentile)")


def test_an_unseen_scanner_is_borderline_whatever_the_numbers_say():
    judged = fitted(100).judge(patients(30, 7, scanner="GE"))
    assert not (judged["verdict"] == "inside").any()
    assert (judged["verdict"] == "borderline").mean() > 0.8
    assert judged["reasons"].str.startswith("scanner not among the training's: GE").all()


def test_where_most_are_the_only_ones_of_their_scanner_a_new_one_says_nothing():
    made = patients(60, 0)
    alone = made.names.assign(scanner_id=[f"s{n}" for n in range(60)])
    kept = Applicability.fit(Described(made.values, ABOUT, alone), list(made.values.index))
    assert not kept.judge(patients(30, 7))["reasons"].str.contains("scanner").any()


def test_too_few_patients_are_said_to_be_too_few():
    judged = fitted(18).judge(patients(3, 1))
    assert set(judged["verdict"]) == {"not judged"}
    assert judged["reasons"].str.contains("18 patients were left out").all()
    assert judged["percentile"].isna().all()
    assert (
        fitted(19).judge(patients(3, 1))["verdict"].isin(["inside", "borderline", "outside"]).all()
    )


def test_patients_without_any_number_are_not_judged():
    empty = Described(pd.DataFrame(index=pd.Index(["a"])), {}, pd.DataFrame(index=pd.Index(["a"])))
    (row,) = fitted().judge(empty).to_dict("records")
    assert row["verdict"] == "not judged"
    kept = Applicability.fit(empty, ["a"])
    assert kept.judge(empty)["reasons"].tolist() == ["nothing measured"]


def test_what_is_kept_says_the_same_again_and_names_no_patient(tmp_path):
    made = patients(60, 0, prefix="secret-")
    kept = Applicability.fit(made, list(made.values.index))
    APPLICABILITY.write(tmp_path / "a.json", kept)
    text = (tmp_path / "a.json").read_text()
    assert "secret" not in text
    # No value of any patient either: six digits would be there as they stand.
    stored = set(text.replace(",", " ").replace("]", " ").split())
    own = {f"{value:.6g}" for value in made.values["ecg/axis"]}
    assert len(stored & own) <= 1  # a median of an even number is none, a percentile may be one
    again = APPLICABILITY.read(tmp_path / "a.json")
    new = patients(30, 3)
    before, after = kept.judge(new), again.judge(new)
    assert before["verdict"].tolist() == after["verdict"].tolist()
    assert before["reasons"].tolist() == after["reasons"].tolist()


def test_two_ids_of_one_person_are_left_out_together():
    # Left out alone, each of the two would have his double among those that stay.
    rng = np.random.default_rng(0)
    people = pd.DataFrame(rng.normal(size=(12, 20)), columns=[f"ecg/{n}" for n in range(20)])
    twice = people.loc[np.repeat(people.index, 2)]
    twice.index = pd.Index([f"{who}-{n % 2}" for n, who in enumerate(twice.index)])
    about = {name: About(name, "", "measured") for name in twice.columns}
    made = Described(twice, about, pd.DataFrame(index=twice.index))
    together = Applicability.fit(made, [who.partition("-")[0] for who in twice.index])
    alone = Applicability.fit(made, list(twice.index))
    key = "columns together"
    assert together.calibration is not None and alone.calibration is not None
    assert together.calibration.middle[key] > 1.1 * alone.calibration.middle[key]


def test_a_network_counts_only_with_enough_patients_left_out():
    rng = np.random.default_rng(0)
    made = patients(60, 0)
    space = Space.fit(rng.normal(size=(60, 5)))
    assert space is not None
    apart = {who: float(abs(rng.normal()) + 1) for who in made.values.index}
    enough = Applicability.fit(
        made, list(made.values.index), spaces={"net": space}, left_out={"net": apart},
        titles={"net": "Small network"},
    )  # fmt: skip
    new = patients(2, 9)
    judged = enough.judge(new, {"net": {"p0": np.zeros(5), "p1": np.full(5, 9.0)}})
    assert judged["verdict"].tolist()[1] == "outside"
    assert "what the network sees is unlike training (Small network, " in judged["reasons"][1]
    few = {who: apart[who] for who in list(apart)[:10]}
    without = Applicability.fit(
        made, list(made.values.index), spaces={"net": space}, left_out={"net": few}
    )
    assert without.networks == {}


def test_distances_in_a_space_are_those_of_its_principal_axes():
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(500, 3)) * [5.0, 2.0, 0.0]
    space = Space.fit(vectors)
    assert space is not None
    # Two axes hold everything: 3 and 4 standard deviations, root mean square sqrt(12.5).
    deviations = vectors.std(axis=0, ddof=1)
    point = vectors.mean(axis=0) + np.array([3 * deviations[0], 4 * deviations[1], 0.0])
    assert space.distances(point[None])[0] == pytest.approx(np.sqrt(12.5), rel=0.05)


def test_the_covariance_is_shrunk_as_ledoit_and_wolf_have_it():
    from sklearn.covariance import ledoit_wolf

    from cardio_core.evaluation.likeness import Likeness

    rng = np.random.default_rng(2)
    values = pd.DataFrame(rng.normal(size=(25, 12)) @ rng.normal(size=(12, 12)))
    values.columns = values.columns.astype(str)
    found = Likeness.fit(values, dict.fromkeys(values.columns, True))
    expected, _ = ledoit_wolf(np.clip(found.scaled(values), -3, 3), assume_centered=True)
    assert found.covariance == pytest.approx(expected)


def test_the_quantile_has_the_correction_for_a_finite_number():
    distances = pd.DataFrame({"one": np.arange(1.0, 40.0)}, index=[f"p{n}" for n in range(39)])
    found = Calibration.of(distances)
    assert found is not None
    # ceil(.95 * 40) = 38th and ceil(.9 * 40) = 36th of 39, compared with the other 38 alone: of
    # these the 80th percentile is 30.6.
    for limit, own in ((found.outside, 38), (found.borderline, 36)):
        beyond = np.array([one for one in range(31, 40) if one != own])
        assert limit == pytest.approx((own - 30.6) / (beyond - 30.6).mean())


def test_a_network_is_overheard_before_its_last_linear_layer():
    torch = pytest.importorskip("torch")
    from cardio_core.compute.devices import choose_device
    from cardio_core.training.embedding import overhearing
    from cardio_core.training.examples import ArrayExamples
    from cardio_core.training.prediction import predict

    torch.manual_seed(0)
    body = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU())
    network = torch.nn.Sequential(body, torch.nn.Linear(3, 2))
    inputs = np.random.default_rng(0).normal(size=(7, 4)).astype(np.float32)
    examples = ArrayExamples(inputs)
    device = choose_device("cpu")
    plain = predict(network, examples, device=device, batch_size=3)
    with overhearing() as heard:
        said = predict(network, examples, device=device, batch_size=3)
    assert np.array_equal(plain, said)
    with torch.inference_mode():
        expected = body(torch.as_tensor(inputs)).numpy()
    assert heard.last() == pytest.approx(expected)
    with overhearing() as nothing:
        pass
    assert nothing.last() is None
    assert not any(module._forward_pre_hooks for module in network.modules())


def test_several_predictions_of_the_same_examples_are_one_vector_each():
    from cardio_core.training.embedding import Overheard

    two_targets = Overheard({"Tail": [np.full((3, 2), 1.0), np.full((3, 2), 3.0)]})
    assert two_targets.last(3) == pytest.approx(np.full((3, 2), 2.0))
    one_by_one = Overheard({"Net": [np.full((1, 2), 1.0), np.full((1, 2), 3.0)]})
    assert one_by_one.last(2) == pytest.approx(np.array([[1.0, 1.0], [3.0, 3.0]]))
