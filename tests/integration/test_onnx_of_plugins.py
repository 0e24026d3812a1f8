"""The networks of all four plugins as ONNX, at the width of their smallest configurations.

Stored on 2026-11-23 (torch 2.13.0, onnx 1.23.2, onnxruntime 1.32.0, one core): the largest
differences, of outputs scaled to 1, in `STORED`.
"""

from __future__ import annotations

import numpy as np
import pytest

STORED = {
    "PatientNet": 3.7e-8, "BeatResNet": 5.1e-7, "BeatNet": 5.2e-8, "FlashDenseNet": 6.0e-8,
    "ClipNetwork": 1.2e-8, "PaperAutoencoder": 3.0e-7, "FlowResNet": 1.1e-7,
}  # fmt: skip


def network_of(name):
    """Return an untrained network, and one example of what it is given, without the first axis."""
    if name == "PatientNet":
        from cardio_ecg_transfer.networks.patient_net import PatientNet

        made = PatientNet(depth=18, stem="shared", pooling="attention", n_side=2, dropout=0.3,
                          width_mult=0.125, small_stem=True, n_outputs=1)  # fmt: skip
        return made, {"images": (2, 12, 24, 32), "side": (2, 12, 2)}
    if name == "BeatResNet":
        from cardio_ecg_transfer.networks.resnet import BeatResNet

        return BeatResNet(depth=18, n_classes=5, width_mult=0.125, small_stem=True), {
            "input": (3, 24, 32)
        }
    if name == "BeatNet":
        from cardio_ecg_transfer.networks.beat_net import BeatNet

        return BeatNet(n_measured=6, dropout=0.3, n_outputs=1), {
            "beats": (12, 250),
            "measured": (6,),
        }
    if name == "FlashDenseNet":
        from cardio_mmode_septal_flash.networks.densenet import FlashDenseNet

        return FlashDenseNet(2, stem="one", width_mult=0.0625), {"input": (1, 64, 64)}
    if name == "ClipNetwork":
        from cardio_echo_cmr.networks.clip_network import ClipNetwork

        return ClipNetwork(0.0625, 1), {"clip": (1, 8, 32, 32), "n_frames": ()}
    if name == "PaperAutoencoder":
        from cardio_spect_polar.networks.autoencoders import PaperAutoencoder

        return PaperAutoencoder(1728, 16, 8), {"input": (1728,)}
    from cardio_spect_polar.networks.flow_resnet import FlowResNet

    return FlowResNet(1, width_mult=0.0625, small_stem=True), {"input": (1, 32, 32)}


@pytest.mark.slow
@pytest.mark.parametrize("name", STORED)
def test_the_networks_of_the_plugins_are_the_same_as_onnx(name, tmp_path):
    import onnxruntime
    import torch

    from cardio_studies.onnx_export import watching, write_onnx

    torch.manual_seed(0)
    network, shapes = network_of(name)
    network.train()
    rng = np.random.default_rng(0)

    def examples(n):
        return {
            key: rng.integers(4, 9, n) if key == "n_frames"
            else rng.normal(size=(n, *shape)).astype(np.float32)
            for key, shape in shapes.items()
        }  # fmt: skip

    def called(given):
        tensors = {key: torch.from_numpy(value) for key, value in given.items()}
        return network(tensors.get("input", tensors))

    with torch.no_grad():  # batch normalisation then has statistics of its own
        for _ in range(3):
            called(examples(8))
    network.eval()
    with watching() as found, torch.no_grad():
        called(examples(3))
    [one] = found
    about = write_onnx(tmp_path / "net.onnx", one, {})
    assert about["network"] == name
    assert about["largest_difference"] <= max(1e-6, 10 * STORED[name])
    given = examples(6)
    with torch.no_grad():
        expected = called(given).numpy()
    [answer] = onnxruntime.InferenceSession(str(tmp_path / "net.onnx")).run(None, given)
    np.testing.assert_allclose(answer, expected, atol=1e-4)
    assert expected.std(axis=0).max() > 1e-3  # else a constant would do
