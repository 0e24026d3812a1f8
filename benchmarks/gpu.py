"""The plugins' networks on one device: speed, share of its peak, memory, and equal metrics.

    python benchmarks/gpu.py --device cuda --json docs/results/gpu.json
    python benchmarks/gpu.py --small --device cpu

Of each network: a plain step over one batch that stays on the device, by arithmetic (fp32, tf32,
bf16) and memory layout, with the share of the matrix product that the same device was found to
reach; torch.compile; forward and backward as one CUDA graph; training and prediction by the
engine with the plugin's own examples, and the share of the time in which a training waits for its
next batch, by the number of processes that make them; small networks several at once, as seeds and
folds would be. Then one run of each plugin's network on its synthetic cohort in float32 and one in
bf16: how long it takes, and its metrics with their intervals side by side.

Speeds are of the clock. ``--small`` takes sizes at which no speed says anything of the method: it
shows that the script runs. A figure of a CPU is never one of a GPU, and says so in its file.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import gpu_measures as measure
import torch
from gpu_networks import workloads

from cardio_core.compute.devices import Device, choose_device, cpu_count
from cardio_core.compute.processes import one_thread

ROOT = Path(__file__).parents[1]
WORKERS = (0, 2, 8)
PACKAGES = ("torch", "lightning", "numpy", "monai")

RUNS: dict[str, tuple[str, tuple[str, ...]]] = {
    "echo_cmr": ("outcome", ("models=[a4c]",)),
    "ecg_transfer": ("aami_beats", ("models=[resnet_50]",)),
    "mmode_septal_flash": ("septal_flash", ("models=[densenet_scratch]",)),
    "spect_polar": ("mfr", ("models=[resnet_rest]",)),
}
"""By plugin the task, and the settings that leave its network alone, at its full size."""

SMALL = ("spect_polar",)
SMALLER = ("n_synthetic=24", "evaluate.n_resamples=100")
SHOWN = ("auc", "mae", "macro_f1")


def hardware(device: Device) -> dict[str, Any]:
    """Return what the device is, with driver and libraries."""
    found: dict[str, Any] = {
        "kind": device.kind,
        "name": device.name,
        "host": f"{platform.machine()}, {cpu_count()} cores",
    }
    if device.kind == "cuda":
        about = torch.cuda.get_device_properties(device.index or 0)
        found |= {
            "memory_gib": round(about.total_memory / 2**30, 1),
            "capability": f"{about.major}.{about.minor}",
            "driver": _driver(device.index or 0),
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),
        }
    return found


def _driver(index: int) -> str:
    asked = ["nvidia-smi", f"--id={index}", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return done.stdout.strip()


def commit() -> str:
    """Return the commit of the sources."""
    done = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


def of_network(
    name: str, small: bool, device: Device, peaks: dict[str, float], with_compile: bool
) -> dict[str, Any]:
    """Measure one network."""
    work = workloads(small)[name]
    if device.kind == "cpu":
        work = replace(work, steps=min(work.steps, 10))
    n_parameters = sum(p.numel() for p in work.network().parameters())
    found: dict[str, Any] = {
        "title": work.title, "plugin": work.plugin, "example": work.size, "batch": work.batch,
        "parameters": n_parameters, "flops": measure.flops(work),
    }  # fmt: skip
    found["bare"] = measure.bare(work, device, peaks)
    found["compile"] = (
        measure.compiled(work, device) if with_compile else {"not_measured": "not asked for"}
    )
    if work.together:
        found["cuda_graph"] = measure.graphed(work, device)
        found["together"] = [
            measure.together(work, device, k) for k in ((5,) if small else (5, 20))
        ]
    workers = WORKERS if device.kind == "cuda" else WORKERS[:1]
    found["waiting"] = {str(n): measure.waiting(work, device, n) for n in workers}
    half = replace(device, precision="bf16")
    found["engine"] = [measure.engine(work, device, n) for n in workers]
    found["engine"].append(measure.engine(work, half, workers[-1]))
    return found


def command_of(plugin: str, precision: str, device: str, small: bool) -> list[str]:
    """Return the arguments of one run, but for its folder."""
    task, sets = RUNS[plugin]
    config = "smoke" if small else "default"
    said = ["--plugin", plugin, "--task", task, "--config", config, "--protocol", "honest"]
    said += ["--device", device, "--precision", precision]
    for one in (*sets, *(SMALLER if small else ())):
        said += ["--set", one]
    return ["run", *said]


def run_of(plugin: str, precision: str, device: str, small: bool, folder: Path) -> dict[str, Any]:
    """Run a plugin's network on its synthetic cohort; return its time and metrics."""
    said = command_of(plugin, precision, device, small)
    print("cardio", shlex.join(said), flush=True)
    out = folder / f"{plugin}-{precision}"
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", "from cardio_core.cli.main import main; main()", *said,
         "--out", str(out)],
        capture_output=True, text=True, env=os.environ | {"CARDIO_CACHE": str(folder / "cache")},
        check=False,
    )  # fmt: skip
    found: dict[str, Any] = {
        "command": f"cardio {shlex.join(said)}",
        "seconds": round(time.perf_counter() - begun, 1),
    }
    if done.returncode:
        return found | {"failed": (done.stderr or done.stdout).strip().splitlines()[-1]}
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    rows = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    found["stages"] = manifest["stages"]
    found["metrics"] = [
        {key: row[key] for key in ("name", "target", "value", "low", "high", "n", "unit")}
        for row in rows
        if row["name"] in SHOWN
        and row["model"] == manifest["primary"]
        and row["fold"] in (None, "pooled")
        and row["subgroup"] is None
    ]
    return found


def gathered(asked: argparse.Namespace, device: Device) -> dict[str, Any]:
    """Measure everything that was asked for."""
    sides = (4096, 8192, 16384) if device.kind == "cuda" else (256, 512, 1024)
    found: dict[str, Any] = {
        "command": shlex.join(["python", "benchmarks/gpu.py", *asked.given]),
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit(),
        "small": asked.small,
        "hardware": hardware(device),
        "versions": {"python": platform.python_version()}
        | {name: metadata.version(name) for name in PACKAGES},
        "peak_flops": measure.peak_flops(device, sides),
        "networks": {},
        "runs": {},
    }
    for name in asked.only:
        print(name, flush=True)
        found["networks"][name] = of_network(
            name, asked.small, device, found["peak_flops"], asked.compile
        )
    with tempfile.TemporaryDirectory() as folder:
        for plugin in asked.runs:
            found["runs"][plugin] = {
                precision: run_of(plugin, precision, asked.device, asked.small, Path(folder))
                for precision in ("32", "bf16")
            }
    return found


def parsed(given: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = tuple(workloads(True))
    parser.add_argument("--small", action="store_true", help="sizes for a CPU")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:N or cpu")
    parser.add_argument("--only", nargs="*", choices=names, default=names, help="networks")
    parser.add_argument("--runs", nargs="*", choices=tuple(RUNS), help="plugins that are run")
    parser.add_argument("--compile", action="store_true", help="torch.compile, too: minutes each")
    parser.add_argument("--json", type=Path, help="where the figures go; else they are printed")
    asked = parser.parse_args(given)
    asked.given = list(given)
    if asked.runs is None:
        asked.runs = SMALL if asked.small else tuple(RUNS)
    return asked


def main(given: Sequence[str] | None = None) -> int:
    """Measure, and store or print the figures."""
    asked = parsed(sys.argv[1:] if given is None else given)
    device = choose_device(asked.device)
    large = [name for name in asked.only if not workloads(False)[name].together]
    if device.kind == "cpu" and not asked.small and (large or asked.runs):
        print(
            "On a CPU expected --small, or --only with small networks and --runs with nothing "
            f"behind it: {', '.join([*large, *asked.runs])} would take days.",
            file=sys.stderr,
        )
        return 2
    if device.kind == "cuda":
        torch.cuda.set_device(device.torch_name)
    begun = time.perf_counter()
    with one_thread():
        found = gathered(asked, device)
    found["seconds"] = round(time.perf_counter() - begun, 1)
    text = json.dumps(found, indent=1) + "\n"
    if asked.json is None:
        print(text)
    else:
        asked.json.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
