"""Whether a fit can be shared by several devices, and by how many."""

from __future__ import annotations

import sys
from dataclasses import replace

from torch import distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm, _NormBase

from cardio_core.compute.devices import Device
from cardio_core.training.plan import FitPlan


def form(
    network: nn.Module, plan: FitPlan, device: Device
) -> tuple[Device, FitPlan, tuple[str, ...]]:
    """Return the device with those of its others that can help, the plan, and what to note."""
    n_asked = 1 + len(device.others)
    if (lacking := why_alone(network, device)) is not None:
        alone = replace(device, others=())
        return alone, plan, (f"trained on one of {n_asked} devices: {lacking}",)
    n_taken = min(n_asked, plan.batch_size)
    taken = replace(device, others=device.others[: n_taken - 1])
    if n_taken == 1:
        return taken, plan, (f"trained on one of {n_asked} devices: a batch is one example",)
    told = [f"trained on {n_taken} devices at once, each with a share of every batch"]
    if plan.compile:
        plan = plan.model_copy(update={"compile": False})
        told.append("trained without torch.compile: the fit is shared by several devices")
    return taken, plan, tuple(told)


def why_alone(network: nn.Module, device: Device) -> str | None:
    """Return why a network cannot be trained on several devices, as a clause; None if it can.

    Examples
    --------
    >>> cpu = Device("cpu", None, "CPU", "32", "asked for")
    >>> why_alone(nn.BatchNorm1d(2), cpu)
    'batch normalisation over several processes works on GPUs only'
    """
    if sys.platform == "win32":
        return "sharing a fit is not tried on Windows"
    if not distributed.is_available():
        return "this torch was built without torch.distributed"
    network.train()  # layers that are frozen see to it that they stay in evaluation mode
    kept = [
        layer
        for layer in network.modules()
        if isinstance(layer, _NormBase) and layer.training and layer.track_running_stats
    ]
    of_batches = [layer for layer in network.modules() if isinstance(layer, _BatchNorm)]
    if device.kind == "cpu" and any(layer.training for layer in of_batches):
        return "batch normalisation over several processes works on GPUs only"
    if any(not isinstance(layer, _BatchNorm) for layer in kept):
        return "a layer keeps statistics that cannot be shared (instance normalisation)"
    return None
