"""Weights of others: copied whole or refused in one line."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from cardio_core.api import DataError
from cardio_core.testing import refuses
from cardio_echo_cmr.networks.r2plus1d import R2Plus1D18, start_from_file

THIN = 0.0625


@pytest.fixture
def stored(tmp_path):
    """Write the state of a thin network, after some change, and return it and the file."""

    def write(n_classes, change=dict, seed=3):
        torch.manual_seed(seed)
        state = R2Plus1D18(n_classes, THIN).state_dict()
        path = tmp_path / "theirs.safetensors"
        save_file(change(state), path)
        return state, path

    return write


def _fresh():
    torch.manual_seed(0)
    return R2Plus1D18(1, THIN)


def test_kinetics_gives_all_but_the_last_layer(stored):
    state, path = stored(400)
    network = _fresh()
    head = network.fc.weight.clone()
    assert "its last layer is new" in start_from_file(network, path)
    own = network.state_dict()
    assert all(torch.equal(own[name], state[name]) for name in own if not name.startswith("fc."))
    assert torch.equal(own["fc.weight"], head)


def test_released_weights_with_their_prefix_give_the_last_layer_too(stored):
    state, path = stored(1, lambda state: {f"m.{name}": value for name, value in state.items()})
    network = _fresh()
    assert "its last layer too" in start_from_file(network, path)
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())


def test_a_state_without_counters_is_whole(stored):
    _, path = stored(1, lambda s: {n: v for n, v in s.items() if "num_batches" not in n})
    network = _fresh()
    # 37 convolutions and 37 normalisations of four tensors each, and the last layer's two.
    assert f"{37 + 4 * 37 + 2} tensors copied" in start_from_file(network, path)


def _without(state):
    return {name: value for name, value in state.items() if name != "layer2.0.downsample.0.weight"}


def _with_another(state):
    return state | {"layer5.weight": torch.ones(1)}


def _of_another_shape(state):
    return state | {"stem.0.weight": torch.ones(3, 1, 1, 7, 7)}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_without, r"1 missing \(layer2\.0\.downsample\.0\.weight\)"),
        (_with_another, r"1 unexpected \(layer5\.weight\)"),
        (_of_another_shape, r"stem\.0\.weight \(3, 3, 1, 7, 7\) expected, \(3, 1, 1, 7, 7\) found"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_in_one_line_and_nothing_is_copied(
    stored, change, said
):
    _, path = stored(1, change)
    network = _fresh()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(DataError, match=said) as caught:
        start_from_file(network, path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("theirs.safetensors: ")
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_a_last_layer_of_another_number_of_outputs_than_kinetics_is_refused(stored):
    _, path = stored(4)
    with refuses(DataError, "theirs.safetensors", "fc.bias", "1", "4"):
        start_from_file(_fresh(), path)


def test_weights_of_the_published_width_are_refused_by_a_thinner_network(stored):
    _, path = stored(1)
    with refuses(DataError, "theirs.safetensors", "width_mult", "1.0"):
        start_from_file(R2Plus1D18(1, 0.125), path)


def test_no_file_and_a_pickle_are_refused(tmp_path):
    with pytest.raises(DataError, match="found none"):
        start_from_file(_fresh(), tmp_path / "absent.safetensors")
    torch.save({"a": torch.ones(1)}, tmp_path / "theirs.pt")
    with refuses(DataError, "theirs.pt", "FILE", "--allow pickle"):
        start_from_file(_fresh(), tmp_path / "theirs.pt")
