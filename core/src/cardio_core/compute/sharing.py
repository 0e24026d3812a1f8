"""Which fits get more than one device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from cardio_core.compute.devices import Device


def shared_out(devices: Sequence[Device], n_fits: int) -> tuple[Device, ...]:
    """Return what each fit runs on: one device, or several where fits are fewer than devices.

    Independent fits come first: they need nothing of each other. Only what would lie idle is
    joined to another, as its `others`, and neighbours are joined.

    Parameters
    ----------
    devices : sequence of Device
        One or more.
    n_fits : int
        Fits of the whole run, those that were finished before it was resumed among them: what is
        left is then fitted as it would have been.

    Examples
    --------
    >>> cpus = [Device("cpu", i, "CPU", "32", "asked for") for i in range(3)]
    >>> [1 + len(device.others) for device in shared_out(cpus, 2)]
    [2, 1]
    >>> [1 + len(device.others) for device in shared_out(cpus, 7)]
    [1, 1, 1]
    """
    if not 0 < n_fits < len(devices):
        return tuple(devices)
    bounds = [-(-len(devices) * fit // n_fits) for fit in range(n_fits + 1)]
    return tuple(
        replace(devices[first], others=tuple(devices[first + 1 : last]))
        for first, last in pairwise(bounds)
    )
