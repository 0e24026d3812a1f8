"""The page docs/gpu.md, made of what is stored and of nothing else.

``python benchmarks/gpu_page.py`` writes it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "gpu.md"
RESULTS = ROOT / "docs" / "results"
FILES = {"gpu": "gpu.json", "shared": "shared_fit.json"}

HEAD = """\
# GPUs and several devices

<!-- Made by python benchmarks/gpu_page.py; change that, not this. -->

`cardio run --device cuda` uses the first GPU, `cuda:1` the second; `auto` uses a GPU if there is
one and says so. `--precision bf16` computes forward and backward passes in bfloat16 and keeps
weights, losses and scores in float32. To set one up, see [Train on a GPU](howto/gpu.md).

## What `--devices N` does

1. **Independent fits first.** Every model of every fold is a separate fit; each of N GPUs, or of N
   processes on a CPU, does one at a time. On a CPU no number changes.
2. **Devices share a fit only if there are fewer fits than devices**, by Lightning's DDP: two fits
   on five devices get three and two. `--device cpu --devices 2` shares a fit between two processes.

A shared fit equals the fit of one device: the same batches, the same augmentation of each example,
gradients weighted by the number of examples, validation scored by the first device. If one device
runs out of memory, the batch is halved for all; if a process dies, all end, and the run says which.
Exceptions, which the report notes:

- Networks with **batch normalisation** are shared only on GPUs (SyncBatchNorm); all networks of the
  four plugins but the autoencoder have it.
- A batch of one example is not shared, nothing is shared on Windows, and `torch.compile` is
  disabled in a shared fit.
- Dropout draws other units, as with another seed, and a loss divided by its class weights differs.
"""

SHARED = """
## Two processes against one

A small network without batch normalisation on a CPU, {n} pictures. In {equal} kinds of training
(accumulated batches, early stopping, schedules, three processes ...) the largest difference of a
weight is {largest:.0e}, where training moves weights by at least {moved:.2f}. When a process is
killed or fails, all end within {ends} s, and no process is left.

<!-- slow -->
```sh
python benchmarks/shared_fit.py
```

"""

NO_GPU = """
## No figure of a GPU exists

No speed, memory or metric in these documents comes from a GPU. To measure them, run:

```text
python benchmarks/gpu.py --device cuda --compile --json docs/results/gpu.json
python benchmarks/gpu_page.py
```

**Untested**: everything on CUDA, including `--precision 16`, recovery when memory runs out,
shared fits by NCCL, `torch.compile`, CUDA graphs, and how far two runs on a GPU differ.
"""


def stored() -> dict[str, Any]:
    """Return what is stored; None for what is not."""
    found: dict[str, Any] = {}
    for name, file in FILES.items():
        path = RESULTS / file
        found[name] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    return found


def page(found: dict[str, Any]) -> str:
    """Return the page of what is stored."""
    text = HEAD
    if found["shared"] is not None:
        text += shared(found["shared"])
    gpu = found["gpu"]
    text += NO_GPU if gpu is None or gpu["hardware"]["kind"] != "cuda" else figures(gpu)
    return text


def made(one: dict[str, Any]) -> str:
    """Return where figures come from, in a line."""
    place = one.get("machine") or one["hardware"]["host"]
    versions = ", ".join(f"{name} {version}" for name, version in one["versions"].items())
    return f"Measured on {one['date']} at {one['commit'][:10]}; {place}; {versions}.\n"


def shared(one: dict[str, Any]) -> str:
    """Return the part on shared fits."""
    rows = one["equal"].values()
    return SHARED.format(
        n=one["n"][0], equal=len(rows), largest=max(row["weights"] for row in rows),
        moved=min(row["moved"] for row in rows), ends=max(row["s"] for row in one["ends"].values()),
    ) + made(one)  # fmt: skip


def figures(one: dict[str, Any]) -> str:
    """Return the part on a GPU."""
    what = one["hardware"]
    peaks = ", ".join(f"{kind} {peak / 1e12:.1f}" for kind, peak in one["peak_flops"].items())
    lines = [
        "",
        f"## On one {what['name']}",
        "",
        f"{what['memory_gib']} GiB, capability {what['capability']}, driver {what['driver']}, "
        f"CUDA {what['cuda']}, cuDNN {what['cudnn']}. Largest matrix products, TFLOP/s: {peaks}.",
        "",
        f"```text\n{one['command']}\n```",
        "",
        made(one),
        "| network | arithmetic | channels last | train, samples/s | of the peak | MiB | "
        "predict, samples/s | of the peak |",
        "|---|---|---|---:|---:|---:|---:|---:|",
    ]
    for network in one["networks"].values():
        for row in network["bare"]:
            lines.append(
                f"| {network['title']} | {row['arithmetic']} | "
                f"{'yes' if row['channels_last'] else 'no'} | {row['train_samples_s']:g} | "
                f"{row['train_share_of_peak']:.0%} | {row['train_memory_mib']:g} | "
                f"{row['predict_samples_s']:g} | {row['predict_share_of_peak']:.0%} |"
            )
    lines += ["", "By the engine, with the plugin's examples:", ""]
    lines += ["| network | precision | processes that make batches | train, samples/s | predict | "
              "time waiting |", "|---|---|---:|---:|---:|---:|"]  # fmt: skip
    for network in one["networks"].values():
        for row in network["engine"]:
            waits = network["waiting"][str(row["n_workers"])]
            lines.append(
                f"| {network['title']} | {row['precision']} | {row['n_workers']} | "
                f"{row['train_samples_s']:g} | {row['predict_samples_s']:g} | {waits:.0%} |"
            )
    lines += ["", "| network | torch.compile | CUDA graph | several as one |", "|---|---|---|---|"]
    for network in one["networks"].values():
        both = [_speedup(network.get(name)) for name in ("compile", "cuda_graph")]
        several = ", ".join(
            f"{row['networks']}: {row['speedup']:.2f} x" for row in network.get("together", ())
        )
        lines.append(f"| {network['title']} | {' | '.join(both)} | {several} |")
    lines += ["", "Runs on synthetic cohorts, in float32 and in bf16:", ""]
    lines += ["| command | s | metric | value (95 % interval) |", "|---|---:|---|---|"]
    for runs in one["runs"].values():
        for run in runs.values():
            for row in run.get("metrics", ())[:4]:
                lines.append(
                    f"| `{run['command']}` | {run['seconds']} | {row['name']} {row['target']}, "
                    f"n = {row['n']} | {row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f}) |"
                )
            if "failed" in run:
                lines.append(
                    f"| `{run['command']}` | {run['seconds']} | failed | {run['failed']} |"
                )
    return "\n".join([*lines, ""])


def _speedup(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    return f"{row['speedup']:.2f} x" if "speedup" in row else row["not_measured"]


if __name__ == "__main__":
    PAGE.write_text(page(stored()), encoding="utf-8")
