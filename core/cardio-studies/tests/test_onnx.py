"""Networks as ONNX: found where they are called, and equal to torch on any number of examples."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from cardio_core.testing import refuses
from cardio_stats.errors import CardioError, ConfigError
from cardio_studies import onnx_export as file
from cardio_studies.onnx_export import watching, write_onnx


class Wide(nn.Module):
    """A picture and two numbers, to three logits.

    The rest of the words.
    """

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
        self.head = nn.Linear(6, 3)

    def forward(self, given: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Return logits (n, 3) of ``picture`` (n, 1, 8, 8), dB, and ``side`` (n, 2), mV."""
        seen = self.look(given["picture"]).mean(dim=(2, 3))
        return self.head(torch.cat([seen, given["side"]], dim=1))


@pytest.fixture(scope="module")
def called():
    torch.manual_seed(0)
    network = Wide().eval()
    network.look[1].running_mean += 0.3
    rng = np.random.default_rng(0)
    with watching() as found, torch.inference_mode():
        network({"picture": torch.from_numpy(rng.normal(size=(3, 1, 8, 8)).astype(np.float32)),
                 "side": torch.from_numpy(rng.normal(size=(3, 2)).astype(np.float32))})  # fmt: skip
    return found


@pytest.fixture(scope="module")
def written(called, tmp_path_factory):
    """The file, and what was said of it."""
    path = tmp_path_factory.mktemp("onnx") / "wide.onnx"
    return path, write_onnx(path, called[0], {"plugin": "none 1.0"})


def test_a_network_is_found_whole_with_what_it_was_given(called):
    [one] = called
    assert type(one.network) is Wide
    assert one.as_mapping
    assert {name: value.shape for name, value in one.inputs.items()} == {
        "picture": (3, 1, 8, 8),
        "side": (3, 2),
    }


def test_the_file_answers_as_torch_does_on_any_number_of_examples(called, written):
    [one] = called
    path, about = written
    assert about["largest_difference"] <= 1e-4
    session = onnxruntime.InferenceSession(str(path))
    rng = np.random.default_rng(7)
    for n in (1, 4, 9):
        given = {"picture": rng.normal(size=(n, 1, 8, 8)).astype(np.float32),
                 "side": rng.normal(size=(n, 2)).astype(np.float32)}  # fmt: skip
        with torch.no_grad():
            expected = one.network({name: torch.from_numpy(v) for name, v in given.items()})
        [found] = session.run(None, given)
        assert found.shape == (n, 3)
        np.testing.assert_allclose(found, expected.numpy(), atol=1e-4)
    model = onnx.load(str(path))
    told = {prop.key: prop.value for prop in model.metadata_props}
    assert told["plugin"] == "none 1.0"
    assert told["about"] == "A picture and two numbers, to three logits."
    assert "(n, 1, 8, 8), dB" in told["call"]
    assert json.loads(told["inputs"])["side"] == {"shape": ["n", 2], "type": "float32"}
    # What the exporter says of lines of code names folders of the machine.
    assert b".py" not in path.read_bytes()


def test_a_file_that_answers_otherwise_is_refused(called, written, tmp_path, monkeypatch):
    [one] = called

    class Other(onnxruntime.InferenceSession):
        def run(self, *given):
            return [value + 0.01 for value in super().run(*given)]

    monkeypatch.setattr(onnxruntime, "InferenceSession", Other)
    monkeypatch.setattr(
        torch.onnx, "export", lambda network, own, path, **how: shutil.copy(written[0], path)
    )
    with refuses(CardioError, "Wide", 0.01):
        write_onnx(tmp_path / "wide.onnx", one, {})


def test_what_torch_cannot_write_is_said_in_one_line(called, tmp_path, monkeypatch):
    [one] = called

    def unable(*given, **how):
        raise RuntimeError("no such operator\nand a page of advice")

    monkeypatch.setattr(torch.onnx, "export", unable)
    with refuses(CardioError, "Wide", "RuntimeError") as caught:
        write_onnx(tmp_path / "x.onnx", one, {})
    assert "no such operator" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_package_is_named_with_the_way_to_get_it(monkeypatch):
    def absent(name):
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(file, "import_module", absent)
    with refuses(ConfigError, "onnx", "./core/cardio-core[onnx]"):
        file.require_onnx()
