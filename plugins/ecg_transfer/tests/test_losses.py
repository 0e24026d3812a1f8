import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cardio_core.api import DataError
from cardio_ecg_transfer.beats.epoch_draw import drawing_weights, log_prior_ratio
from cardio_ecg_transfer.networks.augment import Augmentation, augment_images, augment_side
from cardio_ecg_transfer.networks.losses import inverse_sqrt_frequency, prior_adjusted_cross_entropy


def test_a_class_four_times_as_frequent_weighs_half_and_weights_average_one_over_samples():
    counts = torch.tensor([400, 100, 0, 25])
    weights = inverse_sqrt_frequency(counts)
    assert (weights[1] / weights[0]).item() == pytest.approx(2)
    assert (weights[3] / weights[0]).item() == pytest.approx(4)
    assert weights[2].item() == 0
    assert ((weights * counts).sum() / counts.sum()).item() == pytest.approx(1)


def test_logits_fitted_under_a_drawn_prior_are_the_bayes_posterior_under_the_wanted_one():
    # Two normal classes at 0 and 1 of unit variance, drawn half and half, wanted 9 to 1: the Bayes
    # log odds at the wanted prior are x - 1/2 + ln(1 / 9).
    rng = np.random.default_rng(3)
    x = np.r_[rng.standard_normal(40_000), 1 + rng.standard_normal(40_000)]
    target = np.repeat([0, 1], 40_000)
    weights = np.full(80_000, 1 / 80_000)
    ratio = torch.from_numpy(log_prior_ratio(weights, target, [0.9, 0.1]))
    layer = torch.nn.Linear(1, 2)
    inputs = torch.from_numpy(x[:, None].astype(np.float32))
    optimiser = torch.optim.LBFGS(layer.parameters(), max_iter=100)

    def step() -> torch.Tensor:
        optimiser.zero_grad()
        loss = prior_adjusted_cross_entropy(
            layer(inputs), torch.from_numpy(target), log_prior_ratio=ratio
        )
        loss.backward()
        return loss

    optimiser.step(step)
    odds = layer(torch.tensor([[0.0], [1.0]])).diff(dim=1).squeeze(1)
    assert odds[0].item() == pytest.approx(-0.5 + np.log(1 / 9), abs=0.05)
    assert (odds[1] - odds[0]).item() == pytest.approx(1.0, abs=0.05)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=60))
def test_drawing_weights_give_every_present_class_its_share(beats):
    target = np.array([c for c, _ in beats])
    patient = np.array([f"p{who}" for _, who in beats])
    shares = np.array([0.6, 0.3, 0.1])
    weights = drawing_weights(target, patient, shares.tolist())
    present = np.bincount(target, minlength=3) > 0
    drawn = np.bincount(target, weights=weights, minlength=3)
    assert np.allclose(drawn, np.where(present, shares, 0) / shares[present].sum())


def test_patient_power_draws_from_beats_alike_to_patients_alike():
    patient = np.array(["a"] * 9 + ["b"])
    target = np.zeros(10, dtype=np.int64)
    share_of_b = [
        drawing_weights(target, patient, [1.0], patient_power=power)[-1]
        for power in (1.0, 0.5, 0.0)
    ]
    assert share_of_b == pytest.approx([0.1, 0.25, 0.5])


def test_drawing_from_no_wanted_class_is_an_error():
    with pytest.raises(DataError, match="positive share"):
        drawing_weights(np.array([1, 1]), np.array(["a", "b"]), [1.0, 0.0])


def pictures(n: int = 64) -> torch.Tensor:
    return torch.rand(n, 4, 16, 20, generator=torch.Generator().manual_seed(5)) + 0.5


def test_the_same_seed_changes_a_batch_alike_and_another_otherwise():
    strong = Augmentation(0.1, 0.1, 0.1, 0.3, 0.2, 0.5, 0.1)
    one, same, other = (
        augment_images(pictures(), strong, torch.Generator().manual_seed(seed), n_leads=2)
        for seed in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_a_shift_moves_all_channels_alike_by_at_most_its_limit():
    image = torch.zeros(200, 2, 4, 20)
    image[:, :, :, 10] = 1
    moved = augment_images(image, Augmentation(time_shift=0.1), torch.Generator().manual_seed(0))
    at = moved[:, :, 0, :].argmax(dim=2)
    assert (at[:, 0] == at[:, 1]).all()
    assert set(at[:, 0].tolist()) == {8, 9, 10, 11, 12}  # 10 +- .1 x 20


def test_lead_dropout_takes_every_channel_of_one_lead_and_never_both_leads():
    changed = augment_images(
        pictures(), Augmentation(lead_dropout=0.5), torch.Generator().manual_seed(0), n_leads=2
    )
    lost = (changed == 0).all(dim=3).all(dim=2)  # (n, 4): kind by kind, leads alternate
    assert (lost[:, 0] == lost[:, 2]).all()
    assert (lost[:, 1] == lost[:, 3]).all()
    assert not (lost[:, 0] & lost[:, 1]).any()
    assert 0.3 < lost.any(dim=1).float().mean().item() < 0.7


def test_a_mask_hides_one_stretch_of_each_axis_no_longer_than_its_limit():
    changed = augment_images(pictures(), Augmentation(mask=0.25), torch.Generator().manual_seed(0))
    rows = (changed == 0).all(dim=3).all(dim=1).sum(dim=1)
    columns = (changed == 0).all(dim=2).all(dim=1).sum(dim=1)
    assert 0 < rows.max() <= 4  # .25 x 16
    assert 0 < columns.max() <= 5  # .25 x 20


def test_side_noise_has_the_standard_deviation_asked_for():
    side = augment_side(
        torch.zeros(20_000, 2), Augmentation(side_noise=0.05), torch.Generator().manual_seed(0)
    )
    assert side.std().item() == pytest.approx(0.05, rel=0.02)
