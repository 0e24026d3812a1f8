"""Weights of others, from their own layout to the same answers by the networks of the plugins."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch
from safetensors import safe_open

from cardio_core.context import Context
from cardio_core.errors import PluginError
from cardio_core.io.hashing import file_digest
from cardio_core.testing import refuses
from cardio_core.training.pretrained import LAYOUTS, convert_weights, layout_of
from cardio_echo_cmr.networks.layouts import layouts
from cardio_echo_cmr.networks.r2plus1d import R2Plus1D18
from cardio_echo_cmr.networks.r2plus1d import start_from_file as start_echo
from cardio_mmode_septal_flash.flash.models import SEPTAL_FLASH
from cardio_mmode_septal_flash.networks.densenet import FlashDenseNet
from cardio_mmode_septal_flash.networks.densenet import start_from_file as start_mmode
from cardio_spect_polar.networks.flow_resnet import FlowResNet
from cardio_stats.errors import ConfigError, DataError

from .reference_networks import DenseNet121, R2Plus1D, ResNet50, lively

CTX = Context(SEPTAL_FLASH, hook="train")
THIN = {"planes": (4, 8, 16, 32), "mid": 3}
CLOSE = {"rtol": 1e-4, "atol": 1e-5}
OF_ECHO = {said["name"]: layout_of(said, "echo_cmr") for said in layouts()}
CHILDREN = ("conv0", "norm0", "relu0", "pool0", "denseblock1", "transition1", "denseblock2",
            "transition2", "denseblock3", "transition3", "denseblock4", "norm5")  # fmt: skip


@pytest.fixture
def converted(tmp_path):
    def make(content, *, suffix=".pt", **options):
        path, out = tmp_path / f"theirs{suffix}", tmp_path / "ours.safetensors"
        out.unlink(missing_ok=True)
        torch.save(content, path)
        return convert_weights(path, out, **{"further": OF_ECHO} | options), out

    return make


def behind(prefix, state):
    return {f"{prefix}{name}": value for name, value in state.items()}


@pytest.mark.parametrize(
    ("layout", "n_outputs", "wrap"),
    [
        ("kinetics_r2plus1d_18", 400, lambda state: state),
        ("echonet_dynamic", 1, lambda s: {"epoch": 44, "state_dict": behind("module.", s),
                                          "opt_dict": {"lr": 1e-4}, "best_loss": 17.0}),
        ("echonet_cmr", 1, lambda state: behind("m.", state)),
    ],
)  # fmt: skip
def test_a_video_network_answers_as_before_from_every_layout(converted, layout, n_outputs, wrap):
    theirs = lively(R2Plus1D(n_outputs, **THIN))
    report, file = converted(wrap(theirs.state_dict()))
    assert report.layout == layout
    ours = R2Plus1D18(1, 0.0625).eval()
    said = start_echo(ours, file)
    clip = torch.rand(2, 3, 8, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(ours.maps(clip), theirs.maps(clip), **CLOSE)
        if layout == "echonet_cmr":
            torch.testing.assert_close(ours(clip), theirs(clip), **CLOSE)
    # LVEF of EchoNet-Dynamic would be a start of 55 for a logit.
    assert ("its last layer too" in said) == (layout == "echonet_cmr") != report.without_head
    dropped = {name.split(".", 1)[-1] for name in report.dropped}
    assert dropped <= {"fc.weight", "fc.bias", "weight", "bias"}
    assert len(dropped) == 2 * report.without_head


def _numbered(state):
    return behind(
        "backbone.0.",
        {re.sub(r"^features\.(\w+)", lambda m: str(CHILDREN.index(m[1])), name): value
         for name, value in state.items() if name.startswith("features.")},
    )  # fmt: skip


def _inside(state):
    return behind("backbone.0.", {n.removeprefix("features."): v for n, v in state.items()
                                  if n.startswith("features.")})  # fmt: skip


def _of_2017(state):
    return {re.sub(r"(layer\d+\.\w+)([12])\.", r"\1.\2.", n): v for n, v in state.items()}


def _of_monai(state):
    return {re.sub(r"(denselayer\d+)\.", r"\1.layers.", n).replace("classifier",
            "class_layers.out"): v for n, v in state.items()}  # fmt: skip


@pytest.mark.parametrize(
    ("layout", "wrap"),
    [
        ("densenet121", dict),
        ("densenet121", _of_2017),
        ("densenet121", _of_monai),
        ("radimagenet_densenet121", _numbered),
        ("radimagenet_densenet121", _inside),
    ],
)
def test_a_densenet_answers_as_before_from_every_layout(converted, layout, wrap):
    theirs = lively(DenseNet121(8, 4))
    report, file = converted(wrap(theirs.state_dict()))
    assert report.layout == layout
    ours = FlashDenseNet(2, width_mult=0.125).eval()
    start_mmode(ours, file, CTX)
    picture = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(
            ours.maps(picture), theirs.maps(picture.expand(-1, 3, -1, -1)), **CLOSE
        )


@pytest.mark.parametrize("layout", ["resnet50", "radimagenet_resnet50"])
def test_a_resnet_answers_as_before_from_every_layout(converted, layout):
    theirs = lively(ResNet50(8))
    state = theirs.state_dict()
    if layout == "radimagenet_resnet50":  # as nn.Sequential(*list(network.children())[:9]) says
        children = [name for name, _ in theirs.named_children()]
        parts = {name: name.split(".", 1) for name in state if not name.startswith("fc.")}
        state = {f"backbone.{children.index(a)}.{b}": state[n] for n, (a, b) in parts.items()}
    report, file = converted({"state_dict": state})
    assert report.layout == layout
    ours = FlowResNet(18, width_mult=0.125).eval()
    CTX.load_backbone(ours, file)
    picture = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(
            ours.early(picture, 4), theirs.maps(picture.expand(-1, 3, -1, -1)), **CLOSE
        )


def _keras_of(state):
    """Write a DenseNet's tensors with the names and the order of axes that Keras gives them."""
    kinds = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean",
             "running_var": "moving_variance"}  # fmt: skip
    made = {}
    for name, value in state.items():
        place, _, kind = name.removeprefix("features.").rpartition(".")
        if name.startswith("classifier") or kind == "num_batches_tracked":
            continue
        layer = re.fullmatch(r"denseblock(\d)\.denselayer(\d+)\.(norm|conv)([12])", place)
        between = re.fullmatch(r"transition(\d)\.(norm|conv)", place)
        if layer:
            block, number, part, nth = int(layer[1]), layer[2], layer[3], int(layer[4])
            part = f"{nth - 1}_bn" if part == "norm" else f"{nth}_conv"
            place = f"conv{block + 1}_block{number}_{part}"
        elif between:
            place = f"pool{int(between[1]) + 1}_{'bn' if between[2] == 'norm' else 'conv'}"
        else:
            place = {"conv0": "conv1/conv", "norm0": "conv1/bn", "norm5": "bn"}[place]
        array = value.numpy()
        if array.ndim == 4:
            made[f"{place}/kernel:0"] = array.transpose(2, 3, 1, 0)
        else:
            made[f"{place}/{kinds[kind]}:0"] = array
    return made


def test_a_keras_densenet_answers_as_before(tmp_path):
    h5py = pytest.importorskip("h5py")
    theirs = lively(DenseNet121(8, 4))
    with h5py.File(tmp_path / "theirs.h5", "w") as file:
        for name, array in _keras_of(theirs.state_dict()).items():
            file[f"model_weights/{name}"] = array
        file["model_weights/dense/dense/kernel:0"] = np.zeros((4, 2))
        file["optimizer_weights/Adam/m:0"] = np.zeros(3)
    report = convert_weights(tmp_path / "theirs.h5", tmp_path / "ours.safetensors")
    assert (report.layout, report.without_head) == ("densenet121", True)
    ours = FlashDenseNet(2, width_mult=0.125).eval()
    start_mmode(ours, tmp_path / "ours.safetensors", CTX)
    picture = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(
            ours.maps(picture), theirs.maps(picture.expand(-1, 3, -1, -1)), **CLOSE
        )
    with h5py.File(tmp_path / "resnet.h5", "w") as file:
        file["conv2_block1_3_conv/kernel:0"] = np.zeros((1, 1, 4, 4))
    with refuses(DataError, "resnet.h5", "ResNet", "PyTorch"):
        convert_weights(tmp_path / "resnet.h5", tmp_path / "no.safetensors")


def test_the_new_file_says_where_it_is_from(converted, tmp_path):
    state = behind("module.", R2Plus1D(1, **THIN).state_dict())
    report, file = converted({"state_dict": state}, suffix=".pth", licence="research use only")
    with safe_open(file, "pt") as stored:
        said = stored.metadata()
    assert said["licence"] == "research use only"
    assert said["original_sha256"] == file_digest(tmp_path / "theirs.pth")
    assert said["layout"] == "echonet_dynamic"
    assert json.loads(said["renamed"])["module.stem.0.weight"] == "stem.0.weight"
    assert json.loads(said["dropped"]).keys() == {"module.fc.weight", "module.fc.bias"}
    assert report.n_tensors == len(state) - 2
    assert converted(state)[0].licence == "not stated"


def test_a_file_that_nearly_fits_is_refused_and_others_keep_their_names(converted):
    state = R2Plus1D(400, **THIN).state_dict()
    less = {name: value for name, value in state.items() if name != "layer3.0.downsample.0.weight"}
    with refuses(DataError, "theirs.pt", "1 missing", "layer3.0.downsample.0.weight"):
        converted(less)
    with refuses(DataError, "theirs.pt", "side.weight"):
        converted(state | {"side.weight": torch.ones(1)})
    with refuses(DataError, "theirs.pt", "axes", "stem.0.weight"):
        converted(state | {"stem.0.weight": torch.ones(3, 3, 7, 7)})
    with refuses(DataError, "theirs.pt", "echonet_cmr", "prefix"):
        converted(state, layout="echonet_cmr")
    with refuses(ConfigError, "--layout", "other"):
        converted(state, layout="other")
    report, _ = converted({"net.a": torch.ones(2)})
    assert (report.layout, report.renamed, report.dropped) == ("as is", {}, {})


def test_names_and_axes_of_the_table_are_those_of_the_networks():
    for layout, network in (
        ("r2plus1d_18", R2Plus1D(**THIN)),
        ("densenet121", DenseNet121(8, 4)),
        ("resnet50", ResNet50(8)),
    ):
        state = network.state_dict()
        own = {n: value.ndim for n, value in state.items() if not n.endswith("batches_tracked")}
        assert dict(LAYOUTS[layout].axes) == own


def test_a_plugin_lends_a_layout_of_its_own(converted):
    said = {"name": "lab", "title": "ours", "axes": "resnet50", "prefix": "lab/"}
    said["head_dropped"] = "it is ours"
    state = behind("lab/", ResNet50(8).state_dict())
    report, _ = converted(state, further={"lab": layout_of(said, "ppg")})
    assert (report.layout, set(report.dropped)) == ("lab", {"lab/fc.weight", "lab/fc.bias"})
    with refuses(PluginError, "plugin ppg", "weight_layouts"):
        layout_of({"name": "lab", "axes": "alexnet"}, "ppg")
