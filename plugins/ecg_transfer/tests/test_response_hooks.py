"""From twelve-lead files to features of patients, and from networks to explanations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cardio_core.api import Context, DataError, SampleSet
from cardio_core.testing import names, refuses
from cardio_ecg_transfer.networks.patient_net import PatientNet
from cardio_ecg_transfer.response.config import LoadBlock, PreprocessBlock
from cardio_ecg_transfer.response.explain import beat_maps, lead_drops
from cardio_ecg_transfer.response.featurize import featurize
from cardio_ecg_transfer.response.load import load
from cardio_ecg_transfer.response.models import CRT_RESPONSE, RECIPES
from cardio_ecg_transfer.response.patients import by_patient, measured, patients_of
from cardio_ecg_transfer.response.predict import withheld
from cardio_ecg_transfer.response.preprocess import preprocess
from cardio_ecg_transfer.shared.config import PicturesBlock
from cardio_ecg_transfer.signal.leads.names import STANDARD_LEADS
from cardio_ecg_transfer.signal.measurements.measure import GRID_POINTS
from cardio_ecg_transfer.signal.measurements.names import MEASUREMENTS
from cardio_ecg_transfer.signal.measurements.wave_table import WAVES
from cardio_ecg_transfer.synthetic import synthesize

SMALL = PicturesBlock(height=24, width=32)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("crt")
    synthesize(folder, task="crt_response", n_patients=4, seed=5)
    ctx = Context(CRT_RESPONSE, hook="load", _inputs=(folder,))
    return load(LoadBlock(), ctx)


def context() -> Context:
    return Context(CRT_RESPONSE, hook="preprocess")


@pytest.fixture(scope="module")
def preprocessed(cohort) -> SampleSet:
    return preprocess(cohort.samples.take([0, 1]), PreprocessBlock(n_beats=5), context())


@pytest.fixture(scope="module")
def features(preprocessed):
    return featurize(preprocessed, SMALL, context())


def test_while_measuring_only_what_models_alone_work_on_is_left_out(preprocessed, features):
    made = featurize(preprocessed, SMALL, replace(context(), measuring=True))
    assert set(features.blocks) - set(made.blocks) == {"pictures", "gain"}
    for name, block in made.blocks.items():
        np.testing.assert_array_equal(block.in_units(), features[name].in_units())


def changed(samples: SampleSet, change) -> SampleSet:
    """The same recordings, each ECG changed after it is read."""
    return SampleSet(samples.table, [change(samples.values[i]) for i in range(len(samples))])


def test_the_beats_kept_are_few_and_lie_all_over_the_recording(preprocessed):
    counts = preprocessed.table.groupby("recording_id").size()
    assert (counts == 5).all()
    spread = preprocessed.table.groupby("recording_id")["time_s"].agg(["min", "max"])
    assert (spread["min"] < 2.5).all()
    assert (spread["max"] > 7.0).all()


def test_every_block_has_its_shape_and_unit(features):
    n = len(features)
    shapes = {name: features[name].values.shape for name in features.blocks}
    assert shapes == {
        "pictures": (n, 12, 24, 32),
        "gain": (n, 12),
        "polarity": (n, 12),
        "median_beat": (n, 12, GRID_POINTS),
        "measurements": (n, len(MEASUREMENTS)),
        "axes": (n, 2),
        "waves": (n, len(WAVES)),
        "in_place": (n, 12),
        "paced": (n, 1),
        "rhythm": (n, 9),
    }
    assert features["measurements"].units[features["measurements"].names.index("qrs_ms")] == "ms"


def test_gain_is_beside_the_beat_and_polarity_is_a_share(features):
    np.testing.assert_allclose(features["gain"].values.mean(axis=1), 0, atol=1e-4)
    assert np.abs(features["polarity"].values).max() <= 1


def test_a_lead_turned_round_changes_its_polarity_and_not_its_picture(cohort, features):
    def invert_v5(ecg):
        signal = ecg.signal_mv.copy()
        signal[ecg.leads.index("V5")] *= -1
        return replace(ecg, signal_mv=signal)

    turned = changed(cohort.samples.take([0, 1]), invert_v5)
    made = featurize(preprocess(turned, PreprocessBlock(n_beats=5), context()), SMALL, context())
    v5 = STANDARD_LEADS.index("V5")
    np.testing.assert_allclose(
        made["polarity"].values[:, v5], -features["polarity"].values[:, v5], atol=1e-5
    )
    difference = np.abs(
        made["pictures"].values[:, v5].astype(int) - features["pictures"].values[:, v5]
    )
    assert difference.max() <= 1


ARMS_EXCHANGED = {"I": ("I", -1), "II": ("III", 1), "III": ("II", 1), "aVR": ("aVL", 1),
                  "aVL": ("aVR", 1)}  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "word"),
    [(ARMS_EXCHANGED, "right arm and left arm electrodes are exchanged"),
     ({"II": ("II", -1)}, "II has the wrong sign"), ({"V5": ("V5", -1)}, "V5 is inverted")],
)  # fmt: skip
def test_exchanged_and_inverted_leads_are_flagged_beside_every_beat(cohort, wrong, word):
    def spoil(ecg):
        signal = ecg.signal_mv.copy()
        for lead, (source, sign) in wrong.items():
            signal[ecg.leads.index(lead)] = sign * ecg.signal_mv[ecg.leads.index(source)]
        return replace(ecg, signal_mv=signal, flags=())

    def flagged(samples):
        table = preprocess(samples, PreprocessBlock(), context()).table
        return table["flags"].str.contains(word).groupby(table["recording_id"])

    assert not flagged(cohort.samples).any().any()
    assert flagged(changed(cohort.samples, spoil)).all().all()


def test_a_flat_lead_costs_what_stands_on_it_and_no_more(cohort, features):
    """A dead V3 is in no interval and no criterion of a block; in QRS area it is."""

    def flat_v3(ecg):
        signal = ecg.signal_mv.copy()
        signal[ecg.leads.index("V3")] = 0.0
        return replace(ecg, signal_mv=signal)

    lost_v3 = preprocess(changed(cohort.samples, flat_v3), PreprocessBlock(n_beats=5), context())
    made = featurize(lost_v3, SMALL, context())
    names = made["measurements"].names
    now, before = (one["measurements"].in_units() for one in (made, features))
    lost = {name for name, column in zip(names, now.T, strict=True) if np.isnan(column).all()}
    assert lost == {"qrs_area_uvs", "n_fragmented"}
    qrs = names.index("qrs_ms")
    np.testing.assert_allclose(now[: len(before), qrs], before[:, qrs], atol=4.0)
    v3 = STANDARD_LEADS.index("V3")
    assert np.isnan(made["median_beat"].values[:, v3]).all()
    assert (made["in_place"].values.sum(axis=0) > 0).tolist() == [i != v3 for i in range(12)]
    waves = made["waves"].in_units().reshape(len(made), 12, -1)
    assert np.isnan(waves).all(axis=2).tolist() == [[i == v3 for i in range(12)]] * len(made)
    assert not made["pictures"].values[:, v3].any()
    assert np.isfinite(made["gain"].values).all()
    assert withheld(made, RECIPES["qrs_duration"]) == {}
    assert withheld(made, RECIPES["lbbb"]) == {}
    said = set(withheld(made, RECIPES["trees"]).values())
    assert said == {"this model looks at twelve leads, and V3 cannot be used"}
    assert set(withheld(made, RECIPES["scratch"])) == set(patients_of(made))


def test_a_recording_of_two_leads_is_set_aside_and_the_missing_leads_are_named(cohort):
    def two_leads(ecg):
        return replace(ecg, signal_mv=ecg.signal_mv[:2], leads=ecg.leads[:2])

    ctx = context()
    with refuses(DataError, "recordings"):
        preprocess(changed(cohort.samples.take([0]), two_leads), PreprocessBlock(), ctx)
    (row,) = ctx._quarantined
    assert names(row.reason, "III", "aVR", "aVL", "aVF", *(f"V{n}" for n in range(1, 7)))


def test_what_a_reader_said_of_the_block_outranks_our_own_reading(preprocessed):
    for said in (0.0, 1.0):
        table = preprocessed.table.assign(lbbb_read=said)
        made = featurize(SampleSet(table, preprocessed.values), SMALL, context())
        assert (measured(made, ("lbbb",)) == said).all()


def test_a_patient_s_number_is_the_mean_of_his_recordings_however_many_beats_they_have(features):
    table = features.table.copy()
    table["patient_id"] = "one"
    values = np.where(table["recording_id"] == table["recording_id"].iloc[0], 10.0, 20.0)
    values[-1] = np.nan  # not the first beat of its recording, so nobody asks for it
    joined = type(features)(table, features.blocks)
    assert patients_of(joined) == ("one",)
    assert by_patient(joined, values) == pytest.approx([15.0])


def one_lead_network(lead: str) -> PatientNet:
    """A network whose logit is its share of instances of one lead, whatever they show."""
    net = PatientNet(18, pooling="mean", width_mult=0.125, small_stem=True).eval()
    with torch.no_grad():
        for parameter in (*net.instance.parameters(), *net.classifier.parameters()):
            parameter.zero_()
        net.lead_code.weight.zero_()
        net.lead_code.weight[STANDARD_LEADS.index(lead), 0] = 1.0
        first = net.instance[0]
        first.weight[0, first.in_features - net.lead_code.embedding_dim] = 1.0
        net.classifier.weight[0, 0] = 12.0
    return net


def test_the_lead_that_makes_the_logit_is_the_one_that_it_falls_without():
    net = one_lead_network("V2")
    bag = {"images": torch.rand(1, 3, 12, 16, 20)}
    assert float(net(bag).detach()) == pytest.approx(1.0)
    drops = lead_drops(net, bag, 1.0)
    assert drops.pop("lead:V2") == pytest.approx(1.0)
    # Without another lead, V2 is one of eleven: the logit rises to 12 / 11.
    assert all(drop == pytest.approx(1 - 12 / 11) for drop in drops.values())


@pytest.mark.parametrize("stem", ["shared", "twelve"])
@pytest.mark.parametrize("layer", [2, 4])
def test_maps_are_of_every_lead_and_reach_from_0_to_1(stem, layer):
    torch.manual_seed(1)
    net = PatientNet(18, stem=stem, n_side=2, width_mult=0.125, small_stem=True).eval()
    pictures = np.random.default_rng(0).integers(0, 256, (12, 32, 40), dtype=np.uint8)
    side = np.zeros((12, 2), np.float32)
    inputs = {"images": torch.zeros(1, 1, 12, 32, 40), "side": torch.zeros(1, 1, 12, 2)}
    for_it, against = (beat_maps(net, inputs, side, pictures, s, layer) for s in (1.0, -1.0))
    assert for_it.shape == (12, 32, 40)
    assert for_it.min() >= 0
    assert max(for_it.max(), against.max()) == pytest.approx(1.0)
    assert not np.allclose(for_it, against)


def test_angles_are_averaged_on_the_circle_and_flags_by_majority():
    import pandas as pd

    from cardio_core.api import FeatureBlock, FeatureSet
    from cardio_ecg_transfer.response.patients import all_measured

    table = pd.DataFrame(
        {"recording_id": ["a", "b"], "study_id": ["s", "s"], "patient_id": ["p", "p"]},
        index=pd.Index(["a", "b"], name="sample_id"),
    )
    names = ("axis_deg", "lbbb", "qrs_ms")
    values = np.array([[170.0, 1.0, 100.0], [-170.0, 0.0, 120.0]], np.float32)
    block = FeatureBlock(values, ("measurement",), names, ("deg", "1", "ms"))
    ((axis, lbbb, qrs_ms),) = all_measured(FeatureSet(table, {"measurements": block}))
    assert abs(axis) == pytest.approx(180.0, abs=1e-3)
    assert (lbbb, qrs_ms) == (1.0, 110.0)


def test_an_encoder_that_saw_other_pictures_is_refused(tmp_path):
    from cardio_core.api import ModelArtifact
    from cardio_ecg_transfer.networks.resnet import BeatResNet
    from cardio_ecg_transfer.response.by_network import start_from_earlier
    from cardio_ecg_transfer.response.models import RECIPES

    earlier = ModelArtifact(tmp_path)
    about = {"channels": ["beat:0", "beat:1"], "network": {"small_stem": True}}
    earlier.write_json("model.json", about)
    ctx = Context(CRT_RESPONSE, hook="train", _needs={"aami_beats": {"resnet": tmp_path}})
    encoder = BeatResNet(18, n_input_channels=1, n_classes=1, width_mult=0.125, small_stem=True)
    with refuses(DataError, "2", "0", "1", "small_stem"):
        start_from_earlier(encoder, RECIPES["pretrained"], True, ctx)


def test_what_no_cardiologist_reads_is_no_measurement(features):
    titles = {name: block.titles for name, block in features.blocks.items()}
    assert titles["gain"] == titles["polarity"] == titles["waves"] == ()
    assert "QRS duration, global" in titles["measurements"] and all(titles["measurements"])
