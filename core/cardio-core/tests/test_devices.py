"""Devices say what was taken and why, and refuse what is not there."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from cardio_core.compute import devices
from cardio_core.compute import devices as torch_build
from cardio_core.compute.devices import (
    TorchBuild,
    choose_device,
    describe_devices,
    device_list,
    installed_torch,
)
from cardio_core.testing import refuses
from cardio_stats.errors import ConfigError


def torch_with(n_gpus, cuda="12.8", capability=(8, 0)):
    """Return a stand-in for torch on a machine with that many GPUs."""
    return SimpleNamespace(
        __version__="2.13.0",
        version=SimpleNamespace(cuda=cuda, hip=None),
        cuda=SimpleNamespace(
            is_available=lambda: n_gpus > 0,
            device_count=lambda: n_gpus,
            get_device_name=lambda i: f"NVIDIA A100 number {i}",
            get_device_capability=lambda i: capability,
            get_device_properties=lambda i: SimpleNamespace(
                name=f"NVIDIA A100 number {i}", total_memory=80 * 2**30
            ),
        ),
    )


@pytest.fixture
def machine(monkeypatch):
    def become(torch):
        gpus = torch and torch.version.cuda and "cuda"
        build = torch and TorchBuild(torch.__version__, gpus)
        monkeypatch.setattr(devices, "installed_torch", lambda: build)
        monkeypatch.setattr(torch_build, "_cuda_driver_loads", lambda: True)
        monkeypatch.setattr(devices, "torch_or_none", lambda: torch)
        monkeypatch.setattr("cardio_core.compute.devices.torch_or_none", lambda: torch)
        monkeypatch.setattr(devices, "cpu_count", lambda: 8)
        monkeypatch.setattr("cardio_core.compute.devices.cpu_count", lambda: 8)

    return become


def test_auto_without_a_gpu_takes_the_cpu_and_says_why(machine):
    machine(torch_with(0))
    device = choose_device("auto")
    assert device.torch_name == "cpu"
    assert (
        device.reason
        == "no CUDA device is visible to torch 2.13.0, so the CPU (8 cores, one thread a process)"
    )


def test_auto_with_gpus_takes_the_first_and_says_why(machine):
    machine(torch_with(2))
    device = choose_device("auto", "16")
    assert (device.torch_name, device.name) == ("cuda:0", "NVIDIA A100 number 0")
    assert "sees 2 GPU(s)" in device.reason


def test_auto_works_where_torch_is_not_installed(machine):
    machine(None)
    device = choose_device("auto")
    assert device.kind == "cpu"
    assert device.reason.endswith("(8 cores, one thread a process)")
    assert "torch is not installed" in device.reason


@pytest.mark.parametrize(
    ("torch", "request_", "says"),
    [
        (torch_with(0), "cuda", "sees none"),
        (torch_with(0, cuda=None), "cuda:3", "built without CUDA"),
        (torch_with(2), "cuda:3", "found cuda:0 to cuda:1"),
        (torch_with(1), "cuda:1", "found cuda:0 only"),
        (None, "cuda", "./core/cardio-core[train]"),
        (torch_with(1), "gpu", "expected auto, cpu, cuda or cuda:INDEX"),
        (torch_with(1), "cuda:-1", "expected auto, cpu, cuda or cuda:INDEX"),
    ],
)
def test_a_gpu_that_is_not_there_is_refused_in_one_line(machine, torch, request_, says):
    machine(torch)
    with pytest.raises(ConfigError, match=request_) as caught:
        choose_device(request_)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_no_gpu_names_the_variable_that_may_hide_it(machine, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    machine(torch_with(0))
    with refuses(ConfigError, "--device cuda", "CUDA_VISIBLE_DEVICES", code="device"):
        choose_device("cuda")


@pytest.mark.parametrize("request_", ["cpu", "auto"])
def test_float16_on_a_cpu_is_refused(machine, request_):
    machine(torch_with(0))
    with refuses(ConfigError, "--precision", "16", "GPU", "CPU", code="device"):
        choose_device(request_, "16")


def test_bfloat16_on_a_cpu_is_taken_and_called_slow(machine):
    machine(torch_with(0))
    device = choose_device("cpu", "bf16")
    assert device.precision == "bf16"
    assert device.reason.endswith("bf16 on a CPU is usually slower than 32")


def test_bfloat16_on_a_gpu_without_it_is_refused(machine):
    machine(torch_with(1, capability=(7, 0)))
    with refuses(ConfigError, "--precision", "16", "32", code="device"):
        choose_device("cuda", "bf16")


def test_an_unknown_precision_is_refused():
    with refuses(ConfigError, "--precision", "64", "32", "bf16"):
        choose_device("cpu", "64")


def test_cpu_workers_are_numbered(machine):
    machine(torch_with(0))
    workers = device_list("cpu", 3)
    assert [(w.torch_name, w.index) for w in workers] == [("cpu", 0), ("cpu", 1), ("cpu", 2)]
    assert workers[1].reason.endswith("worker 2 of 3")


def test_several_gpus_are_listed_in_order(machine):
    machine(torch_with(4))
    gpus = device_list("cuda", 3)
    assert [gpu.torch_name for gpu in gpus] == ["cuda:0", "cuda:1", "cuda:2"]


def test_auto_takes_the_gpus_there_are_and_says_that_more_were_asked_for(machine):
    machine(torch_with(2))
    gpus = device_list("auto", 4)
    assert [gpu.torch_name for gpu in gpus] == ["cuda:0", "cuda:1"]
    assert gpus[0].reason.endswith("4 devices were asked for, 2 found")


@pytest.mark.parametrize(
    ("request_", "n_devices", "says"),
    [
        ("cuda", 3, "expected 3 GPUs, found 2"),
        ("cuda:1", 2, "names one GPU"),
        ("cpu", 0, "expected 1 or more, found 0"),
    ],
)
def test_device_lists_that_cannot_be_are_refused(machine, request_, n_devices, says):
    machine(torch_with(2))
    with pytest.raises(ConfigError, match=says):
        device_list(request_, n_devices)


def test_the_inventory_names_every_gpu(machine):
    machine(torch_with(2))
    gpus = [finding.found for finding in describe_devices() if finding.name == "gpu"]
    assert gpus == ["cuda:0 NVIDIA A100 number 0, 80 GiB", "cuda:1 NVIDIA A100 number 1, 80 GiB"]


def test_the_inventory_works_without_torch_and_says_how_to_get_it(machine):
    machine(None)
    findings = {finding.name: finding for finding in describe_devices()}
    assert findings["torch"].found == "none"
    assert "./core/cardio-core[train]" in findings["torch"].remedy
    assert "8 of" in findings["processor"].found
    assert "GiB" in findings["memory"].found


@pytest.fixture
def torch_says(monkeypatch, tmp_path):
    """Put a torch that cannot be imported first on the path, with this ``version.py``."""

    def write(version):
        (tmp_path / "torch").mkdir()
        (tmp_path / "torch" / "__init__.py").write_text("raise SystemExit")
        (tmp_path / "torch" / "version.py").write_text(f"from typing import Optional\n{version}")
        monkeypatch.delitem(sys.modules, "torch", raising=False)
        monkeypatch.syspath_prepend(tmp_path)

    return write


@pytest.mark.parametrize(
    ("version", "driver", "gpus", "asked"),
    [
        ("__version__ = '2.13.0+cpu'\ncuda: Optional[str] = None\nhip = None", True, None, False),
        ("__version__ = '2.13.0+cu128'\ncuda: Optional[str] = '12.8'", False, "cuda", False),
        ("__version__ = '2.13.0+cu128'\ncuda = '12.8'\nhip: Optional[str] = None", True, "cuda",
         True),
        ("__version__ = '2.13.0+rocm6'\ncuda = None\nhip: Optional[str] = '6.4'", False, "hip",
         True),
    ],
)  # fmt: skip
def test_the_build_of_torch_is_read_and_torch_is_asked_only_where_it_could_see_a_gpu(
    torch_says, monkeypatch, version, driver, gpus, asked
):
    torch_says(version)
    monkeypatch.setattr(torch_build, "_cuda_driver_loads", lambda: driver)
    build = installed_torch()
    assert build is not None
    assert (build.version[:6], build.gpus) == ("2.13.0", gpus)
    assert build.may_see_a_gpu() == asked
    if not asked:
        assert choose_device("auto").reason.startswith("no CUDA device is visible to torch 2.13.0")


def test_what_is_read_of_the_installed_torch_is_what_torch_says():
    torch = pytest.importorskip("torch")
    build = installed_torch()
    assert build is not None
    assert build.version == torch.__version__
    assert (build.gpus == "cuda") == (torch.version.cuda is not None)
